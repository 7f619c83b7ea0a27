#include "check_conv.h"

#include "../kernels/conv_depthwise.c"

/* As most layers have it: 3x3 or 5x5, stride 1 or 2. */
static conv_axis common_axis(long longest, long kernel, long stride) {
    conv_axis a = {random_between(1, longest), 0, kernel, stride, 1, random_between(0, kernel)};
    const long room = a.in + a.before + random_between(0, kernel) - kernel;
    a.out = room / stride + 1;
    return room < 0 ? common_axis(longest, kernel, stride) : a;
}

int main(void) {
    for (int round = 0; round < 300; round++) {
        conv_axis y = random_axis(round % 4 ? 20 : 1), x = random_axis(round % 4 ? 70 : 300);
        const long kernel = round % 4 < 2 ? 3 : 5, stride = random_between(1, 2);
        if (round % 2) y = common_axis(30, kernel, stride), x = common_axis(70, kernel, stride);
        const long n = random_between(1, 3), c = random_between(1, 5), times = random_between(1, 2);
        const long o = c * times, taps = y.kernel * x.kernel, outputs = n * o * y.out * x.out;
        const float *image = guarded_floats(n * c * y.in * x.in, 1);
        const float *w = guarded_floats(o * taps, 1), *g = guarded_floats(outputs, 1);
        float *got = guarded_floats(outputs, 1), *dw = guarded_floats(o * taps, 1);
        const conv_after *after = random_after(o);
        conv_layout layout;
        conv_plan(&layout, &y, &x);
        long *offsets = guarded(taps, sizeof *offsets);
        conv_offsets(&layout, offsets);
        float *scratch = guarded_floats(depthwise_scratch(&layout), 1);
        depthwise_forward(&layout, offsets, c, times, image, w, after, got, scratch, 1, n * c);
        depthwise_forward(&layout, offsets, c, times, image, w, after, got, scratch, 0, 1);
        check_conv("depthwise", conv_plain, &y, &x, n, c, o, c, image, w, after, got, outputs,
                   2e-5f);
        depthwise_weights(&layout, offsets, n, c, times, g, image, dw, scratch, 1, o);
        depthwise_weights(&layout, offsets, n, c, times, g, image, dw, scratch, 0, 1);
        check_conv("weights", conv_dw_plain, &y, &x, n, c, o, c, g, image, 0, dw, o * taps,
                   1e-4f);
        check_done();
    }
    puts("depthwise: 300 shapes");
    return 0;
}
