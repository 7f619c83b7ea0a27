#include "check.h"

#include "../kernels/pool.c"

static int sees_something(const pool_axis *a) {
    for (long i = 0; i < a->out; i++)
        if (inside(a, i).first >= inside(a, i).end) return 0;
    return 1;
}

static pool_axis axis(void) {
    pool_axis a = {.size = random_between(1, 4), .stride = random_between(1, 4),
                   .dilation = random_between(1, 3)};
    const long span = (a.size - 1) * a.dilation + 1;
    a.before = random_between(0, span / 2);
    a.in = random_between(1, 70);
    if (a.in + 2 * a.before < span) a.in = span;
    a.out = (a.in + 2 * a.before - span) / a.stride + 1;
    return sees_something(&a) ? a : axis();
}

static void one(int round) {
    const pool_axis y = axis(), x = axis();
    const long planes = random_between(1, 3), size = y.in * x.in, out = y.out * x.out;
    float *from = guarded_floats(planes * size, 1);
    for (long i = 0; i < planes * size; i++) {
        if (round % 3 == 0) from[i] = (float)(int)(from[i] * 3); /* ties */
        if (round % 5 == 0 && random_bits() % 20 == 0) from[i] = NAN;
        if (round % 7 == 0) from[i] = -INFINITY;
    }
    float *best = guarded_floats(planes * out, 1), *alone = guarded_floats(planes * out, 1);
    float *want = guarded_floats(planes * out, 1);
    int64_t *places = guarded(planes * out, sizeof *places);
    float *scratch = aligned_alloc(64, (size_t)(pool_scratch(&y, &x) + 15) / 16 * 64);
    pool_largest(&y, &x, from, alone, planes, scratch);
    pool_largest_at(&y, &x, from, best, places, planes, scratch);
    free(scratch);
    for (long p = 0, at = 0; p < planes; p++)
        for (long i = 0; i < y.out; i++)
            for (long j = 0; j < x.out; j++, at++) {
                int64_t place;
                window_plain(&y, &x, from + p * size, i, j, &want[at], &place);
                if (place != places[at]) {
                    printf("place %ld is %ld, not %ld\n", at, (long)places[at], (long)place);
                    exit(1);
                }
            }
    check_close("largest", alone, want, planes * out, 0, 0);
    check_close("largest_at", best, want, planes * out, 0, 0);
    check_done();
}

int main(void) {
    for (int round = 0; round < 300; round++) one(round);
    puts("pool: 300 shapes");
    return 0;
}
