/* Softmax, its logarithm and their derivatives, along one axis of packed float32. */
#ifndef TRIPTYCH_SOFTMAX_H
#define TRIPTYCH_SOFTMAX_H
#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    long outer, length, inner; /* axes before, the axis, axes after */
    int log;
} softmax_axis;

typedef struct {
    /* Pieces of work, each some rows, or columns that lie side by side. */
    long (*units)(const softmax_axis *axis);
    /* y = softmax(x) or its logarithm; y may be x only where inner is 1. */
    void (*forward)(const softmax_axis *axis, const float *x, float *y, long begin, long end);
    /* The gradient of x, from that of y and y. */
    void (*backward)(const softmax_axis *axis, const float *g, const float *y, float *dx,
                     long begin, long end);
} softmax_kernels;

extern const softmax_kernels softmax_baseline, softmax_avx2, softmax_avx512;

#ifdef __cplusplus
}
#endif
#endif
