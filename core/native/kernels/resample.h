/* Filters that change the sample rate. */
#ifndef TRIPTYCH_RESAMPLE_H
#define TRIPTYCH_RESAMPLE_H
#ifdef __cplusplus
extern "C" {
#endif

enum { RESAMPLE_MOST_LANES = 48 };

typedef struct {
    /* A bank of filters at every `step` samples: y[j * phases + p] = sum over k of
       w[p][k] x[j * step + starts[p] + k], for j < groups. `tile` phases in turn are computed at
       once, from one start: weights (ceil(phases / tile), taps, tile), starts (ceil(phases / tile),).
       reach: samples that a group sees, max(starts) + taps. work: RESAMPLE_WORK floats. */
    void (*bank)(const float *x, float *y, long groups, long step, long phases, long taps,
                 const long *starts, const float *weights, long reach, float *work);
    long tile, lanes; /* phases and groups at once */
} resample_kernels;

/* Samples of the groups, and a tile of results. */
#define RESAMPLE_WORK(reach) (((reach) + 8) * RESAMPLE_MOST_LANES)

extern const resample_kernels resample_baseline, resample_avx2, resample_avx512;

#ifdef __cplusplus
}
#endif
#endif
