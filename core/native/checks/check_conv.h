/* Axes and plain results for the checks of convolutions. */
#include "check.h"

#include "../kernels/conv_plain.h"

__attribute__((unused)) static conv_axis random_axis(long longest) {
    for (;;) {
        conv_axis a = {random_between(1, longest), 0, random_between(1, 5), random_between(1, 3),
                       random_between(1, 2), random_between(0, 3)};
        const long room = a.in + a.before + random_between(0, 3) - a.dilation * (a.kernel - 1) - 1;
        a.out = room / a.stride + 1;
        if (room >= 0) return a;
    }
}

typedef void plain_function(const conv_axis *, const conv_axis *, long, long, long, long,
                            const float *, const float *, double *);

/* Ends the check unless `got` is what the plain twin gives. */
static void check_conv(const char *what, plain_function *plain, const conv_axis *y,
                       const conv_axis *x, long n, long c, long o, long groups, const float *a,
                       const float *b, const float *got, long count, float absolute) {
    double *sums = guarded(count, sizeof *sums); /* pages come as zeros */
    float *want = guarded(count, sizeof *want);
    plain(y, x, n, c, o, groups, a, b, sums);
    for (long i = 0; i < count; i++) want[i] = (float)sums[i];
    check_close(what, got, want, count, 1e-5f, absolute);
}
