/* Images of float32 read at the places of a grid, and the gradients of both. */
#ifndef TRIPTYCH_GRID_H
#define TRIPTYCH_GRID_H
#ifdef __cplusplus
extern "C" {
#endif

#include <stdint.h>

enum { GRID_BLOCK = 256, GRID_MOST = 16 }; /* places at a time; pixels that one of them reads */
typedef enum { GRID_NEAREST = 1, GRID_BILINEAR = 2, GRID_BICUBIC = 4 } grid_mode; /* per axis */
typedef enum { GRID_ZEROS, GRID_BORDER, GRID_REFLECTION } grid_padding;

typedef struct {
    grid_mode mode;
    grid_padding padding;
    int align_corners;
    long height, width;
} grid_rule;

/* What each place of a block reads: pixels of a plane and their weights, and how the weights grow
   with x and y of the grid. Pixels outside have weight zero and are the first. */
typedef struct {
    int count; /* mode * mode */
    int pairs; /* whether pixels 1 and 3 are right of 0 and 2 */
    int32_t at[GRID_MOST][GRID_BLOCK];
    float weight[GRID_MOST][GRID_BLOCK];
    float by_x[GRID_MOST][GRID_BLOCK], by_y[GRID_MOST][GRID_BLOCK];
} grid_taps;

/* All for `count` <= GRID_BLOCK places, and planes of `size` pixels. */
typedef struct {
    /* grid: (count, 2), x and y; slopes: whether by_x and by_y are wanted. */
    void (*taps)(const grid_rule *rule, const float *grid, long count, int slopes, grid_taps *taps);
    /* y[c * plane + i] from x (channels, size). */
    void (*read)(const grid_taps *taps, const float *x, long channels, long size, long count,
                 float *y, long plane);
    /* Adds the gradients g[c * plane + i] to dx (channels, size). */
    void (*spread)(const grid_taps *taps, const float *g, long plane, long channels, long size,
                   long count, float *dx);
    /* dgrid (count, 2). */
    void (*slope)(const grid_taps *taps, const float *x, const float *g, long plane, long channels,
                  long size, long count, float *dgrid);
} grid_kernels;

extern const grid_kernels grid_baseline, grid_avx2, grid_avx512;

#ifdef __cplusplus
}
#endif
#endif
