/* Convolution of any kernel, stride, dilation and groups as an indirect matrix product: weights as
   they lie times one padded copy of the image, in which each tap is an offset. Positions of the
   output are numbered along rows of the padded image, so a tile runs over the ends of rows; what it
   computes between them is left out when the tile is stored. A kernel of one pixel and stride 1
   needs no copy. Source: Dukhan 2019, The Indirect Convolution Algorithm; Zhang, Franchetti and Low
   2018, High Performance Zero-Memory Overhead Direct Convolutions. */
#include "conv.h"

#include "conv_plain.h"
#include "conv_tile.h"
#include "conv_transpose.h"

#define LEFT_FLOATS (48 * 1024L) /* of the left operand at a time, to stay in the second cache */

INLINE long least(long a, long b) { return a < b ? a : b; }
INLINE long most(long a, long b) { return a > b ? a : b; }
INLINE long ceil_div(long a, long b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); } /* b > 0 */

static void direct_layout(conv_layout *layout, const conv_axis *y, const conv_axis *x) {
    const long span_y = (y->kernel - 1) * y->dilation, span_x = (x->kernel - 1) * x->dilation;
    layout->y = *y, layout->x = *x;
    layout->phases_y = least(y->stride, span_y + 1);
    layout->phases_x = least(x->stride, span_x + 1);
    layout->rows = y->out + span_y / y->stride;
    layout->pitch = x->out + span_x / x->stride;
    if (x->stride == 1) { /* zeros after one row are zeros before the next */
        const long after = layout->pitch - x->before - x->in;
        layout->pitch -= most(0, least(span_x, least(x->before, after)));
    }
    layout->plane = layout->phases_y * layout->phases_x * layout->rows * layout->pitch;
    layout->slack = layout->pitch + TILE_WIDTH;
}

static void direct_offsets(const conv_layout *layout, long *offsets) {
    const conv_axis *y = &layout->y, *x = &layout->x;
    for (long i = 0; i < y->kernel; i++)
        for (long j = 0; j < x->kernel; j++) {
            const long down = i * y->dilation, right = j * x->dilation;
            const long phase = down % y->stride * layout->phases_x + right % x->stride;
            *offsets++ = (phase * layout->rows + down / y->stride) * layout->pitch +
                         right / x->stride;
        }
}

INLINE void zero(float *to, long count) {
    long i = 0;
    for (; i + LANES <= count; i += LANES) store(to + i, splat(0));
    for (; i < count; i++) to[i] = 0;
}

/* to[i] = from[i * step]; to and from do not overlap. */
INLINE void copy_every(float *restrict to, const float *restrict from, long count, const long step) {
    for (long i = 0; i < count; i++) to[i] = from[i * step];
}

/* One row of one phase: to[q] = x[q * stride + first], zero where that is outside of the row. */
static void fill_row(float *to, long count, const float *x, long length, long stride, long first) {
    const long begin = least(count, most(0, ceil_div(-first, stride)));
    const long end = most(begin, least(count, ceil_div(length - first, stride)));
    const float *from = x + begin * stride + first;
    zero(to, begin);
    if (stride == 1) copy_row(to + begin, from, end - begin);
    else if (stride == 2) copy_every(to + begin, from, end - begin, 2);
    else copy_every(to + begin, from, end - begin, stride);
    zero(to + end, count - end);
}

static void direct_fill(const conv_layout *layout, const float *x, float *planes, long count,
                        int last) {
    const conv_axis *along_y = &layout->y, *along_x = &layout->x;
    float *to = planes;
    for (long c = 0; c < count; c++, x += along_y->in * along_x->in)
        for (long a = 0; a < layout->phases_y; a++)
            for (long b = 0; b < layout->phases_x; b++)
                for (long r = 0; r < layout->rows; r++, to += layout->pitch) {
                    const long row = r * along_y->stride + a - along_y->before;
                    if (row < 0 || row >= along_y->in) zero(to, layout->pitch);
                    else
                        fill_row(to, layout->pitch, x + row * along_x->in, along_x->in,
                                 along_x->stride, b - along_x->before);
                }
    if (last) zero(to, layout->slack);
}

