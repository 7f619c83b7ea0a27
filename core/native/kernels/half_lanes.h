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

INLINE vfloat widen_bfloat16(vhalves x) {
    return (vfloat)(__builtin_convertvector(x, vbits) << 16);
}
INLINE vhalves narrow_bfloat16(vfloat x) {
    const vbits bits = (vbits)x, nan = ((bits >> 16) & 0x8000) | 0x7fc0;
    const vbits near = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return __builtin_convertvector(choose_bits(x != x, nan, near), vhalves);
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
    const vbits bits = __builtin_convertvector(x, vbits), rest = bits & 0x7fff;
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
    return __builtin_convertvector(sign | choose_bits(x != x, nan, y), vhalves);
}
#endif

INLINE vfloat from_halves(half_kind kind, vhalves x) {
    return kind == HALF_FLOAT16 ? widen_float16(x) : widen_bfloat16(x);
}
INLINE vhalves to_halves(half_kind kind, vfloat x) {
    return kind == HALF_FLOAT16 ? narrow_float16(x) : narrow_bfloat16(x);
}

/* The first `count` halves, fewer than LANES; 0 in the other lanes. */
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
INLINE void narrow_all(half_kind kind, const float *x, uint16_t *y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) store_halves(y + i, to_halves(kind, load(x + i)));
    if (i < n) store_some_halves(y + i, to_halves(kind, load_part(x + i, n - i, 0)), n - i);
}

#endif
