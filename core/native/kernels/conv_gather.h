/* The right operand of a convolution put together for a panel of TILE_WIDTH positions: for each
   channel and tap (a term) a row of what the positions see. Positions are those of the outputs of
   all samples, one after the other, so no lane is spent on what lies between rows. */
#ifndef TRIPTYCH_CONV_GATHER_H
#define TRIPTYCH_CONV_GATHER_H

#include "conv.h"

#include "conv_layout.h"
#include "conv_tile.h"
#include "conv_transpose.h"

#define REST 4 /* positions after the last whole vector that are computed as dot products */
#define REST_AT_ONCE 2

/* Neighbours in a row of the output: where they are in the right operand of the first channel of
   their group, in the panel, and in the outputs of the first row of the left operand. */
typedef struct {
    long from, to, out, length;
} conv_run;

typedef struct {
    long width, vectors, rest; /* positions, whole vectors to compute, positions beyond these */
    long count;                /* runs */
    int straight;              /* all positions side by side in the output */
    conv_run runs[TILE_WIDTH];
} conv_panel;

INLINE long conv_depth(const conv_product *p) { return p->channels * p->taps; }
INLINE long conv_positions(const conv_product *p) {
    return p->samples * p->out_rows * p->out_columns;
}

/* Floats that a gathered panel takes: its vectors, what stores may write after them, the rest; in
   whole lines of the cache. */
INLINE long conv_panel_floats(const conv_product *p) {
    return (conv_depth(p) * (TILE_WIDTH + REST) + LANES + 15) / 16 * 16;
}

static void conv_find_panel(const conv_product *p, long group, long first, conv_panel *panel) {
    const long image = p->out_rows * p->out_columns, all = p->groups * p->channels * p->plane;
    const long sample_step = p->groups * p->rows * p->out_plane;
    panel->width = least(TILE_WIDTH, conv_positions(p) - first);
    panel->rest = panel->width % LANES;
    if (panel->rest > REST || conv_depth(p) < 4 * LANES) panel->rest = 0;
    panel->vectors = (panel->width - panel->rest + LANES - 1) / LANES;
    panel->count = 0;
    for (long done = 0; done < panel->width; panel->count++) {
        const long sample = (first + done) / image, at = (first + done) % image;
        const long row = at / p->out_columns, column = at % p->out_columns;
        conv_run *run = &panel->runs[panel->count];
        run->to = done;
        run->from = sample * all + group * p->channels * p->plane + row * p->pitch + column;
        run->out = sample * sample_step + group * p->rows * p->out_plane + row * p->out_row +
                   column * p->out_column;
        run->length = least(p->out_columns - column, panel->width - done);
        done += run->length;
    }
    const conv_run *end = &panel->runs[panel->count - 1];
    panel->straight = p->out_column == 1 && end->out - panel->runs[0].out == end->to;
}

/* Whole vectors are read up to `end`, and stored over what comes next, which is written later. */
INLINE void gather_term(const conv_panel *panel, const float *right, const float *end, float *to) {
    for (long r = 0; r < panel->count; r++) {
        const conv_run *run = &panel->runs[r];
        const float *from = right + run->from;
        for (long i = 0; i < run->length; i += LANES) {
            const long there = end - (from + i);
            store(to + run->to + i, there >= LANES ? load(from + i)
                                                   : load_part(from + i, most(0, there), 0));
        }
    }
}

/* panel[term][vectors * LANES], and rest[position][term] after that. */
static void conv_gather_panel(const conv_product *p, const conv_panel *panel, float *to) {
    const long step = panel->vectors * LANES, depth = conv_depth(p);
    const float *right = p->right, *end = right + p->samples * p->groups * p->channels * p->plane;
    float *rest = to + depth * TILE_WIDTH + LANES;
    if (!p->exact) end += TILE_WIDTH;
    const int whole = panel->count == 1 && panel->width == TILE_WIDTH;
    for (long c = 0; c < p->channels; c++, right += p->plane)
        for (long t = 0; t < p->taps; t++, to += step) {
            const float *from = right + p->offsets[t];
            if (whole)
                for (int v = 0; v < TILE_VECTORS; v++)
                    store(to + v * LANES, load(from + panel->runs[0].from + v * LANES));
            else gather_term(panel, from, end, to);
            for (long i = 0; i < panel->rest; i++) {
                const conv_run *run = &panel->runs[panel->count - 1];
                long place = panel->width - panel->rest + i;
                while (run->to > place) run--;
                rest[i * depth + c * p->taps + t] = from[run->from + place - run->to];
            }
        }
}

