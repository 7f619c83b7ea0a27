/* A block of 32 rows of w stays in the first or second-level cache while all panels of columns pass;
   panels are made so that one vector holds the four bytes of a column in each of its lanes. What is
   left of a row beyond whole groups is in a copy that is filled up with zeros.

   Without instructions for products of bytes, those are widened to 16 bits and added in pairs, which
   is exact, where adding pairs of products as 16 bits could saturate. */
#include "short_gemm.h"

#include "vector.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#if defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#endif

#define UNROLLED _Pragma("GCC unroll 32")
#define GROUP 4
#define FILLED 16 /* groups: rows are filled up to as many, 64 bytes */
#define PANEL_BYTES (GROUP * SHORT_COLUMNS)
#define PARTS (PANEL_BYTES / VECTOR_BYTES) /* vectors for a group of a panel */

static short_depth short_depth_of(long k, int size) {
    const long bytes = k * size, row = GROUP * FILLED;
    return (short_depth){bytes, (bytes + row - 1) / row * FILLED};
}

typedef int32_t vint_unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(1), may_alias));
INLINE void store_ints(void *p, vint v) { *(vint_unaligned *)p = v; }

static void clear_bytes(uint8_t *to, long count) {
    long i = 0;
    for (; i + VECTOR_BYTES <= count; i += VECTOR_BYTES) store_ints(to + i, (vint){0});
    for (; i < count; i++) to[i] = 0;
}

static void short_pack(const short_depth *depth, const uint8_t *x, long step, long count,
                       uint8_t flip, uint8_t *panel) {
    const long whole = depth->bytes / GROUP;
    const uint32_t mask = flip * 0x01010101u;
    if (count < SHORT_COLUMNS || 4 * depth->groups != depth->bytes)
        clear_bytes(panel, depth->groups * PANEL_BYTES);
    for (long i = 0; i < count; i++, x += step) {
        uint8_t *to = panel + i * GROUP;
        for (long g = 0; g < whole; g++) {
            uint32_t word;
            __builtin_memcpy(&word, x + g * GROUP, 4);
            word ^= mask;
            __builtin_memcpy(to + g * PANEL_BYTES, &word, 4);
        }
        for (long p = whole * GROUP; p < depth->bytes; p++)
            to[whole * PANEL_BYTES + p % GROUP] = x[p] ^ flip;
    }
}

static void short_pack_turned(const short_depth *depth, const uint16_t *x, long step, long count,
                              uint8_t *panel) {
    const long k = depth->bytes / 2;
    uint16_t *to = (uint16_t *)(void *)panel;
    if (count < SHORT_COLUMNS || 4 * depth->groups != depth->bytes)
        clear_bytes(panel, depth->groups * PANEL_BYTES);
    for (long p = 0; p + 2 <= k; p += 2, to += 2 * SHORT_COLUMNS)
        for (long i = 0; i < count; i++) {
            to[2 * i] = x[p * step + i];
            to[2 * i + 1] = x[(p + 1) * step + i];
        }
    if (k % 2)
        for (long i = 0; i < count; i++) to[2 * i] = x[(k - 1) * step + i];
}

/* `rows` rows of w as 32 whole ones, in `to`, or where they are if they are such already. */
static const uint8_t *whole_rows(const short_depth *depth, const uint8_t *w, long *step, long rows,
                                 uint8_t *to) {
    const long length = depth->groups * GROUP;
    if (rows == SHORT_ROWS && length == depth->bytes) return w;
    for (long i = 0; i < SHORT_ROWS; i++) {
        const long given = i < rows ? depth->bytes : 0;
        for (long p = 0; p < given; p++) to[i * length + p] = w[i * *step + p];
        clear_bytes(to + i * length + given, length - given);
    }
    *step = length;
    return to;
}

/* Products in tiles: `height` rows by one panel or two. Row i of the result is written to
   c + i * c_step. */

#if defined(__ARM_FEATURE_DOTPROD)
/* Both operands have to be signed: columns are taken less 128, and 128 times the sum of the row
   added at the end. */
