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

int main(void) {
    for (int round = 0; round < 400; round++) check_filter();
    puts("iir: 400 filters");
    return 0;
}
