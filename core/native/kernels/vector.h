/* Vectors of the compiler, in the width of the instruction set a file is compiled for.

   Every file in this folder is freestanding C: no libc, no allocation; the caller gives scratch
   memory and splits the work over threads. A file is compiled once per instruction set with TARGET
   set to its name; KERNEL(f) gives a function the name of both, and each family ends in a table of
   its functions, KERNEL(family).
*/
#ifndef TRIPTYCH_VECTOR_H
#define TRIPTYCH_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef TARGET
#define TARGET baseline
#endif
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define KERNEL(name) JOIN(name, TARGET)
#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#define LANES (VECTOR_BYTES / 4) /* float32 numbers in a vector */

typedef float vfloat __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t vint __attribute__((vector_size(VECTOR_BYTES)));
/* The same in memory, at any address that a float may have. */
typedef float vfloat_unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));

INLINE vfloat load(const float *p) { return *(const vfloat_unaligned *)p; }
INLINE void store(float *p, vfloat v) { *(vfloat_unaligned *)p = v; }
INLINE vfloat splat(float x) { return x - (vfloat){0}; }
/* condition is all ones or all zeros in each lane, as comparisons give it. */
INLINE vfloat choose(vint condition, vfloat yes, vfloat no) {
    return (vfloat)((condition & (vint)yes) | (~condition & (vint)no));
}
/* a > b ? a : b, so NaN in either gives b: one instruction where compilers do not see it. */
#if defined(__AVX512F__)
INLINE vfloat vmax(vfloat a, vfloat b) { return (vfloat)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE vfloat vmin(vfloat a, vfloat b) { return (vfloat)_mm512_min_ps((__m512)a, (__m512)b); }
#elif defined(__AVX2__)
INLINE vfloat vmax(vfloat a, vfloat b) { return (vfloat)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE vfloat vmin(vfloat a, vfloat b) { return (vfloat)_mm256_min_ps((__m256)a, (__m256)b); }
#else
INLINE vfloat vmax(vfloat a, vfloat b) { return choose(a > b, a, b); }
INLINE vfloat vmin(vfloat a, vfloat b) { return choose(a < b, a, b); }
#endif

/* Asks the memory for the line with the number `ahead` places behind p, which need not exist. It comes
   as far as the second cache: there is room for many more to be under way than to the first. */
INLINE void ask_for(const float *p, long ahead) {
    __builtin_prefetch((const void *)((uintptr_t)p + (uintptr_t)ahead * sizeof *p), 0, 2);
}

/* The first `count` numbers at p, fewer than LANES; `fill` in the other lanes. */
#if defined(__AVX512F__)
INLINE vfloat load_part(const float *p, long count, float fill) {
    return (vfloat)_mm512_mask_loadu_ps((__m512)splat(fill), (__mmask16)((1u << count) - 1), p);
}
INLINE void store_part(float *p, vfloat v, long count) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
}
#elif defined(__AVX2__)
INLINE vint first_lanes(long count) { return (vint){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)count; }
INLINE vfloat load_part(const float *p, long count, float fill) {
    const vint wanted = first_lanes(count);
    return choose(wanted, (vfloat)_mm256_maskload_ps(p, (__m256i)wanted), splat(fill));
}
INLINE void store_part(float *p, vfloat v, long count) {
    _mm256_maskstore_ps(p, (__m256i)first_lanes(count), (__m256)v);
}
#else
INLINE vfloat load_part(const float *p, long count, float fill) {
    union { vfloat v; float x[LANES]; } u = {splat(fill)};
    for (long i = 0; i < count; i++) u.x[i] = p[i];
    return u.v;
}
INLINE void store_part(float *p, vfloat v, long count) {
    union { vfloat v; float x[LANES]; } u = {v};
    for (long i = 0; i < count; i++) p[i] = u.x[i];
}
#endif
/* Reductions over lanes: in halves, so that the order is the same on every machine of a width. */
INLINE float lanes_sum(vfloat v) {
    union { vfloat v; float x[LANES]; } u = {v};
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) u.x[i] += u.x[i + half];
    return u.x[0];
}
INLINE float lanes_max(vfloat v) {
    union { vfloat v; float x[LANES]; } u = {v};
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) u.x[i] = u.x[i + half] > u.x[i] ? u.x[i + half] : u.x[i];
    return u.x[0];
}

#endif
