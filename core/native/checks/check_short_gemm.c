#include "check.h"

#include "../kernels/short_gemm.c"

/* The best ways for bytes and for bfloat16; SHORT_PLAIN: none for those. */
typedef struct { short_way bytes, bfloats; } short_ways;
#if defined(__AVX512F__)
#include <cpuid.h>
#include <sys/syscall.h>
static short_ways best_ways(void) {
    unsigned a, b, c, d, more, e;
    short_ways best = {SHORT_PLAIN, SHORT_PLAIN};
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return best;
    const int dots = c >> 11 & 1, tiles = (d >> 22 & 1) && (d >> 24 & 1) && (d >> 25 & 1);
    const int bfloats = __get_cpuid_count(7, 1, &more, &b, &e, &d) && more >> 5 & 1;
    const short_way way = dots && tiles && syscall(SYS_arch_prctl, 0x1023, 18) == 0 ? SHORT_TILES
                                                                                    : SHORT_DOTS;
    if (dots) best.bytes = way;
    if (bfloats) best.bfloats = way;
    return best;
}
#else
static short_ways best_ways(void) { return (short_ways){SHORT_PLAIN, SHORT_PLAIN}; }
#endif

static void *random_bytes(long count) {
    uint8_t *x = guarded(count, 1);
    const int extreme = random_bits() % 4 == 0; /* sums as large as can be */
    for (long i = 0; i < count; i++)
        x[i] = extreme ? (random_bits() % 2 ? 0x80 : 0xff) : (uint8_t)random_bits();
    return x;
}

static void check_bytes(short_way way) {
    const long k = random_bits() % 8 ? random_size(300) : 2000, rows = random_between(1, 32);
    const long columns = random_size(60), panels = (columns + 15) / 16;
    const long gap = random_size(9), step = k + gap;
    const uint8_t flip = random_bits() % 2 ? 0x80 : 0;
    const short_depth depth = short_depth_of(k, 1);
    const long used = k ? (rows - 1) * step + k : 0;
    const int8_t *w = random_bytes(used);
    const uint8_t *x = random_bytes(columns * k);
    uint8_t *packed = guarded(panels * depth.groups * PANEL_BYTES, 1);
    for (long j = 0; j < panels; j++)
        short_pack(&depth, x + 16 * j * k, k, columns - 16 * j < 16 ? columns - 16 * j : 16, flip,
                   packed + j * depth.groups * PANEL_BYTES);
    const long c_step = 16 * panels + gap;
    int32_t *c = guarded(32 * c_step, 4);
    short_multiply(way, &depth, w, step, rows, packed, panels, c, c_step,
                   guarded(short_scratch_bytes(&depth), 1));
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) {
            const int32_t want = short_dot_plain(w + i * step, x + j * k, k, flip);
            if (c[i * c_step + j] == want) continue;
            printf("way %d, k %ld: c[%ld][%ld] is %d, wanted %d\n", way, k, i, j,
                   c[i * c_step + j], want);
            exit(1);
        }
    check_done();
}

#if defined(__AVX512F__)
static uint16_t *random_bfloats(long count) {
    uint16_t *x = guarded(count, 2);
    for (long i = 0; i < count; i++) {
        const float number = random_float(2);
        uint32_t bits;
        memcpy(&bits, &number, 4);
        x[i] = (uint16_t)(bits >> 16);
    }
    return x;
}

static void check_bfloats(short_way way) {
    const long k = random_size(300), rows = random_between(1, 32), columns = random_size(60);
    const long panels = (columns + 15) / 16, turned = random_bits() % 2, c_step = 16 * panels;
    const short_depth depth = short_depth_of(k, 2);
    const uint16_t *w = random_bfloats(rows * k), *x = random_bfloats(columns * k);
    uint16_t *flat = guarded(columns * k, 2);
    for (long j = 0; j < columns; j++)
        for (long p = 0; p < k; p++) flat[p * columns + j] = x[j * k + p];
    uint8_t *packed = guarded(panels * depth.groups * PANEL_BYTES, 1);
    for (long j = 0; j < panels; j++) {
        const long count = columns - 16 * j < 16 ? columns - 16 * j : 16;
        uint8_t *to = packed + j * depth.groups * PANEL_BYTES;
        if (turned) short_pack_turned(&depth, flat + 16 * j, columns, count, to);
        else short_pack(&depth, (const uint8_t *)(x + 16 * j * k), 2 * k, count, 0, to);
    }
    float *c = guarded(32 * c_step, 4);
    multiply_bfloat16(way, &depth, w, 2 * k, rows, packed, panels, c, c_step,
                      guarded(short_scratch_bytes(&depth), 1));
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) {
            double size, want = short_dot_bfloat16_plain(w + i * k, x + j * k, k, &size);
            if (fabs(c[i * c_step + j] - want) <= 2e-6 * size) continue;
            printf("way %d, k %ld: c[%ld][%ld] is %g, wanted %g\n", way, k, i, j, c[i * c_step + j], want);
            exit(1);
        }
    check_done();
}
#endif

#if defined(__AVX512F__)
/* Few columns, of bytes or of bfloat16. */
static void check_few(int size) {
    const long k = random_size(300), rows = random_between(1, 32), gap = random_size(9);
    const long columns = random_between(1, SHORT_FEW), step = size * (k + gap), c_step = 16 + gap;
    const short_depth depth = short_depth_of(k, size);
    const long used = k ? (rows - 1) * (k + gap) + k : 0, length = 4 * depth.groups;
    const void *w = size == 1 ? random_bytes(used) : (void *)random_bfloats(used);
    const void *x = size == 1 ? random_bytes(columns * k) : (void *)random_bfloats(columns * k);
    uint8_t *filled = guarded(columns * length, 1);
    memset(filled, 0, columns * length);
    for (long j = 0; j < columns; j++)
        memcpy(filled + j * length, (const char *)x + j * k * size, k * size);
    int32_t *c = guarded((rows - 1) * c_step + columns, 4);
    multiply_few(size, &depth, w, step, rows, filled, columns, c, c_step);
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) {
            double bound = 0, want, got = c[i * c_step + j];
            if (size == 1) {
                want = short_dot_plain((const int8_t *)w + i * step, (const uint8_t *)x + j * k, k, 0);
            } else {
                float number;
                memcpy(&number, &c[i * c_step + j], 4);
                got = number;
                want = short_dot_bfloat16_plain((const uint16_t *)w + i * step / 2,
                                                (const uint16_t *)x + j * k, k, &bound);
            }
            if (fabs(got - want) <= 2e-6 * bound) continue;
            printf("few, size %d, k %ld: c[%ld][%ld] is %g, wanted %g\n", size, k, i, j, got, want);
            exit(1);
        }
    check_done();
}
#endif

int main(void) {
    const short_ways best = best_ways();
    for (int way = SHORT_PLAIN; way <= (int)best.bytes; way++)
        for (int round = 0; round < 200; round++) check_bytes((short_way)way);
#if defined(__AVX512F__)
    for (int way = SHORT_DOTS; way <= (int)best.bfloats; way++)
        for (int round = 0; round < 200; round++) check_bfloats((short_way)way);
#endif
#if defined(__AVX512F__)
    for (int round = 0; round < 400; round++) {
        if (best.bytes) check_few(1);
        if (best.bfloats) check_few(2);
    }
#endif
    printf("short_gemm: 200 shapes in %d ways, of bfloat16 in %d\n", best.bytes + 1, best.bfloats);
    return 0;
}
