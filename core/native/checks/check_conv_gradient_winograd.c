#include "check_conv.h"

#include "../kernels/conv_gradient_winograd.c"

#include "../kernels/gemm.c"
#include "../kernels/gemm_small.c"

#define STRIPS 3 /* at a time */

/* The sums of a block over strips [begin, end), as a thread takes them. */
static void add_strips(const conv_winograd_gradient *s, const conv_winograd_block *k,
                       const float *x, const float *g, long begin, long end, float *sums) {
    const long room = STRIPS * s->tiles_x;
    float *v = guarded(gradient_room(room, s->c), 4), *m = guarded(gradient_room(room, s->o), 4);
    float *ring = guarded(gradient_scratch(s), 4);
    for (long first = begin; first < end; first += STRIPS) {
        const long count = least(STRIPS, end - first);
        gradient_input(s, x, v, first, count, ring, 1, s->c / LANES);
        gradient_input(s, x, v, first, count, ring, 0, 1);
        gradient_output(s, g, m, first, count, ring, 0, s->o / LANES);
        gradient_multiply(k, v, m, count * s->tiles_x, sums, first > begin);
    }
}

/* dw of a block in two parts; outputs of the block's second half come first. */
static void block_weights(const conv_winograd_gradient *s, const conv_winograd_block *k,
                          const float *x, const float *g, float *dw) {
    const long each = POINTS * k->outputs * k->channels, strips = s->samples * s->tiles_y;
    const long parts = strips > 1 ? 2 : 1, half = k->outputs / 2;
    float *sums = guarded(parts * each, 4);
    for (long p = 0; p < parts; p++)
        add_strips(s, k, x, g, strips * p / parts, strips * (p + 1) / parts, sums + p * each);
    gradient_finish(s, k, sums, parts, each, dw, half, k->outputs);
    gradient_finish(s, k, sums, parts, each, dw, 0, half);
}

int main(void) {
    for (int round = 0; round < 60; round++) {
        conv_axis y = {random_between(1, 15), 0, 3, 1, 1, random_between(0, 3)};
        conv_axis x = {random_between(1, 40), 0, 3, 1, 1, random_between(0, 3)};
        y.out = y.in + y.before + random_between(0, 2) - 2;
        x.out = x.in + x.before + random_between(0, 2) - 2;
        if (y.out < 1 || x.out < 1) continue;
        const conv_winograd_gradient s = {random_between(1, 3), LANES * random_between(1, 3),
                                          LANES * random_between(1, 5), y, x,
                                          (y.out + 1) / 2, (x.out + 1) / 2};
        const float *image = guarded_floats(s.samples * s.c * y.in * x.in, 1);
        const float *g = guarded_floats(s.samples * s.o * y.out * x.out, 1);
        float *got = guarded_floats(s.o * s.c * 9, 1);
        for (long o = 0; o < s.o; o += 2 * WIDTH)
            for (long c = 0; c < s.c; c += WIDTH) {
                const conv_winograd_block k = {o, least(2 * WIDTH, s.o - o), c,
                                               least(WIDTH, s.c - c)};
                block_weights(&s, &k, image, g, got);
            }
        check_conv("weights by winograd", conv_dw_plain, &y, &x, s.samples, s.c, s.o, 1, g, image, 0,
                   got, s.o * s.c * 9, 1e-3f);
        check_done();
    }
    puts("weights by winograd: 60 shapes");
    return 0;
}
