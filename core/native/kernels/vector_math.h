/* Elementary functions on vectors of float32. Errors are in units in the last place, the largest
   that the tests found over all float32 numbers of the stated range. */
#ifndef TRIPTYCH_VECTOR_MATH_H
#define TRIPTYCH_VECTOR_MATH_H

#include "vector.h"

/* exp(x), within 2 ulp; 0 below -104, infinity above 88.8; NaN stays.
   x = n log 2 + r with |r| <= log(2) / 2; a polynomial for exp(r), and n goes into the exponent in
   two steps, so that results below the smallest normal number are right as well.
   Source: Cody and Waite 1980, chapter 6; coefficients of 1 / k! improved by Remez exchange. */
INLINE vfloat vexp(vfloat x) {
    const vfloat magic = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    vfloat clamped = vmin(vmax(x, splat(-150.0f)), splat(130.0f));
    vfloat n = (clamped * 1.44269504088896341f + magic) - magic;
    vfloat r = clamped - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    vfloat p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    vint whole = __builtin_convertvector(n, vint);
    vint half = whole >> 1;
    vfloat scale1 = (vfloat)((half + 127) << 23);
    vfloat scale2 = (vfloat)((whole - half + 127) << 23);
    vfloat y = p * scale1 * scale2;
    return choose(x != x, x, y);
}

#endif
