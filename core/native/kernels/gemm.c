/* Matrix product in blocks, after Goto and van de Geijn, "Anatomy of high-performance matrix
   multiplication", 2008.

   A block of B, GEMM_DEPTH x wide, is packed to stay in the second-level cache. For each tile of
   rows the panel of A is packed to stay in the first-level cache, and goes over the panels of B;
   the tile of C stays in registers. Rows are dealt out evenly, so that no tile is left with few of
   them: each height has a kernel of its own. */
#include "gemm_block.h"
#include "gemm_small.h"
#include "transpose.h"
#include "normal.h"
#include "vector_math.h"

#define GROUP 8 /* panels of A that may be packed at a time */

/* Panels */

#if VECTOR_BYTES == 64
#define LANE_NUMBERS ((vint){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#elif VECTOR_BYTES == 32
#define LANE_NUMBERS ((vint){0, 1, 2, 3, 4, 5, 6, 7})
#else
#define LANE_NUMBERS ((vint){0, 1, 2, 3})
#endif

/* Numbers of a row of the panel lie side by side. Its edge is read in a whole vector, too, as long
   as what follows belongs to later rows. */
static void pack_rows(float *to, long step, long width, long k, const float *from, long across) {
    const long whole = width / LANES * LANES, left = width - whole;
    const long ahead = across > 0 ? k - (LANES - left + across - 1) / across : 0;
    const vint wanted = LANE_NUMBERS < (int)left;
    for (long p = 0; p < k; p++, to += step, from += across) {
        long i = 0;
        for (; i < whole; i += LANES) store(to + i, load(from + i));
        if (left) {
            const vfloat edge = p < ahead ? choose(wanted, load(from + i), (vfloat){0})
                                          : load_part(from + i, left, 0);
            store(to + i, edge), i += LANES;
        }
        for (; i < step; i += LANES) store(to + i, (vfloat){0});
    }
}

/* Numbers of a column of the panel lie side by side: LANES columns at a time. */
static void pack_columns(float *to, long step, long width, long k, const float *from, long along) {
    for (long i = 0; i < step; i += LANES) {
        const long here = width - i < LANES ? width - i : LANES;
        if (here <= 0) {
            for (long p = 0; p < k; p++) store(to + p * step + i, (vfloat){0});
            continue;
        }
        long p = 0;
        for (; p + LANES <= k; p += LANES) {
            vfloat x[LANES];
            if (here == LANES) {
                UNROLLED for (int j = 0; j < LANES; j++) x[j] = load(from + (i + j) * along + p);
            } else {
                UNROLLED for (int j = 0; j < LANES; j++)
                    x[j] = j < here ? load(from + (i + j) * along + p) : (vfloat){0};
            }
            transpose(x);
            UNROLLED for (int j = 0; j < LANES; j++) store(to + (p + j) * step + i, x[j]);
        }
        for (; p < k; p++)
            for (long j = 0; j < LANES; j++)
                to[p * step + i + j] = j < here ? from[(i + j) * along + p] : 0;
    }
}

static void pack_plain(float *to, long step, long width, long k, const float *from, long along,
                       long across) {
    for (long p = 0; p < k; p++)
        for (long i = 0; i < step; i++)
            to[p * step + i] = i < width ? from[i * along + p * across] : 0;
}

void KERNEL(gemm_pack)(float *to, long step, long width, long k, const float *from, long along,
                       long across) {
    if (along == 1) pack_rows(to, step, width, k, from, across);
    else if (across == 1) pack_columns(to, step, width, k, from, along);
    else pack_plain(to, step, width, k, from, along, across);
}

/* Tiles */

typedef void tile_function(long k, const float *a, long a_step, const float *b, long b_step,
                           float *c, long c_step, int add);

INLINE void tile(int rows, int vectors, long k, const float *a, long a_step, const float *b,
                 long b_step, float *c, long c_step, int add) {
    vfloat sum[GEMM_ROWS][GEMM_VECTORS] = {0};
    for (long p = 0; p < k; p++, a += a_step, b += b_step) {
        vfloat y[GEMM_VECTORS];
        UNROLLED for (int j = 0; j < vectors; j++) y[j] = load(b + j * LANES);
        UNROLLED for (int i = 0; i < rows; i++) {
            const vfloat x = splat(a[i]);
            UNROLLED for (int j = 0; j < vectors; j++) sum[i][j] += x * y[j];
        }
    }
    UNROLLED for (int i = 0; i < rows; i++)
        UNROLLED for (int j = 0; j < vectors; j++) {
            float *to = c + i * c_step + j * LANES;
            store(to, add ? load(to) + sum[i][j] : sum[i][j]);
        }
}

