#include "check_conv.h"

#include "../kernels/gemm_small.c"

#include "../kernels/conv_direct.c"

static conv_axis pixel_axis(long n) { return (conv_axis){n, n, 1, 1, 1, 0}; }

/* In two pieces, the later one first; the scratch of a thread stays. */
static void multiply(const conv_product *p) {
    const long units = direct_units(p), middle = units / 3;
    float *scratch = guarded(direct_scratch(p), 4);
    long held = -1;
    direct_multiply(p, scratch, &held, middle, units);
    direct_multiply(p, scratch, &held, 0, middle);
}

static void run(const conv_layout *layout, conv_product *p, const float *x) {
    const long planes = p->samples * p->groups * p->channels;
    float *copy = guarded(planes * layout->plane + layout->slack, 4);
    long *offsets = guarded(p->taps, sizeof *offsets);
    conv_offsets(layout, offsets);
    p->offsets = offsets;
    const long half = planes / 2, image = layout->y.in * layout->x.in;
    conv_fill(layout, x, copy, half, 0);
    conv_fill(layout, x + half * image, copy + half * layout->plane, planes - half, 1);
    p->right = copy;
    multiply(p);
}

static void check_dots(void) {
    const long n = random_between(1, 3), c = random_between(1, 70), o = random_between(1, 20);
    const conv_axis one = pixel_axis(1);
    const float *w = guarded_floats(o * c, 1), *x = guarded_floats(n * c, 1);
    float *got = guarded_floats(n * o, 1);
    const conv_after *after = random_after(o);
    direct_dots(w, x, after, got, n, c, o, o / 3, o);
    direct_dots(w, x, after, got, n, c, o, 0, o / 3);
    check_conv("dots", conv_plain, &one, &one, n, c, o, 1, x, w, after, got, n * o, 2e-5f);
}

int main(void) {
    for (int round = 0; round < 500; round++) {
        conv_axis y = random_axis(round % 4 ? 20 : 1), x = random_axis(round % 4 ? 70 : 300);
        if (round % 5 == 0) y = pixel_axis(y.in), x = pixel_axis(x.in);
        const long n = random_between(1, 3), groups = random_between(1, 3);
        const long channels = random_between(1, 5);
        const long rows = random_between(1, round % 2 ? 19 : 3 * GATHERED_ROWS);
        const long c = groups * channels, o = groups * rows, taps = y.kernel * x.kernel;
        const float *image = guarded_floats(n * c * y.in * x.in, 1);
        const float *w = guarded_floats(o * channels * taps, 1);
        float *got = guarded_floats(n * o * y.out * x.out, 1);
        const conv_after *after = random_after(o);
        conv_layout layout;
        conv_plan(&layout, &y, &x);
        conv_product p = {n, groups, w, rows, 0, channels, layout.plane, taps, 0, layout.pitch,
                          y.out, x.out, 0, got, y.out * x.out, x.out, 1, after};
        if (round % 5 == 0 && y.in * x.in >= TILE_WIDTH) { /* read where it lies */
            const long none = 0, size = y.in * x.in;
            conv_product one = {n, groups, w, rows, image, channels, size, 1, &none, size,
                                1, size, 1, got, size, 0, 1, after};
            multiply(&one);
        } else run(&layout, &p, image);
        check_conv("conv", conv_plain, &y, &x, n, c, o, groups, image, w, after,
                   got, n * o * y.out * x.out, 2e-5f);
        check_dots();
        check_done();
    }
    puts("conv: 500 shapes");
    return 0;
}
