/* Convolution of any kernel, stride, dilation and groups as an indirect matrix product: weights as
   they lie times one padded copy of the image, in which each tap is an offset. Positions of the
   output are numbered along rows of the padded image, so a tile runs over the ends of rows; what it
   computes between them is left out when the tile is stored. A kernel of one pixel and stride 1
   needs no copy. Source: Dukhan 2019, The Indirect Convolution Algorithm; Zhang, Franchetti and Low
   2018, High Performance Zero-Memory Overhead Direct Convolutions. */
#include "conv.h"

#include "conv_gather.h"
#include "conv_layout.h"
#include "conv_plain.h"
#include "conv_tile.h"
#include "conv_transpose.h"
#include "gemm_small.h"

#define LEFT_FLOATS (48 * 1024L) /* of the left operand at a time, to stay in the second cache */
#define GATHERED_ROWS (3 * TILE_ROWS)
#define MANY 32 /* chunks, of which threads get fair shares */
#define PANEL_FLOATS (32 * 1024L) /* that are gathered at a time, or one panel */

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

/* Whether what tiles see is first put together: with enough rows that is little work, no lane is
   wasted, and channels that lie far apart are not read again and again. A few of them are as well
   read where they lie, if not so small that lanes are wasted, nor so large that the outputs of a
   tile are on too many pages. */
static int gathers(const conv_product *p) {
    const int few = p->rows < 12 * TILE_ROWS && conv_depth(p) < 256;
    const int middle = p->plane >= 2 * TILE_WIDTH && p->plane < 128 * TILE_WIDTH;
    return p->rows >= GATHERED_ROWS && !(p->exact && few && middle);
}

#define PANEL_HEAD ((long)(sizeof(conv_panel) + 63) / 64 * 16) /* floats */

/* A unit is a chunk of panels times all rows of the left operand, or where there are few chunks a
   block of TILE_ROWS rows; a thread gathers a chunk once. */
typedef struct {
    long panels, at_once, chunks;
    long blocks, rows; /* in a chunk, of a block */
} gathered_work;

static gathered_work gathered_work_of(const conv_product *p) {
    gathered_work w;
    w.panels = (conv_positions(p) + TILE_WIDTH - 1) / TILE_WIDTH;
    w.at_once = least(PANEL_FLOATS / conv_panel_floats(p), most(2, w.panels / MANY));
    w.at_once = most(1, w.at_once);
    w.chunks = most(1, w.panels / w.at_once);
    w.at_once = (w.panels + w.chunks - 1) / w.chunks;
    w.chunks = (w.panels + w.at_once - 1) / w.at_once;
    w.rows = w.chunks * p->groups < MANY / 2 ? TILE_ROWS : p->rows;
    w.blocks = (p->rows + w.rows - 1) / w.rows;
    return w;
}

static long direct_units(const conv_product *p) {
    if (gathers(p)) {
        const gathered_work w = gathered_work_of(p);
        return p->groups * w.chunks * w.blocks;
    }
    const work w = work_of(p);
    return p->groups * w.parts * p->samples * w.tiles;
}

static long direct_scratch(const conv_product *p) {
    if (!gathers(p)) return 0;
    const gathered_work w = gathered_work_of(p);
    return w.at_once * (conv_panel_floats(p) + PANEL_HEAD);
}

/* Where the panel of a number and its floats are in a thread's scratch. */
static conv_panel *panel_at(float *scratch, long number) {
    return (conv_panel *)(scratch + number * PANEL_HEAD);
}

static void multiply_gathered(const conv_product *p, float *scratch, long *held, long begin,
                              long end) {
    const gathered_work w = gathered_work_of(p);
    const long size = conv_panel_floats(p);
    float *floats = scratch + w.at_once * PANEL_HEAD;
    for (long unit = begin; unit < end; unit++) {
        const long chunk = unit / w.blocks, group = chunk / w.chunks;
        const long begin_row = unit % w.blocks * w.rows;
        const long end_row = least(begin_row + w.rows, p->rows);
        const long first = chunk % w.chunks * w.at_once, now = least(w.at_once, w.panels - first);
        if (*held != chunk)
            for (long i = 0; i < now; i++) {
                conv_find_panel(p, group, (first + i) * TILE_WIDTH, panel_at(scratch, i));
                conv_gather_panel(p, panel_at(scratch, i), floats + i * size);
            }
        *held = chunk;
        for (long row = begin_row; row < end_row; row += TILE_ROWS)
            for (long i = 0; i < now; i++)
                conv_multiply_panel(p, panel_at(scratch, i), group * p->rows + row,
                                    least(TILE_ROWS, end_row - row), floats + i * size,
                                    p->out + row * p->out_plane);
    }
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

/* One tile of positions with some blocks of rows, output channels from `first` on: left and out are
   at the first of these. */
static void multiply_tile(const conv_product *p, const float *left, long first, long rows,
                          const tile_operand *operand, long at, long vectors, float *out) {
    float buffer[TILE_ROWS * TILE_WIDTH] __attribute__((aligned(VECTOR_BYTES)));
    const long depth = p->channels * p->taps, column = at % p->pitch, width = vectors * LANES;
    const int straight = p->out_column == 1 && column + width <= p->out_columns;
    for (long r = 0; r < rows; r += TILE_ROWS, left += TILE_ROWS * depth) {
        const long now = least(TILE_ROWS, rows - r);
        if (straight) {
            float *to = out + at / p->pitch * p->out_row + column;
            tile(now, vectors, left, depth, operand, at, to, p->out_plane, 0, p->after,
                 first + r);
        } else {
            tile(now, vectors, left, depth, operand, at, buffer, TILE_WIDTH, 0, p->after,
                 first + r);
            scatter(p, buffer, out, now, at, width);
        }
        out += TILE_ROWS * p->out_plane;
    }
}

static void multiply_in_place(const conv_product *p, long begin, long end) {
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
        multiply_tile(p, p->left + row * p->channels * p->taps, row, rows, &operand, at, vectors,
                      p->out + (sample * p->groups * p->rows + row) * p->out_plane);
    }
}

/* held is -1 at first for each thread and its scratch, for the calls with one product. */
static void direct_multiply(const conv_product *p, float *scratch, long *held, long begin,
                            long end) {
    if (gathers(p)) multiply_gathered(p, scratch, held, begin, end);
    else multiply_in_place(p, begin, end);
}

/* Images of one pixel: a product of matrices, whose second operand is read where it lies. */
static void direct_dots(const float *w, const float *x, const conv_after *after, float *y, long n,
                        long c, long o, long begin, long end) {
    const gemm_view weights = {w + begin * c, 1, c};
    for (long s = 0; s < n; s += GEMM_DOTS)
        KERNEL(gemm_dots)(least(n - s, GEMM_DOTS), end - begin, c, (gemm_view){x + s * c, c, 1},
                          weights, (gemm_target){y + s * o + begin, o, 1}, 0);
    for (long s = 0; after && s < n; s++)
        for (long row = begin; row < end; row++)
            y[s * o + row] = number_after(after, row, y[s * o + row]);
}

const conv_direct_kernels KERNEL(conv_direct) = {conv_plan, conv_offsets, conv_fill,
                                                 direct_units, direct_scratch, direct_multiply,
                                                 direct_dots};
