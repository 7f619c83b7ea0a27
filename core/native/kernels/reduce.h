/* Sums and extremes of float32. */
#ifndef TRIPTYCH_REDUCE_H
#define TRIPTYCH_REDUCE_H
#ifdef __cplusplus
extern "C" {
#endif

/* Numbers that are summed as one piece; longer sums are cut here, whoever computes the parts. */
#define REDUCE_PIECE 65536

typedef struct {
    float (*sum)(const float *x, long n);
    /* NaN if one of them is; n >= 1. */
    float (*maximum)(const float *x, long n);
    float (*minimum)(const float *x, long n);
    /* The first place of the maximum or minimum, or of a NaN. */
    long (*argmax)(const float *x, long n);
    long (*argmin)(const float *x, long n);
    /* y[j] = sum of x[i * stride + j] over rows i, for n columns. */
    void (*sum_columns)(const float *x, long rows, long stride, float *y, long n);
} reduce_kernels;

extern const reduce_kernels reduce_baseline, reduce_avx2, reduce_avx512;

#ifdef __cplusplus
}
#endif
#endif
