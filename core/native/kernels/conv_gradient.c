/* The gradient of a convolution's weights, and weights turned around for the gradient of x.

   dw[o][ky][kx, c] is the product of g (o, positions) as it lies with x in the order (row, column,
   channel): for one ky the numbers of all kx and c are neighbours there, so they stand in the
   lanes, and a step of the output is an offset. Every number of dw is summed by one thread in the
   order of the samples, so the result does not depend on the number of threads. */
#include "conv.h"

#include "conv_layout.h"
#include "conv_plain.h"

#define DEPTH 256       /* positions at a time: what the lanes see of x stays in the first cache */
#define ROWS_AT_ONCE 64 /* outputs of one unit */
#define BLOCK 16

/* to[g][c][o][t] = w[g][o][c][taps[t]] for groups [begin, end). */
static void turn(const float *w, float *to, long o, long c, long all, const long *taps, long count,
                 long begin, long end) {
    for (long g = begin; g < end; g++)
        for (long o0 = 0; o0 < o; o0 += BLOCK)
            for (long c0 = 0; c0 < c; c0 += BLOCK)
                for (long i = c0; i < least(c, c0 + BLOCK); i++)
                    for (long j = o0; j < least(o, o0 + BLOCK); j++) {
                        const float *from = w + ((g * o + j) * c + i) * all;
                        float *row = to + ((g * c + i) * o + j) * count;
                        for (long t = 0; t < count; t++) row[t] = from[taps[t]];
                    }
}

/* Channels beside each other: one row of x, to[column * channels + channel], zero outside. */
static void row_channels_last(float *to, const float *x, long channels, long step, long length,
                              long before, long count) {
    const long begin = least(before, count), end = least(before + length, count);
    const float *from = x - before;
    zero(to, begin * channels);
    for (long c = 0; c < channels; c += LANES)
        for (long i = begin; i < end; i += LANES)
            if (c + LANES <= channels && i + LANES <= end)
                transpose_square(to + i * channels + c, channels, from + c * step + i, step);
            else
                for (long j = i; j < least(end, i + LANES); j++)
                    for (long k = c; k < least(channels, c + LANES); k++)
                        to[j * channels + k] = from[k * step + j];
    zero(to + end * channels, (count - end) * channels);
}

static long gradient_rows(const conv_axis *a) {
    return (a->out - 1) * a->stride + (a->kernel - 1) * a->dilation + 1;
}

static void gradient_plan(conv_gradient *p) {
    p->rows = gradient_rows(&p->y), p->columns = gradient_rows(&p->x);
    p->runs = p->groups == 1 && p->x.dilation == 1 ? 1 : p->x.kernel;
    p->run = p->c * (p->runs == 1 ? p->x.kernel : 1);
    p->pitch = (p->run + LANES - 1) / LANES * LANES;
    p->sums = p->groups * p->o * p->y.kernel * p->runs * p->pitch;
    p->image = p->rows * p->columns * p->groups * p->c;
    p->slack = TILE_WIDTH;
}

/* Units are rows of all samples. */
static void gradient_fill(const conv_gradient *p, const float *x, float *to, long begin, long end) {
    const long channels = p->groups * p->c, size = p->y.in * p->x.in;
    for (long unit = begin; unit < end; unit++) {
        const long sample = unit / p->rows, row = unit % p->rows - p->y.before;
        const long length = row >= 0 && row < p->y.in ? p->x.in : 0;
        row_channels_last(to + unit * p->columns * channels,
                          x + sample * channels * size + row * p->x.in, channels, size, length,
                          p->x.before, p->columns);
    }
}

typedef struct {
    long tiles, parts; /* of lanes in a run, of outputs in a group */
} parts;

