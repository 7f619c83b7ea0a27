/* Transposition of a square of numbers in registers. */
#ifndef TRIPTYCH_TRANSPOSE_H
#define TRIPTYCH_TRANSPOSE_H

#include "vector.h"

#define UNROLLED _Pragma("GCC unroll 32")

/* The numbers of two vectors in turn: low and high half of the result. */
#if VECTOR_BYTES == 64
#define SHUFFLED_LOW(a, b)                                                                         \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define SHUFFLED_HIGH(a, b)                                                                        \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif VECTOR_BYTES == 32
#define SHUFFLED_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define SHUFFLED_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define SHUFFLED_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define SHUFFLED_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* x[i][j] to x[j][i]: log2(LANES) perfect shuffles of all numbers. */
INLINE void transpose(vfloat x[LANES]) {
    UNROLLED for (int step = 1; step < LANES; step *= 2) {
        vfloat y[LANES];
        UNROLLED for (int i = 0; i < LANES / 2; i++) {
            y[2 * i] = SHUFFLED_LOW(x[i], x[i + LANES / 2]);
            y[2 * i + 1] = SHUFFLED_HIGH(x[i], x[i + LANES / 2]);
        }
        UNROLLED for (int i = 0; i < LANES; i++) x[i] = y[i];
    }
}

#endif
