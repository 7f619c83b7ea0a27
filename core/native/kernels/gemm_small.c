/* Products with few rows, which read B once, where it is: packing it would cost what its use does.

   gemm_dots: terms lie side by side in both operands, as in x @ w.T. A tile of dot products is kept
   as vectors of partial sums, which are added up by one transposition at the end.
   gemm_rows: columns of B lie side by side. A few rows of B at a time, times their numbers of A,
   are added to the sums. */
#include "gemm_small.h"

#include "transpose.h"

/* Dot products */

#if VECTOR_BYTES == 64
#define DOT_ROWS 8
#define DOT_SUMS 24
#else
#define DOT_ROWS 4
#define DOT_SUMS 12
#endif
#define DOT_COLUMNS 8 /* in a tile of one row, which only waits for B */
#define DOT_ARRAY (4 * DOT_ROWS) /* sums in the largest tile, in whole vectors */
#define DOT_TERMS (DOT_ROWS * 1024L) /* of A at a time, which stay in the first-level cache */
#define DOT_BLOCK (48L << 10) /* numbers of B at a time, which stay in the second-level cache */
#define DOT_AHEAD 4096 /* numbers between those of B in use and those asked for */
/* Columns of a tile of so many rows. */
#define DOT_WIDTH(rows) ((rows) == 1 ? DOT_COLUMNS : (rows) * 4 <= DOT_SUMS ? 4 : DOT_SUMS / (rows))

/* out[i] = the sum of sums[i], for i < count, a multiple of LANES. */
INLINE void add_up(vfloat *sums, int count, float *out) {
    for (int i = 0; i < count; i += LANES) {
        transpose(sums + i);
        UNROLLED for (int half = LANES / 2; half; half /= 2)
            UNROLLED for (int j = 0; j < half; j++) sums[i + j] += sums[i + j + half];
        store(out + i, sums[i]);
    }
}

typedef void dot_function(long k, const float *a, long a_row, const float *b, long b_column,
                          float *out);

/* out[i * columns + j] = the dot product of row i of a and column j of b. */
INLINE void dot_tile(int rows, int columns, long k, const float *a, long a_row, const float *b,
                     long b_column, float *out) {
    vfloat sum[DOT_ARRAY] = {0};
    long p = 0;
    for (; p + LANES <= k; p += LANES) {
        vfloat y[DOT_COLUMNS];
        UNROLLED for (int j = 0; j < columns; j++) {
            ask_for(b + j * b_column + p, DOT_AHEAD);
            y[j] = load(b + j * b_column + p);
        }
        UNROLLED for (int i = 0; i < rows; i++) {
            const vfloat x = load(a + i * a_row + p);
            UNROLLED for (int j = 0; j < columns; j++) sum[i * columns + j] += x * y[j];
        }
    }
    if (p < k)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                sum[i * columns + j] += load_part(a + i * a_row + p, k - p, 0) *
                                        load_part(b + j * b_column + p, k - p, 0);
    add_up(sum, (rows * columns + LANES - 1) / LANES * LANES, out);
}

#define DOTS(rows, columns)                                                                        \
    static void dots_##rows##_##columns(long k, const float *a, long a_row, const float *b,        \
                                        long b_column, float *out) {                               \
        dot_tile(rows, columns, k, a, a_row, b, b_column, out);                                    \
    }
#define ONE(rows) DOTS(rows, 1)
#define FOUR(rows) DOTS(rows, 1) DOTS(rows, 4)
DOTS(1, 1) DOTS(1, 8) FOUR(2) FOUR(3)
#if DOT_ROWS == 8
FOUR(4) FOUR(5) FOUR(6) DOTS(7, 1) DOTS(7, 3) DOTS(8, 1) DOTS(8, 3)
#else
DOTS(4, 1) DOTS(4, 3)
#endif
/* By rows: for one column, and for as many as there are registers for. */
static dot_function *const dot_tiles[DOT_ROWS + 1][2] = {
    {0, 0},
    {dots_1_1, dots_1_8},
    {dots_2_1, dots_2_4},
    {dots_3_1, dots_3_4},
#if DOT_ROWS == 8
    {dots_4_1, dots_4_4},
    {dots_5_1, dots_5_4},
    {dots_6_1, dots_6_4},
    {dots_7_1, dots_7_3},
    {dots_8_1, dots_8_3},
#else
    {dots_4_1, dots_4_3},
#endif
};

/* c (rows, n) = or += a b for at most DOT_ROWS rows. */
static void dot_strip(long rows, long n, long k, gemm_view a, gemm_view b, gemm_target c, int add) {
    const long wide = DOT_WIDTH(rows);
    for (long j = 0, width; j < n; j += width) {
        float out[(DOT_ARRAY + LANES - 1) / LANES * LANES];
        width = n - j >= wide ? wide : 1;
        dot_tiles[rows][width == wide](k, a.data, a.row, b.data + j * b.column, b.column, out);
        for (long i = 0; i < rows; i++)
            for (long l = 0; l < width; l++) {
                float *to = c.data + i * c.row + (j + l) * c.column;
                *to = add ? *to + out[i * width + l] : out[i * width + l];
            }
    }
}

