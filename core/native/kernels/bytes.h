/* Vectors of bytes: LANES of them at a time, widened to whole numbers. */
#ifndef TRIPTYCH_BYTES_H
#define TRIPTYCH_BYTES_H

#include "vector.h"

typedef uint8_t vbytes __attribute__((vector_size(LANES)));
typedef uint8_t vbytes_unaligned __attribute__((vector_size(LANES), aligned(1), may_alias));

INLINE vint wide(const uint8_t *p) {
#if VECTOR_BYTES == 64
    return (vint)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
#elif VECTOR_BYTES == 32
    return (vint)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
#else
    return __builtin_convertvector((vbytes)*(const vbytes_unaligned *)p, vint);
#endif
}
/* The vector cut to 0 to 255. */
INLINE void store_bytes(uint8_t *p, vint v) {
#if VECTOR_BYTES == 64
    const __m512i positive = _mm512_max_epi32((__m512i)v, _mm512_setzero_si512());
    _mm_storeu_si128((__m128i *)p, _mm512_cvtusepi32_epi8(positive));
#elif VECTOR_BYTES == 32
    const __m256i words = _mm256_packs_epi32((__m256i)v, (__m256i)v);
    const __m256i bytes = _mm256_packus_epi16(words, words);
    const uint32_t halves[2] = {(uint32_t)_mm256_extract_epi32(bytes, 0),
                                (uint32_t)_mm256_extract_epi32(bytes, 4)};
    __builtin_memcpy(p, halves, 8);
#else
    v = v & (v > 0);
    v = (v & (v < 255)) | (255 & (v >= 255));
    *(vbytes_unaligned *)p = __builtin_convertvector(v, vbytes);
#endif
}
/* The first `count` bytes, at most LANES; zeros in the other lanes. */
INLINE vint wide_part(const uint8_t *p, long count) {
    if (count >= LANES) return wide(p);
    uint8_t part[LANES] = {0};
    for (long i = 0; i < count; i++) part[i] = p[i];
    return wide(part);
}
INLINE void store_bytes_part(uint8_t *p, vint v, long count) {
    if (count >= LANES) {
        store_bytes(p, v);
        return;
    }
    uint8_t part[LANES];
    store_bytes(part, v);
    for (long i = 0; i < count; i++) p[i] = part[i];
}

INLINE vfloat floats_of(vint v) { return __builtin_convertvector(v, vfloat); }
/* Cut off after the point. */
INLINE vint whole_of(vfloat v) { return __builtin_convertvector(v, vint); }

/* A product that the next operation may not take apart again. */
INLINE vfloat as_rounded(vfloat x) {
#if VECTOR_BYTES == 64
    __asm__("" : "+v"(x));
#elif defined(__SSE2__)
    __asm__("" : "+x"(x));
#elif defined(__aarch64__)
    __asm__("" : "+w"(x));
#endif
    return x;
}

#endif
