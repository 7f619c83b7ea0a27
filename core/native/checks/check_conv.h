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

/* Any finish for o channels, or none. */
__attribute__((unused)) static const conv_after *random_after(long o) {
    conv_after *after = guarded(1, sizeof *after);
    after->mean = guarded_floats(o, 1), after->scale = guarded_floats(o, 1);
    after->shift = guarded_floats(o, 1);
    after->low = random_between(0, 1) ? 0 : -__builtin_inff();
    after->high = random_between(0, 1) ? 1 : __builtin_inff();
    after->hardswish = (int)random_between(0, 1);
    if (random_between(0, 2) == 0) after->mean = after->scale = 0;
    return random_between(0, 2) ? after : 0;
}

static double finished(const conv_after *after, long channel, double sum) {
    if (!after) return sum;
    const float *mean = after->mean, *scale = after->scale;
    const double y = (mean ? (sum - mean[channel]) * scale[channel] : sum) + after->shift[channel];
    const double low = after->hardswish ? 0 : after->low, high = after->hardswish ? 6 : after->high;
    const double z = after->hardswish ? y + 3 : y, inside = z < low ? low : z > high ? high : z;
    return after->hardswish ? y * inside / 6 : inside;
}

typedef void plain_function(const conv_axis *, const conv_axis *, long, long, long, long,
                            const float *, const float *, double *);

/* Ends the check unless `got` is what the plain twin gives. */
static void check_conv(const char *what, plain_function *plain, const conv_axis *y,
                       const conv_axis *x, long n, long c, long o, long groups, const float *a,
                       const float *b, const conv_after *after, const float *got, long count,
                       float absolute) {
    double *sums = guarded(count, sizeof *sums); /* pages come as zeros */
    float *want = guarded(count, sizeof *want);
    plain(y, x, n, c, o, groups, a, b, sums);
    for (long i = 0; i < count; i++) want[i] = (float)finished(after, i / (y->out * x->out) % o, sums[i]);
    check_close(what, got, want, count, 1e-5f, absolute);
}