#define HEIGHT 4
INLINE void plain_tile(const uint8_t *w, long step, long groups, const uint8_t *panel, int32_t *c,
                       long c_step) {
    int32x4_t sum[HEIGHT][4], total[HEIGHT];
    for (int i = 0; i < HEIGHT; i++) {
        total[i] = vdupq_n_s32(0);
        for (int j = 0; j < 4; j++) sum[i][j] = vdupq_n_s32(0);
    }
    for (long g = 0; g < groups; g++, panel += PANEL_BYTES, w += GROUP) {
        int8x16_t x[4];
        for (int j = 0; j < 4; j++)
            x[j] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(panel + 16 * j), vdupq_n_u8(0x80)));
        for (int i = 0; i < HEIGHT; i++) {
            int32_t word;
            __builtin_memcpy(&word, w + i * step, 4);
            const int8x16_t row = vreinterpretq_s8_s32(vdupq_n_s32(word));
            total[i] = vdotq_s32(total[i], row, vdupq_n_s8(64));
            for (int j = 0; j < 4; j++) sum[i][j] = vdotq_s32(sum[i][j], row, x[j]);
        }
    }
    for (int i = 0; i < HEIGHT; i++)
        for (int j = 0; j < 4; j++)
            vst1q_s32(c + i * c_step + 4 * j,
                      vaddq_s32(sum[i][j], vaddq_s32(total[i], total[i])));
}
#elif defined(__SSE2__)
/* The first and third byte of a group as 16 bits, and the second and fourth; w has them apart. */
#define SPLIT_ROWS
#if defined(__AVX512F__)
#define HEIGHT 8
INLINE vint add_pairs(vint a, vint b) { return (vint)_mm512_madd_epi16((__m512i)a, (__m512i)b); }
#elif defined(__AVX2__)
#define HEIGHT 4
INLINE vint add_pairs(vint a, vint b) { return (vint)_mm256_madd_epi16((__m256i)a, (__m256i)b); }
#else
#define HEIGHT 2
INLINE vint add_pairs(vint a, vint b) { return (vint)_mm_madd_epi16((__m128i)a, (__m128i)b); }
#endif

static void split_row(const uint8_t *w, long groups, int32_t *to) {
    for (long g = 0; g < groups; g++, w += GROUP) {
        const int8_t *x = (const int8_t *)w;
        to[2 * g] = (uint16_t)x[0] | (int32_t)((uint32_t)x[2] << 16);
        to[2 * g + 1] = (uint16_t)x[1] | (int32_t)((uint32_t)x[3] << 16);
    }
}

INLINE void plain_tile(const uint8_t *rows, long step, long groups, const uint8_t *panel,
                       int32_t *c, long c_step) {
    const int32_t *w = (const int32_t *)(const void *)rows;
    vint sum[HEIGHT][PARTS] = {0};
    step /= 4;
    for (long g = 0; g < groups; g++, panel += PANEL_BYTES, w += 2) {
        vint even[PARTS], odd[PARTS];
        UNROLLED for (int j = 0; j < PARTS; j++) {
            const vint x = *(const vint_unaligned *)(panel + j * VECTOR_BYTES);
            even[j] = x & 0x00ff00ff, odd[j] = (x >> 8) & 0x00ff00ff;
        }
        UNROLLED for (int i = 0; i < HEIGHT; i++) {
            const vint low = (vint){0} + w[i * step], high = (vint){0} + w[i * step + 1];
            UNROLLED for (int j = 0; j < PARTS; j++)
                sum[i][j] += add_pairs(even[j], low) + add_pairs(odd[j], high);
        }
    }
    UNROLLED for (int i = 0; i < HEIGHT; i++)
        UNROLLED for (int j = 0; j < PARTS; j++)
            store_ints(c + i * c_step + j * LANES, sum[i][j]);
}
#else
/* One byte of a group after the other. */
#define HEIGHT 4
INLINE void plain_tile(const uint8_t *w, long step, long groups, const uint8_t *panel, int32_t *c,
                       long c_step) {
    vint sum[HEIGHT][PARTS] = {0};
    for (long g = 0; g < groups; g++, panel += PANEL_BYTES, w += GROUP)
        for (int j = 0; j < PARTS; j++) {
            const vint x = *(const vint_unaligned *)(panel + j * VECTOR_BYTES);
            for (int i = 0; i < HEIGHT; i++)
                for (int p = 0; p < GROUP; p++)
                    sum[i][j] += ((x >> 8 * p) & 255) * (int32_t)(int8_t)w[i * step + p];
        }
    for (int i = 0; i < HEIGHT; i++)
        for (int j = 0; j < PARTS; j++) store_ints(c + i * c_step + j * LANES, sum[i][j]);
}
#endif

static void multiply_plain_way(const uint8_t *w, long step, long groups, const uint8_t *panels,
                               long num_panels, int32_t *c, long c_step) {
    for (long j = 0; j < num_panels; j++, panels += groups * PANEL_BYTES, c += SHORT_COLUMNS)
        for (long i = 0; i < SHORT_ROWS; i += HEIGHT)
            plain_tile(w + i * step, step, groups, panels, c + i * c_step, c_step);
}

