/* 3x3 convolution of stride 1 by Winograd's method F(m x m, 3x3): tiles of m x m outputs from
   inputs of edge m + 2, with (m + 2)^2 multiplications in place of 9 m^2: for m = 4 a quarter, for
   m = 2 four ninths. Inputs, weights and products are transformed with neighbouring channels in the
   lanes; between the transforms stand (m + 2)^2 matrix products, tiles times channels.

   For m = 4 the points are 0, +-3/4, +-3/2 and infinity: with the usual 0, +-1, +-2 errors are
   seven times as large. Normal random numbers, 256 channels, largest error by largest output: 2e-6,
   as that of a plain sum; for m = 2, with 0, +-1 and infinity, 5e-7. Sources: Winograd 1980,
   Arithmetic Complexity of Computations; Lavin and Gray 2015, Fast Algorithms for Convolutional
   Neural Networks; Barabasz et al. 2020, Error Analysis and Improving the Accuracy of Winograd
   Convolution for Deep Neural Networks. */
#include "conv.h"

#include "conv_layout.h"
#include "conv_plain.h"
#include "conv_tile.h"
#include "conv_transpose.h"

#define RING 8 /* rows of the image at hand, of which a tile sees 4 or 6 */
#define WEIGHTS_AT_ONCE (256 * 1024L) /* floats of transformed weights in the second cache */
#define WEIGHTS_OF_UNIT (160 * 1024L) /* of those of a unit */
#define A 0.75f
#define B 1.5f

/* One-dimensional transforms of numbers `step` apart; edge is m + 2, so 4 or 6. */
INLINE void input_row(const int edge, const vfloat *x, vfloat *y, long y_step) {
    if (edge == 4) {
        y[0] = x[0] - x[2];
        y[y_step] = x[1] + x[2];
        y[2 * y_step] = x[2] - x[1];
        y[3 * y_step] = x[1] - x[3];
        return;
    }
    const vfloat a = x[4] - B * B * x[2], b = A * x[3] - A * B * B * x[1];
    const vfloat c = x[4] - A * A * x[2], d = B * x[3] - A * A * B * x[1];
    y[0] = A * A * B * B * x[0] + (x[4] - (A * A + B * B) * x[2]);
    y[y_step] = a + b;
    y[2 * y_step] = a - b;
    y[3 * y_step] = c + d;
    y[4 * y_step] = c - d;
    y[5 * y_step] = A * A * B * B * x[1] + (x[5] - (A * A + B * B) * x[3]);
}

INLINE void weight_row(const int edge, const vfloat *x, long step, vfloat *y, long y_step) {
    const vfloat first = x[0], second = x[step], last = x[2 * step];
    const float a = 2 * A * A * (A * A - B * B), b = 2 * B * B * (B * B - A * A);
    y[0] = edge == 4 ? first : first * (1 / (A * A * B * B));
    if (edge == 4) {
        const vfloat even = 0.5f * (first + last), odd = 0.5f * second;
        y[y_step] = even + odd;
        y[2 * y_step] = even - odd;
    } else {
        const vfloat even = first * (1 / a) + last * (A * A / a), odd = second * (A / a);
        const vfloat even2 = first * (1 / b) + last * (B * B / b), odd2 = second * (B / b);
        y[y_step] = even + odd;
        y[2 * y_step] = even - odd;
        y[3 * y_step] = even2 + odd2;
        y[4 * y_step] = even2 - odd2;
    }
    y[(edge - 1) * y_step] = last;
}

INLINE void output_row(const int edge, const vfloat *x, vfloat *y, long y_step) {
    const vfloat even = x[1] + x[2], odd = x[1] - x[2];
    if (edge == 4) {
        y[0] = x[0] + even;
        y[y_step] = odd - x[3];
        return;
    }
    const vfloat even2 = x[3] + x[4], odd2 = x[3] - x[4];
    y[0] = x[0] + even + even2;
    y[y_step] = A * odd + B * odd2;
    y[2 * y_step] = A * A * even + B * B * even2;
    y[3 * y_step] = A * A * A * odd + (B * B * B * odd2 + x[5]);
}

static long winograd_lanes(void) { return LANES; }

