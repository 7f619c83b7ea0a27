/* Normalisation of float32: numbers brought to mean 0 and variance 1 over rows or over channels,
   and the derivatives. */
#ifndef TRIPTYCH_NORM_H
#define TRIPTYCH_NORM_H
#ifdef __cplusplus
extern "C" {
#endif

/* What is normalised together: `planes` runs of `length` numbers each, `step` numbers apart. */
typedef struct {
    long planes, length, step;
} norm_span;

/* How a row is normalised. */
typedef struct {
    long length;
    int centred; /* take off the mean; else only divide by the root of the mean square */
    double eps;
    const float *weight, *bias; /* (length,) or null */
} norm_row;

typedef struct {
    /* Mean and variance (over the count); without `centred`, 0 and the mean square. */
    void (*moments)(const norm_span *span, const float *x, int centred, double *mean, double *var);
    /* y = (x - mean) scale + shift; y may be x. */
    void (*apply)(const norm_span *span, const float *x, float *y, float mean, float scale,
                  float shift);
    /* Sums of g and of g (x - mean). */
    void (*sums)(const norm_span *span, const float *g, const float *x, float mean, double *plain,
                 double *tilted);
    /* dx = of_g g + of_x (x - mean) + constant. */
    void (*combine)(const norm_span *span, const float *g, const float *x, float *dx, float mean,
                    float of_g, float of_x, float constant);
    /* `count` rows; y may be x. */
    void (*rows)(const norm_row *row, const float *x, float *y, long count);
    /* dx of `count` rows; adds their share of the gradients of weight and bias to dw and db, both
       of (length,), or null. */
    void (*rows_backward)(const norm_row *row, const float *g, const float *x, float *dx, float *dw,
                          float *db, long count);
} norm_kernels;

extern const norm_kernels norm_baseline, norm_avx2, norm_avx512;

#ifdef __cplusplus
}
#endif
#endif