#if defined(__AVX512F__)
/* Four products of bytes and their sum in one instruction (VNNI), or two of bfloat16. */
#define DOTS_HEIGHT 8
#define OF_BYTES(sum, column, row) _mm512_dpbusd_epi32(sum, column, row)
#define OF_BFLOATS(sum, column, row)                                                               \
    (__m512i)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(column), (__m512bh)(row))
#define DOTS_OF(name, feature, product)                                                            \
    static inline __attribute__((always_inline, target(feature))) void name##_tile(                \
        int panels, const uint8_t *w, long step, long groups, const uint8_t *x, int32_t *c,        \
        long c_step) {                                                                             \
        __m512i sum[DOTS_HEIGHT][2], columns[2];                                                   \
        UNROLLED for (int i = 0; i < DOTS_HEIGHT; i++)                                             \
            sum[i][0] = sum[i][1] = _mm512_setzero_si512();                                        \
        for (long g = 0; g < groups; g++, x += PANEL_BYTES, w += GROUP) {                          \
            UNROLLED for (int j = 0; j < panels; j++)                                              \
                columns[j] = _mm512_loadu_si512(x + j * groups * PANEL_BYTES);                     \
            UNROLLED for (int i = 0; i < DOTS_HEIGHT; i++) {                                       \
                int32_t word;                                                                      \
                __builtin_memcpy(&word, w + i * step, 4);                                          \
                const __m512i row = _mm512_set1_epi32(word);                                       \
                UNROLLED for (int j = 0; j < panels; j++)                                          \
                    sum[i][j] = product(sum[i][j], columns[j], row);                               \
            }                                                                                      \
        }                                                                                          \
        UNROLLED for (int i = 0; i < DOTS_HEIGHT; i++)                                             \
            UNROLLED for (int j = 0; j < panels; j++)                                              \
                _mm512_storeu_si512(c + i * c_step + j * SHORT_COLUMNS, sum[i][j]);                \
    }                                                                                              \
    static __attribute__((target(feature))) void name(                                             \
        const uint8_t *w, long step, long groups, const uint8_t *panels, long num_panels,          \
        int32_t *c, long c_step) {                                                                 \
        for (long j = 0; j < num_panels; j += 2, panels += 2 * groups * PANEL_BYTES)               \
            for (long i = 0; i < SHORT_ROWS; i += DOTS_HEIGHT) {                                   \
                int32_t *to = c + i * c_step + j * SHORT_COLUMNS;                                  \
                if (j + 2 <= num_panels) name##_tile(2, w + i * step, step, groups, panels, to, c_step); \
                else name##_tile(1, w + i * step, step, groups, panels, to, c_step);               \
            }                                                                                      \
    }
DOTS_OF(multiply_by_dots, "avx512vnni", OF_BYTES)
DOTS_OF(multiply_bfloat16_by_dots, "avx512bf16", OF_BFLOATS)

/* Of few columns a panel would be nearly empty: 64 bytes of a row by 64 of a column instead, and the
   sum over lanes at the end. */
