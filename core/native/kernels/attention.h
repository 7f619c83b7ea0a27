/* Attention of float32, softmax(q kT scale + mask) v, one head at a time, and its derivative. */
#ifndef TRIPTYCH_ATTENTION_H
#define TRIPTYCH_ATTENTION_H
#ifdef __cplusplus
extern "C" {
#endif

/* A matrix of any two steps, counted in its numbers. */
typedef struct {
    const float *data;
    long row, column;
} attention_matrix;

/* A result, columns side by side; from one row to the next. */
typedef struct {
    float *data;
    long row;
} attention_result;

typedef enum { ATTENTION_OPEN, ATTENTION_BYTES, ATTENTION_FLOATS } attention_mask_kind;

/* Queries q (l, e), keys k (s, e), values v (s, f). */
typedef struct {
    long l, s, e, f;
    attention_matrix q, k, v;
    float scale;
    int causal;
    long ahead; /* if causal, query i sees keys up to i + ahead */
    attention_mask_kind kind;
    const void *mask; /* (l, s): bytes, 0 hides; or numbers to add */
    long mask_row, mask_column;
} attention_head;

typedef struct {
    /* out (l, f) and level (l,), the logarithms of the sums of the rows; +infinity and zeros
       where all is hidden. Queries from `begin` to `end`, and `begin` on a border of 64.
       Memory from forward_floats(head) on a border of 64 bytes. */
    void (*forward)(const attention_head *head, attention_result out, float *level, long begin,
                    long end, float *scratch);
    long (*forward_floats)(const attention_head *head);
    /* From the gradients g of out and h of level: dq, dk, dv. */
    void (*backward)(const attention_head *head, attention_matrix g, attention_matrix out,
                     const float *level, const float *h, attention_result dq, attention_result dk,
                     attention_result dv, float *scratch);
    long (*backward_floats)(const attention_head *head);
} attention_kernels;

extern const attention_kernels attention_baseline, attention_avx2, attention_avx512;

#ifdef __cplusplus
}
#endif
#endif
