/* Recursive filters over rows of samples. */
#ifndef TRIPTYCH_IIR_H
#define TRIPTYCH_IIR_H
#ifdef __cplusplus
extern "C" {
#endif

enum { IIR_MOST_TAPS = 16, IIR_TABLE = (IIR_MOST_TAPS + 8) * 8 };

typedef struct {
    /* y[n] = sum b[k] x[n - k] - sum_{k > 0} a[k] y[n - k], a[0] = 1, k < taps <= IIR_MOST_TAPS; in
       double precision, rounded to float at the end. Blocks of `lanes` outputs are computed at once:
       each is a sum over the block's inputs and the outputs before it (look-ahead, Kogge 1973).
       table: IIR_TABLE doubles, filled by `prepare` from a. */
    void (*prepare)(const double *a, int taps, double *table);
    void (*filter)(const float *x, float *y, long length, const double *b, const double *a, int taps,
                   const double *table);
    long lanes;
} iir_kernels;

extern const iir_kernels iir_baseline, iir_avx2, iir_avx512;

#ifdef __cplusplus
}
#endif
#endif
