/* Conversions between float32 and halves, a vector at a time: float16 by the instructions of the
   processor where there are some and else by arithmetic on the bits, bfloat16 always by the latter.

   Bits of a float16 below 0x0400 are a multiple of 2^-24; those above become a float32 when they
   are moved to its fields and 112, the difference of the biases, is added to the exponent. The other
   way, adding half a unit of the new last place (less one where that place is even) before the
   others are cut off rounds to nearest even, and a carry into the exponent is right by itself. */
#ifndef TRIPTYCH_HALF_LANES_H
#define TRIPTYCH_HALF_LANES_H

#include "half.h"
#include "vector.h"

typedef uint16_t vhalves __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef uint16_t vhalves_unaligned
    __attribute__((vector_size(VECTOR_BYTES / 2), aligned(2), may_alias));
typedef uint32_t vbits __attribute__((vector_size(VECTOR_BYTES)));

INLINE vhalves load_halves(const uint16_t *p) { return *(const vhalves_unaligned *)p; }
INLINE void store_halves(uint16_t *p, vhalves v) { *(vhalves_unaligned *)p = v; }
INLINE vbits choose_bits(vint condition, vbits yes, vbits no) {
    return ((vbits)condition & yes) | (~(vbits)condition & no);
}
INLINE vint below(vbits x, uint32_t limit) { return (vint)x < (int32_t)limit; } /* both < 2^31 */

/* Compilers take more steps for what is one instruction. */
#if defined(__AVX512F__)
INLINE vbits whole_words(vhalves x) { return (vbits)_mm512_cvtepu16_epi32((__m256i)x); }
INLINE vhalves half_words(vbits x) { return (vhalves)_mm512_cvtepi32_epi16((__m512i)x); }
#elif defined(__AVX2__)
INLINE vbits whole_words(vhalves x) { return (vbits)_mm256_cvtepu16_epi32((__m128i)x); }
INLINE vhalves half_words(vbits x) { return __builtin_convertvector(x, vhalves); }
#else
INLINE vbits whole_words(vhalves x) { return __builtin_convertvector(x, vbits); }
INLINE vhalves half_words(vbits x) { return __builtin_convertvector(x, vhalves); }
#endif

INLINE vfloat widen_bfloat16(vhalves x) { return (vfloat)(whole_words(x) << 16); }
INLINE vhalves narrow_bfloat16(vfloat x) {
    const vbits bits = (vbits)x, near = bits + 0x7fff + ((bits >> 16) & 1);
    return half_words(choose_bits(x != x, bits | 0x400000, near) >> 16);
}

