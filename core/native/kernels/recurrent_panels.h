/* Products of a few rows of states with weights that are packed once for all steps.

   Panels are those of gemm_block.h, GEMM_COLUMNS columns wide. A layer of a small batch multiplies
   one or two rows at a time: their sums of several panels are kept in registers together, so that
   there are enough of them to hide the latency of an addition. */
#ifndef TRIPTYCH_RECURRENT_PANELS_H
#define TRIPTYCH_RECURRENT_PANELS_H

#include "gemm_block.h"
#include "gemm_small.h"
#include "recurrent.h"
#include "rows.h"

#define FEW_ROWS 2
#define MOST_GATES 4

INLINE int gates_of(recurrent_kind kind) {
    return kind == RECURRENT_LSTM ? 4 : kind == RECURRENT_GRU ? 3 : 1;
}

/* out[i * out_step + j] for j < panels * GEMM_COLUMNS = row i of x (k numbers) times the panels. */
INLINE void few(int rows, int panels, int parts, long k, const float *x, long x_step,
                const float *b, float *out, long out_step) {
    vfloat sum[FEW_ROWS][MOST_GATES * GEMM_VECTORS] = {0};
    const long part = k / parts;
    for (long p = 0; p < part; p++)
        _Pragma("GCC unroll 16") for (int s = 0; s < parts * panels; s++) {
            const long place = p + s / panels * part;
            const float *from = b + (s % panels * k + place) * GEMM_COLUMNS;
            _Pragma("GCC unroll 4") for (int v = 0; v < GEMM_VECTORS; v++)
                _Pragma("GCC unroll 4") for (int i = 0; i < rows; i++)
                    sum[i][s * GEMM_VECTORS + v] += x[i * x_step + place] * load(from + v * LANES);
        }
    for (int s = panels; s < parts * panels; s++)
        for (int v = 0; v < GEMM_VECTORS; v++)
            for (int i = 0; i < rows; i++)
                sum[i][s % panels * GEMM_VECTORS + v] += sum[i][s * GEMM_VECTORS + v];
    for (long p = part * parts; p < k; p++)
        for (int s = 0; s < panels * GEMM_VECTORS; s++) {
            const float *from = b + (s / GEMM_VECTORS * k + p) * GEMM_COLUMNS;
            for (int i = 0; i < rows; i++)
                sum[i][s] += x[i * x_step + p] * load(from + s % GEMM_VECTORS * LANES);
        }
    for (int i = 0; i < rows; i++)
        for (int s = 0; s < panels * GEMM_VECTORS; s++)
            store(out + i * out_step + s * LANES, sum[i][s]);
}

typedef void few_function(long k, const float *x, long x_step, const float *b, float *out,
                          long out_step);
#define FEW(rows, panels, parts)                                                                   \
    static void few_##rows##_##panels(long k, const float *x, long x_step, const float *b,         \
                                      float *out, long out_step) {                                 \
        few(rows, panels, parts, k, x, x_step, b, out, out_step);                                  \
    }
FEW(1, 1, 4) FEW(1, 2, 2) FEW(1, 3, 1) FEW(1, 4, 1)
FEW(2, 1, 4) FEW(2, 2, 2) FEW(2, 3, 1) FEW(2, 4, 1)
static few_function *const few_functions[FEW_ROWS + 1][MOST_GATES + 1] = {
    {0, 0, 0, 0, 0},
    {0, few_1_1, few_1_2, few_1_3, few_1_4},
    {0, few_2_1, few_2_2, few_2_3, few_2_4},
};

/* Rows of a batch in even tiles, each with its panel in the work memory. */
typedef struct {
    long rows, height, k;
    float *panels, *out; /* out: a tile of MOST_GATES panels */
} row_tiles;

INLINE long tile_floats(long rows, long k) {
    const long tiles = (rows + evenly(rows, GEMM_ROWS) - 1) / evenly(rows, GEMM_ROWS);
    return tiles * k * GEMM_A_STEP + GEMM_ROWS * MOST_GATES * GEMM_COLUMNS;
}
INLINE row_tiles tiles_of(long rows, long k, float *work) {
    return (row_tiles){rows, evenly(rows, GEMM_ROWS), k,
                       work + GEMM_ROWS * MOST_GATES * GEMM_COLUMNS, work};
}

/* x (rows, k), its rows x_step apart, as panels; few rows are read where they are. */
INLINE void pack_rows_of(const row_tiles *t, const float *x, long x_step) {
    for (long i = 0; i < t->rows; i += t->height)
        if (smaller(t->rows - i, t->height) > FEW_ROWS)
            KERNEL(gemm_pack)(t->panels + i / t->height * t->k * GEMM_A_STEP, GEMM_A_STEP,
                              smaller(t->rows - i, t->height), t->k, x + i * x_step, x_step, 1);
}

/* Panels [first, first + panels) of t->out = the rows of the tile from row i on times b; rows of it
   are MOST_GATES panels apart. */
INLINE void multiply_tile(const row_tiles *t, long i, const float *x, long x_step, long first,
                          long panels, const float *b) {
    const long rows = smaller(t->rows - i, t->height), step = MOST_GATES * GEMM_COLUMNS;
    if (rows <= FEW_ROWS) {
        few_functions[rows][panels](t->k, x + i * x_step, x_step, b,
                                     t->out + first * GEMM_COLUMNS, step);
        return;
    }
    const float *a = t->panels + i / t->height * t->k * GEMM_A_STEP;
    KERNEL(gemm_strip)(rows, panels * GEMM_COLUMNS, t->k, a, GEMM_A_STEP, b,
                       t->out + first * GEMM_COLUMNS, step, 0);
}

#endif
