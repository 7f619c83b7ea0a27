/* Softmax and its logarithm over rows of float32. */
#ifndef TRIPTYCH_SOFTMAX_H
#define TRIPTYCH_SOFTMAX_H
#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    /* x, y: (rows, length), C order; y may be x. */
    void (*softmax)(const float *x, float *y, long rows, long length);
} softmax_kernels;

extern const softmax_kernels softmax_baseline, softmax_avx2, softmax_avx512;

#ifdef __cplusplus
}
#endif
#endif