#if defined(__AVX512F__)
INLINE vfloat widen_float16(vhalves x) { return (vfloat)_mm512_cvtph_ps((__m256i)x); }
INLINE vhalves narrow_float16(vfloat x) {
    return (vhalves)_mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#elif defined(__F16C__)
INLINE vfloat widen_float16(vhalves x) { return (vfloat)_mm256_cvtph_ps((__m128i)x); }
INLINE vhalves narrow_float16(vfloat x) {
    return (vhalves)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#elif defined(__aarch64__)
typedef __fp16 vfloat16 __attribute__((vector_size(VECTOR_BYTES / 2)));
INLINE vfloat widen_float16(vhalves x) { return __builtin_convertvector((vfloat16)x, vfloat); }
INLINE vhalves narrow_float16(vfloat x) { return (vhalves)__builtin_convertvector(x, vfloat16); }
#else
INLINE vfloat widen_float16(vhalves x) {
    const vbits bits = whole_words(x), rest = bits & 0x7fff;
    const vbits sign = (bits & 0x8000) << 16, normal = (rest << 13) + (112u << 23);
    const vbits small = (vbits)(__builtin_convertvector((vint)rest, vfloat) * 0x1p-24f);
    const vbits infinite = normal + (112u << 23); /* and NaN */
    const vbits finite = choose_bits(below(rest, 0x0400), small, normal);
    return (vfloat)(sign | choose_bits(below(rest, 0x7c00), finite, infinite));
}
INLINE vhalves narrow_float16(vfloat x) {
    const vbits bits = (vbits)x, rest = bits & 0x7fffffff, sign = (bits >> 16) & 0x8000;
    const vbits near = (rest - (112u << 23) + 0xfff + ((rest >> 13) & 1)) >> 13;
    const vbits nan = 0x7e00 | ((rest >> 13) & 0x3ff);
    /* The last place of 0.5 is 2^-24: the sum is rounded to multiples of it. */
    const vbits small = (vbits)((vfloat)rest + 0.5f) - 0x3f000000;
    vbits y = choose_bits(below(rest, 0x38800000), small, near);
    y = choose_bits(below(rest, 0x47800000), y, (vbits){0} + 0x7c00);
    return half_words(sign | choose_bits(x != x, nan, y));
}
#endif

INLINE vfloat from_halves(half_kind kind, vhalves x) {
    return kind == HALF_FLOAT16 ? widen_float16(x) : widen_bfloat16(x);
}
INLINE vhalves to_halves(half_kind kind, vfloat x) {
    return kind == HALF_FLOAT16 ? narrow_float16(x) : narrow_bfloat16(x);
}

/* The first `count` halves, at most LANES; 0 in the other lanes. */
INLINE vhalves load_some_halves(const uint16_t *p, long count) {
    union { vhalves v; uint16_t x[LANES]; } u = {{0}};
    for (long i = 0; i < count; i++) u.x[i] = p[i];
    return u.v;
}
INLINE void store_some_halves(uint16_t *p, vhalves v, long count) {
    union { vhalves v; uint16_t x[LANES]; } u = {v};
    for (long i = 0; i < count; i++) p[i] = u.x[i];
}

INLINE void widen_all(half_kind kind, const uint16_t *x, float *y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) store(y + i, from_halves(kind, load_halves(x + i)));
    if (i < n) store_part(y + i, from_halves(kind, load_some_halves(x + i, n - i)), n - i);
}
#if defined(__AVX512F__)
/* Before the lower halves are cut off. */
INLINE __m512i rounded_bfloat16(__m512 x) {
    const __m512i bits = (__m512i)x, one = _mm512_set1_epi32(1);
    const __m512i near = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
    const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
    const __m512i even = _mm512_mask_add_epi32(near, odd, near, one);
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    return _mm512_mask_or_epi32(even, nan, bits, _mm512_set1_epi32(0x400000));
}
/* One instruction picks the upper halves of two vectors. */
INLINE void store_two_bfloat16(uint16_t *p, vfloat low, vfloat high) {
    const __m512i upper = {0x0007000500030001, 0x000f000d000b0009, 0x0017001500130011,
                           0x001f001d001b0019, 0x0027002500230021, 0x002f002d002b0029,
                           0x0037003500330031, 0x003f003d003b0039};
    const __m512i first = rounded_bfloat16((__m512)low), last = rounded_bfloat16((__m512)high);
    _mm512_storeu_si512(p, _mm512_permutex2var_epi16(first, upper, last));
}
#else
INLINE void store_two_bfloat16(uint16_t *p, vfloat low, vfloat high) {
    store_halves(p, narrow_bfloat16(low)), store_halves(p + LANES, narrow_bfloat16(high));
}
#endif
/* Two vectors side by side. */
INLINE void store_two(half_kind kind, uint16_t *p, vfloat low, vfloat high) {
    if (kind == HALF_BFLOAT16) {
        store_two_bfloat16(p, low, high);
    } else {
        store_halves(p, narrow_float16(low));
        store_halves(p + LANES, narrow_float16(high));
    }
}

INLINE void narrow_all(half_kind kind, const float *x, uint16_t *y, long n) {
    long i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        store_two(kind, y + i, load(x + i), load(x + i + LANES));
    for (; i < n; i += LANES) {
        const long count = n - i < LANES ? n - i : LANES;
        const vfloat v = count < LANES ? load_part(x + i, count, 0) : load(x + i);
        store_some_halves(y + i, to_halves(kind, v), count);
    }
}

/* y = f(x) from halves to halves. */
INLINE void map_halves(vfloat (*f)(vfloat), half_kind kind, const uint16_t *x, uint16_t *y,
                       long n) {
    long i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        const vfloat low = f(from_halves(kind, load_halves(x + i)));
        const vfloat high = f(from_halves(kind, load_halves(x + i + LANES)));
        store_two(kind, y + i, low, high);
    }
    for (; i < n; i += LANES) {
        const long count = n - i < LANES ? n - i : LANES;
        const vfloat v = f(from_halves(kind, load_some_halves(x + i, count)));
        store_some_halves(y + i, to_halves(kind, v), count);
    }
}

#endif