#define FEW_HEIGHT 4
#define SUM_OF_BYTES(sum) _mm512_reduce_add_epi32(sum)
#define SUM_OF_BFLOATS(sum) bits_of(_mm512_reduce_add_ps((__m512)(sum)))
INLINE int32_t bits_of(float x) {
    int32_t bits;
    __builtin_memcpy(&bits, &x, 4);
    return bits;
}
#define FEW_OF(name, feature, product, total)                                                      \
    static inline __attribute__((always_inline, target(feature))) void name##_tile(                \
        const int columns, const short_depth *depth, const uint8_t *const w[FEW_HEIGHT],           \
        const uint8_t *x, int32_t *c, long c_step, long rows) {                                    \
        const long length = depth->groups * GROUP, rest = depth->bytes % 64;                       \
        __m512i sum[FEW_HEIGHT][SHORT_FEW];                                                        \
        UNROLLED for (int i = 0; i < FEW_HEIGHT; i++)                                              \
            UNROLLED for (int j = 0; j < columns; j++) sum[i][j] = _mm512_setzero_si512();         \
        for (long p = 0; p < depth->bytes; p += 64) {                                              \
            const __mmask64 own = depth->bytes - p < 64 ? ((__mmask64)1 << rest) - 1 : ~0ull;      \
            UNROLLED for (int i = 0; i < FEW_HEIGHT; i++) {                                        \
                const __m512i row = _mm512_maskz_loadu_epi8(own, w[i] + p);                        \
                UNROLLED for (int j = 0; j < columns; j++)                                         \
                    sum[i][j] = product(sum[i][j], _mm512_loadu_si512(x + j * length + p), row);   \
            }                                                                                      \
        }                                                                                          \
        UNROLLED for (int i = 0; i < FEW_HEIGHT; i++)                                              \
            if (i < rows)                                                                          \
                UNROLLED for (int j = 0; j < columns; j++) c[i * c_step + j] = total(sum[i][j]);   \
    }                                                                                              \
    static __attribute__((target(feature))) void name(                                             \
        const short_depth *depth, const uint8_t *w, long step, long rows, const uint8_t *x,        \
        long columns, int32_t *c, long c_step) {                                                   \
        for (long i = 0; i < rows; i += FEW_HEIGHT, c += FEW_HEIGHT * c_step) {                    \
            const uint8_t *at[FEW_HEIGHT]; /* the last row again beyond it */                      \
            for (long k = 0; k < FEW_HEIGHT; k++) at[k] = w + (i + k < rows ? i + k : rows - 1) * step; \
            if (columns == 1) name##_tile(1, depth, at, x, c, c_step, rows - i);                   \
            else if (columns == 2) name##_tile(2, depth, at, x, c, c_step, rows - i);              \
            else if (columns == 3) name##_tile(3, depth, at, x, c, c_step, rows - i);              \
            else name##_tile(4, depth, at, x, c, c_step, rows - i);                                \
        }                                                                                          \
    }
FEW_OF(multiply_few_bytes, "avx512vnni,avx512bw", OF_BYTES, SUM_OF_BYTES)
FEW_OF(multiply_few_bfloats, "avx512bf16,avx512bw", OF_BFLOATS, SUM_OF_BFLOATS)

static void multiply_few(int size, const short_depth *depth, const uint8_t *w, long step, long rows,
                         const uint8_t *x, long columns, int32_t *c, long c_step) {
    (size == 1 ? multiply_few_bytes : multiply_few_bfloats)(depth, w, step, rows, x, columns, c,
                                                            c_step);
}
#else
#define multiply_few 0
#endif

#if defined(__AVX512F__) && defined(__x86_64__) && __GNUC__ >= 11
#define HAS_TILES 1
/* Sixteen rows of 64 bytes times sixteen columns of 64 bytes in one instruction (AMX). */
typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;
#define WITH_TILES __attribute__((target("amx-tile,amx-int8,amx-bf16")))
#define FENCE __asm__ volatile("" ::: "memory") /* compilers do not see what tiles load */

static WITH_TILES void begin_tiles(void) {
    tile_shapes shapes __attribute__((aligned(64))) = {.palette = 1};
    for (int i = 0; i < 8; i++) shapes.row_bytes[i] = 64, shapes.rows[i] = 16;
    FENCE;
    _tile_loadconfig(&shapes);
}

/* 32 rows by two panels, or by one. */
#define TILE_PRODUCT(product)                                                                      \
    _tile_zero(0);                                                                                 \
    _tile_zero(1);                                                                                 \
    for (long g = 0; g < groups; g += FILLED) {                                                    \
        _tile_loadd(4, w + g * GROUP, step);                                                       \
        _tile_loadd(5, w + 16 * step + g * GROUP, step);                                           \
        _tile_loadd(6, panels + g * PANEL_BYTES, PANEL_BYTES);                                     \
        product(0, 4, 6);                                                                          \
        product(1, 5, 6);                                                                          \
    }                                                                                              \
    _tile_stored(0, c, 4 * c_step);                                                                \
    _tile_stored(1, c + 16 * c_step, 4 * c_step);
#define TILE_PRODUCTS(product)                                                                     \
    const uint8_t *next = panels + groups * PANEL_BYTES;                                           \
    _tile_zero(0);                                                                                 \
    _tile_zero(1);                                                                                 \
    _tile_zero(2);                                                                                 \
    _tile_zero(3);                                                                                 \
    for (long g = 0; g < groups; g += FILLED) {                                                    \
        _tile_loadd(4, w + g * GROUP, step);                                                       \
        _tile_loadd(6, panels + g * PANEL_BYTES, PANEL_BYTES);                                     \
        product(0, 4, 6);                                                                          \
        _tile_loadd(5, w + 16 * step + g * GROUP, step);                                           \
        product(1, 5, 6);                                                                          \
        _tile_loadd(7, next + g * PANEL_BYTES, PANEL_BYTES);                                       \
        product(2, 4, 7);                                                                          \
        product(3, 5, 7);                                                                          \
    }                                                                                              \
    _tile_stored(0, c, 4 * c_step);                                                                \
    _tile_stored(1, c + 16 * c_step, 4 * c_step);                                                  \
    _tile_stored(2, c + SHORT_COLUMNS, 4 * c_step);                                                \
    _tile_stored(3, c + 16 * c_step + SHORT_COLUMNS, 4 * c_step);
