/* The gates of recurrent cells: sigmoid(x) = 1 / (1 + e) and tanh(x / 2) = (1 - e) / (1 + e) for
   e = exp(-x), so that several gates share one division. Errors are absolute, some 2e-7: so the
   exponential is a short one, and arguments beyond 28 count as 28, where the results differ from 0
   and 1 by less than 1e-12. */
#ifndef TRIPTYCH_RECURRENT_CELLS_H
#define TRIPTYCH_RECURRENT_CELLS_H

#include "vector_math.h"

#define MOST 40.4f /* 28 log2(e); three factors of 2^MOST are a float32 */

/* exp(-x times), for times 1 or 2. NaN stays. The polynomial is 2^r for |r| <= 1/2 within 1e-7, and
   1 at 0; a minimax fit. */
INLINE vfloat gate_exp(vfloat x, float times) {
    const vfloat magic = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    const vfloat t = vmin(splat(MOST), vmax(splat(-MOST), x * (-1.44269504f * times)));
    const vfloat shifted = t + magic, r = t - (shifted - magic);
    vfloat p = splat(1.32647273e-3f);
    p = p * r + 9.67151299e-3f;
    p = p * r + 5.55073358e-2f;
    p = p * r + 2.40222424e-1f;
    p = p * r + 6.93147004e-1f;
    /* The last bits of `shifted` are the power; all others leave at the top. */
    return (p * r + 1.0f) * (vfloat)(((vint)shifted + 127) << 23);
}
/* a / b for 1 <= b, within 2 ulp. */
INLINE vfloat quotient(vfloat a, vfloat b) {
#if defined(__AVX512F__)
    vfloat inverse = (vfloat)_mm512_rcp14_ps((__m512)b);
    inverse = inverse + inverse * vfma(-b, inverse, splat(1)); /* Newton's step */
    return a * inverse;
#else
    return a / b;
#endif
}
INLINE vfloat sigmoid_of(vfloat x) { return quotient(splat(1), 1.0f + gate_exp(x, 1)); }
INLINE vfloat tanh_of(vfloat x) {
    const vfloat e = gate_exp(x, 2);
    return quotient(1.0f - e, 1.0f + e);
}

/* c = sigmoid(f) c + sigmoid(i) tanh(g) */
INLINE vfloat lstm_cell(vfloat i, vfloat f, vfloat g, vfloat c) {
    const vfloat ef = 1.0f + gate_exp(f, 1), eg = gate_exp(g, 2);
    const vfloat both = (1.0f + gate_exp(i, 1)) * (1.0f + eg);
    return quotient(c * both + (1.0f - eg) * ef, ef * both);
}
/* sigmoid(o) tanh(c) */
INLINE vfloat lstm_state(vfloat o, vfloat c) {
    const vfloat eo = 1.0f + gate_exp(o, 1), ec = gate_exp(c, 2);
    return quotient(1.0f - ec, eo * (1.0f + ec));
}

/* m = tanh(n + sigmoid(r) inner), m + sigmoid(z) (h - m) */
INLINE vfloat gru_state(vfloat r, vfloat z, vfloat n, vfloat inner, vfloat h) {
    const vfloat en = gate_exp(n + sigmoid_of(r) * inner, 2), ez = gate_exp(z, 1);
    return quotient((1.0f - en) * ez + h * (1.0f + en), (1.0f + en) * (1.0f + ez));
}

/* For the plain twins, in doubles. products: of one row, `wide` numbers: its state times w. */
INLINE double plain_sigmoid(double x) { return 1 / (1 + __builtin_exp(-x)); }
INLINE void plain_products(const float *h, const float *w, long size, long wide, double *products) {
    for (long q = 0; q < wide; q++) {
        products[q] = 0;
        for (long j = 0; j < size; j++) products[q] += (double)w[q * size + j] * h[j];
    }
}

#endif
