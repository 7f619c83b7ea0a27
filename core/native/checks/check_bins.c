#include "check.h"

#include "../kernels/bins.c"

static bin_edges random_edges(long bins, long size) {
    int64_t *first = guarded(bins, 8), *stop = guarded(bins, 8);
    for (long i = 0; i < bins; i++) first[i] = random_between(0, size), stop[i] = random_between(0, size);
    return (bin_edges){bins, first, stop};
}

static void check_largest(void) {
    const long height = random_size(30) + 1, width = random_size(50) + 1, size = height * width;
    const bin_edges rows = random_edges(random_between(0, 4), height);
    const bin_edges columns = random_edges(random_between(0, 20), width);
    float *map = guarded(size, 4), *best = guarded(width + BINS_LANES, 4);
    float *at = guarded(width + BINS_LANES, 4);
    for (long i = 0; i < size; i++) map[i] = (float)(random_bits() % 7); /* many are equal */
    if (random_bits() % 2) map[random_between(0, size - 1)] = (float)NAN;
    if (random_bits() % 2) map[random_between(0, size - 1)] = (float)NAN;
    int64_t *places = guarded(rows.bins * columns.bins, 8);
    largest(map, height, width, &rows, &columns, 1000, best, at, places);
    for (long i = 0; i < rows.bins; i++)
        for (long j = 0; j < columns.bins; j++) {
            const int64_t got = places[i * columns.bins + j] - 1000;
            const int empty = rows.stop[i] <= rows.first[i] || columns.stop[j] <= columns.first[j];
            const int64_t want = empty ? got
                                       : largest_plain(map, width, rows.first[i], rows.stop[i],
                                                       columns.first[j], columns.stop[j]);
            if (got != want || got < 0 || got >= size)
                printf("largest: place %ld, the plain twin has %ld\n", (long)got, (long)want), exit(1);
        }
    check_done();
}

int main(void) {
    for (int round = 0; round < 1000; round++) check_largest();
    puts("bins: 1000 regions");
    return 0;
}
