#include "check_conv.h"

#include "../kernels/conv_winograd.c"

int main(void) {
    for (int round = 0; round < 40; round++) {
        conv_axis y = {random_between(1, 20), 0, 3, 1, 1, random_between(0, 2)};
        conv_axis x = {random_between(1, 40), 0, 3, 1, 1, random_between(0, 2)};
        y.out = y.in + y.before + random_between(0, 2) - 2;
        x.out = x.in + x.before + random_between(0, 2) - 2;
        if (y.out < 1 || x.out < 1) continue;
        conv_winograd s = {random_between(1, 3), LANES * random_between(1, 3),
                           LANES * random_between(1, 5), y, x, 2 + 2 * (round % 2), 0, 0,
                           random_between(1, 3)};
        s.tiles_y = (y.out + s.m - 1) / s.m, s.tiles_x = (x.out + s.m - 1) / s.m;
        const long inputs = s.samples * s.c * y.in * x.in;
        const long outputs = s.samples * s.o * y.out * x.out;
        const float *image = guarded_floats(inputs, 1), *w = guarded_floats(s.o * s.c * 9, 1);
        float *got = guarded_floats(outputs, 1);
        float *scratch = guarded(winograd_scratch(&s), 4);
        const long units = winograd_units(&s);
        long held = -1;
        winograd_multiply(&s, image, w, got, scratch, &held, units / 2, units);
        winograd_multiply(&s, image, w, got, scratch, &held, 0, units / 2);
        check_conv("winograd", conv_plain, &y, &x, s.samples, s.c, s.o, 1, image, w, 0, got, outputs,
                   1e-4f);
        check_done();
    }
    puts("winograd: 40 shapes");
    return 0;
}
