/* Max pooling of float32 planes. Means are depthwise convolutions; see conv.h. */
#ifndef TRIPTYCH_POOL_H
#define TRIPTYCH_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Position p of an axis sees p * stride - before + i * dilation for i below size; what lies outside
   of [0, in) is not there. Each window sees something. */
typedef struct {
    long in, out, size, stride, dilation, before;
} pool_axis;

typedef struct {
    /* Memory in floats, on a border of 64 bytes. */
    long (*scratch)(const pool_axis *y, const pool_axis *x);
    /* x (planes, y.in, x.in) to best (planes, y.out, x.out). NaN wins. */
    void (*largest)(const pool_axis *y, const pool_axis *x, const float *from, float *best,
                    long planes, float *scratch);
    /* The same, with the position in the plane of the first of the largest, or of the first NaN. A
       plane has fewer than 2^31 numbers. */
    void (*largest_at)(const pool_axis *y, const pool_axis *x, const float *from, float *best,
                       int64_t *places, long planes, float *scratch);
} pool_kernels;

extern const pool_kernels pool_baseline, pool_avx2, pool_avx512;

#ifdef __cplusplus
}
#endif
#endif
