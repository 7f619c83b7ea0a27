/* Sums over bands of a spectrum: a product of matrices of which the left one is mostly zeros. */
#ifndef TRIPTYCH_BANDS_H
#define TRIPTYCH_BANDS_H
#ifdef __cplusplus
extern "C" {
#endif

/* Bins [begin, end) of a band; its weights outside of them are zero. */
typedef struct {
    long begin, end;
} bands_range;

typedef struct {
    /* Of the first `count` of bands (count, bins), the ranges; gives back their lengths' sum. */
    long (*ranges)(const float *bands, long count, long bins, bands_range *ranges);
    /* y[m][t] = sum over the range of band m of bands[m][f] x[f][t], for m < count and t in
       [begin, end); x (bins, frames), y (count, frames). Bins are added in their order. */
    void (*sums)(const float *bands, const bands_range *ranges, long count, long bins,
                 const float *x, float *y, long frames, long begin, long end);
    long frames; /* to be given at a time, as they are in the caches then */
} bands_kernels;

extern const bands_kernels bands_baseline, bands_avx2, bands_avx512;

#ifdef __cplusplus
}
#endif
#endif
