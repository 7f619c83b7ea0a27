/* The gradient of a convolution's weights, and weights turned around for the gradient of x.

   dw[o][ky][kx, c] is the product of g (o, positions) as it lies with x in the order (row, column,
   channel): for one ky the numbers of all kx and c are neighbours there, so they stand in the
   lanes, and a step of the output is an offset. Every number of dw is summed by one thread in the
   order of the samples, so the result does not depend on the number of threads. */
#include "conv.h"

#include "conv_layout.h"
#include "conv_plain.h"

#define DEPTH 128       /* positions at a time: what the lanes see of x stays in the first cache */
#define ROWS_AT_ONCE 64 /* outputs of one unit */
#define BLOCK 16
#define MOST_BESIDE 64 /* rows of x that may lie side by side */

/* to[t] = from[taps[t]], where the numbers of a small kernel fit into one vector in one step. */
INLINE void pick(float *to, const float *from, long all, const long *taps, long count,
                 vint places) {
#if defined(__AVX512F__)
    if (all < LANES) {
        const vfloat v = load_part(from, all, 0);
        store_part(to, (vfloat)_mm512_permutexvar_ps((__m512i)places, (__m512)v), count);
        return;
    }
#endif
    (void)all, (void)places;
    for (long t = 0; t < count; t++) to[t] = from[taps[t]];
}

