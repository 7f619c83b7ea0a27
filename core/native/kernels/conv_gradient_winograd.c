/* The gradient of 3x3 weights of stride 1 by Winograd's method F(3x3, 2x2): a tile of 2x2 numbers
   of g and the 4x4 of x that it saw give 16 products in place of 36. It is the transpose of
   F(2x2, 3x3), with the same points 0, +-1 and infinity:

       dw = G^T [sum over tiles of (A g A^T) (B^T x B)] G

   Both transforms put neighbouring channels in the lanes, so the sum over tiles is a product of two
   matrices of panels for each of the 16 points. The largest error is 5e-7 of the largest number of
   dw for normal random numbers and 128 to 6,272 tiles, less than that of a plain sum, which is
   longer. Sources: Winograd 1980, Arithmetic Complexity of Computations; Lavin and
   Gray 2015, Fast Algorithms for Convolutional Neural Networks. */
#include "conv.h"

#include "conv_plain.h"
#include "gemm_block.h"
#include "transpose.h"

#define POINTS 16
#define WIDTH GEMM_COLUMNS /* channels of a panel */
#define DEPTH 128          /* tiles at a time: a panel of each operand stays in the first cache */
#define RING 4             /* rows of the image at hand */

INLINE long least(long a, long b) { return a < b ? a : b; }

static long gradient_lanes(void) { return LANES; }

static long image_width(const conv_winograd_gradient *s) { return 2 * s->tiles_x + 2; }

static long gradient_scratch(const conv_winograd_gradient *s) {
    return RING * image_width(s) * LANES;
}

/* From point to point of a panel; not a power of two: those share lines of a cache. */
static long point_step(long tiles) { return tiles * WIDTH + LANES; }

static long gradient_room(long tiles, long channels) {
    return (channels + WIDTH - 1) / WIDTH * POINTS * point_step(tiles);
}

/* LANES channels of a row side by side: to[column][lane], zero outside of the row. */
static void row_channels_last(float *to, const float *x, long channel_step, long length,
                              long before, long count) {
    const long begin = least(before, count), end = least(before + length, count);
    vfloat square[LANES];
    for (long i = 0; i < begin; i++) store(to + i * LANES, splat(0));
    for (long i = begin; i < end; i += LANES) {
        const long here = least(LANES, end - i);
        const float *from = x + i - before;
        if (here == LANES)
            for (int lane = 0; lane < LANES; lane++) square[lane] = load(from + lane * channel_step);
        else
            for (int lane = 0; lane < LANES; lane++)
                square[lane] = load_part(from + lane * channel_step, here, 0);
        transpose(square);
        for (long j = 0; j < here; j++) store(to + (i + j) * LANES, square[j]);
    }
    for (long i = end; i < count; i++) store(to + i * LANES, splat(0));
}

INLINE void input_points(const vfloat x[4], vfloat y[4]) {
    y[0] = x[0] - x[2];
    y[1] = x[1] + x[2];
    y[2] = x[2] - x[1];
    y[3] = x[1] - x[3];
}

/* A row of tiles; neighbours share two columns. */
static void input_strip(const float *const rows[4], long tiles, float *v, long step) {
    vfloat columns[4][4], across[4], whole[4];
    for (int j = 0; j < 2; j++) {
        for (int i = 0; i < 4; i++) across[i] = load(rows[i] + j * LANES);
        input_points(across, columns[j]);
    }
    for (long t = 0; t < tiles; t++, v += WIDTH) {
        for (int j = 2; j < 4; j++) {
            for (int i = 0; i < 4; i++) across[i] = load(rows[i] + (2 * t + j) * LANES);
            input_points(across, columns[j]);
        }
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) across[j] = columns[j][i];
            input_points(across, whole);
            for (int j = 0; j < 4; j++) store(v + (4 * i + j) * step, whole[j]);
            columns[0][i] = columns[2][i], columns[1][i] = columns[3][i];
        }
    }
}

/* A g A^T, of which the last row and column have the other sign: that is put right at the end. */
static void output_strip(const float *const rows[2], long tiles, float *m, long step) {
    for (long t = 0; t < tiles; t++, m += WIDTH) {
        vfloat half[2][4];
        for (int j = 0; j < 2; j++) {
            const vfloat a = load(rows[0] + (2 * t + j) * LANES);
            const vfloat b = load(rows[1] + (2 * t + j) * LANES);
            half[j][0] = a, half[j][1] = a + b, half[j][2] = a - b, half[j][3] = b;
        }
        for (int i = 0; i < 4; i++) {
            const vfloat a = half[0][i], b = half[1][i];
            store(m + (4 * i) * step, a);
            store(m + (4 * i + 1) * step, a + b);
            store(m + (4 * i + 2) * step, a - b);
            store(m + (4 * i + 3) * step, b);
        }
    }
}

/* One strip of LANES channels; `ring` has the rows below `ready` of this sample. */
static long read_rows(const conv_winograd_gradient *s, const float *x, long first, long count,
                      long ready, float *ring) {
    const long width = image_width(s);
    for (long row = ready > first ? ready : first; row < first + count; row++) {
        const long from = row - s->y.before;
        const long length = from >= 0 && from < s->y.in ? s->x.in : 0;
        row_channels_last(ring + row % RING * width * LANES, x + from * s->x.in,
                          s->y.in * s->x.in, length, s->x.before, width);
    }
    return first + count;
}

static float *panel_of(float *panels, long block, long tiles) {
    const long first = block * LANES;
    return panels + first / WIDTH * POINTS * point_step(tiles) + first % WIDTH;
}

/* v[panel][point][tile][WIDTH] of strips [first, first + count), rows of tiles of all samples;
   blocks [begin, end) of LANES channels. */