/* One row of LANES channels with neighbours in memory: to[x][lane], zero outside of the image. */
static void channels_last(float *to, const float *x, long channel_step, long length, long before,
                          long count) {
    const long begin = before < count ? before : count;
    const long end = before + length < count ? before + length : count;
    for (long i = 0; i < begin; i++) store(to + i * LANES, splat(0));
    long i = begin;
    for (; i + LANES <= end; i += LANES)
        transpose_square(to + i * LANES, LANES, x + i - before, channel_step);
    if (i < end && end - begin >= LANES) /* the last square ends with the row */
        transpose_square(to + (end - LANES) * LANES, LANES, x + end - LANES - before, channel_step);
    else
        for (; i < end; i++)
            for (int lane = 0; lane < LANES; lane++)
                to[i * LANES + lane] = x[lane * channel_step + i - before];
    for (i = end; i < count; i++) store(to + i * LANES, splat(0));
}

INLINE void input_tile(const int edge, const float *const rows[6], float *v, long v_step) {
    vfloat half[36], whole[6];
    for (int j = 0; j < edge; j++) {
        vfloat column[6];
        for (int i = 0; i < edge; i++) column[i] = load(rows[i] + j * LANES);
        input_row(edge, column, half + j, edge);
    }
    for (int i = 0; i < edge; i++) {
        input_row(edge, half + edge * i, whole, 1);
        for (int j = 0; j < edge; j++) store(v + (edge * i + j) * v_step, whole[j]);
    }
}

static long width_of(const conv_winograd *s) { return s->m * s->tiles_x + 2; }

/* v[point][tile][channel] of LANES channels of a sample, for rows of tiles [begin, end). */
INLINE void input_channels(const int m, const conv_winograd *s, const float *x, float *v,
                           long v_step, float *ring, long begin, long end) {
    const long width = width_of(s), image = s->y.in * s->x.in;
    for (long row = m * begin, ty = begin; ty < end; ty++) {
        const float *rows[6];
        for (; row < m * ty + m + 2; row++) {
            const long from = row - s->y.before;
            const long length = from >= 0 && from < s->y.in ? s->x.in : 0;
            channels_last(ring + row % RING * width * LANES, x + from * s->x.in, image, length,
                          s->x.before, width);
        }
        for (long tx = 0; tx < s->tiles_x; tx++, v += s->c) {
            for (int i = 0; i < m + 2; i++)
                rows[i] = ring + ((m * ty + i) % RING * width + m * tx) * LANES;
            input_tile(m + 2, rows, v, v_step);
        }
    }
}

/* Strips are the rows of tiles of all samples, one after the other. */
static void transform_inputs(const conv_winograd *s, const float *x, float *v, long v_step,
                             float *ring, long strip, long count) {
    const long image = s->y.in * s->x.in;
    while (count > 0) {
        const long sample = strip / s->tiles_y, begin = strip % s->tiles_y;
        const long here = least(count, s->tiles_y - begin);
        const float *from = x + sample * s->c * image;
        for (long c = 0; c < s->c; c += LANES) {
            if (s->m == 2)
                input_channels(2, s, from + c * image, v + c, v_step, ring, begin, begin + here);
            else input_channels(4, s, from + c * image, v + c, v_step, ring, begin, begin + here);
        }
        v += here * s->tiles_x * s->c, strip += here, count -= here;
    }
}

/* u[point][channel][lane] of LANES outputs and `channels`; w at the first. */
INLINE void transform_weights(const int edge, const conv_winograd *s, const float *w, long channels,
                              float *u, long u_pitch, long u_step) {
    vfloat taps[9 * LANES], half[18], whole[6];
    for (long c = 0; c < channels; c += LANES) {
        for (int i = 0; i < 9; i++) /* (lane, tap of a channel) to (tap, lane) */
            transpose_square((float *)(taps + i * LANES), LANES, w + 9 * c + i * LANES, 9 * s->c);
        for (int k = 0; k < LANES; k++) {
            float *to = u + (c + k) * u_pitch;
            for (int j = 0; j < 3; j++) weight_row(edge, taps + 9 * k + j, 3, half + j, 3);
            for (int i = 0; i < edge; i++) {
                weight_row(edge, half + 3 * i, 1, whole, 1);
                for (int j = 0; j < edge; j++) store(to + (edge * i + j) * u_step, whole[j]);
            }
        }
    }
}

/* A row of tiles of LANES outputs: sums at the first tile, strip (m, width, LANES). */
INLINE void output_strip(const int m, const float *sums, long pitch, long step, long tiles,
                         float *strip) {
    const int edge = m + 2;
    for (long t = 0; t < tiles; t++, sums += pitch) {
        vfloat half[24], column[6], row[4];
        for (int j = 0; j < edge; j++) {
            for (int i = 0; i < edge; i++) column[i] = load(sums + (edge * i + j) * step);
            output_row(edge, column, half + j, edge);
        }
        for (int i = 0; i < m; i++) {
            output_row(edge, half + edge * i, row, 1);
            for (int j = 0; j < m; j++) store(strip + (i * m * tiles + m * t + j) * LANES, row[j]);
        }
    }
}

