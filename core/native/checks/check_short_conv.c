#include "check.h"

#include "../kernels/short_conv.c"

static void check_interleave(long n) {
    const uint8_t flip = random_bits() % 2 ? 0x80 : 0, *planes[4];
    uint8_t *words = guarded(4 * n, 1);
    for (int j = 0; j < 4; j++) {
        uint8_t *plane = guarded(n, 1);
        for (long i = 0; i < n; i++) plane[i] = (uint8_t)random_bits();
        planes[j] = random_bits() % 4 ? plane : 0;
    }
    short_interleave(planes, flip, words, n);
    for (long i = 0; i < 4 * n; i++)
        if (words[i] != interleaved_plain(planes, flip, i)) puts("interleave"), exit(1);
    check_done();
}

static void check_pack(void) {
    const long groups = random_between(0, 40), filled = (groups + 15) / 16 * 16;
    const long count = random_between(1, 16), step = random_between(1, 2), most = 100;
    const long size = most + 15 * step + 1;
    uint32_t *words = guarded(size, 4);
    long offsets[40], bases[16];
    for (long i = 0; i < size; i++) words[i] = random_bits();
    for (long g = 0; g < groups; g++) offsets[g] = random_between(0, most);
    for (long i = 0; i < count; i++) bases[i] = random_bits() % 40 || step == 1 ? step * i : 3;
    uint8_t *panel = guarded(64 * filled, 1);
    short_pack_pixels(words, offsets, groups, filled, bases, count, panel);
    for (long i = 0; i < 16 * filled; i++) {
        uint32_t got;
        memcpy(&got, panel + 4 * i, 4);
        if (got != packed_plain(words, offsets, groups, bases, count, i)) puts("pack"), exit(1);
    }
    check_done();
}

int main(void) {
    for (int round = 0; round < 200; round++) check_interleave(random_size(600));
    for (int round = 0; round < 400; round++) check_pack();
    puts("short_conv: 200 rows, 400 panels");
    return 0;
}
