/* gelu for the end of a product, where it is paid for each tile: a quarter of the steps of vgelu.
   Phi(-t) = M(t) exp(-t^2 / 2), where M, Mills' ratio, is u p(u) with u = 1 / (1 + 0.35 t): p is
   fitted to it, by least squares reweighted until the relative error is even, on 0 to 14.5.
   Source: Abramowitz and Stegun 1964, 26.2.17, for the form. */
#ifndef TRIPTYCH_GELU_QUICK_H
#define TRIPTYCH_GELU_QUICK_H

#include "exp_below.h"
#include "vector_math.h"

/* x Phi(x), within 4 ulp down to -12.8, where it is 1e-36; then it loses digits and becomes 0. NaN
   stays NaN, and -infinity gives it. */
INLINE vfloat gelu_quick(vfloat x) {
    const vfloat t = vmin(choose(x < 0, -x, x), splat(20.0f)), u = 1.0f / (0.35f * t + 1.0f);
    const vfloat square = t * t, lost = product_low(t, t, square);
    vfloat p = splat(-2.9157916083931923e-02f);
    p = p * u + 1.4403106272220612e-01f;
    p = p * u - 2.5583928823471069e-01f;
    p = p * u + 1.5932002663612366e-01f;
    p = p * u - 2.3212570697069168e-02f;
    p = p * u + 1.0555259138345718e-01f;
    p = p * u + 1.1982126533985138e-01f;
    p = p * u + 1.3986352086067200e-01f;
    p = p * u + 1.3962130248546600e-01f;
    const vfloat e = vexp_below(-0.5f * square);
    const vfloat tail = p * u * (e - 0.5f * lost * e);
    return x * choose(x < 0, tail, 1.0f - tail);
}

#endif
