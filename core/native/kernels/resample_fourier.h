/* Long filters that change the sample rate, by Fourier transforms of blocks of samples.

   A bank of coprime `step` and `phases` is one filter between zeros put in and samples left out
   (Crochiere and Rabiner 1983): both repeat the spectrum, so that each bin of the output is a sum of
   bins of the input. Of a filter that stops what the lower rate cannot hold, all but one or two of
   each sum vanish. Blocks overlap by what a group of outputs sees (overlap-save). */
#ifndef TRIPTYCH_RESAMPLE_FOURIER_H
#define TRIPTYCH_RESAMPLE_FOURIER_H

#include "fft.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FOURIER_MOST_LANES = 16 };

typedef struct {
    const fft_plan *forward, *inverse; /* of the samples of a block, and of its outputs; even n */
    const long *ends;                  /* terms of the output's bin k: from ends[k] to ends[k + 1] */
    const long *sources;               /* bin of the input for each term */
    const float *gains;                /* (terms, 4): of re and im for re, of re and im for im */
} fourier_bank;

typedef struct {
    const float *x;
    float *y;
    long samples; /* that x has, at most forward->n count */
    long wanted;  /* outputs to write, of inverse->n; 0 for a lane that is not used */
} fourier_block;

typedef struct {
    /* A block for each lane. Gives 0, with nothing written, if a sample is not a finite number below
       1e30. work: FOURIER_WORK floats. */
    int (*run)(const fourier_bank *bank, const fourier_block *blocks, float *work);
    long lanes;
} fourier_kernels;

/* Two arrays of complex vectors, with room for a last square of outputs. */
#define FOURIER_NUMBERS(m, n) (((m) > (n) ? (m) : (n)) + 8)
#define FOURIER_WORK(m, n) FFT_WORK(FOURIER_NUMBERS(m, n))

extern const fourier_kernels fourier_baseline, fourier_avx2, fourier_avx512;

#ifdef __cplusplus
}
#endif
#endif
