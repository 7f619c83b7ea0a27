/* Images read between their pixels, at places that a map gives for each new pixel. */
#ifndef TRIPTYCH_SAMPLE_H
#define TRIPTYCH_SAMPLE_H
#ifdef __cplusplus
extern "C" {
#endif

#include <stdint.h>

enum { SAMPLE_LANES = 16 }; /* rows of places are padded to a multiple of these */

typedef enum { SAMPLE_AFFINE, SAMPLE_PROJECTIVE, SAMPLE_GIVEN } sample_kind;

/* Where new pixels are read, -1 at one edge of the old image and 1 at the other; every step is
   rounded. With u = column - center_x and v = row - center_y:
   affine: x = a u + b v + c, y = d u + e v + f;
   projective: x = (a u + b v + c) / half_width / (g u + h v + 1) - 1, y likewise;
   given: x and y (rows, columns). */
typedef struct {
    sample_kind kind;
    float a, b, c, d, e, f, g, h, center_x, center_y, half_width, half_height;
    const float *x, *y;
} sample_map;

/* Planes (channels, height, width) of one image, and what lies outside of it, (channels,); null
   for zeros. With a fill, mixed pixels are weighed by how much of them is inside twice. */
typedef struct {
    const void *planes;
    long channels, height, width;
    const float *fill;
} sample_image;

typedef struct {
    /* The places in one new row of `columns` pixels, in old pixels, at most one outside (NaN, too,
       is outside); x and y have room for a multiple of SAMPLE_LANES. */
    void (*places)(const sample_map *map, long row, long columns, long height, long width, float *x,
                   float *y);
    /* The row itself: y[c * plane + i] in all channels. */
    void (*bytes)(const sample_image *image, int bilinear, const float *x, const float *y,
                  long columns, uint8_t *out, long plane);
    void (*floats)(const sample_image *image, int bilinear, const float *x, const float *y,
                   long columns, float *out, long plane);
} sample_kernels;

extern const sample_kernels sample_baseline, sample_avx2, sample_avx512;

#ifdef __cplusplus
}
#endif
#endif