/* A row with neighbouring channels in memory, back to LANES rows of y. */
static void channels_first(const float *row, long length, float *y, long channel_step) {
    long i = 0;
    for (; i + LANES <= length; i += LANES)
        transpose_square(y + i, channel_step, row + i * LANES, LANES);
    if (i == length) return;
    if (length >= LANES) {
        i = length - LANES;
        transpose_square(y + i, channel_step, row + i * LANES, LANES);
        return;
    }
    float square[LANES * LANES];
    transpose_square(square, LANES, row + i * LANES, LANES); /* the strip has room after its rows */
    for (int lane = 0; lane < LANES; lane++)
        copy_row(y + lane * channel_step + i, square + lane * LANES, length - i);
}

/* How the products are cut, and their sizes in floats. One transform is done as a whole, by each
   thread for itself: that takes less time than to read what another one has just written. The
   other one is done for the unit at hand. */
typedef struct {
    int points;
    int by_strips;  /* units are strips, weights are transformed as a whole; else outputs, inputs */
    long outputs, channels; /* whose transformed weights stay in the second cache */
    long strips;    /* at a time */
    long all_strips, blocks; /* of `outputs` */
    long u_step, v_step, m_step; /* from point to point; no powers of two: those share lines */
    long u, v, sums, ring, strip; /* where they are in the scratch, and its size */
    long scratch;
} sizes;

/* The number of strips for which the threads wait least for the last one of them. */
static long strips_of_unit(const conv_winograd *s, long all, long most_at_once) {
    long best = 1, least_rounds = 0;
    for (long k = 1; k <= most_at_once; k++) {
        const long units = (all + k - 1) / k, rounds = (units + s->threads - 1) / s->threads * k;
        if (k == 1 || rounds <= least_rounds) best = k, least_rounds = rounds;
    }
    return best;
}

static sizes sizes_of(const conv_winograd *s) {
    sizes z = {.points = (int)((s->m + 2) * (s->m + 2)), .outputs = LANES};
    const long weights = s->c * s->o * z.points;
    z.all_strips = s->samples * s->tiles_y;
    z.by_strips = weights <= WEIGHTS_AT_ONCE && s->o <= z.all_strips * s->tiles_x;
    if (s->o > LANES && s->c * z.points <= 512 * 36) z.outputs = 2 * LANES;
    z.blocks = (s->o + z.outputs - 1) / z.outputs;
    z.strips = least((56 + s->tiles_x - 1) / s->tiles_x, z.all_strips);
    if (z.by_strips) z.strips = strips_of_unit(s, z.all_strips, z.strips);
    z.channels = s->c;
    if (!z.by_strips && z.strips == z.all_strips) {
        const long parts = z.points * z.outputs * s->c / WEIGHTS_OF_UNIT + 1;
        z.channels = (s->c / LANES + parts - 1) / parts * LANES;
    }
    z.u_step = z.channels * z.outputs + LANES;
    z.v_step = (z.by_strips ? z.strips : z.all_strips) * s->tiles_x * s->c + LANES;
    z.m_step = z.strips * s->tiles_x * z.outputs + LANES;
    z.v = z.points * z.u_step * (z.by_strips ? z.blocks : 1);
    z.sums = z.v + z.points * z.v_step;
    z.ring = z.sums + z.points * z.m_step;
    z.strip = z.ring + RING * width_of(s) * LANES;
    z.scratch = z.strip + (s->m * s->m * s->tiles_x + LANES) * LANES;
    return z;
}

static long winograd_scratch(const conv_winograd *s) { return sizes_of(s).scratch; }

static long winograd_units(const conv_winograd *s) {
    const sizes z = sizes_of(s);
    return z.by_strips ? (z.all_strips + z.strips - 1) / z.strips : z.blocks;
}

/* m[point][tile][output] (+)= v[point][tile][channel] u[point][channel][output] */
static void multiply_points(const conv_winograd *s, const sizes *z, const float *v, const float *u,
                            long channels, float *m, long outputs, long count, int add) {
    const long blocks = (count + TILE_ROWS - 1) / TILE_ROWS, none = 0;
    for (int point = 0; point < z->points; point++) {
        const tile_operand right = {u + point * z->u_step, channels, 1, z->outputs, &none};
        for (long b = 0; b < blocks; b++) {
            const long from = count * b / blocks, rows = count * (b + 1) / blocks - from;
            tile(rows, outputs / LANES, v + point * z->v_step + from * s->c, s->c, &right, 0,
                 m + point * z->m_step + from * z->outputs, z->outputs, add, 0, 0);
        }
    }
}

