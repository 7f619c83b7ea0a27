#include "check_conv.h"

#include "../kernels/conv_gradient.c"

static void check_turn(void) {
    const long taps[] = {2, 0, 5};
    const long g = random_between(1, 3), o = random_size(40), c = random_size(40);
    const float *w = guarded_floats(g * o * c * 6, 1);
    float *got = guarded(g * c * o * 3, 4);
    turn(w, got, o, c, 6, taps, 3, g * c / 3, g * c);
    turn(w, got, o, c, 6, taps, 3, 0, g * c / 3);
    for (long i = 0; i < g * c * o * 3; i++) {
        const long t = i % 3, m = i / 3 % o, channel = i / 3 / o % c, group = i / 3 / o / c;
        check_close("turn", got + i, w + ((group * o + m) * c + channel) * 6 + taps[t], 1, 0, 0);
    }
}

int main(void) {
    for (int round = 0; round < 150; round++) {
        conv_gradient p = {random_between(1, 3), random_between(1, 3), random_between(1, 19),
                           random_between(1, 40), random_axis(round % 4 ? 15 : 1),
                           random_axis(round % 4 ? 30 : 700), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        if (round % 3 == 0) p.groups = 1, p.c = random_between(1, 7); /* rows beside each other */
        const long o = p.groups * p.o, c = p.groups * p.c;
        const long count = o * p.c * p.y.kernel * p.x.kernel;
        gradient_plan(&p);
        const float *x = guarded_floats(p.samples * c * p.y.in * p.x.in, 1);
        const float *g = guarded_floats(p.samples * o * p.y.out * p.x.out, 1);
        float *images = guarded(p.samples * p.image + p.slack, 4), *sums = guarded(p.sums, 4);
        float *got = guarded_floats(count, 1);
        const long rows = p.samples * p.rows, units = gradient_units(&p);
        gradient_fill(&p, x, images, rows / 2, rows);
        gradient_fill(&p, x, images, 0, rows / 2);
        gradient_multiply(&p, g, images, sums, 0, units / 3, units);
        gradient_multiply(&p, g, images, sums, 0, 0, units / 3);
        gradient_finish(&p, sums, got, 0, o);
        check_conv("weights", conv_dw_plain, &p.y, &p.x, p.samples, c, o, p.groups, g, x, 0, got,
                   count, 1e-4f);
        check_turn();
        check_done();
    }
    puts("weights: 150 shapes");
    return 0;
}
