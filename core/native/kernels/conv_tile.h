/* The register tile that all convolutions here are made of, a product of small matrices:
       y[r][p] (+)= sum over i, j of a[r][i * inner + j] * b[i * plane + offsets[j] + p]
   The left operand is read where it lies, one number at a time into all lanes (weights: rows are
   output channels); the right one in vectors of neighbours, so that it needs no copy per tap: taps
   of a kernel are offsets into one padded image. The layout is an indirect matrix product.
   Source: Dukhan 2019, The Indirect Convolution Algorithm. */
#ifndef TRIPTYCH_CONV_TILE_H
#define TRIPTYCH_CONV_TILE_H

#include "conv_after.h"

#if LANES == 16 || defined(__aarch64__)
#define TILE_ROWS 8 /* 24 sums in 32 registers */
#else
#define TILE_ROWS 4 /* 12 sums in 16 registers */
#endif
#define TILE_VECTORS 3
#define TILE_WIDTH (TILE_VECTORS * LANES)
#define LINE 16 /* numbers in a line of the cache */

typedef struct {
    const float *b;
    long outer, inner, plane;
    const long *offsets; /* (inner,) */
} tile_operand;

INLINE void tile_step(const int rows, const int vectors, const float *a, long a_pitch,
                      const float *b, vfloat sum[TILE_ROWS][TILE_VECTORS]) {
    vfloat right[TILE_VECTORS];
    for (int v = 0; v < vectors; v++) right[v] = load(b + v * LANES);
    for (int r = 0; r < rows; r++) {
        const vfloat left = splat(a[r * a_pitch]);
        for (int v = 0; v < vectors; v++) sum[r][v] += left * right[v];
    }
}

/* A tile of sums, its rows side by side, to where it belongs. Not in registers, as that would be code
   in every tile's function; nor in place, as another thread may write the same numbers. */
static __attribute__((noinline)) void finish_tile(long rows, long vectors, const conv_after *after,
                                                  long channel, const float *sums, float *y,
                                                  long y_pitch) {
    for (long r = 0; r < rows; r++, sums += TILE_WIDTH, y += y_pitch)
        for (long v = 0; v < vectors * LANES; v += LANES) {
            const vfloat sum = load(sums + v);
            store(y + v, after->hardswish ? channel_after(1, after, channel + r, sum)
                                          : channel_after(0, after, channel + r, sum));
        }
}

INLINE void tile_of(const int rows, const int vectors, const float *a, long a_pitch,
                    const tile_operand *operand, long at, float *y, long y_pitch, int add) {
    vfloat sum[TILE_ROWS][TILE_VECTORS];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            sum[r][v] = add ? load(y + r * y_pitch + v * LANES) : splat(0);
    const float *b = operand->b + at;
    const long inner = operand->inner, plane = operand->plane, *offsets = operand->offsets;
    if (inner == 1) {
        b += offsets[0];
        long left = operand->outer;
        for (; left >= LINE; left -= LINE) {
            for (int r = 0; r < rows; r++) ask_for(a, (rows + r) * a_pitch); /* the next tile's */
#pragma GCC unroll 1
            for (long i = LINE; i; i--, b += plane)
                tile_step(rows, vectors, a++, a_pitch, b, sum);
        }
        for (; left; left--, b += plane) tile_step(rows, vectors, a++, a_pitch, b, sum);
    } else {
        for (long i = operand->outer; i; i--, b += plane)
            for (long j = 0; j < inner; j++)
                tile_step(rows, vectors, a++, a_pitch, b + offsets[j], sum);
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) store(y + r * y_pitch + v * LANES, sum[r][v]);
}

#define TILE(rows, vectors)                                                                        \
    static __attribute__((noinline)) void tile_##rows##_##vectors(                                 \
        const float *a, long a_pitch, const tile_operand *operand, long at, float *y,              \
        long y_pitch, int add) {                                                                   \
        tile_of(rows, vectors, a, a_pitch, operand, at, y, y_pitch, add);                          \
    }
#define TILES(rows) TILE(rows, 1) TILE(rows, 2) TILE(rows, 3)
TILES(1)
TILES(2)
TILES(3)
TILES(4)
#if TILE_ROWS == 8
TILES(5)
TILES(6)
TILES(7)
TILES(8)
#endif

typedef void tile_function(const float *, long, const tile_operand *, long, float *, long, int);

/* Any number of rows up to TILE_ROWS, and of vectors up to TILE_VECTORS. after: what is done to the
   rows, output channels from `channel` on, or null. */
static inline void tile(long rows, long vectors, const float *a, long a_pitch,
                        const tile_operand *operand, long at, float *y, long y_pitch, int add,
                        const conv_after *after, long channel) {
#define NAMES(rows) {tile_##rows##_1, tile_##rows##_2, tile_##rows##_3}
    static tile_function *const functions[][TILE_VECTORS] = {
        NAMES(1), NAMES(2), NAMES(3), NAMES(4),
#if TILE_ROWS == 8
        NAMES(5), NAMES(6), NAMES(7), NAMES(8),
#endif
    };
#undef NAMES
    for (long r = 0; r < rows && !add; r++) /* where it will write: lines that are in no cache yet */
        for (long v = 0; v < vectors * LANES; v += LANES)
            __builtin_prefetch(y + r * y_pitch + v, 1, 3);
    tile_function *const compute = functions[rows - 1][vectors - 1];
    if (after) {
        float sums[TILE_ROWS * TILE_WIDTH] __attribute__((aligned(VECTOR_BYTES)));
        compute(a, a_pitch, operand, at, sums, TILE_WIDTH, 0);
        finish_tile(rows, vectors, after, channel, sums, y, y_pitch);
    } else compute(a, a_pitch, operand, at, y, y_pitch, add);
}

#endif
