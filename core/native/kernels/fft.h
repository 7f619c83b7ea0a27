/* Spectra of overlapping frames of a real signal, float32.

   One lane of a vector holds one frame, so that every step of the transform is plain arithmetic on
   vectors, whatever the length. Method: Stockham's self-sorting transform in mixed radices, and for
   even lengths the transform of half the length (Cooley, Lewis and Welch 1970). */
#ifndef TRIPTYCH_FFT_H
#define TRIPTYCH_FFT_H
#ifdef __cplusplus
extern "C" {
#endif

enum { FFT_MOST_FACTORS = 32, FFT_LARGEST_PRIME = 61 };

typedef struct {
    long n;                        /* samples of a frame */
    long m;                        /* length of the complex transform: n / 2, or n if n is odd */
    int num_factors;
    int factors[FFT_MOST_FACTORS]; /* product m; 4, 2, 3, 5 or another prime */
    const float *twiddles;         /* (cos, sin) of -2 pi p j / length for each stage, p < length / r,
                                      1 <= j < r, one stage after the other */
    const float *roots;            /* (cos, sin) of -2 pi j / r, j < r, for each stage */
    const float *halves;           /* (cos, sin) of -2 pi k / n, k <= n / 2 */
} fft_plan;

typedef struct {
    /* x: signal; frame f begins at x + f * hop. window: (n,), or null for ones.
       Gives (n / 2 + 1) bins of each frame: bin k of frame f at y[f * frame_step + k * bin_step],
       in floats; re and im side by side, or only the power re^2 + im^2.
       work: fft_work(m) floats. */
    void (*spectra)(const fft_plan *plan, const float *x, long frames, long hop, const float *window,
                    int power, float *y, long frame_step, long bin_step, float *work);
    long lanes;
} fft_kernels;

/* Floats of work memory: two complex arrays of vectors. */
#define FFT_WORK(m) (4 * (m) * 16)

extern const fft_kernels fft_baseline, fft_avx2, fft_avx512;

#ifdef __cplusplus
}
#endif
#endif
