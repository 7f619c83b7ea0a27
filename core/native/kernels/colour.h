/* Brightness and colour of images, in planes of bytes or float32, and noise. */
#ifndef TRIPTYCH_COLOUR_H
#define TRIPTYCH_COLOUR_H
#ifdef __cplusplus
extern "C" {
#endif

#include <stdint.h>

/* Each function is there for bytes, which are cut off after the point, and for floats. All steps
   are rounded; results are cut to 0 to `most`; NaN stays. */
typedef struct {
    /* y = x * factor + offset. */
    void (*scale[2])(const void *x, long count, float factor, float offset, float most, void *y);
    /* Pixels of three planes, `plane` numbers apart: how bright they look, 0.2989, 0.587 and 0.114
       times red, green and blue (ITU-R BT.601). Bytes are cut off after the point. */
    void (*luma[2])(const void *x, long plane, long count, void *y);
    double (*luma_sum[2])(const void *x, long plane, long count);
    /* y = x * factor + luma * rest, in three planes, as far apart as those of x. */
    void (*saturate[2])(const void *x, long plane, long count, float factor, float rest, float most,
                        void *y);
    /* y[i] = noise of radius[i] and turn[i], y[i + half] the same a quarter turn further, i < half:
       normal numbers of mean 0 and deviation sigma from uniform ones in [0, 1). */
    void (*normal)(const float *radius, const float *turn, long count, float sigma, long half,
                   float *y);
} colour_kernels;

extern const colour_kernels colour_baseline, colour_avx2, colour_avx512;

#ifdef __cplusplus
}
#endif
#endif
