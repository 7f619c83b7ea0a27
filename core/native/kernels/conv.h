/* Convolution of float32 images, x (n, c, h, w) with w (o, c / groups, kh, kw) to y (n, o, oh, ow),
   and its derivatives. All arrays packed; a sound is an image of one row. */
#ifndef TRIPTYCH_CONV_H
#define TRIPTYCH_CONV_H
#ifdef __cplusplus
extern "C" {
#endif

/* Output position p of an axis sees p * stride - before + k * dilation for k below kernel; what
   lies outside of [0, in) is zero. */
typedef struct {
    long in, out, kernel, stride, dilation, before;
} conv_axis;

/* How an image is copied for reading: zeros around it, and for strides each `stride`-th row and
   column apart from the others (a phase), so that neighbours in the output read neighbours. */
typedef struct {
    conv_axis y, x;
    long phases_y, phases_x;
    long rows, pitch; /* of one phase */
    long plane;       /* floats of one channel, all phases */
    long slack;       /* floats after the last channel, which are read, and written as zeros */
} conv_layout;

/* What is done to the numbers of an output channel before they are written:
   (y - mean) scale + shift, then y hardsigmoid(y), or y moved into [low, high]. Each output is
   finished once, by itself, so its number does not depend on how the work is split. */
typedef struct {
    const float *mean, *scale, *shift; /* (o,); mean and scale may be null: y + shift */
    float low, high;                   /* infinite ones change nothing, not even NaN */
    int hardswish;
} conv_after;

/* y[s][g * rows + r][i][j] = sum over c, t of
       left[g * rows + r][c * taps + t] * right[s][g * channels + c][i * pitch + j + offsets[t]] */
typedef struct {
    long samples, groups;
    const float *left;
    long rows;
    const float *right;
    long channels, plane, taps;
    const long *offsets;
    long pitch, out_rows, out_columns;
    int exact; /* right ends with its last position; else TILE_WIDTH floats after it may be read */
    float *out;
    long out_plane, out_row, out_column; /* steps */
    const conv_after *after;             /* or null */
} conv_product;

typedef struct {
    void (*layout)(conv_layout *layout, const conv_axis *y, const conv_axis *x);
    void (*offsets)(const conv_layout *layout, long *offsets); /* (kh * kw,) */
    /* Copies channels x (count, h, w) to planes; the last one zeroes the slack. */
    void (*fill)(const conv_layout *layout, const float *x, float *planes, long count, int last);
    long (*units)(const conv_product *product); /* pieces of work, to be split over threads */
    /* Floats of scratch memory for each thread; beside it a number, -1 before its first call with a
       product, says what is in it. */
    long (*scratch)(const conv_product *product);
    void (*multiply)(const conv_product *product, float *scratch, long *held, long begin,
                     long end); /* units */
    /* y (n, o) from w (o, c) and x (n, c), images of one pixel; outputs [begin, end). */
    void (*dots)(const float *w, const float *x, const conv_after *after, float *y, long n, long c,
                 long o, long begin, long end);
} conv_direct_kernels;

extern const conv_direct_kernels conv_direct_baseline, conv_direct_avx2, conv_direct_avx512;

/* 3x3 kernels of stride and dilation 1. */
typedef struct {
    long samples, c, o;
    conv_axis y, x;
    long m;                /* 2 or 4: tiles are of m x m outputs */
    long tiles_y, tiles_x; /* in a sample */
    long threads;          /* that share the units; results do not depend on it */
} conv_winograd;

typedef struct {
    long (*lanes)(void); /* c and o have to be multiples of it */
    /* Floats for each thread; beside them a number, which is -1 before its first call. */
    long (*scratch)(const conv_winograd *s);
    long (*units)(const conv_winograd *s);
    void (*multiply)(const conv_winograd *s, const float *x, const float *w, float *y,
                     float *scratch, long *held, long begin, long end);
} conv_winograd_kernels;

extern const conv_winograd_kernels conv_winograd_baseline, conv_winograd_avx2, conv_winograd_avx512;

typedef struct {
    long (*scratch)(const conv_layout *layout); /* floats for each thread */
    /* x (samples, c, h, w), w (c * times, 1, kh, kw); [begin, end) of samples * c. after: or null */
    void (*forward)(const conv_layout *layout, const long *offsets, long c, long times,
                    const float *x, const float *w, const conv_after *after, float *y,
                    float *scratch, long begin, long end);
    /* [begin, end) of c * times. */
    void (*weights)(const conv_layout *layout, const long *offsets, long samples, long c,
                    long times, const float *g, const float *x, float *dw, float *scratch,
                    long begin, long end);
} conv_depthwise_kernels;

extern const conv_depthwise_kernels conv_depthwise_baseline, conv_depthwise_avx2,
    conv_depthwise_avx512;

/* The gradient of weights; o and c are those of a group. */
typedef struct {
    long samples, groups, o, c;
    conv_axis y, x;
    /* What plan() finds: the padded image (rows, columns, channels) and its floats, floats after
       the last that may be read, and the sums (groups * o, runs_y, runs, pitch), `run` of them
       used; whether rows that an output sees are beside each other, and by how many rows of the
       image a row of outputs steps. plane: of g, from one output to the next, y.out * x.out. */
    long rows, columns, channels, image, slack, runs_y, runs, run, pitch, sums, row_step, plane;
    int beside;
} conv_gradient;

typedef struct {
    /* to (groups, c, o, count) from w (groups, o, c, all), for [begin, end) of groups * c. */
    void (*turn)(const float *w, float *to, long o, long c, long all, const long *taps, long count,
                 long begin, long end);
    void (*plan)(conv_gradient *p);
    void (*fill)(const conv_gradient *p, const float *x, float *images, long begin, long end);
    long (*units)(const conv_gradient *p);
    void (*multiply)(const conv_gradient *p, const float *g, const float *images, float *sums,
                     int add, long begin, long end);
    void (*finish)(const conv_gradient *p, const float *sums, float *dw, long begin, long end);
} conv_gradient_kernels;

extern const conv_gradient_kernels conv_gradient_baseline, conv_gradient_avx2, conv_gradient_avx512;

/* The gradient of 3x3 weights of stride and dilation 1 by Winograd's method. */
typedef struct {
    long samples, c, o;
    conv_axis y, x;
    long tiles_y, tiles_x; /* of 2x2 outputs in a sample; a row of them is a strip */
} conv_winograd_gradient;

/* Some outputs and channels, from multiples of 32 on. */
typedef struct {
    long output, outputs, channel, channels;
} conv_winograd_block;

typedef struct {
    long (*lanes)(void); /* c and o have to be multiples of it */
    /* Floats: of each thread's scratch, and of what becomes of `channels` in so many tiles. */
    long (*scratch)(const conv_winograd_gradient *s);
    long (*room)(long tiles, long channels);
    /* v from x and m from g, for strips [first, first + count) of all samples; [begin, end) of
       c / lanes and o / lanes. */
    void (*input)(const conv_winograd_gradient *s, const float *x, float *v, long first, long count,
                  float *scratch, long begin, long end);
    void (*output)(const conv_winograd_gradient *s, const float *g, float *m, long first,
                   long count, float *scratch, long begin, long end);
    /* sums (16, outputs, channels) of a block over the tiles of v and m. */
    void (*multiply)(const conv_winograd_block *block, const float *v, const float *m, long tiles,
                     float *sums, int add);
    /* dw of the block's outputs [begin, end), from sums that lie `part` floats apart. */
    void (*finish)(const conv_winograd_gradient *s, const conv_winograd_block *block,
                   const float *sums, long parts, long part, float *dw, long begin, long end);
} conv_winograd_gradient_kernels;

extern const conv_winograd_gradient_kernels conv_winograd_gradient_baseline,
    conv_winograd_gradient_avx2, conv_winograd_gradient_avx512;

#ifdef __cplusplus
}
#endif
#endif
