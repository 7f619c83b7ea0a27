/* exp of numbers that are 0 or less, as softmax takes it of what is left without the maximum: half
   the steps of vexp. Within 2 ulp; below the smallest normal number the result is 0, and so it is
   for -infinity. NaN stays NaN. It is right above 0 as well, up to 88.
   Source: Cody and Waite 1980, chapter 6; the polynomial is that of vector_math.h. */
#ifndef TRIPTYCH_EXP_BELOW_H
#define TRIPTYCH_EXP_BELOW_H

#include "vector.h"

INLINE vfloat vexp_below(vfloat x) {
    const vfloat magic = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    const vfloat shifted = x * 1.44269504f + magic, n = shifted - magic;
    const vfloat r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    vfloat p = splat(1.99199043e-4f);
    p = p * r + 1.39471854e-3f;
    p = p * r + 8.33326206e-3f;
    p = p * r + 4.16662544e-2f;
    p = p * r + 1.66666672e-1f;
    p = p * r + 0.5f;
    p = (p * (r * r) + r) + 1.0f;
    /* The last bits of `shifted` are n; all others leave at the top. */
    const vfloat power = (vfloat)(((vint)shifted + 127) << 23);
    return choose(x < -87.3365448f, (vfloat){0}, p * power); /* 2^-126 */
}

#endif
