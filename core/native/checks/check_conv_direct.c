#include "check.h"

#include "../kernels/conv_direct.c"

static conv_axis random_axis(long longest) {
    for (;;) {
        conv_axis a = {random_between(1, longest), 0, random_between(1, 5), random_between(1, 3),
                       random_between(1, 2), random_between(0, 3)};
        const long room = a.in + a.before + random_between(0, 3) - a.dilation * (a.kernel - 1) - 1;
        a.out = room / a.stride + 1;
        if (room >= 0) return a;
    }
}

static conv_axis pixel_axis(long n) { return (conv_axis){n, n, 1, 1, 1, 0}; }

static void run(const conv_layout *layout, conv_product *p, const float *x) {
    const long planes = p->samples * p->groups * p->channels;
    float *copy = guarded(planes * layout->plane + layout->slack, 4);
    long *offsets = guarded(p->taps, sizeof *offsets);
    direct_offsets(layout, offsets);
    p->offsets = offsets;
    const long half = planes / 2, image = layout->y.in * layout->x.in;
    direct_fill(layout, x, copy, half, 0);
    direct_fill(layout, x + half * image, copy + half * layout->plane, planes - half, 1);
    p->right = copy;
    const long units = direct_units(p), middle = units / 3;
    direct_multiply(p, middle, units);
    direct_multiply(p, 0, middle);
}

int main(void) {
    for (int round = 0; round < 500; round++) {
        conv_axis y = random_axis(round % 4 ? 20 : 1), x = random_axis(round % 4 ? 70 : 300);
        if (round % 5 == 0) y = pixel_axis(y.in), x = pixel_axis(x.in);
        const long n = random_between(1, 3), groups = random_between(1, 3);
        const long channels = random_between(1, 5), rows = random_between(1, 19);
        const long c = groups * channels, o = groups * rows, taps = y.kernel * x.kernel;
        const float *image = guarded_floats(n * c * y.in * x.in, 1);
        const float *w = guarded_floats(o * channels * taps, 1);
        float *got = guarded_floats(n * o * y.out * x.out, 1);
        float *want = guarded_floats(n * o * y.out * x.out, 1);
        conv_layout layout;
        direct_layout(&layout, &y, &x);
        conv_product p = {n, groups, w, rows, 0, channels, layout.plane, taps, 0, layout.pitch,
                          y.out, x.out, 0, got, y.out * x.out, x.out, 1};
        if (round % 5 == 0 && y.in * x.in >= TILE_WIDTH) { /* read where it lies */
            const long none = 0, size = y.in * x.in;
            conv_product one = {n, groups, w, rows, image, channels, size, 1, &none, size,
                                1, size, 1, got, size, 0, 1};
            direct_multiply(&one, 0, direct_units(&one));
        } else run(&layout, &p, image);
        conv_plain(&y, &x, n, c, o, groups, image, w, want);
        check_close("conv", got, want, n * o * y.out * x.out, 1e-5f, 1e-5f);
        check_done();
    }
    puts("conv: 500 shapes");
    return 0;
}
