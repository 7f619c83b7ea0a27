#include "check.h"

#include "../kernels/iir.c"

static void check_filter(void) {
    const int taps = (int)random_between(1, IIR_MOST_TAPS);
    const long length = random_size(200);
    double a[IIR_MOST_TAPS] = {1}, b[IIR_MOST_TAPS], table[IIR_TABLE];
    for (int k = 0; k < taps; k++) {
        b[k] = (double)random_float(1);
        if (k) a[k] = (double)random_float(1.0f / (float)taps); /* stable */
    }
    float *x = guarded_floats(length, 1);
    if (length && random_bits() % 8 == 0) x[random_between(0, length - 1)] = INFINITY;
    float *got = guarded_floats(length, 1), *want = guarded_floats(length, 1);
    prepare(a, taps, table);
    filter(x, got, length, b, a, taps, table);
    filter_plain(x, want, length, b, a, taps);
    check_close("filter", got, want, length, 1e-6f, 1e-6f);
    check_done();
}

static void check_resample(void) {
    const long phases = random_between(1, 20), step = random_between(1, 40);
    const long taps = random_between(1, 40), groups = random_size(50);
    long starts[20], reach = 0;
    for (long p = 0; p < phases; p++) {
        starts[p] = random_between(0, step);
        if (starts[p] + taps > reach) reach = starts[p] + taps;
    }
    float *weights = guarded_floats(phases * taps, 1);
    float *x = guarded_floats(groups ? (groups - 1) * step + reach : 0, 1);
    float *got = guarded_floats(groups * phases, 1), *want = guarded_floats(groups * phases, 1);
    float *work = guarded_floats(RESAMPLE_WORK(reach, phases), 1);
    resample(x, got, groups, step, phases, taps, starts, weights, reach, work);
    resample_plain(x, want, groups, step, phases, taps, starts, weights);
    check_close("resample", got, want, groups * phases, 1e-5f, 1e-5f);
    check_done();
}

int main(void) {
    for (int round = 0; round < 400; round++) check_filter(), check_resample();
    puts("iir: 400 filters, 400 banks");
    return 0;
}
