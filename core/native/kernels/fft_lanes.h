/* Fourier transforms of which each lane of a vector holds one. */
#ifndef TRIPTYCH_FFT_LANES_H
#define TRIPTYCH_FFT_LANES_H

#include "fft.h"
#include "vector.h"

typedef struct { vfloat re, im; } vcomplex;

INLINE vcomplex plus(vcomplex a, vcomplex b) { return (vcomplex){a.re + b.re, a.im + b.im}; }
INLINE vcomplex minus(vcomplex a, vcomplex b) { return (vcomplex){a.re - b.re, a.im - b.im}; }
INLINE vcomplex conjugate(vcomplex a) { return (vcomplex){a.re, -a.im}; }
INLINE vcomplex times(vcomplex a, float re, float im) {
    return (vcomplex){a.re * re - a.im * im, a.re * im + a.im * re};
}
/* a - i b and a + i b, with b scaled. */
INLINE vcomplex minus_i(vcomplex a, vcomplex b, float scale) {
    return (vcomplex){a.re + b.im * scale, a.im - b.re * scale};
}
INLINE vcomplex plus_i(vcomplex a, vcomplex b, float scale) {
    return (vcomplex){a.re - b.im * scale, a.im + b.re * scale};
}

/* The complex transforms of plan->m numbers in x, with y as work memory; gives that of the two which
   the result is in. */
vcomplex *KERNEL(fft_transform)(const fft_plan *plan, vcomplex *x, vcomplex *y);

/* The bin k of the real signal: of even lengths from those of its half. */
INLINE vcomplex bin_of_real(const fft_plan *plan, const vcomplex *z, long k) {
    if (plan->m == plan->n) return z[k];
    vcomplex a = z[k == plan->m ? 0 : k], b = z[k == 0 ? 0 : plan->m - k];
    vcomplex even = {(a.re + b.re) * 0.5f, (a.im - b.im) * 0.5f};
    vcomplex odd = {(a.im + b.im) * 0.5f, (b.re - a.re) * 0.5f};
    return plus(even, times(odd, plan->halves[2 * k], plan->halves[2 * k + 1]));
}

#endif
