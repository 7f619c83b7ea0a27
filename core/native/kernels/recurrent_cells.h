/* The gates of recurrent cells: sigmoid(x) = 1 / (1 + e) and tanh(x / 2) = (1 - e) / (1 + e) for
   e = exp(-x), so that several gates share one division. Arguments beyond MOST count as MOST: the
   results there differ from 0 and 1 by less than 1e-12. Errors are absolute, some 2e-7. */
#ifndef TRIPTYCH_RECURRENT_CELLS_H
#define TRIPTYCH_RECURRENT_CELLS_H

#include "exp_below.h"
#include "vector_math.h"

#define MOST 28.0f /* three factors of exp(MOST) are a float32 */

/* exp(-x), for sigmoid; exp(-2 x) for tanh. NaN stays. */
INLINE vfloat gate_exp(vfloat x) {
    return vexp_below(-vmin(splat(MOST), vmax(splat(-MOST), x)));
}
INLINE vfloat tanh_of(vfloat x) {
    const vfloat e = gate_exp(2.0f * x);
    return (1.0f - e) / (1.0f + e);
}

/* c = sigmoid(f) c + sigmoid(i) tanh(g) */
INLINE vfloat lstm_cell(vfloat i, vfloat f, vfloat g, vfloat c) {
    const vfloat ef = 1.0f + gate_exp(f), eg = gate_exp(2.0f * g);
    const vfloat both = (1.0f + gate_exp(i)) * (1.0f + eg);
    return (c * both + (1.0f - eg) * ef) / (ef * both);
}
/* sigmoid(o) tanh(c) */
INLINE vfloat lstm_state(vfloat o, vfloat c) {
    const vfloat eo = 1.0f + gate_exp(o), ec = gate_exp(2.0f * c);
    return (1.0f - ec) / (eo * (1.0f + ec));
}

/* m = tanh(n + sigmoid(r) inner), m + sigmoid(z) (h - m) */
INLINE vfloat gru_state(vfloat r, vfloat z, vfloat n, vfloat inner, vfloat h) {
    const vfloat en = gate_exp(2.0f * (n + inner / (1.0f + gate_exp(r)))), ez = gate_exp(z);
    return ((1.0f - en) * ez + h * (1.0f + en)) / ((1.0f + en) * (1.0f + ez));
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
