/* Products of float32 matrices. */
#ifndef TRIPTYCH_GEMM_H
#define TRIPTYCH_GEMM_H
#ifdef __cplusplus
extern "C" {
#endif

/* What is done to the result before it is written for the last time; all zeros for nothing:
   y = act(c + column_bias + row_bias + residual). */
typedef enum { GEMM_PLAIN, GEMM_RELU, GEMM_GELU, GEMM_SILU } gemm_activation;
typedef struct {
    const float *column_bias; /* (n,), or null */
    const float *row_bias;    /* (m,), or null */
    const float *residual;    /* (m, n), columns side by side, or null */
    long residual_step;       /* from one row of it to the next */
    gemm_activation activation;
} gemm_after;

/* A matrix seen through two strides, counted in numbers, which may be anything. */
typedef struct {
    const float *data;
    long row, column;
} gemm_view;

typedef struct {
    /* c (m, n) = a (m, k) b (k, n), and what `after` says; add: c += a b. Columns of c lie side by
       side, its rows c_step apart. scratch: scratch_floats(m, n, k) numbers on a border of 64
       bytes. Each number of c is a sum in an order that depends on k and on its place alone within
       the block given: the caller may cut c into blocks and compute them in any order. */
    void (*multiply)(long m, long n, long k, gemm_view a, gemm_view b, float *c, long c_step,
                     int add, const gemm_after *after, float *scratch);
    long (*scratch_floats)(long m, long n, long k);
    /* Where to cut: blocks of a multiple of so many rows and columns have no ragged edges. */
    long rows, columns;
} gemm_kernels;

extern const gemm_kernels gemm_baseline, gemm_avx2, gemm_avx512;

#ifdef __cplusplus
}
#endif
#endif