static void gradient_input(const conv_winograd_gradient *s, const float *x, float *v, long first,
                           long count, float *ring, long begin, long end) {
    const long width = image_width(s) * LANES, image = s->y.in * s->x.in;
    const long tiles = count * s->tiles_x;
    for (long block = begin; block < end; block++) {
        float *to = panel_of(v, block, tiles);
        long ready = 0;
        for (long i = first; i < first + count; i++, to += s->tiles_x * WIDTH) {
            const long sample = i / s->tiles_y, row = i % s->tiles_y * 2;
            const float *from = x + (sample * s->c + block * LANES) * image, *rows[4];
            ready = read_rows(s, from, row, 4, row ? ready : 0, ring);
            for (int j = 0; j < 4; j++) rows[j] = ring + (row + j) % RING * width;
            input_strip(rows, s->tiles_x, to, point_step(tiles));
        }
    }
}

/* m from g, in the same way. */
static void gradient_output(const conv_winograd_gradient *s, const float *g, float *m, long first,
                            long count, float *ring, long begin, long end) {
    const long width = image_width(s) * LANES, image = s->y.out * s->x.out;
    const long tiles = count * s->tiles_x;
    for (long block = begin; block < end; block++) {
        float *to = panel_of(m, block, tiles);
        for (long i = first; i < first + count; i++, to += s->tiles_x * WIDTH) {
            const long sample = i / s->tiles_y, row = i % s->tiles_y * 2;
            const float *from = g + (sample * s->o + block * LANES) * image + row * s->x.out;
            const float *const rows[2] = {ring, ring + width};
            for (long j = 0; j < 2; j++)
                row_channels_last(ring + j * width, from + j * s->x.out, image,
                                  row + j < s->y.out ? s->x.out : 0, 0, 2 * s->tiles_x);
            output_strip(rows, s->tiles_x, to, point_step(tiles));
        }
    }
}

/* Some rows and columns of a panel each: c[o][c] (+)= sum over tiles of m[t][o] v[t][c]. */
static void multiply_panels(const float *m, const float *v, long rows, long columns, long tiles,
                            float *sums, long step, int add) {
    const long parts = (rows + GEMM_ROWS - 1) / GEMM_ROWS;
    for (long part = 0; part < parts; part++) {
        const long from = rows * part / parts, now = rows * (part + 1) / parts - from;
        KERNEL(gemm_tile)(now, columns, tiles, m + from, WIDTH, v, WIDTH, sums + from * step, step,
                          add);
    }
}

/* sums[point][o][c] for the block of outputs and channels, added to what is there or not. */
static void gradient_multiply(const conv_winograd_block *k, const float *v, const float *m,
                              long tiles, float *sums, int add) {
    const long step = point_step(tiles);
    for (long point = 0; point < POINTS; point++, sums += k->outputs * k->channels)
        for (long t = 0; t < tiles; t += DEPTH)
            for (long c = 0; c < k->channels; c += WIDTH)
                for (long o = 0; o < k->outputs; o += WIDTH) {
                    const float *right = v + ((k->channel + c) / WIDTH * POINTS + point) * step;
                    const float *left = m + ((k->output + o) / WIDTH * POINTS + point) * step;
                    multiply_panels(left + t * WIDTH, right + t * WIDTH,
                                    least(WIDTH, k->outputs - o), least(WIDTH, k->channels - c),
                                    least(DEPTH, tiles - t), sums + o * k->channels + c,
                                    k->channels, add || t > 0);
                }
}

INLINE void weight_taps(const vfloat x[4], vfloat y[3]) {
    const vfloat even = 0.5f * (x[1] + x[2]);
    y[0] = x[0] + even;
    y[1] = 0.5f * (x[1] - x[2]);
    y[2] = even - x[3];
}

/* LANES rows of 9 numbers, from 9 vectors of a square. */
INLINE void store_taps(float *dw, vfloat *taps) {
#if LANES == 16 /* a row overwrites what the one before has too much */
    transpose(taps);
    for (int lane = 0; lane < LANES - 1; lane++) store(dw + 9 * lane, taps[lane]);
    store_part(dw + 9 * (LANES - 1), taps[LANES - 1], 9);
#else
    for (int lane = 0; lane < LANES; lane++)
        for (int t = 0; t < 9; t++) dw[9 * lane + t] = taps[t][lane];
#endif
}

/* dw (o, c, 3, 3) of a block from the sums of `parts`, `part` numbers apart. */
static void gradient_finish(const conv_winograd_gradient *s, const conv_winograd_block *k,
                            const float *sums, long parts, long part, float *dw, long begin,
                            long end) {
    const long step = k->outputs * k->channels;
    for (long o = begin; o < end; o++)
        for (long c = 0; c < k->channels; c += LANES) {
            vfloat half[4][3], taps[9 + LANES];
            for (int j = 0; j < 4; j++) {
                vfloat column[4];
                for (int i = 0; i < 4; i++) {
                    const float *from = sums + (4 * i + j) * step + o * k->channels + c;
                    column[i] = load(from);
                    for (long p = 1; p < parts; p++) column[i] += load(from + p * part);
                }
                weight_taps(column, half[j]);
            }
            for (int i = 0; i < 3; i++) {
                const vfloat row[4] = {half[0][i], half[1][i], half[2][i], half[3][i]};
                weight_taps(row, taps + 3 * i);
            }
            for (int i = 9; i < LANES; i++) taps[i] = splat(0);
            store_taps(dw + ((k->output + o) * s->c + k->channel + c) * 9, taps);
        }
}

const conv_winograd_gradient_kernels KERNEL(conv_winograd_gradient) = {
    gradient_lanes,  gradient_scratch,  gradient_room,  gradient_input,
    gradient_output, gradient_multiply, gradient_finish};
