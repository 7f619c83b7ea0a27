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

#include "conv_plain.h"
#include "conv_tile.h"
#include "conv_transpose.h"

#define RING 8 /* rows of the image at hand, of which a tile sees 4 or 6 */
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

static long winograd_input_scratch(const conv_winograd *s) { return RING * width_of(s) * LANES; }

/* v[point][tile][channel] of LANES channels of a sample. */
INLINE void input_channels(const int m, const conv_winograd *s, const float *x, float *v,
                           float *ring) {
    const long width = width_of(s), image = s->y.in * s->x.in;
    for (long row = 0, ty = 0; ty < s->tiles_y; ty++) {
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
            input_tile(m + 2, rows, v, s->v_step);
        }
    }
}

/* Units are LANES channels of a sample. */
static void winograd_input(const conv_winograd *s, const float *x, float *v, float *scratch,
                           long begin, long end) {
    const long blocks = s->c / LANES;
    for (long unit = begin; unit < end; unit++) {
        const long sample = unit / blocks, c = unit % blocks * LANES;
        const float *from = x + (sample * s->c + c) * s->y.in * s->x.in;
        float *to = v + sample * s->tiles_y * s->tiles_x * s->c + c;
        if (s->m == 2) input_channels(2, s, from, to, scratch);
        else input_channels(4, s, from, to, scratch);
    }
}

/* u[point][channel][lane] of LANES outputs; w at the first. */
INLINE void transform_weights(const int edge, const conv_winograd *s, const float *w, float *u,
                              long u_pitch, long u_step) {
    vfloat taps[9 * LANES], half[18], whole[6];
    for (long c = 0; c < s->c; c += LANES) {
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

/* How the products are cut, and their sizes in floats. */
typedef struct {
    int points;
    long outputs; /* at a time, such that their transformed weights stay in the second cache */
    long strips;  /* rows of tiles at a time */
    long u_step, m_step; /* from point to point; no powers of two: those share lines of a cache */
} sizes;

static sizes sizes_of(const conv_winograd *s) {
    sizes z = {(int)((s->m + 2) * (s->m + 2)), LANES, (56 + s->tiles_x - 1) / s->tiles_x, 0, 0};
    if (s->o > LANES && s->c * z.points <= 512 * 36) z.outputs = 2 * LANES;
    if (z.strips > s->samples * s->tiles_y) z.strips = s->samples * s->tiles_y;
    z.u_step = s->c * z.outputs + LANES;
    z.m_step = z.strips * s->tiles_x * z.outputs + LANES;
    return z;
}

static long winograd_scratch(const conv_winograd *s) {
    const sizes z = sizes_of(s);
    return z.points * (z.u_step + z.m_step) + (s->m * s->m * s->tiles_x + LANES) * LANES;
}

static long winograd_units(const conv_winograd *s) {
    const long outputs = sizes_of(s).outputs;
    return (s->o + outputs - 1) / outputs;
}

/* m[point][tile][output] for tiles from `first` on. */
static void multiply_points(const conv_winograd *s, const sizes *z, const float *v, const float *u,
                            float *m, long outputs, long count) {
    const long blocks = (count + TILE_ROWS - 1) / TILE_ROWS, none = 0;
    for (int point = 0; point < z->points; point++) {
        const tile_operand right = {u + point * z->u_step, s->c, 1, z->outputs, &none};
        for (long b = 0; b < blocks; b++) {
            const long from = count * b / blocks, rows = count * (b + 1) / blocks - from;
            tile(rows, outputs / LANES, v + point * s->v_step + from * s->c, s->c, &right, 0,
                 m + point * z->m_step + from * z->outputs, z->outputs, 0);
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

INLINE void multiply_of(const int m, const conv_winograd *s, const float *v, const float *w,
                        float *y, float *scratch, long begin, long end) {
    const sizes z = sizes_of(s);
    const long strips = s->samples * s->tiles_y;
    float *u = scratch, *sums = u + z.points * z.u_step, *strip = sums + z.points * z.m_step;
    for (long unit = begin; unit < end; unit++) {
        const long first = unit * z.outputs;
        const long outputs = first + z.outputs < s->o ? z.outputs : s->o - first;
        for (long o = 0; o < outputs; o += LANES)
            transform_weights(m + 2, s, w + (first + o) * s->c * 9, u + o, z.outputs, z.u_step);
        for (long i = 0; i < strips; i += z.strips) {
            const long now = i + z.strips < strips ? z.strips : strips - i;
            multiply_points(s, &z, v + i * s->tiles_x * s->c, u, sums, outputs, now * s->tiles_x);
            store_strips(m, s, &z, sums, strip, y + first * s->y.out * s->x.out, outputs, i, now);
        }
    }
}

/* Units are blocks of outputs; scratch is the caller's own. */
static void winograd_multiply(const conv_winograd *s, const float *v, const float *w, float *y,
                              float *scratch, long begin, long end) {
    if (s->m == 2) multiply_of(2, s, v, w, y, scratch, begin, end);
    else multiply_of(4, s, v, w, y, scratch, begin, end);
}

const conv_winograd_kernels KERNEL(conv_winograd) = {
    winograd_lanes,   winograd_input_scratch, winograd_input,
    winograd_scratch, winograd_units,         winograd_multiply};
