/* Transposition of a square of numbers in registers. */
#ifndef TRIPTYCH_TRANSPOSE_H
#define TRIPTYCH_TRANSPOSE_H

#include "vector.h"

#define UNROLLED _Pragma("GCC unroll 32")

#define FIRST_(step, lane) ((lane) & (step) ? LANES + (lane) - (step) : (lane))
#define SECOND_(step, lane) ((lane) & (step) ? LANES + (lane) : (lane) + (step))
#define FOUR_(f, step, lane) f(step, lane), f(step, lane + 1), f(step, lane + 2), f(step, lane + 3)
#if LANES == 16
#define EACH_(f, step) FOUR_(f, step, 0), FOUR_(f, step, 4), FOUR_(f, step, 8), FOUR_(f, step, 12)
#elif LANES == 8
#define EACH_(f, step) FOUR_(f, step, 0), FOUR_(f, step, 4)
#else
#define EACH_(f, step) FOUR_(f, step, 0)
#endif
/* Swaps the squares of `step` numbers off the diagonal in each square of twice as many. */
#define SWAP_(step)                                                                                \
    UNROLLED for (int i = 0; i < LANES; i++)                                                       \
        if (!(i & (step))) {                                                                       \
            const vfloat a = v[i], b = v[i + (step)];                                              \
            v[i] = __builtin_shufflevector(a, b, EACH_(FIRST_, step));                             \
            v[i + (step)] = __builtin_shufflevector(a, b, EACH_(SECOND_, step));                   \
        }

/* v[i][j] to v[j][i]. */
INLINE void transpose(vfloat v[LANES]) {
    SWAP_(1)
    SWAP_(2)
#if LANES >= 8
    SWAP_(4)
#endif
#if LANES >= 16
    SWAP_(8)
#endif
}

#endif