void KERNEL(gemm_dots)(long m, long n, long k, gemm_view a, gemm_view b, gemm_target c, int add) {
    const long height = evenly(m, DOT_ROWS), depth = evenly(k, DOT_TERMS / height);
    const long width = m <= DOT_ROWS ? n : DOT_BLOCK / depth + 1; /* B is used again, or not */
    for (long j = 0; j < n; j += width)
        for (long p = 0; p < k; p += depth)
            for (long i = 0; i < m; i += height) {
                const gemm_view a_here = {a.data + i * a.row + p, a.row, 1};
                const gemm_view b_here = {b.data + j * b.column + p, 1, b.column};
                const gemm_target c_here = {c.data + i * c.row + j * c.column, c.row, c.column};
                dot_strip(smaller(m - i, height), smaller(n - j, width), smaller(k - p, depth),
                          a_here, b_here, c_here, add || p);
            }
}

/* Sums of rows */

#define SUM_COLUMNS 1024

/* sums (rows, n) += a b, for as many terms as `depth`. */
INLINE void add_rows(int rows, int depth, long n, gemm_view a, gemm_view b, float *sums) {
    vfloat x[GEMM_FEW][4];
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < depth; p++) x[i][p] = splat(a.data[i * a.row + p * a.column]);
    long j = 0;
    for (; j + LANES <= n; j += LANES) {
        vfloat y[4];
        UNROLLED for (int p = 0; p < depth; p++) y[p] = load(b.data + p * b.row + j);
        UNROLLED for (int i = 0; i < rows; i++) {
            vfloat sum = load(sums + i * SUM_COLUMNS + j);
            UNROLLED for (int p = 0; p < depth; p++) sum += x[i][p] * y[p];
            store(sums + i * SUM_COLUMNS + j, sum);
        }
    }
    for (; j < n; j++)
        for (int i = 0; i < rows; i++)
            for (int p = 0; p < depth; p++)
                sums[i * SUM_COLUMNS + j] += x[i][p][0] * b.data[p * b.row + j];
}

typedef void rows_function(long n, gemm_view a, gemm_view b, float *sums);
#define ROWS(rows)                                                                                 \
    static void rows_##rows##_1(long n, gemm_view a, gemm_view b, float *sums) {                   \
        add_rows(rows, 1, n, a, b, sums);                                                          \
    }                                                                                              \
    static void rows_##rows##_4(long n, gemm_view a, gemm_view b, float *sums) {                   \
        add_rows(rows, 4, n, a, b, sums);                                                          \
    }
ROWS(1) ROWS(2) ROWS(3) ROWS(4)
static rows_function *const rows_functions[GEMM_FEW + 1][2] = {
    {0, 0}, {rows_1_1, rows_1_4}, {rows_2_1, rows_2_4}, {rows_3_1, rows_3_4}, {rows_4_1, rows_4_4},
};

void KERNEL(gemm_rows)(long m, long n, long k, gemm_view a, gemm_view b, gemm_target c, int add) {
    float sums[GEMM_FEW * SUM_COLUMNS] __attribute__((aligned(VECTOR_BYTES)));
    for (long start = 0; start < n; start += SUM_COLUMNS) {
        const long width = smaller(n - start, SUM_COLUMNS);
        for (long i = 0; i < m; i++)
            for (long j = 0; j < width; j++) sums[i * SUM_COLUMNS + j] = 0;
        for (long p = 0, depth; p < k; p += depth) {
            depth = k - p >= 4 ? 4 : 1;
            const gemm_view a_here = {a.data + p * a.column, a.row, a.column};
            const gemm_view b_here = {b.data + p * b.row + start, b.row, 1};
            rows_functions[m][depth == 4](width, a_here, b_here, sums);
        }
        for (long i = 0; i < m; i++)
            for (long j = 0; j < width; j++) {
                float *to = c.data + i * c.row + (start + j) * c.column;
                *to = sums[i * SUM_COLUMNS + j] + (add ? *to : 0);
            }
    }
}

/* The choice */

INLINE gemm_view turned(gemm_view x) { return (gemm_view){x.data, x.column, x.row}; }

static int few_rows(long m, long n, long k, gemm_view a, gemm_view b, gemm_target c, int add) {
    const int long_enough = m <= GEMM_FEW ? k >= LANES : k >= GEMM_TERMS;
    if (a.column == 1 && b.row == 1 && m <= GEMM_DOTS && long_enough) {
        KERNEL(gemm_dots)(m, n, k, a, b, c, add);
        return 1;
    }
    if (b.column == 1 && m <= GEMM_FEW) {
        KERNEL(gemm_rows)(m, n, k, a, b, c, add);
        return 1;
    }
    return 0;
}

int KERNEL(gemm_small)(long m, long n, long k, gemm_view a, gemm_view b, float *c, long c_step,
                       int add) {
    const gemm_target rows = {c, c_step, 1}, columns = {c, 1, c_step};
    if (k == 0) return 0;
    if (m <= n && few_rows(m, n, k, a, b, rows, add)) return 1;
    return n < m && few_rows(n, m, k, turned(b), turned(a), columns, add);
}
