/* Functions whose results become halves: of so few digits that shorter sums will do, within 2^-16.
   Such a result is rounded another way than an exact one about once in two hundred times. Where exp
   overflows, sigmoid and silu are 0.

   gelu: log2 Phi(-t) as a polynomial in t up to 14.5, where float32 ends; beyond 5.9, where float16
   ends, within 2^-11. Its coefficients and those for powers of two have the least largest error, by
   least squares whose weights are raised where the error is large.
   Source: Lawson 1961, for the weights. */
#ifndef TRIPTYCH_HALF_MATH_H
#define TRIPTYCH_HALF_MATH_H

#include "vector_math.h"

/* p 2^n for whole n from -252 to 254, rounded once where the result is subnormal. */
INLINE vfloat times_power(vfloat p, vfloat n) {
#if defined(__AVX512F__)
    return (vfloat)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    const vint whole = __builtin_convertvector(n, vint), half = whole >> 1;
    return p * (vfloat)((half + 127) << 23) * (vfloat)((whole - half + 127) << 23);
#endif
}

/* 2^z for z from -252 to 254; NaN stays NaN. */
INLINE vfloat half_exp2(vfloat z) {
    const vfloat magic = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    const vfloat n = (z + magic) - magic, r = z - n;
    vfloat p = splat(1.32764736e-3f);
    p = p * r + 9.67554189e-3f;
    p = p * r + 5.55071309e-2f;
    p = p * r + 2.40221202e-1f;
    p = p * r + 6.93146944e-1f;
    p = p * r + 1.0f;
#if !defined(__AVX512F__)
    return choose(z == z, times_power(p, choose(z == z, n, splat(0.0f))), z);
#else
    return times_power(p, n);
#endif
}

INLINE vfloat half_exp(vfloat x) {
    return half_exp2(vmin(splat(200.0f), vmax(splat(-200.0f), x * 1.44269504f)));
}

INLINE vfloat half_sigmoid(vfloat x) { return 1.0f / (1.0f + half_exp(-x)); }
INLINE vfloat half_silu(vfloat x) { return x / (1.0f + half_exp(-x)); }

/* x Phi(x), as the larger of x and 0 less |x| Phi(-|x|). */
INLINE vfloat half_gelu(vfloat x) {
    const vfloat size = vabs(vmin(splat(14.5f), x)), t = vmin(size, splat(14.5f));
    vfloat q = splat(-2.05425077e-9f);
    q = q * t + 1.50340256e-7f;
    q = q * t - 4.80090239e-6f;
    q = q * t + 8.86615526e-5f;
    q = q * t - 1.06304104e-3f;
    q = q * t + 8.86862818e-3f;
    q = q * t - 5.44880405e-2f;
    q = q * t - 4.58093435e-1f;
    q = q * t - 1.15134585f;
    q = q * t - 0.999992073f;
    return vmax(splat(0.0f), x) - size * half_exp2(q);
}

#endif
