/* What convolutions of bytes need besides the products of short_gemm.h. */
#ifndef TRIPTYCH_SHORT_CONV_H
#define TRIPTYCH_SHORT_CONV_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    /* The bytes of four channels side by side: words[4 i + j] = planes[j][i] ^ flip for n pixels; 0
       for channels whose plane is null. */
    void (*interleave)(const uint8_t *const planes[4], uint8_t flip, uint8_t *words, long n);
    /* A panel of short_gemm.h for 16 pixels of a result: word i of group g is
       words[bases[i] + offsets[g]]. Groups up to `filled`, and pixels from `count` on, are zeros. */
    void (*pack)(const uint32_t *words, const long *offsets, long groups, long filled,
                 const long *bases, long count, uint8_t *panel);
} short_conv_kernels;

extern const short_conv_kernels short_conv_baseline, short_conv_avx2, short_conv_avx512;

#ifdef __cplusplus
}
#endif
#endif
