#include "check.h"

#include "../kernels/resample.c"

enum { MOST_PHASES = 160 };

/* Small banks, and such as go from 44.1 to 16 kHz: 160 phases, steps of 441, 373 taps. */
static void check_bank(int large) {
    const long phases = random_between(1, large ? MOST_PHASES : 20);
    const long step = random_between(1, large ? 441 : 40);
    const long taps = random_between(1, large ? 400 : 40), groups = random_size(120);
    const long tiles = (phases + PHASES - 1) / PHASES;
    long starts[MOST_PHASES], of_tiles[MOST_PHASES], reach = 0;
    for (long p = 0; p < phases; p++) {
        starts[p] = p % PHASES ? starts[p - 1] : random_between(0, step);
        of_tiles[p / PHASES] = starts[p];
        if (starts[p] + taps > reach) reach = starts[p] + taps;
    }
    float *weights = guarded_floats(phases * taps, 1);
    float *packed = guarded_floats(tiles * taps * PHASES, 0);
    for (long p = 0; p < phases; p++)
        for (long k = 0; k < taps; k++)
            packed[(p / PHASES * taps + k) * PHASES + p % PHASES] = weights[p * taps + k];
    float *x = guarded_floats(groups ? (groups - 1) * step + reach : 0, 1);
    float *got = guarded_floats(groups * phases, 1), *want = guarded_floats(groups * phases, 1);
    float *work = guarded_floats(RESAMPLE_WORK(reach), 1);
    bank(x, got, groups, step, phases, taps, of_tiles, packed, reach, work);
    bank_plain(x, want, groups, step, phases, taps, starts, weights);
    check_close("bank", got, want, groups * phases, large ? 1e-4f : 1e-5f, 1e-5f);
    check_done();
}

int main(void) {
    for (int round = 0; round < 400; round++) check_bank(round % 20 == 0);
    puts("resample: 400 banks, 20 of them large");
    return 0;
}