INLINE void store_strips(const int m, const conv_winograd *s, const sizes *z, const float *sums,
                         float *strip, float *y, long outputs, long first, long count) {
    const long image = s->y.out * s->x.out, width = m * s->tiles_x;
    for (long i = first; i < first + count; i++, sums += s->tiles_x * z->outputs)
        for (long o = 0; o < outputs; o += LANES) {
            const long sample = i / s->tiles_y, row = i % s->tiles_y * m;
            float *to = y + (sample * s->o + o) * image + row * s->x.out;
            output_strip(m, sums + o, z->outputs, z->m_step, s->tiles_x, strip);
            for (long r = 0; r < m && row + r < s->y.out; r++)
                channels_first(strip + r * width * LANES, s->x.out, to + r * s->x.out, image);
        }
}

/* A block of outputs, from z->channels or fewer, the first of them at w. */
static void transform_outputs(const conv_winograd *s, const sizes *z, const float *w, long channels,
                              float *u, long block) {
    const long first = block * z->outputs, end = least(first + z->outputs, s->o);
    for (long o = first; o < end; o += LANES) {
        const float *from = w + o * s->c * 9;
        float *to = u + o - first;
        if (s->m == 2) transform_weights(4, s, from, channels, to, z->outputs, z->u_step);
        else transform_weights(6, s, from, channels, to, z->outputs, z->u_step);
    }
}

/* The products of a block of outputs for some strips, back to y. */
static void store_block(const conv_winograd *s, const sizes *z, float *scratch, float *y,
                        long block, long strip, long count) {
    const long first = block * z->outputs, outputs = least(z->outputs, s->o - first);
    const float *sums = scratch + z->sums;
    float *row = scratch + z->strip;
    y += first * s->y.out * s->x.out;
    if (s->m == 2) store_strips(2, s, z, sums, row, y, outputs, strip, count);
    else store_strips(4, s, z, sums, row, y, outputs, strip, count);
}

static void multiply_strips(const conv_winograd *s, const sizes *z, const float *x, const float *w,
                            float *y, float *scratch, long *held, long begin, long end) {
    const long u_block = z->points * z->u_step;
    for (long block = 0; *held < 0 && block < z->blocks; block++)
        transform_outputs(s, z, w, s->c, scratch + block * u_block, block);
    *held = 0;
    for (long unit = begin; unit < end; unit++) {
        const long strip = unit * z->strips, count = least(z->strips, z->all_strips - strip);
        transform_inputs(s, x, scratch + z->v, z->v_step, scratch + z->ring, strip, count);
        for (long block = 0; block < z->blocks; block++) {
            multiply_points(s, z, scratch + z->v, scratch + block * u_block, s->c,
                            scratch + z->sums, least(z->outputs, s->o - block * z->outputs),
                            count * s->tiles_x, 0);
            store_block(s, z, scratch, y, block, strip, count);
        }
    }
}

static void multiply_outputs(const conv_winograd *s, const sizes *z, const float *x, const float *w,
                             float *y, float *scratch, long *held, long begin, long end) {
    const float *v = scratch + z->v;
    if (*held < 0)
        transform_inputs(s, x, scratch + z->v, z->v_step, scratch + z->ring, 0, z->all_strips);
    *held = 0;
    for (long unit = begin; unit < end; unit++) {
        const long outputs = least(z->outputs, s->o - unit * z->outputs);
        for (long strip = 0; strip < z->all_strips; strip += z->strips) {
            const long count = least(z->strips, z->all_strips - strip), tiles = strip * s->tiles_x;
            for (long c = 0; c < s->c; c += z->channels) {
                const long now = least(z->channels, s->c - c);
                if (strip == 0) transform_outputs(s, z, w + c * 9, now, scratch, unit);
                multiply_points(s, z, v + tiles * s->c + c, scratch, now, scratch + z->sums,
                                outputs, count * s->tiles_x, c > 0);
            }
            store_block(s, z, scratch, y, unit, strip, count);
        }
    }
}

/* held is -1 at first for each thread and its scratch. */
static void winograd_multiply(const conv_winograd *s, const float *x, const float *w, float *y,
                              float *scratch, long *held, long begin, long end) {
    const sizes z = sizes_of(s);
    if (z.by_strips) multiply_strips(s, &z, x, w, y, scratch, held, begin, end);
    else multiply_outputs(s, &z, x, w, y, scratch, held, begin, end);
}

const conv_winograd_kernels KERNEL(conv_winograd) = {winograd_lanes, winograd_scratch,
                                                     winograd_units, winograd_multiply};
