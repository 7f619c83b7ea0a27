/* 3x3 convolution of stride 1 by Winograd's method F(4x4, 3x3): tiles of 4x4 outputs from 6x6
   inputs with 36 multiplications in place of 144. Inputs, weights and products are transformed with
   neighbouring channels in the lanes; between the transforms stand 36 matrix products, tiles times
   channels. Sources: Winograd 1980, Arithmetic Complexity of Computations; Lavin and Gray 2015, Fast
   Algorithms for Convolutional Neural Networks. */
#include "conv.h"

#include "conv_plain.h"
#include "conv_tile.h"
#include "conv_transpose.h"

#define POINTS 36
#define RING 8 /* rows of the image at hand, of which a tile sees 6 */

/* The rows of the transforms of Lavin and Gray, for the points 0, 1, -1, 2, -2 and infinity. */
INLINE void input_row(const vfloat *x, long step, vfloat *y, long y_step) {
    const vfloat a = x[4 * step] - 4.0f * x[2 * step], b = x[3 * step] - 4.0f * x[step];
    const vfloat c = x[4 * step] - x[2 * step], d = 2.0f * (x[3 * step] - x[step]);
    y[0] = 4.0f * (x[0] - x[2 * step]) + c;
    y[y_step] = a + b;
    y[2 * y_step] = a - b;
    y[3 * y_step] = c + d;
    y[4 * y_step] = c - d;
    y[5 * y_step] = 4.0f * (x[step] - x[3 * step]) + x[5 * step] - x[3 * step];
}

INLINE void weight_row(const vfloat *x, long step, vfloat *y, long y_step) {
    const vfloat a = (x[0] + x[2 * step]) * (-1.0f / 6), b = x[step] * (1.0f / 6);
    const vfloat c = x[0] * (1.0f / 24) + x[2 * step] * (1.0f / 6), d = x[step] * (1.0f / 12);
    y[0] = x[0] * 0.25f;
    y[y_step] = a - b;
    y[2 * y_step] = a + b;
    y[3 * y_step] = c + d;
    y[4 * y_step] = c - d;
    y[5 * y_step] = x[2 * step];
}

