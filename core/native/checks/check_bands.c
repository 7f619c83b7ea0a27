#include "check.h"

#include "../kernels/bands.c"

static void check_sums(void) {
    const long count = random_size(12), bins = random_size(40), frames = random_size(300);
    float *bands = guarded_floats(count * bins, 1);
    const float *x = guarded_floats(bins * frames, 1);
    for (long m = 0; m < count; m++) { /* some all zeros, some with zeros inside */
        const long from = random_between(0, bins), to = random_between(0, bins);
        for (long f = 0; f < bins; f++)
            if (f < from || f >= to || random_bits() % 8 == 0) bands[m * bins + f] = 0;
    }
    bands_range *ranges = guarded(count, sizeof *ranges);
    const long all = ranges_of(bands, count, bins, ranges);
    float *got = guarded_floats(count * frames, 1), *want = guarded_floats(count * frames, 1);
    const long middle = random_between(0, frames);
    sums_of(bands, ranges, count, bins, x, got, frames, middle, frames);
    sums_of(bands, ranges, count, bins, x, got, frames, 0, middle);
    long lengths = 0;
    for (long m = 0; m < count; m++) {
        lengths += ranges[m].end - ranges[m].begin;
        for (long t = 0; t < frames; t++) {
            double sum = 0;
            for (long f = 0; f < bins; f++) sum += (double)bands[m * bins + f] * x[f * frames + t];
            want[m * frames + t] = (float)sum;
        }
    }
    check_close("lengths", (float[]){(float)all}, (float[]){(float)lengths}, 1, 0, 0);
    check_close("bands", got, want, count * frames, 1e-5f, 1e-5f);
    check_done();
}

int main(void) {
    for (int round = 0; round < 500; round++) check_sums();
    puts("bands: 500 banks");
    return 0;
}
