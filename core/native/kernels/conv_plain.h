/* The plain twins of the convolutions, for the checks; sums are kept in double precision. */
#ifndef TRIPTYCH_CONV_PLAIN_H
#define TRIPTYCH_CONV_PLAIN_H

#include "conv.h"

/* Visits all terms: `out`, `image` and `w` are where they lie in their arrays. */
#define EACH_TERM(body)                                                                            \
    for (long s = 0; s < n; s++)                                                                   \
        for (long m = 0; m < o; m++)                                                               \
            for (long i = 0; i < y->out; i++)                                                      \
                for (long j = 0; j < x->out; j++)                                                  \
                    for (long k = 0; k < c / groups * y->kernel * x->kernel; k++) {                \
                        const long out = ((s * o + m) * y->out + i) * x->out + j;                  \
                        const long ky = k / x->kernel % y->kernel, kx = k % x->kernel;             \
                        const long first = m / (o / groups) * (c / groups);                        \
                        const long channel = s * c + first + k / x->kernel / y->kernel;            \
                        const long row = i * y->stride - y->before + ky * y->dilation;             \
                        const long column = j * x->stride - x->before + kx * x->dilation;          \
                        const long image = (channel * y->in + row) * x->in + column;               \
                        const long w = m * (c / groups) * y->kernel * x->kernel + k;               \
                        if (row < 0 || row >= y->in || column < 0 || column >= x->in) continue;    \
                        body;                                                                      \
                    }
#define CONV_PLAIN(name, one, two, sum)                                                            \
    __attribute__((unused)) static void name(const conv_axis *y, const conv_axis *x, long n,       \
                                             long c, long o, long groups, const float *a,          \
                                             const float *b, double *result) {                     \
        EACH_TERM(result[sum] += (double)a[one] * b[two])                                          \
    }
/* Results start as zeros. */
CONV_PLAIN(conv_plain, image, w, out)    /* a is x, b is w */
CONV_PLAIN(conv_dx_plain, out, w, image) /* a is the gradient of y, b is w */
CONV_PLAIN(conv_dw_plain, out, image, w) /* a is the gradient of y, b is x */

#endif
