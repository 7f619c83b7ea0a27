/* The plain twins of the convolutions, for the checks; sums are kept in double precision. */
#ifndef TRIPTYCH_CONV_PLAIN_H
#define TRIPTYCH_CONV_PLAIN_H

#include "conv.h"

__attribute__((unused)) static void conv_plain(const conv_axis *y, const conv_axis *x, long n, long c,
                                               long o, long groups, const float *image,
                                               const float *w, float *out) {
    const long per = c / groups;
    for (long s = 0; s < n; s++)
        for (long m = 0; m < o; m++)
            for (long i = 0; i < y->out; i++)
                for (long j = 0; j < x->out; j++) {
                    double sum = 0;
                    for (long k = 0; k < per * y->kernel * x->kernel; k++) {
                        const long ky = k / x->kernel % y->kernel, kx = k % x->kernel;
                        const long channel = s * c + m / (o / groups) * per + k / x->kernel / y->kernel;
                        const long row = i * y->stride - y->before + ky * y->dilation;
                        const long column = j * x->stride - x->before + kx * x->dilation;
                        if (row < 0 || row >= y->in || column < 0 || column >= x->in) continue;
                        sum += (double)image[(channel * y->in + row) * x->in + column] *
                               w[m * per * y->kernel * x->kernel + k];
                    }
                    *out++ = (float)sum;
                }
}

#endif
