/* Recurrent layers: all steps of one layer in one direction, forward.

   The weights of the state are packed once, the panels of all gates of some units next to each
   other. A step multiplies a few rows of the state with them, and while the sums of a block of
   units are in the first-level cache, makes the gates of them and the next state. Rows of the batch
   do not depend on each other: threads have rows of their own, and never wait for each other.

   Sources: Elman 1990; Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000;
   Cho et al. 2014, in the form where the reset gate multiplies after the product. */
#include "recurrent_back.h"
#include "recurrent_cells.h"
#include "recurrent_panels.h"

static long forward_units(const recurrent_shape *shape) {
    return (shape->size + GEMM_COLUMNS - 1) / GEMM_COLUMNS;
}
static long forward_floats(const recurrent_shape *shape) {
    return forward_units(shape) * gates_of(shape->kind) * shape->size * GEMM_COLUMNS;
}
static void pack_forward(const recurrent_shape *shape, const float *w, float *packed, long begin,
                         long end) {
    const long size = shape->size, gates = gates_of(shape->kind);
    for (long unit = begin; unit < end; unit++)
        for (long q = 0; q < gates; q++) {
            const long j = unit * GEMM_COLUMNS;
            KERNEL(gemm_pack)(packed + (unit * gates + q) * size * GEMM_COLUMNS, GEMM_COLUMNS,
                              smaller(size - j, GEMM_COLUMNS), size, w + (q * size + j) * size,
                              size, 1);
        }
}

static long work_floats(const recurrent_shape *shape, long rows) {
    const long gates = gates_of(shape->kind);
    return tile_floats(rows, gates * shape->size) + rows * gates * shape->size + LANES;
}

/* Some units of one row at one step. Gates of `products` and of `gates` are so many numbers apart. */
typedef struct {
    const float *products, *gates;
    long products_step, gates_step;
    const float *h, *c, *bias; /* before the step */
    float *new_h, *new_c;
    long count;
} cells;

#define PRODUCT(q) load_some(a->products + (q) * a->products_step + j, left, 0)
#define GATE(q) load_some(a->gates + (q) * a->gates_step + j, left, 0)

static void simple_cells(const cells *a, int relu) {
    for (long j = 0; j < a->count; j += LANES) {
        const long left = a->count - j;
        const vfloat x = PRODUCT(0) + GATE(0);
        store_some(a->new_h + j, relu ? vmax(splat(0), x) : tanh_of(x), left);
    }
}

static void lstm_cells(const cells *a) {
    for (long j = 0; j < a->count; j += LANES) {
        const long left = a->count - j;
        const vfloat i = PRODUCT(0) + GATE(0), f = PRODUCT(1) + GATE(1);
        const vfloat g = PRODUCT(2) + GATE(2), o = PRODUCT(3) + GATE(3);
        const vfloat c = lstm_cell(i, f, g, load_some(a->c + j, left, 0));
        store_some(a->new_c + j, c, left);
        store_some(a->new_h + j, lstm_state(o, c), left);
    }
}

static void gru_cells(const cells *a) {
    for (long j = 0; j < a->count; j += LANES) {
        const long left = a->count - j;
        const vfloat inner = PRODUCT(2) + load_some(a->bias + j, left, 0);
        const vfloat r = PRODUCT(0) + GATE(0), z = PRODUCT(1) + GATE(1);
        const vfloat h = gru_state(r, z, GATE(2), inner, load_some(a->h + j, left, 0));
        store_some(a->new_h + j, h, left);
    }
}

static void make_cells(recurrent_kind kind, const cells *a) {
    if (kind == RECURRENT_LSTM) lstm_cells(a);
    else if (kind == RECURRENT_GRU) gru_cells(a);
    else simple_cells(a, kind == RECURRENT_RELU);
}

/* Units [j, j + count) of a row of the batch at step t. */
static cells cells_at(const recurrent_shape *shape, const recurrent_run *run, long t, long row,
                      long j, long count, const float *products, long products_step) {
    const long size = shape->size, layer = shape->batch * size, at = row * size + j;
    const long now = t * layer + at, before = now - layer, gates = gates_of(shape->kind);
    const float *own = run->gates + (t * shape->batch + row) * gates * size + j;
    const int lstm = shape->kind == RECURRENT_LSTM;
    return (cells){products, own, products_step, size,
                   t ? run->states + before : run->h0 + at,
                   !lstm ? 0 : t ? run->cells + before : run->c0 + at,
                   run->bias ? run->bias + j : 0,
                   run->states + now, lstm ? run->cells + now : 0, count};
}

/* Asks for a gate of a block of units in some rows, which comes from memory while the product is
   computed. */
static void prefetch_gate(const recurrent_shape *shape, const float *gate, long rows) {
    const long step = gates_of(shape->kind) * shape->size;
    for (long i = 0; i < rows; i++)
        for (int v = 0; v < GEMM_VECTORS; v++) __builtin_prefetch(gate + i * step + v * LANES);
}

