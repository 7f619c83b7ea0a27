/* Every second number, squares turned around from memory to memory, and copies of short rows. */
#ifndef TRIPTYCH_CONV_TRANSPOSE_H
#define TRIPTYCH_CONV_TRANSPOSE_H

#include "transpose.h"

#define EVEN_(step, lane) (2 * (lane))
/* Every second number of two vectors. */
INLINE vfloat evens(vfloat a, vfloat b) { return __builtin_shufflevector(a, b, EACH_(EVEN_, 0)); }

/* to[j * to_pitch + i] = from[i * from_pitch + j] for i, j below LANES. */
INLINE void transpose_square(float *to, long to_pitch, const float *from, long from_pitch) {
    vfloat v[LANES];
    for (int i = 0; i < LANES; i++) v[i] = load(from + i * from_pitch);
    transpose(v);
    for (int i = 0; i < LANES; i++) store(to + i * to_pitch, v[i]);
}

typedef float float_4 __attribute__((vector_size(16), aligned(4), may_alias));

/* Copies that may read and write nothing but `count` numbers; the ranges do not overlap. */
INLINE void copy_row(float *restrict to, const float *restrict from, long count) {
    long i = 0;
    for (; i + LANES <= count; i += LANES) store(to + i, load(from + i));
    if (i == count) return;
    if (count >= LANES) store(to + count - LANES, load(from + count - LANES));
    else if (count >= 4) {
        for (; i + 4 <= count; i += 4) *(float_4 *)(to + i) = *(const float_4 *)(from + i);
        *(float_4 *)(to + count - 4) = *(const float_4 *)(from + count - 4);
    } else
        for (; i < count; i++) to[i] = from[i];
}

#endif
