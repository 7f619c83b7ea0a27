/* Halves: float16 (IEEE 754, 5 bits of exponent) and bfloat16 (the upper half of a float32). */
#ifndef TRIPTYCH_HALF_H
#define TRIPTYCH_HALF_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef enum { HALF_NONE, HALF_FLOAT16, HALF_BFLOAT16 } half_kind;

typedef struct {
    /* float32 from halves: always exact; NaN stays NaN. */
    void (*widen)(half_kind kind, const uint16_t *x, float *y, long n);
    /* The nearest half, of two equally near ones the even one; NaN stays NaN. */
    void (*narrow)(half_kind kind, const float *x, uint16_t *y, long n);
} half_kernels;

extern const half_kernels half_baseline, half_avx2, half_avx512;

#ifdef __cplusplus
}
#endif
#endif
