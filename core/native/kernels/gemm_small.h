/* Products with few rows or few columns, for gemm.c. */
#ifndef TRIPTYCH_GEMM_SMALL_H
#define TRIPTYCH_GEMM_SMALL_H

#include "gemm.h"
#include "vector.h"

/* The most rows for which B is not packed: where sums of rows are taken, and where dot products
   are, which use what they load more often; those of more rows want so many terms that adding up
   their partial sums at the end is little beside them. */
#define GEMM_FEW 4
#if VECTOR_BYTES == 64
#define GEMM_DOTS 48
#else
#define GEMM_DOTS 8
#endif
#define GEMM_TERMS (16 * LANES)

typedef struct {
    float *data;
    long row, column;
} gemm_target;

/* m <= GEMM_DOTS; columns of a and rows of b lie side by side. */
void KERNEL(gemm_dots)(long m, long n, long k, gemm_view a, gemm_view b, gemm_target c, int add);
/* m <= GEMM_FEW; columns of b lie side by side. */
void KERNEL(gemm_rows)(long m, long n, long k, gemm_view a, gemm_view b, gemm_target c, int add);

/* c = or += a b by one of them, as it is or transposed; 0 when neither is made for it. */
int KERNEL(gemm_small)(long m, long n, long k, gemm_view a, gemm_view b, float *c, long c_step,
                       int add);

INLINE long smaller(long a, long b) { return a < b ? a : b; }
INLINE long up(long a, long multiple) { return (a + multiple - 1) / multiple * multiple; }
/* The size of even pieces of at most `most` each. */
INLINE long evenly(long size, long most) {
    const long pieces = (size + most - 1) / most;
    return pieces ? (size + pieces - 1) / pieces : 1;
}

#endif