INLINE void output_row(const vfloat *x, long step, vfloat *y, long y_step) {
    const vfloat a = x[step] + x[2 * step], b = x[step] - x[2 * step];
    const vfloat c = x[3 * step] + x[4 * step], d = x[3 * step] - x[4 * step];
    y[0] = x[0] + a + c;
    y[y_step] = b + 2.0f * d;
    y[2 * y_step] = a + 4.0f * c;
    y[3 * y_step] = b + 8.0f * d + x[5 * step];
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

static void input_tile(const float *const rows[6], float *v, long v_step) {
    vfloat half[POINTS], whole[6];
    for (int j = 0; j < 6; j++) {
        vfloat column[6];
        for (int i = 0; i < 6; i++) column[i] = load(rows[i] + j * LANES);
        input_row(column, 1, half + j, 6);
    }
    for (int i = 0; i < 6; i++) {
        input_row(half + 6 * i, 1, whole, 1);
        for (int j = 0; j < 6; j++) store(v + (6 * i + j) * v_step, whole[j]);
    }
}

static long winograd_input_scratch(const conv_winograd *s) {
    return RING * (4 * s->tiles_x + 2) * LANES;
}

/* v[point][tile][channel] of units (sample, LANES channels). */
static void winograd_input(const conv_winograd *s, const float *x, float *v, float *scratch,
                           long begin, long end) {
    const long blocks = s->c / LANES, width = 4 * s->tiles_x + 2;
    for (long unit = begin; unit < end; unit++) {
        const long sample = unit / blocks, c = unit % blocks * LANES;
        const float *image = x + (sample * s->c + c) * s->y.in * s->x.in;
        float *to = v + sample * s->tiles_y * s->tiles_x * s->c + c;
        for (long row = 0, ty = 0; ty < s->tiles_y; ty++) {
            const float *rows[6];
            for (; row < 4 * ty + 6; row++) {
                const long from = row - s->y.before;
                const long length = from >= 0 && from < s->y.in ? s->x.in : 0;
                channels_last(scratch + row % RING * width * LANES, image + from * s->x.in,
                              s->y.in * s->x.in, length, s->x.before, width);
            }
            for (long tx = 0; tx < s->tiles_x; tx++, to += s->c) {
                for (int i = 0; i < 6; i++)
                    rows[i] = scratch + ((4 * ty + i) % RING * width + 4 * tx) * LANES;
                input_tile(rows, to, s->v_step);
            }
        }
    }
}

/* u[point][channel][lane] of LANES outputs; w at the first. */
static void transform_weights(const conv_winograd *s, const float *w, float *u, long u_pitch,
                              long u_step) {
    vfloat taps[9 * LANES], half[18], whole[6];
    for (long c = 0; c < s->c; c += LANES) {
        for (int i = 0; i < 9; i++) /* (lane, tap of a channel) to (tap, lane) */
            transpose_square((float *)(taps + i * LANES), LANES, w + 9 * c + i * LANES, 9 * s->c);
        for (int k = 0; k < LANES; k++) {
            float *to = u + (c + k) * u_pitch;
            for (int j = 0; j < 3; j++) weight_row(taps + 9 * k + j, 3, half + j, 3);
            for (int i = 0; i < 6; i++) {
                weight_row(half + 3 * i, 1, whole, 1);
                for (int j = 0; j < 6; j++) store(to + (6 * i + j) * u_step, whole[j]);
            }
        }
    }
}

/* A row of 4x4 tiles of LANES outputs: m at the first tile, strip (4, width, LANES). */
static void output_strip(const float *m, long m_pitch, long m_step, long tiles, float *strip) {
    const long width = 4 * tiles;
    for (long t = 0; t < tiles; t++, m += m_pitch) {
        vfloat half[24], column[6], row[4];
        for (int j = 0; j < 6; j++) {
            for (int i = 0; i < 6; i++) column[i] = load(m + (6 * i + j) * m_step);
            output_row(column, 1, half + j, 6);
        }
        for (int i = 0; i < 4; i++) {
            output_row(half + 6 * i, 1, row, 1);
            for (int j = 0; j < 4; j++) store(strip + (i * width + 4 * t + j) * LANES, row[j]);
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

/* Outputs at a time, such that their transformed weights fill half of a second cache. */
static long winograd_outputs(const conv_winograd *s) {
    return (s->o > LANES && s->c <= 512 ? 2 : 1) * LANES;
}

/* Rows of tiles that are multiplied at a time. */
static long strips_at_once(const conv_winograd *s) {
    const long strips = (56 + s->tiles_x - 1) / s->tiles_x;
    return strips < s->samples * s->tiles_y ? strips : s->samples * s->tiles_y;
}

typedef struct {
    long outputs, strips, u_step, m_step;
} sizes;

static sizes sizes_of(const conv_winograd *s) {
    sizes z = {winograd_outputs(s), strips_at_once(s), 0, 0};
    z.u_step = s->c * z.outputs + LANES; /* not a power of two: those share lines of a cache */
    z.m_step = z.strips * s->tiles_x * z.outputs + LANES;
    return z;
}

static long winograd_scratch(const conv_winograd *s) {
    const sizes z = sizes_of(s);
    return POINTS * (z.u_step + z.m_step) + (16 * s->tiles_x + LANES) * LANES;
}

static long winograd_units(const conv_winograd *s) {
    const long outputs = winograd_outputs(s);
    return (s->o + outputs - 1) / outputs;
}

/* m[point][tile][output] for tiles from `first` on. */
static void multiply_points(const conv_winograd *s, const sizes *z, const float *v, const float *u,
                            float *m, long outputs, long count) {
    const long blocks = (count + TILE_ROWS - 1) / TILE_ROWS, none = 0;
    for (int point = 0; point < POINTS; point++) {
        const tile_operand right = {u + point * z->u_step, s->c, 1, z->outputs, &none};
        for (long b = 0; b < blocks; b++) {
            const long from = count * b / blocks, rows = count * (b + 1) / blocks - from;
            tile(rows, outputs / LANES, v + point * s->v_step + from * s->c, s->c, &right, 0,
                 m + point * z->m_step + from * z->outputs, z->outputs, 0);
        }
    }
}

static void store_strips(const conv_winograd *s, const sizes *z, const float *m, float *strip,
                         float *y, long outputs, long first, long count) {
    const long image = s->y.out * s->x.out, width = 4 * s->tiles_x;
    for (long i = first; i < first + count; i++, m += s->tiles_x * z->outputs)
        for (long o = 0; o < outputs; o += LANES) {
            const long sample = i / s->tiles_y, row = i % s->tiles_y * 4;
            float *to = y + (sample * s->o + o) * image + row * s->x.out;
            output_strip(m + o, z->outputs, z->m_step, s->tiles_x, strip);
            for (long r = 0; r < 4 && row + r < s->y.out; r++)
                channels_first(strip + r * width * LANES, s->x.out, to + r * s->x.out, image);
        }
}

/* Units are blocks of outputs; scratch is the caller's own. */
static void winograd_multiply(const conv_winograd *s, const float *v, const float *w, float *y,
                              float *scratch, long begin, long end) {
    const sizes z = sizes_of(s);
    const long strips = s->samples * s->tiles_y;
    float *u = scratch, *m = u + POINTS * z.u_step, *strip = m + POINTS * z.m_step;
    for (long unit = begin; unit < end; unit++) {
        const long first = unit * z.outputs;
        const long outputs = first + z.outputs < s->o ? z.outputs : s->o - first;
        for (long o = 0; o < outputs; o += LANES)
            transform_weights(s, w + (first + o) * s->c * 9, u + o, z.outputs, z.u_step);
        for (long i = 0; i < strips; i += z.strips) {
            const long now = i + z.strips < strips ? z.strips : strips - i;
            multiply_points(s, &z, v + i * s->tiles_x * s->c, u, m, outputs, now * s->tiles_x);
            store_strips(s, &z, m, strip, y + first * s->y.out * s->x.out, outputs, i, now);
        }
    }
}

const conv_winograd_kernels KERNEL(conv_winograd) = {
    winograd_lanes,   winograd_input_scratch, winograd_input,
    winograd_scratch, winograd_units,         winograd_multiply};
