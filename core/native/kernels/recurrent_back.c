/* Recurrent layers, backward: from the last step to the first.

   What the state gave to the gates of each step has been multiplied again before, by one product
   over all steps; a step makes its gates from that, writes the gradients of the products in their
   place, and multiplies them with the weights for the gradient of the state before. */
#include "recurrent_back.h"

#include "recurrent_cells.h"
#include "recurrent_panels.h"

long KERNEL(recurrent_backward_units)(const recurrent_shape *shape) {
    return (shape->size + GEMM_COLUMNS - 1) / GEMM_COLUMNS;
}
long KERNEL(recurrent_backward_floats)(const recurrent_shape *shape) {
    return KERNEL(recurrent_backward_units)(shape) * gates_of(shape->kind) * shape->size *
           GEMM_COLUMNS;
}
void KERNEL(recurrent_pack_backward)(const recurrent_shape *shape, const float *w, float *packed,
                                     long begin, long end) {
    const long size = shape->size, wide = gates_of(shape->kind) * size;
    for (long unit = begin; unit < end; unit++) {
        const long j = unit * GEMM_COLUMNS;
        KERNEL(gemm_pack)(packed + unit * wide * GEMM_COLUMNS, GEMM_COLUMNS,
                          smaller(size - j, GEMM_COLUMNS), wide, w + j, 1, size);
    }
}

/* One row at one step; gates are `size` numbers apart. */
typedef struct {
    const float *gates, *h, *c, *bias; /* h and c before the step */
    const float *new_h, *new_c, *of_state, *of_cell;
    float *products, *of_gates, *dh, *dc;
    long size;
} slopes;

#define AT(array) load_some(a->array + j, left, 0)
#define GATE(q) load_some(a->gates + (q) * a->size + j, left, 0)
#define PRODUCT(q) load_some(a->products + (q) * a->size + j, left, 0)
#define STORE(array, q, value) store_some(a->array + (q) * a->size + j, value, left)

static void simple_slopes(const slopes *a, int relu) {
    for (long j = 0; j < a->size; j += LANES) {
        const long left = a->size - j;
        const vfloat g = AT(of_state) + AT(dh), y = AT(new_h);
        /* NaN stays where relu lets it through. */
        const vfloat slope = relu ? choose(y > 0, splat(1), y * 0.0f) : 1.0f - y * y;
        STORE(products, 0, g * slope);
    }
}

static void lstm_slopes(const slopes *a) {
    for (long j = 0; j < a->size; j += LANES) {
        const long left = a->size - j;
        const vfloat i = sigmoid_of(PRODUCT(0) + GATE(0)), f = sigmoid_of(PRODUCT(1) + GATE(1));
        const vfloat g = tanh_of(PRODUCT(2) + GATE(2)), o = sigmoid_of(PRODUCT(3) + GATE(3));
        const vfloat squashed = tanh_of(AT(new_c));
        const vfloat dh = AT(of_state) + AT(dh);
        const vfloat dc = AT(of_cell) + AT(dc) + dh * o * (1.0f - squashed * squashed);
        STORE(products, 0, dc * g * i * (1.0f - i));
        STORE(products, 1, dc * AT(c) * f * (1.0f - f));
        STORE(products, 2, dc * i * (1.0f - g * g));
        STORE(products, 3, dh * squashed * o * (1.0f - o));
        store_some(a->dc + j, dc * f, left);
    }
}

static void gru_slopes(const slopes *a) {
    for (long j = 0; j < a->size; j += LANES) {
        const long left = a->size - j;
        const vfloat r = sigmoid_of(PRODUCT(0) + GATE(0)), z = sigmoid_of(PRODUCT(1) + GATE(1));
        const vfloat inner = PRODUCT(2) + AT(bias), m = tanh_of(GATE(2) + r * inner);
        const vfloat dh = AT(of_state) + AT(dh), dm = dh * (1.0f - z) * (1.0f - m * m);
        const vfloat dr = dm * inner * r * (1.0f - r), dz = dh * (AT(h) - m) * z * (1.0f - z);
        STORE(of_gates, 0, dr), STORE(of_gates, 1, dz), STORE(of_gates, 2, dm);
        STORE(products, 0, dr), STORE(products, 1, dz), STORE(products, 2, dm * r);
        store_some(a->dh + j, dh * z, left);
    }
}

static slopes slopes_at(const recurrent_shape *shape, const recurrent_back *run, long t, long row) {
    const long size = shape->size, wide = gates_of(shape->kind) * size;
    const long at = row * size, now = t * shape->batch * size + at;
    const long before = now - shape->batch * size, gates = (t * shape->batch + row) * wide;
    const int lstm = shape->kind == RECURRENT_LSTM, gru = shape->kind == RECURRENT_GRU;
    return (slopes){
        .gates = run->gates ? run->gates + gates : 0,
        .h = !gru ? 0 : t ? run->states + before : run->h0 + at,
        .c = !lstm ? 0 : t ? run->cells + before : run->c0 + at,
        .bias = run->bias,
        .new_h = run->states + now,
        .new_c = lstm ? run->cells + now : 0,
        .of_state = run->of_states + now,
        .of_cell = lstm ? run->of_cells + now : 0,
        .products = run->products + gates,
        .of_gates = gru ? run->of_gates + gates : 0,
        .dh = run->dh + at,
        .dc = lstm ? run->dc + at : 0,
        .size = size,
    };
}