#define TILES_OF(name, product)                                                                    \
    static WITH_TILES void name(const uint8_t *w, long step, long groups, const uint8_t *panels,   \
                                long num_panels, int32_t *c, long c_step) {                        \
        begin_tiles();                                                                             \
        for (; num_panels >= 2; num_panels -= 2) {                                                 \
            TILE_PRODUCTS(product)                                                                 \
            panels += 2 * groups * PANEL_BYTES, c += 2 * SHORT_COLUMNS;                            \
        }                                                                                          \
        if (num_panels) {                                                                          \
            TILE_PRODUCT(product)                                                                  \
        }                                                                                          \
        _tile_release();                                                                           \
        FENCE;                                                                                     \
    }
TILES_OF(multiply_by_tiles, _tile_dpbsud)
TILES_OF(multiply_bfloat16_by_tiles, _tile_dpbf16ps)
#endif

#if defined(__AVX512F__)
static void multiply_bfloat16(short_way way, const short_depth *depth, const uint16_t *w, long step,
                              long rows, const uint8_t *panels, long num_panels, float *c,
                              long c_step, void *scratch) {
    const uint8_t *whole = whole_rows(depth, (const uint8_t *)w, &step, rows, scratch);
    (void)way;
#if defined(HAS_TILES)
    if (way == SHORT_TILES) {
        multiply_bfloat16_by_tiles(whole, step, depth->groups, panels, num_panels, (int32_t *)c,
                                   c_step);
        return;
    }
#endif
    multiply_bfloat16_by_dots(whole, step, depth->groups, panels, num_panels, (int32_t *)c, c_step);
}
#else
#define multiply_bfloat16 0
#endif

static long short_scratch_bytes(const short_depth *depth) {
    return 3 * SHORT_ROWS * depth->groups * GROUP; /* a copy of the rows, and a split one */
}

static void short_multiply(short_way way, const short_depth *depth, const int8_t *w, long step,
                           long rows, const uint8_t *panels, long num_panels, int32_t *c,
                           long c_step, void *scratch) {
    const uint8_t *whole = whole_rows(depth, (const uint8_t *)w, &step, rows, scratch);
    (void)way;
#if defined(HAS_TILES)
    if (way == SHORT_TILES) {
        multiply_by_tiles(whole, step, depth->groups, panels, num_panels, c, c_step);
        return;
    }
#endif
#if defined(__AVX512F__)
    if (way == SHORT_DOTS) {
        multiply_by_dots(whole, step, depth->groups, panels, num_panels, c, c_step);
        return;
    }
#endif
#if defined(SPLIT_ROWS)
    const long length = 2 * depth->groups;
    int32_t *split = (int32_t *)scratch + SHORT_ROWS * depth->groups;
    for (long i = 0; i < SHORT_ROWS; i++)
        split_row(whole + i * step, depth->groups, split + i * length);
    whole = (const uint8_t *)split, step = 4 * length;
#endif
    multiply_plain_way(whole, step, depth->groups, panels, num_panels, c, c_step);
}

/* The plain twins, which the checks compare with. */
__attribute__((unused)) static int32_t short_dot_plain(const int8_t *w, const uint8_t *x, long k,
                                                       uint8_t flip) {
    int32_t sum = 0;
    for (long p = 0; p < k; p++) sum += w[p] * (x[p] ^ flip);
    return sum;
}

__attribute__((unused)) static double short_dot_bfloat16_plain(const uint16_t *w, const uint16_t *x,
                                                               long k, double *size) {
    double sum = 0;
    *size = 0;
    for (long p = 0; p < k; p++) {
        union { uint32_t bits; float x; } a = {(uint32_t)w[p] << 16}, b = {(uint32_t)x[p] << 16};
        sum += (double)a.x * b.x, *size += __builtin_fabs((double)a.x * b.x);
    }
    return sum;
}

const short_gemm_kernels KERNEL(short_gemm) = {short_depth_of,    short_pack,
                                               short_pack_turned, short_multiply,
                                               multiply_bfloat16, multiply_few,
                                               short_scratch_bytes};
