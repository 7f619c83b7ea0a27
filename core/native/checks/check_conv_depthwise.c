#include "check_conv.h"

#include "../kernels/conv_depthwise.c"

int main(void) {
    for (int round = 0; round < 300; round++) {
        const conv_axis y = random_axis(round % 4 ? 20 : 1), x = random_axis(round % 4 ? 70 : 300);
        const long n = random_between(1, 3), c = random_between(1, 5), times = random_between(1, 2);
        const long o = c * times, taps = y.kernel * x.kernel, outputs = n * o * y.out * x.out;
        const float *image = guarded_floats(n * c * y.in * x.in, 1);
        const float *w = guarded_floats(o * taps, 1), *g = guarded_floats(outputs, 1);
        float *got = guarded_floats(outputs, 1), *dw = guarded_floats(o * taps, 1);
        conv_layout layout;
        conv_plan(&layout, &y, &x);
        long *offsets = guarded(taps, sizeof *offsets);
        conv_offsets(&layout, offsets);
        float *scratch = guarded_floats(depthwise_scratch(&layout), 1);
        depthwise_forward(&layout, offsets, c, times, image, w, got, scratch, 1, n * c);
        depthwise_forward(&layout, offsets, c, times, image, w, got, scratch, 0, 1);
        check_conv("depthwise", conv_plain, &y, &x, n, c, o, c, image, w, got, outputs, 1e-5f);
        depthwise_weights(&layout, offsets, n, c, times, g, image, dw, scratch, 1, o);
        depthwise_weights(&layout, offsets, n, c, times, g, image, dw, scratch, 0, 1);
        check_conv("weights", conv_dw_plain, &y, &x, n, c, o, c, g, image, dw, o * taps, 1e-4f);
        check_done();
    }
    puts("depthwise: 300 shapes");
    return 0;
}
