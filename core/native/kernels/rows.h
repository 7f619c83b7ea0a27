/* Rows walked in vectors, the last of which may be a part of one. */
#ifndef TRIPTYCH_ROWS_H
#define TRIPTYCH_ROWS_H

#include "vector.h"

/* A vector at p, of which `left` numbers are there; `fill` in the lanes beyond. */
INLINE vfloat load_some(const float *p, long left, float fill) {
    return left >= LANES ? load(p) : load_part(p, left, fill);
}
INLINE void store_some(float *p, vfloat v, long left) {
    if (left >= LANES) store(p, v);
    else store_part(p, v, left);
}

#endif
