/* Matrix product in blocks, after Goto and van de Geijn, "Anatomy of high-performance matrix
   multiplication", 2008.

   A block of one operand is packed to stay in the second-level cache. The other is packed panel by
   panel, to stay in the first-level cache while it goes over the block; the tile of C stays in
   registers. Rows are dealt out evenly, so that no tile is left with few of them: each height has a
   kernel of its own. */
#include "gemm_block.h"
#include "gemm_small.h"
#include "transpose.h"
#include "normal.h"
#include "vector_math.h"

#define AHEAD 12 /* terms that the panels are fetched ahead, from the second-level cache */
#define PART 16  /* terms of all panels that are packed at a time */
#define GROUP 8  /* panels of A that may be packed at a time */

/* Panels */

#if VECTOR_BYTES == 64
#define LANE_NUMBERS ((vint){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#elif VECTOR_BYTES == 32
#define LANE_NUMBERS ((vint){0, 1, 2, 3, 4, 5, 6, 7})
#else
#define LANE_NUMBERS ((vint){0, 1, 2, 3})
#endif

/* Numbers of a row of the panel lie side by side. Where loads have no mask, its edge is read in a
   whole vector, too, as long as what follows belongs to later rows. */
static void pack_rows(float *to, long step, long width, long k, const float *from, long across) {
    const long whole = width / LANES * LANES, left = width - whole;
#if VECTOR_BYTES == 64
    const long ahead = 0;
#else
    const long ahead = across > 0 ? k - (LANES - left + across - 1) / across : 0;
#endif
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
                           float *c, long c_step, int add, const float *start,
                           const gemm_next *next);

/* sum += a term. */
INLINE void add_term(int rows, int vectors, const float *a, const float *b,
                     vfloat sum[GEMM_ROWS][GEMM_VECTORS]) {
    vfloat y[GEMM_VECTORS];
    UNROLLED for (int j = 0; j < vectors; j++) y[j] = load(b + j * LANES);
    UNROLLED for (int i = 0; i < rows; i++) {
        const vfloat x = splat(a[i]);
        UNROLLED for (int j = 0; j < vectors; j++) sum[i][j] += x * y[j];
    }
}

INLINE void tile(int rows, int vectors, long k, const float *a, long a_step, const float *b,
                 long b_step, float *c, long c_step, int add, const float *start,
                 const gemm_next *next) {
    const float *first = next->first, *second = next->second, *row = c;
    const float *const last = c + (rows - 1) * c_step;
    vfloat sum[GEMM_ROWS][GEMM_VECTORS];
    UNROLLED for (int i = 0; i < rows; i++)
        UNROLLED for (int j = 0; j < vectors; j++)
            sum[i][j] = start ? load(start + j * LANES) : (vfloat){0};
    long p = 0;
    for (; p + GEMM_STRIDE <= k; p += GEMM_STRIDE) {
        __builtin_prefetch(first);
        __builtin_prefetch(second);
        __builtin_prefetch(row, 1);
        __builtin_prefetch(row + LANES, 1);
        first += next->step, second += next->step;
        row = row == last ? row : row + c_step;
        _Pragma("GCC unroll 1") for (int q = 0; q < GEMM_STRIDE; q++, a += a_step, b += b_step) {
            __builtin_prefetch(a + AHEAD * a_step);
            __builtin_prefetch(b + AHEAD * b_step);
            __builtin_prefetch(b + AHEAD * b_step + LANES);
            add_term(rows, vectors, a, b, sum);
        }
    }
    for (; p < k; p++, a += a_step, b += b_step) add_term(rows, vectors, a, b, sum);
    UNROLLED for (int i = 0; i < rows; i++)
        UNROLLED for (int j = 0; j < vectors; j++) {
            float *to = c + i * c_step + j * LANES;
            store(to, add ? load(to) + sum[i][j] : sum[i][j]);
        }
}

