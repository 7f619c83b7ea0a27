/* Plans of transforms, for the checks of kernels that take them. */
#ifndef TRIPTYCH_CHECK_FFT_PLAN_H
#define TRIPTYCH_CHECK_FFT_PLAN_H

#include "check.h"

#include "../kernels/fft.h"

typedef struct { float twiddles[1 << 13], roots[1 << 10], halves[1 << 10]; } fft_tables;

static long add_root(float *to, long at, long number, long length) {
    const double angle = -2 * M_PI * (double)(number % length) / (double)length;
    to[at] = (float)cos(angle), to[at + 1] = (float)sin(angle);
    return at + 2;
}

/* n = 0 in it: n has a larger prime factor than kernels take. */
static fft_plan plan_for(long n, fft_tables *tables) {
    static const int primes[] = {4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61};
    fft_plan plan = {.n = n, .m = n % 2 ? n : n / 2,
                     .twiddles = tables->twiddles, .roots = tables->roots, .halves = tables->halves};
    long rest = plan.m, at[3] = {0};
    for (size_t i = 0; i < sizeof primes / sizeof *primes; i++)
        for (; rest % primes[i] == 0; rest /= primes[i]) plan.factors[plan.num_factors++] = primes[i];
    if (rest > 1) plan.n = 0; /* a larger prime: not for this kernel */
    long length = plan.m;
    for (int i = 0; i < plan.num_factors; i++) {
        const long r = plan.factors[i];
        for (long p = 0; p < length / r; p++)
            for (long j = 1; j < r; j++) at[0] = add_root(tables->twiddles, at[0], p * j, length);
        for (long j = 0; j < r; j++) at[1] = add_root(tables->roots, at[1], j, r);
        length /= r;
    }
    for (long k = 0; k <= n / 2; k++) at[2] = add_root(tables->halves, at[2], k, n);
    return plan;
}

#endif
