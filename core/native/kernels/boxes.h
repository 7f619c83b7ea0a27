/* Boxes: which of them mean the same thing, and means over the bins of regions of interest. */
#ifndef TRIPTYCH_BOXES_H
#define TRIPTYCH_BOXES_H
#ifdef __cplusplus
extern "C" {
#endif

#include <stdint.h>

enum { NMS_BLOCK = 128 };

/* How bins mix the rows (or columns) of a window of the map. */
typedef struct {
    const int64_t *first;  /* (k,) first row of the window */
    const float *weights;  /* (k, bins, width), zero after the window's end */
    const int32_t *ranges; /* (k, bins, 2): from which place of the window up to which they count */
    long bins, width;
} roi_axis;

typedef struct {
    /* Non-maximum suppression. boxes: (n, 4) xyxy, best first, finite or not; a box goes when its
       intersection over union with a kept one is above limit >= 0. Gives how many are kept, their
       places in `kept`, which has room for n. work: nms_work(n) floats. */
    long (*nms)(const float *boxes, long n, float limit, int64_t *kept, float *work);

    /* Regions of one map, for `channels` <= lanes of its channels (of `plane` floats each, rows of
       `columns`): pooled[r * region_step][channel][bins of rows][bins of columns] for each r of the
       regions `of`, k of them, whose windows lie in the rows from `top` on. maps: scratch of rows *
       columns vectors; bins: of (across->bins + 1) * along->bins vectors.
       pool: pooled from the map; spread, its adjoint: adds what is pooled to the map. */
    void (*pool)(const float *map, long plane, long top, long rows, long columns, long channels,
                 const int64_t *of, long k, const roi_axis *across, const roi_axis *along,
                 float *pooled, long region_step, float *maps, float *bins);
    void (*spread)(float *map, long plane, long top, long rows, long columns, long channels,
                   const int64_t *of, long k, const roi_axis *across, const roi_axis *along,
                   const float *pooled, long region_step, float *maps, float *bins);
    long lanes;
} boxes_kernels;

#define NMS_WORK(n) (6 * ((n) + 32) + 5 * NMS_BLOCK)

extern const boxes_kernels boxes_baseline, boxes_avx2, boxes_avx512;

#ifdef __cplusplus
}
#endif
#endif