#define TILE(rows, vectors)                                                                        \
    static void tile_##rows##_##vectors(long k, const float *a, long a_step, const float *b,       \
                                        long b_step, float *c, long c_step, int add) {             \
        tile(rows, vectors, k, a, a_step, b, b_step, c, c_step, add);                              \
    }
#define TILES(rows) TILE(rows, 1) TILE(rows, 2)
TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)
#if GEMM_ROWS >= 12
TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12)
#endif
#if GEMM_ROWS >= 14
TILES(13) TILES(14)
#endif
#define NAMES(rows) {tile_##rows##_1, tile_##rows##_2}
static tile_function *const tiles[GEMM_ROWS + 1][GEMM_VECTORS] = {
    {0, 0}, NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6),
#if GEMM_ROWS >= 12
    NAMES(7), NAMES(8), NAMES(9), NAMES(10), NAMES(11), NAMES(12),
#endif
#if GEMM_ROWS >= 14
    NAMES(13), NAMES(14),
#endif
};

void KERNEL(gemm_tile)(long rows, long columns, long k, const float *a, long a_step, const float *b,
                       long b_step, float *c, long c_step, int add) {
    const long vectors = (columns + LANES - 1) / LANES;
    tile_function *const compute = tiles[rows][vectors - 1];
    if (columns == vectors * LANES) {
        compute(k, a, a_step, b, b_step, c, c_step, add);
        return;
    }
    /* A ragged edge goes through a whole tile. */
    float whole[GEMM_ROWS * GEMM_COLUMNS] __attribute__((aligned(VECTOR_BYTES)));
    compute(k, a, a_step, b, b_step, whole, GEMM_COLUMNS, 0);
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) {
            const float sum = whole[i * GEMM_COLUMNS + j];
            c[i * c_step + j] = add ? c[i * c_step + j] + sum : sum;
        }
}

void KERNEL(gemm_strip)(long rows, long columns, long k, const float *a, long a_step,
                        const float *b, float *c, long c_step, int add) {
    for (long j = 0; j < columns; j += GEMM_COLUMNS, b += k * GEMM_COLUMNS) {
        const long width = columns - j < GEMM_COLUMNS ? columns - j : GEMM_COLUMNS;
        KERNEL(gemm_tile)(rows, width, k, a, a_step, b, GEMM_COLUMNS, c + j, c_step, add);
    }
}

/* The epilogue */

INLINE vfloat activate(vfloat x, gemm_activation activation) {
    if (activation == GEMM_RELU) return choose(x < 0, (vfloat){0}, x); /* NaN stays */
    if (activation == GEMM_GELU) return vgelu(x);
    if (activation == GEMM_SILU) return vsilu(x);
    return x;
}

INLINE vfloat load_up_to(const float *p, long count) {
    return count < LANES ? load_part(p, count, 0) : load(p);
}

void KERNEL(gemm_finish)(long rows, long columns, float *c, long c_step, const gemm_after *after) {
    for (long i = 0; i < rows; i++, c += c_step) {
        const float *residual = after->residual ? after->residual + i * after->residual_step : 0;
        const vfloat shift = splat(after->row_bias ? after->row_bias[i] : -0.0f);
        for (long j = 0; j < columns; j += LANES) {
            const long count = columns - j;
            vfloat x = load_up_to(c + j, count) + shift;
            if (after->column_bias) x += load_up_to(after->column_bias + j, count);
            if (residual) x += load_up_to(residual + j, count);
            x = activate(x, after->activation);
            if (count < LANES) store_part(c + j, x, count);
            else store(c + j, x);
        }
    }
}

static int nothing_after(const gemm_after *after) {
    return !after || !(after->column_bias || after->row_bias || after->residual ||
                       after->activation != GEMM_PLAIN);
}

static gemm_after after_at(const gemm_after *after, long i, long j) {
    gemm_after moved = *after;
    if (moved.column_bias) moved.column_bias += j;
    if (moved.row_bias) moved.row_bias += i;
    if (moved.residual) moved.residual += i * moved.residual_step + j;
    return moved;
}

/* Blocks */

#if VECTOR_BYTES == 64
#define BLOCK_FLOATS (GEMM_DEPTH * 512) /* of B: 768 KB of a second-level cache of 1 MB or more */
#else
#define BLOCK_FLOATS (GEMM_DEPTH * 192) /* 192 KB of 256 KB or more */
#endif

typedef struct {
    long depth, width, height; /* of a block of B; rows of a tile */
} blocking;

static blocking choose_blocks(long m, long n, long k) {
    blocking found;
    found.depth = evenly(k, GEMM_DEPTH);
    found.width = up(evenly(n, BLOCK_FLOATS / up(found.depth, LANES)), GEMM_COLUMNS);
    found.height = evenly(m, GEMM_ROWS);
    return found;
}

static long scratch_floats(long m, long n, long k) {
    const blocking blocks = choose_blocks(m, n, k);
    return blocks.depth * (GROUP * GEMM_A_STEP + blocks.width);
}