#define TILE(rows, vectors)                                                                        \
    static void tile_##rows##_##vectors(long k, const float *a, long a_step, const float *b,       \
                                        long b_step, float *c, long c_step, int add,               \
                                        const float *start, const gemm_next *next) {               \
        tile(rows, vectors, k, a, a_step, b, b_step, c, c_step, add, start, next);                 \
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

/* The same for any number of columns: a ragged edge goes through a whole tile. */
static void compute_tile(long rows, long columns, long k, const float *a, long a_step,
                         const float *b, long b_step, float *c, long c_step, int add,
                         const float *start, const gemm_next *next) {
    const long vectors = (columns + LANES - 1) / LANES, whole = columns / LANES * LANES;
    tile_function *const compute = tiles[rows][vectors - 1];
    if (columns == vectors * LANES) {
        compute(k, a, a_step, b, b_step, c, c_step, add, start, next);
        return;
    }
    float sums[GEMM_ROWS * GEMM_COLUMNS] __attribute__((aligned(VECTOR_BYTES)));
    float begin[GEMM_COLUMNS] __attribute__((aligned(VECTOR_BYTES)));
    if (start) {
        if (whole) store(begin, load(start));
        store(begin + whole, load_part(start + whole, columns - whole, 0));
    }
    compute(k, a, a_step, b, b_step, sums, GEMM_COLUMNS, 0, start ? begin : 0, next);
    for (long i = 0; i < rows; i++, c += c_step)
        for (long j = 0; j < columns; j += LANES) {
            const vfloat sum = load(sums + i * GEMM_COLUMNS + j);
            if (j < whole) store(c + j, add ? load(c + j) + sum : sum);
            else store_part(c + j, add ? load_part(c + j, columns - j, 0) + sum : sum, columns - j);
        }
}

static gemm_next nothing_next(const float *here) { return (gemm_next){here, here, 0}; }

void KERNEL(gemm_tile)(long rows, long columns, long k, const float *a, long a_step, const float *b,
                       long b_step, float *c, long c_step, int add) {
    const gemm_next next = nothing_next(a);
    compute_tile(rows, columns, k, a, a_step, b, b_step, c, c_step, add, 0, &next);
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

/* One operand is kept, packed in the second-level cache; panels of the other go over it, each
   fetched from memory while the one before it is in use. */
typedef struct {
    long depth;  /* terms at a time */
    long height; /* rows of a tile */
    long rows;   /* of a block of A that is kept; 0 if it is B that is */
    long columns; /* of a block of B that is kept */
} blocking;

static blocking choose_blocks(long m, long n, long k) {
    blocking found;
    found.depth = evenly(k, GEMM_DEPTH);
    found.height = evenly(m, GEMM_ROWS);
    const long room = BLOCK_FLOATS / up(found.depth, LANES), most = room / GEMM_A_STEP;
    const long tiles = (m + found.height - 1) / found.height;
    found.rows = evenly(tiles, most) * found.height;
    found.columns = up(evenly(n, room), GEMM_COLUMNS);
    /* What is read in all: the one that is kept once, the other once for each block. */
    const long keeping_a = m + n * ((m + found.rows - 1) / found.rows);
    const long keeping_b = n + m * ((n + found.columns - 1) / found.columns);
    if (keeping_b <= keeping_a) found.rows = 0;
    return found;
}

static long scratch_floats(long m, long n, long k) {
    const blocking blocks = choose_blocks(m, n, k);
    if (blocks.rows)
        return blocks.depth * (blocks.rows / blocks.height * GEMM_A_STEP + GEMM_COLUMNS);
    return blocks.depth * (GROUP * GEMM_A_STEP + blocks.columns);
}

/* Part t of what is fetched while tile t is computed, of the panel that follows: `width` numbers
   for each of k terms, as gemm_pack takes it. */
static gemm_next part_of_next(const float *from, long along, long across, long width, long k,
                              long t) {
    const long strides = k / GEMM_STRIDE;
    if (across == 1 && 2 * t < width) {
        const float *first = from + 2 * t * along;
        return (gemm_next){first, 2 * t + 1 < width ? first + along : first, GEMM_STRIDE};
    }
    if (along == 1 && t * strides < k) {
        const float *first = from + t * strides * across;
        return (gemm_next){first, first + width - 1, across};
    }
    return nothing_next(from);
}

/* `count` by k numbers as panels of `width`, one after the other. Where the numbers of a term lie
   side by side, so few terms of all panels at a time that they are in the translation buffer. */
static void pack_panels(float *to, long step, long width, long count, long k, const float *from,
                        long along, long across) {
    const long part = along == 1 ? PART : k;
    for (long p = 0; p < k; p += part)
        for (long i = 0; i < count; i += width)
            KERNEL(gemm_pack)(to + (i / width * k + p) * step, step, smaller(count - i, width),
                              smaller(k - p, part), from + i * along + p * across, along, across);
}

static void pack_b(float *to, long n, long k, gemm_view b) {
    pack_panels(to, GEMM_COLUMNS, GEMM_COLUMNS, n, k, b.data, b.column, b.row);
}

static void pack_a(float *to, long m, long k, long height, gemm_view a) {
    pack_panels(to, GEMM_A_STEP, height, m, k, a.data, a.row, a.column);
}

/* A block of the product: c (m, n) = or += start + a b, then what `after` says. */
typedef struct {
    long m, n, k, height;
    gemm_view a, b;
    float *c;
    long c_step;
    int add;
    const float *start;      /* (n,), or null */
    const gemm_after *after; /* or null */
} product;

static void product_tile(const product *x, long i, long j, const float *a, const float *b,
                         const gemm_next *next) {
    const long rows = smaller(x->m - i, x->height), columns = smaller(x->n - j, GEMM_COLUMNS);
    float *c = x->c + i * x->c_step + j;
    if (x->after && x->after->residual) {
        const float *residual = x->after->residual + i * x->after->residual_step + j;
        for (long r = 0; r < rows; r++, residual += x->after->residual_step) {
            __builtin_prefetch(residual);
            __builtin_prefetch(residual + columns - 1);
        }
    }
    compute_tile(rows, columns, x->k, a, GEMM_A_STEP, b, GEMM_COLUMNS, c, x->c_step, x->add,
                 x->start ? x->start + j : 0, next);
    if (x->after) {
        const gemm_after here = after_at(x->after, i, j);
        KERNEL(gemm_finish)(rows, columns, c, x->c_step, &here);
    }
}

static void multiply_keeping_b(const product *x, float *scratch) {
    /* Where a row of terms lies side by side, panels are packed a few at a time: each row is then
       on a page of its own, and pages are what is scarce. */
    const long group = x->a.row == 1 ? GROUP : 1, k = x->k, height = x->height;
    float *const packed = scratch + GROUP * GEMM_A_STEP * k;
    pack_b(packed, x->n, k, x->b);
    for (long i = 0; i < x->m; i += height) {
        const long place = i / height % group, then = smaller(i + group * height, x->m - 1);
        const float *from = x->a.data + i * x->a.row, *ahead = x->a.data + then * x->a.row;
        if (place == 0)
            pack_a(scratch, smaller(x->m - i, group * height), k, height,
                   (gemm_view){from, x->a.row, x->a.column});
        for (long j = 0; j < x->n; j += GEMM_COLUMNS) {
            const gemm_next next = part_of_next(ahead, x->a.row, x->a.column,
                                                smaller(x->m - then, height), k, j / GEMM_COLUMNS);
            product_tile(x, i, j, scratch + place * k * GEMM_A_STEP, packed + j * k, &next);
        }
    }
}

static void multiply_keeping_a(const product *x, float *scratch) {
    const long k = x->k, height = x->height;
    float *const packed = scratch + GEMM_COLUMNS * k;
    pack_a(packed, x->m, k, height, x->a);
    for (long j = 0; j < x->n; j += GEMM_COLUMNS) {
        const long width = smaller(x->n - j, GEMM_COLUMNS);
        const long then = smaller(j + GEMM_COLUMNS, x->n - 1);
        const float *ahead = x->b.data + then * x->b.column;
        KERNEL(gemm_pack)(scratch, GEMM_COLUMNS, width, k, x->b.data + j * x->b.column, x->b.column,
                          x->b.row);
        for (long i = 0, t = 0; i < x->m; i += height, t++) {
            const gemm_next next = part_of_next(ahead, x->b.column, x->b.row,
                                                smaller(x->n - then, GEMM_COLUMNS), k, t);
            product_tile(x, i, j, packed + t * k * GEMM_A_STEP, scratch, &next);
        }
    }
}

static void clear(long m, long n, float *c, long c_step) {
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) c[i * c_step + j] = 0;
}

/* The block of terms from p on, in blocks of what is kept. */
static void multiply_terms(const product *whole, const blocking *blocks, long p, float *scratch) {
    const long rows = blocks->rows ? blocks->rows : whole->m;
    const long columns = blocks->rows ? whole->n : blocks->columns;
    const int first = p == 0, last = p + blocks->depth >= whole->k;
    const gemm_view a = whole->a, b = whole->b;
    for (long i = 0; i < whole->m; i += rows)
        for (long j = 0; j < whole->n; j += columns) {
            product x = *whole;
            gemm_after after;
            x.m = smaller(whole->m - i, rows), x.n = smaller(whole->n - j, columns);
            x.k = smaller(whole->k - p, blocks->depth);
            x.a.data += i * a.row + p * a.column, x.b.data += p * b.row + j * b.column;
            x.c += i * x.c_step + j;
            x.add = x.add || !first;
            x.start = first && x.start ? x.start + j : 0;
            if (x.after) after = after_at(x.after, i, j), x.after = last ? &after : 0;
            if (blocks->rows) multiply_keeping_a(&x, scratch);
            else multiply_keeping_b(&x, scratch);
        }
}

static void multiply(long m, long n, long k, gemm_view a, gemm_view b, float *c, long c_step,
                     int add, const gemm_after *after, float *scratch) {
    if (m == 0 || n == 0) return;
    if (nothing_after(after)) after = 0;
    const int small = KERNEL(gemm_small)(m, n, k, a, b, c, c_step, add);
    if (k == 0 && !add) clear(m, n, c, c_step);
    if (k == 0 || small) {
        if (after) KERNEL(gemm_finish)(m, n, c, c_step, after);
        return;
    }
    const blocking blocks = choose_blocks(m, n, k);
    gemm_after rest = after ? *after : (gemm_after){0};
    rest.column_bias = 0; /* sums start at it */
    const product whole = {m, n, k, blocks.height, a, b, c, c_step, add,
                           after ? after->column_bias : 0, nothing_after(&rest) ? 0 : &rest};
    for (long p = 0; p < k; p += blocks.depth) multiply_terms(&whole, &blocks, p, scratch);
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
