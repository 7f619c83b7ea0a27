/* Where the largest values lie in the bins of a region. */
#ifndef TRIPTYCH_BINS_H
#define TRIPTYCH_BINS_H
#ifdef __cplusplus
extern "C" {
#endif

#include <stdint.h>

/* From which row (or column) up to which each bin of a region reaches. */
enum { BINS_LANES = 16 };

typedef struct {
    long bins;
    const int64_t *first, *stop; /* (bins,) */
} bin_edges;

typedef struct {
    /* Places in a plane of rows of `width`, (rows->bins, columns->bins), plus `base`: of the first
       of the largest values, row by row; NaN is larger than all. An empty bin has the place of its
       edges, brought into the plane of `height` rows. best and at: scratch of
       width + BINS_LANES each. Fewer than 2^24 rows, 2^31 pixels. */
    void (*largest)(const float *map, long height, long width, const bin_edges *rows,
                    const bin_edges *columns, int64_t base, float *best, float *at,
                    int64_t *places);
} bins_kernels;

extern const bins_kernels bins_baseline, bins_avx2, bins_avx512;

#ifdef __cplusplus
}
#endif
#endif
