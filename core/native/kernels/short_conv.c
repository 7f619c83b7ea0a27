/* Channels come in fours, so that what a kernel sees of a pixel through one of its taps is one word;
   neighbouring pixels of a row see neighbouring words, which are copied as whole vectors. */
#include "short_conv.h"

#include "vector.h"

#define PIXELS 16

typedef uint32_t words_unaligned __attribute__((vector_size(64), aligned(4), may_alias));

static void short_interleave(const uint8_t *const planes[4], uint8_t flip, uint8_t *words, long n) {
    static const uint8_t nothing[256];
    for (long i = 0; i < n; i += 256) {
        const long part = n - i < 256 ? n - i : 256;
        const uint8_t *at[4], flips[4] = {planes[0] ? flip : 0, planes[1] ? flip : 0,
                                          planes[2] ? flip : 0, planes[3] ? flip : 0};
        for (int j = 0; j < 4; j++) at[j] = planes[j] ? planes[j] + i : nothing;
        uint8_t *to = words + 4 * i;
        for (long p = 0; p < part; p++) {
            to[4 * p] = at[0][p] ^ flips[0];
            to[4 * p + 1] = at[1][p] ^ flips[1];
            to[4 * p + 2] = at[2][p] ^ flips[2];
            to[4 * p + 3] = at[3][p] ^ flips[3];
        }
    }
}

static int side_by_side(const long *bases, long count) {
    for (long i = 1; i < count; i++)
        if (bases[i] != bases[0] + i) return 0;
    return count == PIXELS;
}

static void short_pack_pixels(const uint32_t *words, const long *offsets, long groups, long filled,
                              const long *bases, long count, uint8_t *panel) {
    uint32_t *to = (uint32_t *)(void *)panel;
    if (side_by_side(bases, count)) {
        for (long g = 0; g < groups; g++, to += PIXELS)
            *(words_unaligned *)to = *(const words_unaligned *)(words + bases[0] + offsets[g]);
    } else {
        for (long g = 0; g < groups; g++, to += PIXELS) {
            const uint32_t *from = words + offsets[g];
            for (long i = 0; i < PIXELS; i++) to[i] = i < count ? from[bases[i]] : 0;
        }
    }
    for (long i = 0; i < (filled - groups) * PIXELS; i++) to[i] = 0;
}

/* The plain twins, which the checks compare with. */
__attribute__((unused)) static uint8_t interleaved_plain(const uint8_t *const planes[4],
                                                         uint8_t flip, long i) {
    return planes[i % 4] ? planes[i % 4][i / 4] ^ flip : 0;
}

__attribute__((unused)) static uint32_t packed_plain(const uint32_t *words, const long *offsets,
                                                     long groups, const long *bases, long count,
                                                     long i) {
    const long g = i / PIXELS, pixel = i % PIXELS;
    return g < groups && pixel < count ? words[bases[pixel] + offsets[g]] : 0;
}

const short_conv_kernels KERNEL(short_conv) = {short_interleave, short_pack_pixels};
