#include "check.h"

#include "../kernels/picking.c"

static long long *indices(long count, long length) {
    long long *index = guarded(count, sizeof *index);
    for (long k = 0; k < count; k++) index[k] = random_between(-length, length - 1);
    return index;
}

static float *copy(const float *x, long count) {
    float *made = guarded_floats(count, 0);
    memcpy(made, x, (size_t)count * sizeof *x);
    return made;
}

static void rows(const picking_axis *a, float *x, float *y) {
    const long size = a->outer * a->length * a->inner, picked = a->outer * a->count * a->inner;
    const long long *index = indices(a->count, a->length);
    const long taken = a->outer * a->count, all = a->outer * a->length;
    if (!in_range(index, a->count, a->length)) puts("in_range: wanted 1"), exit(1);
    float *got = copy(y, picked), *want = copy(y, picked);
    take(a, x, index, got, 0, taken / 3), take(a, x, index, got, taken / 3, taken);
    pick_plain(a, x, index, 0, 1, 0, want, 0, 0);
    check_close("take", got, want, picked, 0, 0);
    float *sum = copy(x, size), *sum_want = copy(x, size);
    add(a, y, index, sum, 0, all / 3), add(a, y, index, sum, all / 3, all);
    pick_plain(a, sum_want, index, 0, 1, 0, y, 1, 1);
    check_close("add", sum, sum_want, size, 0, 0);
}

static void numbers(const picking_axis *a, float *x, float *y, int round) {
    const long size = a->outer * a->length * a->inner, picked = a->outer * a->count * a->inner;
    const long long *index = indices(picked, a->length);
    const long o = a->count * a->inner, units = picking_units(a);
    float *got = copy(y, picked), *want = copy(y, picked);
    int fine = gather(a, x, index, got, 0, units / 3);
    fine &= gather(a, x, index, got, units / 3, units);
    pick_plain(a, x, index, o, a->inner, 1, want, 0, 0);
    check_close("gather", got, want, picked, 0, 0);
    for (int sum = 0; sum < 2; sum++) {
        float *to = guarded_floats(size, 1), *to_want = copy(x, size);
        if (round % 2) memset(to_want, 0, (size_t)size * sizeof(float));
        const float *start = round % 2 ? 0 : x;
        fine &= scatter(a, start, y, index, sum, to, 0, units / 3);
        fine &= scatter(a, start, y, index, sum, to, units / 3, units);
        pick_plain(a, to_want, index, o, a->inner, 1, y, 1, sum);
        check_close("scatter", to, to_want, size, 0, 0);
    }
    if (!fine) puts("in range: wanted 1"), exit(1);
    if (picked == 0) return;
    long long *wrong = indices(picked, a->length);
    wrong[random_between(0, picked - 1)] = random_bits() % 2 ? a->length : -a->length - 1;
    fine = gather(a, x, wrong, got, 0, units);
    fine |= scatter(a, 0, y, wrong, 1, guarded_floats(size, 0), 0, units);
    if (fine) puts("out of range: wanted 0"), exit(1);
}

int main(void) {
    for (int round = 0; round < 600; round++) {
        picking_axis a = {random_size(7), random_between(1, 40), random_size(round % 2 ? 150 : 3),
                          random_size(60)};
        if (round % 3 == 0) a.inner = 1;
        float *x = guarded_floats(a.outer * a.length * a.inner, 1);
        float *y = guarded_floats(a.outer * a.count * a.inner, 1);
        rows(&a, x, y), numbers(&a, x, y, round);
        long long far[] = {0, random_bits() % 2 ? a.length : -a.length - 1, 0};
        if (in_range(far, 3, a.length)) puts("in_range: wanted 0"), exit(1);
        check_done();
    }
    puts("picking: 600 shapes");
    return 0;
}
