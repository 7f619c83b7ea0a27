/* Reading a vector of numbers from as many places. */
#ifndef TRIPTYCH_GATHER_H
#define TRIPTYCH_GATHER_H

#include "bytes.h"

/* Of two vectors one behind the other. */
#if LANES == 16
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif LANES == 8
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15
#else
#define EVEN_LANES 0, 2, 4, 6
#define ODD_LANES 1, 3, 5, 7
#endif

/* condition is all ones or all zeros in each lane. */
INLINE vint either(vint condition, vint yes, vint no) { return (condition & yes) | (~condition & no); }

/* p[at], and zero in lanes where `inside` is not all ones; nothing is read there. */
INLINE vfloat gather(const float *p, vint at, vint inside) {
#if VECTOR_BYTES == 64
    const __mmask16 wanted = _mm512_movepi32_mask((__m512i)inside);
    return (vfloat)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), wanted, (__m512i)at, p, 4);
#elif VECTOR_BYTES == 32
    return (vfloat)_mm256_mask_i32gather_ps(_mm256_setzero_ps(), p, (__m256i)at, (__m256)inside, 4);
#else
    vfloat v = {0};
    for (int i = 0; i < LANES; i++)
        if (inside[i]) v[i] = p[at[i]];
    return v;
#endif
}

/* Neighbouring bytes: p[at] + 256 * p[at + 1], or without the second where at is the last of
   `size` > 0 places. The upper bits are anything. */
INLINE vint gather_pairs(const uint8_t *p, vint at, long size) {
#if defined(__AVX2__)
    if (size >= 4) { /* words of four bytes, moved back where they would pass the end */
        const vint last = (vint){0} + (int32_t)(size - 4), start = either(at < last, at, last);
#if VECTOR_BYTES == 64
        const __m512i v = _mm512_i32gather_epi32((__m512i)start, p, 1);
        return (vint)_mm512_srlv_epi32(v, (__m512i)((at - start) << 3));
#else
        const __m256i v = _mm256_i32gather_epi32((const int *)p, (__m256i)start, 1);
        return (vint)_mm256_srlv_epi32(v, (__m256i)((at - start) << 3));
#endif
    }
#endif
    vint v = {0};
    for (int i = 0; i < LANES; i++) v[i] = p[at[i]] + (at[i] + 1 < size ? 256 * p[at[i] + 1] : 0);
    return v;
}

/* p[at] and p[at + 1]: half the reads that two vectors of places would take. */
INLINE void gather_two(const float *p, vint at, vfloat *left, vfloat *right) {
#if VECTOR_BYTES == 64
    const __m512i low = _mm512_i32gather_epi64(_mm512_castsi512_si256((__m512i)at), p, 4);
    const __m512i high = _mm512_i32gather_epi64(_mm512_extracti64x4_epi64((__m512i)at, 1), p, 4);
    *left = __builtin_shufflevector((vfloat)low, (vfloat)high, EVEN_LANES);
    *right = __builtin_shufflevector((vfloat)low, (vfloat)high, ODD_LANES);
#elif VECTOR_BYTES == 32
    const long long *from = (const long long *)(const void *)p;
    const __m256i low = _mm256_i32gather_epi64(from, _mm256_castsi256_si128((__m256i)at), 4);
    const __m256i high = _mm256_i32gather_epi64(from, _mm256_extracti128_si256((__m256i)at, 1), 4);
    *left = __builtin_shufflevector((vfloat)low, (vfloat)high, EVEN_LANES);
    *right = __builtin_shufflevector((vfloat)low, (vfloat)high, ODD_LANES);
#else
    for (int i = 0; i < LANES; i++) {
        (*left)[i] = p[at[i]];
        (*right)[i] = p[at[i] + 1];
    }
#endif
}

#endif
