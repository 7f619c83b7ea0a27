/* Images of bytes: other sizes, other layouts, and floats made of them. */
#ifndef TRIPTYCH_IMAGE_H
#define TRIPTYCH_IMAGE_H
#ifdef __cplusplus
extern "C" {
#endif

#include <stdint.h>

/* Weights are integers, multiples of 2^-22; sums of products with bytes are rounded once. */
enum { IMAGE_BITS = 22, IMAGE_LOW_BITS = 11, IMAGE_WINDOW = 16 };

/* How each of `out` new pixels along an axis is mixed from neighbouring old ones. */
typedef struct {
    long in, out, taps;
    const int32_t *first, *count; /* (out,) the first old pixel and how many: at most taps */
    const int32_t *weights;       /* (out, taps) */
} image_axis;

/* The same for bytes that lie side by side, for vectors of `lanes` new pixels. A step adds two old
   pixels to each: four new pixels share a window of 16 bytes, out of which they pick theirs. The
   weights are cut into high and low parts that fit 16 bits, as products of pairs need it. */
typedef struct {
    const int32_t *steps;   /* (groups + 1,) where the steps of each group begin */
    const int32_t *windows; /* (steps, lanes / 4) first byte of each window */
    const uint8_t *picks;   /* (steps, 4 lanes) places in the window: p, none, q, none (0x80) */
    const int16_t *high;    /* (steps, 2 lanes) for p and q */
    const int16_t *low;
} image_plan;

typedef struct {
    /* Rows of axis->in bytes to rows of axis->out. plan: null for a slow way, which rows shorter
       than a window take. */
    void (*columns)(const uint8_t *x, long x_step, long rows, const image_axis *axis,
                    const image_plan *plan, uint8_t *y, long y_step);
    /* New rows [begin, end) of `columns` bytes each; x is the first old row. */
    void (*rows)(const uint8_t *x, long x_step, long columns, const image_axis *axis, long begin,
                 long end, uint8_t *y, long y_step);
    /* Pixels of `step` bytes to `channels` <= step planes: y[c * plane + i] = x[i * step + c]. */
    void (*planes)(const uint8_t *x, long step, long count, long channels, uint8_t *y, long plane);
    /* y = (x * scale / divisor - mean) / deviation, each step rounded. */
    void (*normalize)(const uint8_t *x, long count, float scale, float divisor, float mean,
                      float deviation, float *y);
    long lanes; /* of a plan; 0 when there is no fast way */
} image_kernels;

extern const image_kernels image_baseline, image_avx2, image_avx512;

#ifdef __cplusplus
}
#endif
#endif