/* The positions of one sample, as vectors along rows of the padded image. */
typedef struct {
    long positions, vectors, tiles;
    long blocks, blocks_at_once, parts; /* of TILE_ROWS rows of the left operand */
} work;

static work work_of(const conv_product *p) {
    work w;
    w.positions = (p->out_rows - 1) * p->pitch + p->out_columns;
    w.vectors = (w.positions + LANES - 1) / LANES;
    w.tiles = (w.vectors + TILE_VECTORS - 1) / TILE_VECTORS;
    w.blocks = (p->rows + TILE_ROWS - 1) / TILE_ROWS;
    w.blocks_at_once = most(1, LEFT_FLOATS / (TILE_ROWS * p->channels * p->taps + 1));
    w.parts = (w.blocks + w.blocks_at_once - 1) / w.blocks_at_once;
    return w;
}

static long direct_units(const conv_product *p) {
    const work w = work_of(p);
    return p->groups * w.parts * p->samples * w.tiles;
}

/* A tile that starts at a position goes where its rows belong. */
static void scatter(const conv_product *p, const float *tile, float *out, long rows, long at,
                    long width) {
    long row = at / p->pitch, column = at % p->pitch;
    for (long done = 0; done < width && row < p->out_rows; row++, column = 0) {
        const long here = least(p->pitch - column, width - done);
        const long count = least(here, p->out_columns - column);
        const float *from = tile + done;
        float *to = out + row * p->out_row + column * p->out_column;
        for (long r = 0; r < rows && count > 0; r++, from += TILE_WIDTH, to += p->out_plane) {
            if (p->out_column == 1) copy_row(to, from, count);
            else
                for (long i = 0; i < count; i++) to[i * p->out_column] = from[i];
        }
        done += here;
    }
}

/* One tile of positions with some blocks of rows: left and out are at the first of these. */
static void multiply_tile(const conv_product *p, const float *left, long rows,
                          const tile_operand *operand, long at, long vectors, float *out) {
    float buffer[TILE_ROWS * TILE_WIDTH] __attribute__((aligned(VECTOR_BYTES)));
    const long depth = p->channels * p->taps, column = at % p->pitch, width = vectors * LANES;
    const int straight = p->out_column == 1 && column + width <= p->out_columns;
    for (long r = 0; r < rows; r += TILE_ROWS, left += TILE_ROWS * depth) {
        const long now = least(TILE_ROWS, rows - r);
        if (straight) {
            float *to = out + at / p->pitch * p->out_row + column;
            tile(now, vectors, left, depth, operand, at, to, p->out_plane, 0);
        } else {
            tile(now, vectors, left, depth, operand, at, buffer, TILE_WIDTH, 0);
            scatter(p, buffer, out, now, at, width);
        }
        out += TILE_ROWS * p->out_plane;
    }
}

static void direct_multiply(const conv_product *p, long begin, long end) {
    const work w = work_of(p);
    for (long unit = begin; unit < end; unit++) {
        const long tile = unit % w.tiles, sample = unit / w.tiles % p->samples;
        const long part = unit / w.tiles / p->samples % w.parts;
        const long group = unit / w.tiles / p->samples / w.parts;
        const long first = part * w.blocks_at_once * TILE_ROWS;
        const long rows = least(w.blocks_at_once * TILE_ROWS, p->rows - first);
        const long from = w.vectors * tile / w.tiles;
        const long vectors = w.vectors * (tile + 1) / w.tiles - from;
        const long limit = w.positions - vectors * LANES; /* an exact tile that ends at the end */
        const long at = p->exact ? least(from * LANES, limit) : from * LANES;
        const long plane = (sample * p->groups + group) * p->channels;
        const long row = group * p->rows + first;
        const tile_operand operand = {p->right + plane * p->plane, p->channels, p->taps, p->plane,
                                      p->offsets};
        multiply_tile(p, p->left + row * p->channels * p->taps, rows, &operand, at, vectors,
                      p->out + (sample * p->groups * p->rows + row) * p->out_plane);
    }
}

const conv_direct_kernels KERNEL(conv_direct) = {direct_layout, direct_offsets, direct_fill,
                                                 direct_units, direct_multiply};