/* What was computed for a panel, rows `step` apart, goes where it belongs. */
static void conv_scatter_panel(const conv_product *p, const conv_panel *panel, const float *tile,
                               long step, long width, long rows, float *out) {
    for (long r = 0; r < rows; r++, tile += step, out += p->out_plane)
        for (long i = 0; i < panel->count; i++) {
            const conv_run *run = &panel->runs[i];
            const long count = least(run->length, width - run->to);
            float *to = out + run->out;
            if (count <= 0) break;
            if (p->out_column == 1) copy_row(to, tile + run->to, count);
            else
                for (long j = 0; j < count; j++) to[j * p->out_column] = tile[run->to + j];
        }
}

/* to[i] = the sum over lanes of v[i], for LANES vectors. */
INLINE void sums_of_lanes(vfloat v[LANES], float *to) {
    transpose(v);
    for (int step = LANES / 2; step; step /= 2)
        for (int i = 0; i < step; i++) v[i] += v[i + step];
    store(to, v[0]);
}

/* sums[i][r] = sum over terms of left[r][term] * rest[i][term], terms in the lanes. Rows from
   `rows` on are the last one again. */
INLINE void rest_of(const int count, const float *left, long rows, const float *rest, long depth,
                    float sums[REST_AT_ONCE * TILE_ROWS]) {
    vfloat sum[REST_AT_ONCE * TILE_ROWS];
    const float *a[TILE_ROWS];
    for (int r = 0; r < TILE_ROWS; r++) a[r] = left + least(r, rows - 1) * depth;
    for (int i = 0; i < REST_AT_ONCE * TILE_ROWS; i++) sum[i] = splat(0);
    for (long t = 0; t < depth; t += LANES) {
        const long here = depth - t;
        vfloat b[REST_AT_ONCE];
        for (int i = 0; i < count; i++) {
            const float *from = rest + i * depth + t;
            b[i] = here >= LANES ? load(from) : load_part(from, here, 0);
        }
        for (int r = 0; r < TILE_ROWS; r++) {
            const vfloat x = here >= LANES ? load(a[r] + t) : load_part(a[r] + t, here, 0);
            for (int i = 0; i < count; i++) sum[i * TILE_ROWS + r] += x * b[i];
        }
    }
    for (int i = 0; i < REST_AT_ONCE * TILE_ROWS; i += LANES) sums_of_lanes(sum + i, sums + i);
}

static void conv_multiply_rest(const conv_product *p, const conv_panel *panel, long first,
                               long rows, const float *rest, float *out) {
    const long depth = conv_depth(p);
    const float *left = p->left + first * depth;
    for (long i = 0; i < panel->rest; i++) {
        float sums[REST_AT_ONCE * TILE_ROWS];
        const long place = panel->width - panel->rest + i;
        const conv_run *run = &panel->runs[panel->count - 1];
        if (i % REST_AT_ONCE == 0) {
            if (i + 1 == panel->rest) rest_of(1, left, rows, rest + i * depth, depth, sums);
            else rest_of(REST_AT_ONCE, left, rows, rest + i * depth, depth, sums);
        }
        while (run->to > place) run--;
        float *to = out + run->out + (place - run->to) * p->out_column;
        for (long r = 0; r < rows; r++) {
            const float sum = sums[i % REST_AT_ONCE * TILE_ROWS + r];
            to[r * p->out_plane] = p->after ? number_after(p->after, first + r, sum) : sum;
        }
    }
}

/* `rows` rows of the left operand, from `first` on, with a panel that conv_gather_panel wrote; out is
   at the first of the rows, in the group's outputs. */
static void conv_multiply_panel(const conv_product *p, const conv_panel *panel, long first,
                                long rows, const float *gathered, float *out) {
    float buffer[TILE_ROWS * TILE_WIDTH] __attribute__((aligned(VECTOR_BYTES)));
    const long depth = conv_depth(p), step = panel->vectors * LANES, none = 0;
    const float *left = p->left + first * depth;
    const tile_operand right = {gathered, depth, 1, step, &none};
    const int straight = panel->straight && panel->width - panel->rest == step;
    if (straight && step) {
        float *to = out + panel->runs[0].out;
        tile(rows, panel->vectors, left, depth, &right, 0, to, p->out_plane, 0, p->after,
             first);
    } else if (step) {
        tile(rows, panel->vectors, left, depth, &right, 0, buffer, step, 0, p->after, first);
        conv_scatter_panel(p, panel, buffer, step, panel->width - panel->rest, rows, out);
    }
    if (panel->rest)
        conv_multiply_rest(p, panel, first, rows, gathered + depth * TILE_WIDTH + LANES, out);
}

#endif
