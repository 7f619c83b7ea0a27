#include "check.h"

#include "../kernels/grid.c"

static grid_taps all;

static void check_reading(const grid_rule *rule, long channels, long count) {
    const long size = rule->height * rule->width, plane = count + random_between(0, 3);
    const long last = channels > 0 ? (channels - 1) * plane + count : 0;
    const float *x = guarded_floats(channels * size, 1), *g = guarded_floats(last, 1);
    float *got = guarded_floats(last, 1), *want = guarded(last, 4);
    memcpy(want, got, (size_t)last * 4);
    read_(&all, x, channels, size, count, got, plane);
    read_plain(&all, x, channels, size, count, want, plane);
    check_close("read", got, want, last, 1e-5f, 1e-5f);
    float *dgrid = guarded_floats(2 * count, 1), *dplain = guarded_floats(2 * count, 1);
    slope(&all, x, g, plane, channels, size, count, dgrid);
    slope_plain(&all, x, g, plane, channels, size, count, dplain);
    const float most = (float)(rule->height + rule->width) * 1e-4f;
    check_close("slope", dgrid, dplain, 2 * count, 1e-4f, most);
    /* the gradient of a linear map: <g, read(x)> = <spread(g), x> */
    float *dx = guarded(channels * size, 4);
    spread(&all, g, plane, channels, size, count, dx);
    double one = 0, two = 0, scale = 1e-3;
    for (long i = 0; i < channels * size; i++) two += (double)dx[i] * x[i];
    for (long c = 0; c < channels; c++)
        for (long i = 0; i < count; i++) one += (double)g[c * plane + i] * got[c * plane + i];
    for (long i = 0; i < last; i++) scale += fabs(g[i] * got[i]);
    if (!(fabs(one - two) <= 1e-4 * scale)) printf("spread: %g and %g\n", one, two), exit(1);
}

/* Pixels are inside, weights of places inside add up to one, and slopes are differences. */
static void check_grid(void) {
    const grid_rule rule = {random_bits() % 3 == 0   ? GRID_NEAREST
                            : random_bits() % 2 == 0 ? GRID_BILINEAR
                                                     : GRID_BICUBIC,
                            (grid_padding)random_between(0, 2), (int)random_between(0, 1),
                            random_size(30) + 1, random_size(30) + 1};
    const long count = random_size(GRID_BLOCK), channels = random_between(0, 5);
    const float *grid = guarded_floats(2 * count, random_bits() % 3 ? 1.2f : 30.0f);
    taps(&rule, grid, count, 1, &all);
    for (int k = 0; k < all.count; k++)
        for (long i = 0; i < count; i++)
            if (all.at[k][i] < 0 || all.at[k][i] >= rule.height * rule.width)
                printf("tap %d of place %ld reads %d\n", k, i, all.at[k][i]), exit(1);
    for (long i = 0; i < count && rule.padding != GRID_ZEROS; i++) {
        float sum = 0, by_x = 0;
        for (int k = 0; k < all.count; k++) sum += all.weight[k][i], by_x += all.by_x[k][i];
        const float one = 1, zero = 0;
        check_close("weights", &sum, &one, 1, 0, 1e-5f);
        check_close("slopes", &by_x, &zero, 1, 0, 1e-3f);
    }
    check_reading(&rule, channels, count);
    check_done();
}

/* Places that are no numbers, or too far for one, stay inside memory. */
static void check_odd_places(void) {
    static const float odd[] = {1e30f, -1e30f, 3e9f, -3e9f, (float)INFINITY, -(float)INFINITY, (float)NAN};
    for (int mode = 1; mode <= 4; mode *= 2)
        for (int padding = 0; padding < 3; padding++) {
            const grid_rule rule = {(grid_mode)mode, (grid_padding)padding, padding & 1, 5, 7};
            float *grid = guarded_floats(14, 1);
            for (int i = 0; i < 14; i++) grid[i] = odd[(i + i / 7) % 7];
            taps(&rule, grid, 7, 1, &all);
            for (int k = 0; k < all.count; k++)
                for (long i = 0; i < 7; i++)
                    if (all.at[k][i] < 0 || all.at[k][i] >= 35) puts("odd places"), exit(1);
            check_done();
        }
}

int main(void) {
    for (int round = 0; round < 1500; round++) check_grid();
    check_odd_places();
    puts("grid: 1500 shapes");
    return 0;
}
