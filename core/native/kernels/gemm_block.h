/* The parts of the matrix product, for families that multiply blocks of their own making.

   A tile of the result, at most GEMM_ROWS x GEMM_COLUMNS, stays in registers while its terms are
   summed. The operands of a tile are panels: for each of k terms a row of numbers that lie side by
   side, A's along the rows of the result and B's along its columns:

       c[i][j] = sum over p of a[p * a_step + i] * b[p * b_step + j]

   gemm_pack writes such a panel from an array of any two strides; an array that has the layout
   already is used where it is. The functions are in gemm.c, one for each instruction set: call
   KERNEL(gemm_tile)(...) from a file compiled for the same TARGET.
*/
#ifndef TRIPTYCH_GEMM_BLOCK_H
#define TRIPTYCH_GEMM_BLOCK_H

#include "gemm.h"
#include "vector.h"

#if VECTOR_BYTES == 64
#define GEMM_ROWS 14 /* 28 of 32 registers for sums, 2 for a row of B */
#define GEMM_DEPTH 384
#elif defined(__aarch64__)
#define GEMM_ROWS 12
#define GEMM_DEPTH 384
#else
#define GEMM_ROWS 6 /* 12 of 16 */
#define GEMM_DEPTH 256
#endif
#define GEMM_VECTORS 2
#define GEMM_COLUMNS (GEMM_VECTORS * LANES)
/* The step of a packed panel of A: GEMM_ROWS in whole vectors. */
#define GEMM_A_STEP ((GEMM_ROWS + LANES - 1) / LANES * LANES)

/* What follows, which a tile fetches into the cache as it goes: two streams of numbers, of each
   `step` on with every GEMM_STRIDE terms. */
#define GEMM_STRIDE 8
typedef struct {
    const float *first, *second;
    long step;
} gemm_next;

/* to[p * step + i] = from[i * along + p * across] for i < width, 0 for the others below step, for
   p < k. step is a multiple of LANES and at least width; to is on a border of VECTOR_BYTES.
   Rows of A: along = row stride, across = column stride; columns of B: the other way. */
void KERNEL(gemm_pack)(float *to, long step, long width, long k, const float *from, long along,
                       long across);

/* One tile: rows <= GEMM_ROWS, columns <= GEMM_COLUMNS. c is written (add = 0) or added to. Rows of
   b are read in whole vectors: ceil(columns / LANES) * LANES numbers each, so pack edges. */
void KERNEL(gemm_tile)(long rows, long columns, long k, const float *a, long a_step, const float *b,
                       long b_step, float *c, long c_step, int add);

/* Tiles side by side: any number of columns, b in panels of GEMM_COLUMNS columns one after the
   other, each of k rows with step GEMM_COLUMNS (the last filled up with zeros). */
void KERNEL(gemm_strip)(long rows, long columns, long k, const float *a, long a_step,
                        const float *b, float *c, long c_step, int add);

/* The epilogue over a block of the result; `after` is for the block's first row and column. */
void KERNEL(gemm_finish)(long rows, long columns, float *c, long c_step, const gemm_after *after);

#endif