/* One step where w is packed. */
static void packed_step(const recurrent_shape *shape, const recurrent_run *run, long t, long begin,
                        const row_tiles *tiles) {
    const long size = shape->size, gates = gates_of(shape->kind);
    const float *h = (t ? run->states + (t - 1) * shape->batch * size : run->h0) + begin * size;
    pack_rows_of(tiles, h, size);
    for (long j = 0; j < size; j += GEMM_COLUMNS)
        for (long i = 0; i < tiles->rows; i += tiles->height) {
            const long stop = smaller(tiles->rows, i + tiles->height);
            const float *own = run->gates + ((t * shape->batch) + begin + i) * gates * size + j;
            if (stop - i <= FEW_ROWS)
                multiply_tile(tiles, i, h, size, 0, gates, run->packed + j * gates * size);
            for (long q = 0; stop - i > FEW_ROWS && q < gates; q++) {
                prefetch_gate(shape, own + q * size, stop - i);
                multiply_tile(tiles, i, h, size, q, 1, run->packed + (j * gates + q * GEMM_COLUMNS) * size);
            }
            for (long row = i; row < stop; row++) {
                const float *products = tiles->out + (row - i) * MOST_GATES * GEMM_COLUMNS;
                const cells a = cells_at(shape, run, t, begin + row, j,
                                         smaller(size - j, GEMM_COLUMNS), products, GEMM_COLUMNS);
                make_cells(shape->kind, &a);
            }
        }
}

/* One step of few rows with w as it is: for so few steps that packing would cost more. */
static void direct_step(const recurrent_shape *shape, const recurrent_run *run, long t, long begin,
                        long rows, float *products) {
    const long size = shape->size, wide = gates_of(shape->kind) * size;
    const float *h = (t ? run->states + (t - 1) * shape->batch * size : run->h0) + begin * size;
    for (long i = 0; i < rows; i += GEMM_DOTS)
        KERNEL(gemm_dots)(smaller(rows - i, GEMM_DOTS), wide, size,
                          (gemm_view){h + i * size, size, 1}, (gemm_view){run->w, 1, size},
                          (gemm_target){products + i * wide, wide, 1}, 0);
    for (long row = 0; row < rows; row++) {
        const cells a =
            cells_at(shape, run, t, begin + row, 0, size, products + row * wide, size);
        make_cells(shape->kind, &a);
    }
}

static void forward(const recurrent_shape *shape, const recurrent_run *run, long begin, long end,
                    float *work) {
    const row_tiles tiles = tiles_of(end - begin, shape->size, work);
    for (long t = 0; t < shape->steps; t++)
        if (run->packed) packed_step(shape, run, t, begin, &tiles);
        else direct_step(shape, run, t, begin, end - begin, work);
}

/* The plain twin; products: a row of numbers to work in. */
__attribute__((unused)) static void forward_plain(const recurrent_shape *shape,
                                                  const recurrent_run *run, double *products) {
    const long size = shape->size, layer = shape->batch * size, g = gates_of(shape->kind);
    for (long at = 0; at < shape->steps * layer; at += size) {
        const float *h = at < layer ? run->h0 + at : run->states + at - layer, *x = run->gates + at * g;
        plain_products(h, run->w, size, g * size, products);
        for (long j = 0; j < size; j++) {
            const double *p = products + j;
            float *y = run->states + at + j;
            if (shape->kind == RECURRENT_TANH) *y = (float)__builtin_tanh(p[0] + x[j]);
            if (shape->kind == RECURRENT_RELU) *y = (float)(p[0] + x[j] < 0 ? 0 : p[0] + x[j]);
            if (shape->kind == RECURRENT_GRU) {
                const double r = plain_sigmoid(p[0] + x[j]), z = plain_sigmoid(p[size] + x[size + j]);
                const double m = __builtin_tanh(x[2 * size + j] + r * (p[2 * size] + run->bias[j]));
                *y = (float)(m + z * (h[j] - m));
            }
            if (shape->kind != RECURRENT_LSTM) continue;
            const float before = at < layer ? run->c0[at + j] : run->cells[at - layer + j];
            const double i = plain_sigmoid(p[0] + x[j]), f = plain_sigmoid(p[size] + x[size + j]);
            const double c = __builtin_tanh(p[2 * size] + x[2 * size + j]) * i + f * before;
            run->cells[at + j] = (float)c;
            *y = (float)(plain_sigmoid(p[3 * size] + x[3 * size + j]) * __builtin_tanh(c));
        }
    }
}

const recurrent_kernels KERNEL(recurrent) = {
    forward_units, KERNEL(recurrent_backward_units),
    forward_floats, KERNEL(recurrent_backward_floats),
    pack_forward, KERNEL(recurrent_pack_backward),
    work_floats, forward, KERNEL(recurrent_backward),
};