/* B (k, n) as panels one after the other. */
static void pack_b(float *to, long n, long k, gemm_view b) {
    for (long j = 0; j < n; j += GEMM_COLUMNS, to += k * GEMM_COLUMNS)
        KERNEL(gemm_pack)(to, GEMM_COLUMNS, smaller(n - j, GEMM_COLUMNS), k, b.data + j * b.column,
                          b.column, b.row);
}

/* Rows i to i + m of A as panels of `height` rows, so many terms of each at a time that they are in
   the translation buffer. */
static void pack_group(float *to, long m, long k, long height, gemm_view a, long i) {
    const long part = m > height ? 32 : k;
    for (long p = 0; p < k; p += part)
        for (long j = 0; j < m; j += height)
            KERNEL(gemm_pack)(to + j / height * k * GEMM_A_STEP + p * GEMM_A_STEP, GEMM_A_STEP,
                              smaller(m - j, height), smaller(k - p, part),
                              a.data + (i + j) * a.row + p * a.column, a.row, a.column);
}

/* c (m, n) = or += a b, for a block of B that is packed. */
static void multiply_block(long m, long n, long k, long height, gemm_view a, const float *b,
                           float *c, long c_step, int add, const gemm_after *after, float *panels) {
    /* Where a row of terms lies side by side, panels are packed a few at a time: each row is then
       on a page of its own, and pages are what is scarce. */
    const long group = a.row == 1 ? GROUP : 1;
    for (long i = 0; i < m; i += height) {
        const long rows = smaller(m - i, height), place = i / height % group;
        if (place == 0) pack_group(panels, smaller(m - i, group * height), k, height, a, i);
        KERNEL(gemm_strip)(rows, n, k, panels + place * k * GEMM_A_STEP, GEMM_A_STEP, b,
                           c + i * c_step, c_step, add);
        if (after) {
            const gemm_after here = after_at(after, i, 0);
            KERNEL(gemm_finish)(rows, n, c + i * c_step, c_step, &here);
        }
    }
}

static void clear(long m, long n, float *c, long c_step) {
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) c[i * c_step + j] = 0;
}

static void multiply(long m, long n, long k, gemm_view a, gemm_view b, float *c, long c_step,
                     int add, const gemm_after *after, float *scratch) {
    const blocking blocks = choose_blocks(m, n, k);
    float *panels = scratch, *packed = scratch + GROUP * GEMM_A_STEP * blocks.depth;
    if (m == 0 || n == 0) return;
    if (nothing_after(after)) after = 0;
    const int small = KERNEL(gemm_small)(m, n, k, a, b, c, c_step, add);
    if (k == 0 && !add) clear(m, n, c, c_step);
    if (k == 0 || small) {
        if (after) KERNEL(gemm_finish)(m, n, c, c_step, after);
        return;
    }
    for (long j = 0; j < n; j += blocks.width)
        for (long p = 0; p < k; p += blocks.depth) {
            const long width = smaller(n - j, blocks.width), depth = smaller(k - p, blocks.depth);
            const gemm_view a_here = {a.data + p * a.column, a.row, a.column};
            const gemm_view b_here = {b.data + p * b.row + j * b.column, b.row, b.column};
            gemm_after here, *last = 0;
            if (after && p + depth == k) here = after_at(after, 0, j), last = &here;
            pack_b(packed, width, depth, b_here);
            multiply_block(m, width, depth, blocks.height, a_here, packed, c + j, c_step,
                           add || p, last, panels);
        }
}

/* The plain twin, which the checks compare with. */
__attribute__((unused)) static double activate_plain(double x, gemm_activation activation) {
    if (activation == GEMM_RELU) return x < 0 ? 0 : x;
    if (activation == GEMM_GELU) return 0.5 * x * __builtin_erfc(-x * 0.70710678118654752);
    if (activation == GEMM_SILU) return x / (1 + __builtin_exp(-x));
    return x;
}

__attribute__((unused)) static void multiply_plain(long m, long n, long k, gemm_view a, gemm_view b,
                                                   float *c, long c_step, int add,
                                                   const gemm_after *after) {
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) {
            double sum = add ? c[i * c_step + j] : 0;
            for (long p = 0; p < k; p++)
                sum += (double)a.data[i * a.row + p * a.column] * b.data[p * b.row + j * b.column];
            if (after && after->column_bias) sum += after->column_bias[j];
            if (after && after->row_bias) sum += after->row_bias[i];
            if (after && after->residual) sum += after->residual[i * after->residual_step + j];
            c[i * c_step + j] = (float)(after ? activate_plain(sum, after->activation) : sum);
        }
}

const gemm_kernels KERNEL(gemm) = {multiply, scratch_floats, GEMM_ROWS, GEMM_COLUMNS};