static parts parts_of(const conv_gradient *p) {
    return (parts){(p->pitch / LANES + TILE_VECTORS - 1) / TILE_VECTORS,
                   (p->o + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE};
}

static long gradient_units(const conv_gradient *p) {
    const parts k = parts_of(p);
    return p->groups * k.parts * p->y.kernel * p->runs * k.tiles;
}

/* Some lanes of some outputs over the positions of one sample. */
static void add_sample(const conv_gradient *p, const float *g, const float *image, float *sums,
                       long rows, long vectors, long *offsets, int add) {
    const long out = p->x.out, channels = p->groups * p->c;
    const long wide = least(DEPTH, out), high = most(1, DEPTH / out);
    const long g_pitch = p->y.out * out, pitch = p->y.kernel * p->runs * p->pitch;
    for (long y = 0; y < p->y.out; y += high)
        for (long x = 0; x < out; x += wide, add = 1) {
            const float *from = image + (y * p->y.stride * p->columns + x * p->x.stride) * channels;
            const tile_operand right = {from, least(high, p->y.out - y), least(wide, out - x),
                                        p->y.stride * p->columns * channels, offsets};
            for (long r = 0; r < rows; r += TILE_ROWS)
                tile(least(TILE_ROWS, rows - r), vectors, g + r * g_pitch + y * out + x, g_pitch,
                     &right, 0, sums + r * pitch, pitch, add);
        }
}

/* sums (groups * o, kh, runs, pitch) of all samples, added to what is there or not. */
static void gradient_multiply(const conv_gradient *p, const float *g, const float *images,
                              float *sums, int add, long begin, long end) {
    const parts k = parts_of(p);
    const long channels = p->groups * p->c;
    long offsets[DEPTH];
    for (long i = 0; i < DEPTH; i++) offsets[i] = i * p->x.stride * channels;
    for (long unit = begin; unit < end; unit++) {
        const long tile = unit % k.tiles, run = unit / k.tiles % p->runs;
        const long ky = unit / k.tiles / p->runs % p->y.kernel;
        const long outer = unit / k.tiles / p->runs / p->y.kernel;
        const long group = outer / k.parts, first = outer % k.parts * ROWS_AT_ONCE;
        const long vectors = p->pitch / LANES, from = vectors * tile / k.tiles;
        const long row = group * p->o + first, rows = least(ROWS_AT_ONCE, p->o - first);
        const float *image = images + group * p->c + from * LANES +
                             (ky * p->y.dilation * p->columns + run * p->x.dilation) * channels;
        float *to = sums + ((row * p->y.kernel + ky) * p->runs + run) * p->pitch + from * LANES;
        for (long s = 0; s < p->samples; s++)
            add_sample(p, g + (s * p->groups * p->o + row) * p->y.out * p->x.out,
                       image + s * p->image, to, rows, vectors * (tile + 1) / k.tiles - from,
                       offsets, add || s > 0);
    }
}

INLINE void finish_of(const long kh, const long kw, const conv_gradient *p, const float *sums,
                      float *dw, long begin, long end) {
    const long step = p->runs == 1 ? p->c : p->pitch; /* from one kx to the next */
    const long row = p->runs * p->pitch;              /* and from one ky */
    dw += begin * p->c * kh * kw;
    for (long o = begin; o < end; o++)
        for (long c = 0; c < p->c; c++, dw += kh * kw)
            for (long y = 0; y < kh; y++)
                for (long x = 0; x < kw; x++)
                    dw[y * kw + x] = sums[(o * kh + y) * row + x * step + c];
}

/* dw (groups * o, c, kh, kw) from the sums, for outputs [begin, end). */
static void gradient_finish(const conv_gradient *p, const float *sums, float *dw, long begin,
                            long end) {
    const long kh = p->y.kernel, kw = p->x.kernel;
    if (kh == 3 && kw == 3) finish_of(3, 3, p, sums, dw, begin, end);
    else finish_of(kh, kw, p, sums, dw, begin, end);
}

const conv_gradient_kernels KERNEL(conv_gradient) = {turn,           gradient_plan,
                                                     gradient_fill,  gradient_units,
                                                     gradient_multiply, gradient_finish};