/* to[g][c][o][t] = w[g][o][c][taps[t]] for [begin, end) of groups * c. */
static void turn(const float *w, float *to, long o, long c, long all, const long *taps, long count,
                 long begin, long end) {
    vint places = {0};
    for (long t = 0; t < count && t < LANES; t++) places[t] = (int32_t)taps[t];
    for (long first = begin, now; first < end; first += now) {
        const long g = first / c, c0 = first % c;
        now = least(least(c - c0, BLOCK), end - first);
        for (long o0 = 0; o0 < o; o0 += BLOCK)
            for (long i = c0; i < c0 + now; i++)
                for (long j = o0; j < least(o, o0 + BLOCK); j++)
                    pick(to + ((g * c + i) * o + j) * count, w + ((g * o + j) * c + i) * all, all,
                         taps, count, places);
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

/* The same of few channels, whose rows may be anywhere; null for rows of zeros. */
static void rows_beside(float *to, const float *const *rows, long channels, long length,
                        long before, long count) {
    const long begin = least(before, count), end = least(before + length, count);
    vfloat square[LANES];
    zero(to, begin * channels);
    for (long i = begin; i < end; i += LANES)
        for (long c = 0; c < channels; c += LANES) {
            const long here = least(LANES, end - i), lanes = least(LANES, channels - c);
            for (long k = 0; k < LANES; k++) {
                const float *from = k < lanes ? rows[c + k] : 0;
                if (from == 0) square[k] = splat(0);
                else if (here == LANES) square[k] = load(from + i - before);
                else square[k] = load_part(from + i - before, here, 0);
            }
            transpose(square);
            for (long j = 0; j < here; j++) {
                float *row = to + (i + j) * channels + c;
                if (lanes == LANES) store(row, square[j]);
                else store_part(row, square[j], lanes);
            }
        }
    zero(to + end * channels, (count - end) * channels);
}

static long seen(const conv_axis *a) {
    return (a->out - 1) * a->stride + (a->kernel - 1) * a->dilation + 1;
}

static long whole_vectors(long run) { return (run + LANES - 1) / LANES * LANES; }

static void gradient_plan(conv_gradient *p) {
    const int straight = p->groups == 1 && p->x.dilation == 1;
    const long row = p->c * p->x.kernel, beside = p->y.kernel * p->c;
    /* With few channels the rows that an output sees lie side by side, once for each of its rows:
       fewer lanes are left over. */
    p->beside = straight && beside <= MOST_BESIDE &&
                8 * whole_vectors(row) * p->y.kernel > 9 * whole_vectors(row * p->y.kernel);
    p->runs_y = p->beside ? 1 : p->y.kernel;
    p->runs = straight ? 1 : p->x.kernel;
    p->rows = p->beside ? p->y.out : seen(&p->y), p->columns = seen(&p->x);
    p->row_step = p->beside ? 1 : p->y.stride;
    p->channels = p->beside ? beside : p->groups * p->c;
    p->run = p->beside ? row * p->y.kernel : straight ? row : p->c;
    p->pitch = whole_vectors(p->run);
    p->sums = p->groups * p->o * p->runs_y * p->runs * p->pitch;
    p->image = p->rows * p->columns * p->channels;
    p->slack = TILE_WIDTH;
    p->plane = p->y.out * p->x.out;
}

static void fill_beside(const conv_gradient *p, const float *x, long row, float *to) {
    const float *rows[MOST_BESIDE];
    for (long k = 0; k < p->y.kernel; k++)
        for (long c = 0; c < p->c; c++) {
            const long at = row * p->y.stride + k * p->y.dilation - p->y.before;
            const int inside = at >= 0 && at < p->y.in;
            rows[k * p->c + c] = inside ? x + (c * p->y.in + at) * p->x.in : 0;
        }
    rows_beside(to, rows, p->channels, p->x.in, p->x.before, p->columns);
}

/* Units are rows of all samples. */
static void gradient_fill(const conv_gradient *p, const float *x, float *to, long begin, long end) {
    const long size = p->y.in * p->x.in;
    for (long unit = begin; unit < end; unit++) {
        const long sample = unit / p->rows, row = unit % p->rows - p->y.before;
        const float *from = x + sample * p->groups * p->c * size;
        float *here = to + unit * p->columns * p->channels;
        if (p->beside) {
            fill_beside(p, from, unit % p->rows, here);
            continue;
        }
        const long length = row >= 0 && row < p->y.in ? p->x.in : 0;
        row_channels_last(here, from + row * p->x.in, p->channels, size, length, p->x.before,
                          p->columns);
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
    return p->groups * k.parts * p->runs_y * p->runs * k.tiles;
}

/* Some lanes of some outputs over the positions of one sample. */
static void add_sample(const conv_gradient *p, const float *g, const float *image, float *sums,
                       long rows, long vectors, long *offsets, int add) {
    const long out = p->x.out, channels = p->channels;
    const long wide = least(DEPTH, out), high = most(1, DEPTH / out);
    const long g_pitch = p->plane, pitch = p->runs_y * p->runs * p->pitch;
    for (long y = 0; y < p->y.out; y += high)
        for (long x = 0; x < out; x += wide, add = 1) {
            const float *from = image + (y * p->row_step * p->columns + x * p->x.stride) * channels;
            const tile_operand right = {from, least(high, p->y.out - y), least(wide, out - x),
                                        p->row_step * p->columns * channels, offsets};
            for (long r = 0; r < rows; r += TILE_ROWS)
                tile(least(TILE_ROWS, rows - r), vectors, g + r * g_pitch + y * out + x, g_pitch,
                     &right, 0, sums + r * pitch, pitch, add, 0, 0);
        }
}

/* sums (groups * o, runs_y, runs, pitch) of all samples, added to what is there or not. */
static void gradient_multiply(const conv_gradient *p, const float *g, const float *images,
                              float *sums, int add, long begin, long end) {
    const parts k = parts_of(p);
    const long channels = p->channels;
    long offsets[DEPTH];
    for (long i = 0; i < DEPTH; i++) offsets[i] = i * p->x.stride * channels;
    for (long unit = begin; unit < end; unit++) {
        const long tile = unit % k.tiles, run = unit / k.tiles % p->runs;
        const long ky = unit / k.tiles / p->runs % p->runs_y;
        const long outer = unit / k.tiles / p->runs / p->runs_y;
        const long group = outer / k.parts, first = outer % k.parts * ROWS_AT_ONCE;
        const long vectors = p->pitch / LANES, from = vectors * tile / k.tiles;
        const long row = group * p->o + first, rows = least(ROWS_AT_ONCE, p->o - first);
        const float *image = images + group * p->c + from * LANES +
                             (ky * p->y.dilation * p->columns + run * p->x.dilation) * channels;
        float *to = sums + ((row * p->runs_y + ky) * p->runs + run) * p->pitch + from * LANES;
        for (long s = 0; s < p->samples; s++)
            add_sample(p, g + (s * p->groups * p->o + row) * p->plane,
                       image + s * p->image, to, rows, vectors * (tile + 1) / k.tiles - from,
                       offsets, add || s > 0);
    }
}

INLINE void finish_of(const long kh, const long kw, const conv_gradient *p, const float *sums,
                      float *dw, long begin, long end) {
    /* Steps from one kx to the next, from one ky, and from one output. */
    const long column = p->beside ? p->channels : p->runs == 1 ? p->c : p->pitch;
    const long row = p->beside ? p->c : p->runs * p->pitch;
    const long output = p->runs_y * p->runs * p->pitch;
    dw += begin * p->c * kh * kw;
    for (long o = begin; o < end; o++)
        for (long c = 0; c < p->c; c++, dw += kh * kw)
            for (long y = 0; y < kh; y++)
                for (long x = 0; x < kw; x++)
                    dw[y * kw + x] = sums[o * output + y * row + x * column + c];
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