/* dh = or, for a GRU, += the gradients of the products times w. */
static void carry(const recurrent_shape *shape, const recurrent_back *run, const float *of_products,
                  long begin, const row_tiles *tiles) {
    const long size = shape->size, k = tiles->k, all = KERNEL(recurrent_backward_units)(shape);
    const int add = shape->kind == RECURRENT_GRU;
    pack_rows_of(tiles, of_products, k);
    for (long unit = 0; unit < all; unit += MOST_GATES)
        for (long i = 0; i < tiles->rows; i += tiles->height) {
            const long panels = smaller(all - unit, MOST_GATES), j = unit * GEMM_COLUMNS;
            multiply_tile(tiles, i, of_products, k, 0, panels, run->packed + unit * k * GEMM_COLUMNS);
            const long count = smaller(size - j, MOST_GATES * GEMM_COLUMNS);
            for (long row = i; row < smaller(tiles->rows, i + tiles->height); row++) {
                const float *from = tiles->out + (row - i) * MOST_GATES * GEMM_COLUMNS;
                float *to = run->dh + (begin + row) * size + j;
                for (long l = 0; l < count; l++) to[l] = from[l] + (add ? to[l] : 0);
            }
        }
}

void KERNEL(recurrent_backward)(const recurrent_shape *shape, const recurrent_back *run, long begin,
                                long end, float *work) {
    const long wide = gates_of(shape->kind) * shape->size;
    const row_tiles tiles = tiles_of(end - begin, wide, work);
    for (long t = shape->steps - 1; t >= 0; t--) {
        for (long row = begin; row < end; row++) {
            const slopes a = slopes_at(shape, run, t, row);
            if (shape->kind == RECURRENT_LSTM) lstm_slopes(&a);
            else if (shape->kind == RECURRENT_GRU) gru_slopes(&a);
            else simple_slopes(&a, shape->kind == RECURRENT_RELU);
        }
        carry(shape, run, run->products + (t * shape->batch + begin) * wide, begin, &tiles);
    }
}

/* The plain twin. It reads and writes what the kernel does, without packed weights. */
__attribute__((unused)) static void plain_unit(const recurrent_shape *shape, const recurrent_back *run, long at, long j) {
    const long size = shape->size, layer = shape->batch * size, g = gates_of(shape->kind);
    const float *x = run->gates ? run->gates + at * g + j : 0;
    float *p = run->products + at * g + j, *dh = run->dh + at % layer + j;
    const double y = run->states[at + j], up = (double)run->of_states[at + j] + *dh;
    const double h = at < layer ? run->h0[at + j] : run->states[at - layer + j];
    if (shape->kind == RECURRENT_TANH) p[0] = (float)(up * (1 - y * y));
    if (shape->kind == RECURRENT_RELU) p[0] = (float)(y > 0 ? up : 0);
    if (shape->kind == RECURRENT_LSTM) {
        float *dc = run->dc + at % layer + j;
        const double c = at < layer ? run->c0[at + j] : run->cells[at - layer + j];
        const double i = plain_sigmoid(p[0] + x[0]), f = plain_sigmoid(p[size] + x[size]);
        const double n = __builtin_tanh(p[2 * size] + x[2 * size]);
        const double o = plain_sigmoid(p[3 * size] + x[3 * size]);
        const double s = __builtin_tanh(run->cells[at + j]);
        const double of_c = run->of_cells[at + j] + *dc + up * o * (1 - s * s);
        p[0] = (float)(of_c * n * i * (1 - i)), p[size] = (float)(of_c * c * f * (1 - f));
        p[2 * size] = (float)(of_c * i * (1 - n * n)), p[3 * size] = (float)(up * s * o * (1 - o));
        *dc = (float)(of_c * f);
    }
    if (shape->kind == RECURRENT_GRU) {
        float *own = run->of_gates + at * g + j;
        const double r = plain_sigmoid(p[0] + x[0]), z = plain_sigmoid(p[size] + x[size]);
        const double inner = p[2 * size] + run->bias[j], m = __builtin_tanh(x[2 * size] + r * inner);
        const double of_m = up * (1 - z) * (1 - m * m);
        own[0] = p[0] = (float)(of_m * inner * r * (1 - r));
        own[size] = p[size] = (float)(up * (h - m) * z * (1 - z));
        own[2 * size] = (float)of_m, p[2 * size] = (float)(of_m * r);
        *dh = (float)(up * z);
    }
}

__attribute__((unused)) static void backward_plain(const recurrent_shape *shape,
                                                   const recurrent_back *run, const float *w) {
    const long size = shape->size, layer = shape->batch * size, g = gates_of(shape->kind);
    for (long at = (shape->steps * shape->batch - 1) * size; at >= 0; at -= size) {
        for (long j = 0; j < size; j++) plain_unit(shape, run, at, j);
        for (long j = 0; j < size; j++) {
            float *to = run->dh + at % layer + j;
            double sum = shape->kind == RECURRENT_GRU ? *to : 0;
            for (long q = 0; q < g * size; q++)
                sum += (double)run->products[at * g + q] * w[q * size + j];
            *to = (float)sum;
        }
    }
}
