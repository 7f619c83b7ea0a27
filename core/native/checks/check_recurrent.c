#include "check.h"

#include "../kernels/gemm_small.c"
#include "../kernels/gemm.c"

#include "../kernels/recurrent_back.c"
#undef GATE
#undef PRODUCT
#include "../kernels/recurrent.c"

static float *lined(long count) { /* on a border of a cache line; whole lines are used */
    return guarded_floats(up(count, 16), 1);
}

static void check_forward(const recurrent_shape *s, recurrent_run run, long states, int direct) {
    float *packed = lined(forward_floats(s));
    const long units = forward_units(s), middle = random_between(0, s->batch);
    pack_forward(s, run.w, packed, 0, units / 2);
    pack_forward(s, run.w, packed, units / 2, units);
    run.packed = direct ? 0 : packed;
    forward(s, &run, 0, middle, lined(work_floats(s, middle)));
    forward(s, &run, middle, s->batch, lined(work_floats(s, s->batch - middle)));
    recurrent_run want = run;
    want.states = guarded_floats(states, 0), want.cells = guarded_floats(states, 0);
    forward_plain(s, &want, guarded(gates_of(s->kind) * s->size, sizeof(double)));
    const int relu = s->kind == RECURRENT_RELU;
    check_close("states", run.states, want.states, states, relu ? 1e-4f : 0, relu ? 1e-4f : 1e-5f);
    if (run.cells) check_close("cells", run.cells, want.cells, states, 1e-5f, 1e-5f);
}

static void check_backward(const recurrent_shape *s, const recurrent_run *run, long states) {
    const long row = s->batch * s->size, g = gates_of(s->kind);
    const int lstm = s->kind == RECURRENT_LSTM, gru = s->kind == RECURRENT_GRU;
    recurrent_back got = {.gates = lstm || gru ? run->gates : 0,
                          .h0 = run->h0, .c0 = run->c0, .bias = run->bias,
                          .states = run->states, .cells = run->cells};
    got.of_states = guarded_floats(states, 1), got.of_cells = guarded_floats(states, 1);
    got.products = guarded_floats(g * states, 1), got.of_gates = guarded_floats(gru ? g * states : 0, 1);
    got.dh = guarded_floats(row, 1), got.dc = guarded_floats(row, 1);
    recurrent_back want = got;
    want.products = guarded_floats(g * states, 0), want.of_gates = guarded_floats(gru ? g * states : 0, 0);
    want.dh = guarded_floats(row, 0), want.dc = guarded_floats(row, 0);
    memcpy(want.products, got.products, (size_t)(g * states) * sizeof(float));
    memcpy(want.dh, got.dh, (size_t)row * sizeof(float));
    memcpy(want.dc, got.dc, (size_t)row * sizeof(float));
    const long units = KERNEL(recurrent_backward_units)(s), middle = random_between(0, s->batch);
    float *packed = lined(KERNEL(recurrent_backward_floats)(s));
    KERNEL(recurrent_pack_backward)(s, run->w, packed, 0, units / 2);
    KERNEL(recurrent_pack_backward)(s, run->w, packed, units / 2, units);
    got.packed = packed;
    KERNEL(recurrent_backward)(s, &got, 0, middle, lined(work_floats(s, middle)));
    KERNEL(recurrent_backward)(s, &got, middle, s->batch, lined(work_floats(s, s->batch - middle)));
    backward_plain(s, &want, run->w);
    check_close("products", got.products, want.products, g * states, 1e-4f, 1e-4f);
    check_close("dh", got.dh, want.dh, row, 1e-4f, 1e-4f);
    if (gru) check_close("of_gates", got.of_gates, want.of_gates, g * states, 1e-4f, 1e-4f);
    if (lstm) check_close("dc", got.dc, want.dc, row, 1e-4f, 1e-4f);
}

static void one(int round) {
    const recurrent_kind kind = (recurrent_kind)(round % 4);
    const recurrent_shape s = {kind, random_between(1, 6), random_size(round % 8 < 4 ? 5 : 40),
                               random_between(1, round % 3 ? 40 : 150)};
    const long g = gates_of(kind), row = s.batch * s.size, states = s.steps * row;
    recurrent_run run = {.gates = guarded_floats(g * states, 2)};
    run.w = guarded_floats(g * s.size * s.size, 1.5f / sqrtf((float)s.size));
    run.h0 = guarded_floats(row, 1), run.c0 = guarded_floats(row, 2);
    run.bias = guarded_floats(s.size, 1), run.states = guarded_floats(states, 1);
    run.cells = kind == RECURRENT_LSTM ? guarded_floats(states, 1) : 0;
    check_forward(&s, run, states, round / 4 % 3 == 0);
    check_backward(&s, &run, states);
    check_done();
}

int main(void) {
    for (int round = 0; round < 400; round++) one(round);
    puts("recurrent: 400 layers");
    return 0;
}
