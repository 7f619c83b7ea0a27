// Recurrent layers over time.
#include "kernels/recurrent.h"

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter rnn_taken("rnn"), lstm_taken("lstm"), gru_taken("gru");
Counter rnn_grad_taken("rnn_grad"), lstm_grad_taken("lstm_grad"), gru_grad_taken("gru_grad");

constexpr long DIRECT = 8;    // steps times rows, up to which packing w costs more than it saves
constexpr long FEWEST = 4;    // rows of a piece: fewer take as long
constexpr long TILE = 14;     // rows of a piece where its weights stay in the second-level cache
constexpr long KEPT = 3L << 17; // floats of such weights
constexpr long LINE = 16;     // floats in a cache line

bool is(const Array &x, std::initializer_list<long> shape) {
    return x && x.ndim() == static_cast<int>(shape.size()) &&
           std::equal(shape.begin(), shape.end(), x.shape());
}

long gates_of(recurrent_kind kind) {
    return kind == RECURRENT_LSTM ? 4 : kind == RECURRENT_GRU ? 3 : 1;
}

// The shape of a layer from its gates (t, n, g size), weights and first state; size 0 if they do
// not fit, or are too few to bother.
recurrent_shape shape_of(recurrent_kind kind, const Array &gates, const Array &w, const Array &h0) {
    const recurrent_shape none{kind, 0, 0, 0};
    if (!gates || gates.ndim() != 3 || gates.size() == 0) return none;
    const long size = gates.shape(2) / gates_of(kind);
    const recurrent_shape found{kind, gates.shape(0), gates.shape(1), size};
    return is(w, {gates.shape(2), size}) && is(h0, {found.batch, size}) ? found : none;
}

long up(long count) { return (count + LINE - 1) / LINE * LINE; }

// How to split the batch. Weights that stay in the cache are walked once for each tile of rows and
// step, and others once for all rows of a thread.
long pieces_of(long batch, long packed_floats, long threads) {
    const long even = std::clamp(batch / FEWEST, 1L, threads);
    if (packed_floats > KEPT) return even;
    const long tiles = (batch + TILE - 1) / TILE;
    return std::clamp((tiles + threads - 1) / threads * threads, even,
                      std::max(even, batch / FEWEST));
}

// Runs body(begin, end, work) over the rows of the batch, with the panels of w before in `packed`.
template <class Pack, class Body>
void over_rows(const recurrent_shape &shape, long packed_floats, long units, Pack &&pack,
               Body &&body) {
    const auto &kernels = TRIPTYCH_PICK(recurrent);
    const int threads = num_threads();
    const long pieces = pieces_of(shape.batch, packed_floats, threads);
    const long room = up(kernels.work_floats(&shape, (shape.batch + pieces - 1) / pieces));
    const long panels = up(packed_floats);
    float *const memory = scratch_floats(panels + threads * room);
    const Unlocked unlocked(shape.steps * shape.batch * shape.size * 16);
    if (panels) {
        const long parts = packed_floats < 4 * SMALL ? 1 : std::min<long>(units, 2 * threads);
        run_pieces(
            parts,
            [&](long part, int) {
                pack(memory, units * part / parts, units * (part + 1) / parts);
            },
            threads);
    }
    run_pieces(
        pieces,
        [&](long piece, int worker) {
            body(shape.batch * piece / pieces, shape.batch * (piece + 1) / pieces, memory,
                 memory + panels + worker * room);
        },
        threads);
}

void run_forward(const recurrent_shape &shape, recurrent_run run) {
    const auto &kernels = TRIPTYCH_PICK(recurrent);
    const bool direct = shape.steps * shape.batch <= DIRECT;
    over_rows(
        shape, direct ? 0 : kernels.forward_floats(&shape), kernels.forward_units(&shape),
        [&](float *packed, long begin, long end) {
            kernels.pack_forward(&shape, run.w, packed, begin, end);
        },
        [&](long begin, long end, const float *packed, float *work) {
            recurrent_run own = run;
            own.packed = direct ? nullptr : packed;
            kernels.forward(&shape, &own, begin, end, work);
        });
}

void run_backward(const recurrent_shape &shape, const float *w, recurrent_back run) {
    const auto &kernels = TRIPTYCH_PICK(recurrent);
    over_rows(
        shape, kernels.backward_floats(&shape), kernels.backward_units(&shape),
        [&](float *packed, long begin, long end) {
            kernels.pack_backward(&shape, w, packed, begin, end);
        },
        [&](long begin, long end, const float *packed, float *work) {
            recurrent_back own = run;
            own.packed = packed;
            kernels.backward(&shape, &own, begin, end, work);
        });
}

Result sequence(const recurrent_shape &shape) {
    return Result({shape.steps, shape.batch, shape.size});
}
// A copy of the last step.
Result last_of(const recurrent_shape &shape, const Result &states) {
    const Result last({shape.batch, shape.size});
    const float *end = states.data() + states.array.size();
    std::copy(end - last.array.size(), end, last.data());
    return last;
}
Result copy_of(const Array &x) {
    Result made = Result::like(x);
    std::copy_n(x.data(), x.size(), made.data());
    return made;
}
Result zeros_like(const Array &x) {
    Result made = Result::like(x);
    std::fill_n(made.data(), x.size(), 0.0f);
    return made;
}

nb::object rnn(nb::handle pre, nb::handle weight, nb::handle start, bool relu) {
    const Array gates = Array::packed(pre), w = Array::packed(weight), h0 = Array::packed(start);
    const recurrent_shape shape =
        shape_of(relu ? RECURRENT_RELU : RECURRENT_TANH, gates, w, h0);
    if (!shape.size) return not_implemented();
    rnn_taken++;
    const Result states = sequence(shape);
    recurrent_run run{};
    run.gates = gates.data(); run.w = w.data(); run.h0 = h0.data(); run.states = states.data();
    run_forward(shape, run);
    return nb::make_tuple(states.object, last_of(shape, states).object);
}

nb::object lstm(nb::handle pre, nb::handle weight, nb::handle start, nb::handle memory) {
    const Array gates = Array::packed(pre), w = Array::packed(weight), h0 = Array::packed(start),
                c0 = Array::packed(memory);
    const recurrent_shape shape = shape_of(RECURRENT_LSTM, gates, w, h0);
    if (!shape.size || !c0 || !c0.same_shape(h0)) return not_implemented();
    lstm_taken++;
    const Result states = sequence(shape), cells = sequence(shape);
    recurrent_run run{};
    run.gates = gates.data(); run.w = w.data(); run.h0 = h0.data(); run.c0 = c0.data();
    run.states = states.data(); run.cells = cells.data();
    run_forward(shape, run);
    return nb::make_tuple(states.object, cells.object);
}

nb::object gru(nb::handle pre, nb::handle weight, nb::handle start, nb::handle inner) {
    const Array gates = Array::packed(pre), w = Array::packed(weight), h0 = Array::packed(start),
                bias = Array::packed(inner);
    const recurrent_shape shape = shape_of(RECURRENT_GRU, gates, w, h0);
    if (!shape.size || !is(bias, {shape.size})) return not_implemented();
    gru_taken++;
    const Result states = sequence(shape);
    recurrent_run run{};
    run.gates = gates.data(); run.w = w.data(); run.h0 = h0.data(); run.bias = bias.data();
    run.states = states.data();
    run_forward(shape, run);
    return nb::make_tuple(states.object, last_of(shape, states).object);
}

nb::object rnn_grad(nb::handle g, nb::handle g_last, nb::handle weight, nb::handle y, bool relu) {
    const Array of_states = Array::packed(g), of_last = Array::packed(g_last),
                w = Array::packed(weight), states = Array::packed(y);
    const recurrent_shape shape =
        shape_of(relu ? RECURRENT_RELU : RECURRENT_TANH, states, w, of_last);
    if (!shape.size || !of_states || !of_states.same_shape(states)) return not_implemented();
    rnn_grad_taken++;
    const Result dh = copy_of(of_last), pre = sequence(shape);
    recurrent_back run{};
    run.of_states = of_states.data(); run.states = states.data(); run.products = pre.data();
    run.dh = dh.data();
    run_backward(shape, w.data(), run);
    return nb::make_tuple(pre.object, dh.object);
}

// products: w times the state before each step; the result takes its memory.
nb::object lstm_grad(nb::handle g, nb::handle gc, nb::handle pre, nb::handle weight,
                     nb::handle start, nb::handle memory, nb::handle y, nb::handle c,
                     nb::object products) {
    const Array of_states = Array::packed(g), of_cells = Array::packed(gc),
                gates = Array::packed(pre), w = Array::packed(weight), h0 = Array::packed(start),
                c0 = Array::packed(memory), states = Array::packed(y), cells = Array::packed(c),
                wide = Array::packed(products);
    const recurrent_shape shape = shape_of(RECURRENT_LSTM, gates, w, h0);
    if (!shape.size || !c0 || !c0.same_shape(h0) || !wide || !wide.same_shape(gates))
        return not_implemented();
    for (const Array &x : {of_states, of_cells, states, cells})
        if (!is(x, {shape.steps, shape.batch, shape.size})) return not_implemented();
    lstm_grad_taken++;
    const Result dh = zeros_like(h0), dc = zeros_like(h0);
    recurrent_back run{};
    run.of_states = of_states.data(); run.of_cells = of_cells.data(); run.gates = gates.data();
    run.h0 = h0.data(); run.c0 = c0.data(); run.states = states.data(); run.cells = cells.data();
    run.products = wide.data(); run.dh = dh.data(); run.dc = dc.data();
    run_backward(shape, w.data(), run);
    return nb::make_tuple(products, dh.object, dc.object);
}

nb::object gru_grad(nb::handle g, nb::handle g_last, nb::handle pre, nb::handle weight,
                    nb::handle start, nb::handle inner, nb::handle y, nb::object products) {
    const Array of_states = Array::packed(g), of_last = Array::packed(g_last),
                gates = Array::packed(pre), w = Array::packed(weight), h0 = Array::packed(start),
                bias = Array::packed(inner), states = Array::packed(y),
                wide = Array::packed(products);
    const recurrent_shape shape = shape_of(RECURRENT_GRU, gates, w, h0);
    if (!shape.size || !is(bias, {shape.size}) || !of_last || !of_last.same_shape(h0) || !wide ||
        !wide.same_shape(gates))
        return not_implemented();
    for (const Array &x : {of_states, states})
        if (!is(x, {shape.steps, shape.batch, shape.size})) return not_implemented();
    gru_grad_taken++;
    const Result dh = copy_of(of_last), of_gates = Result::like(gates);
    recurrent_back run{};
    run.of_states = of_states.data(); run.gates = gates.data(); run.h0 = h0.data();
    run.bias = bias.data(); run.states = states.data(); run.products = wide.data();
    run.of_gates = of_gates.data(); run.dh = dh.data();
    run_backward(shape, w.data(), run);
    return nb::make_tuple(of_gates.object, products, dh.object);
}

const Family family([](nb::module_ &m) {
    using nb::arg;
    m.def("rnn", &rnn, arg("gates"), arg("w"), arg("h0"), nb::kw_only(), arg("relu"));
    m.def("lstm", &lstm, arg("gates"), arg("w"), arg("h0"), arg("c0"));
    m.def("gru", &gru, arg("gates"), arg("w"), arg("h0"), arg("bias"));
    m.def("rnn_grad", &rnn_grad, arg("of_states"), arg("of_last"), arg("w"), arg("states"),
          nb::kw_only(), arg("relu"));
    m.def("lstm_grad", &lstm_grad, arg("of_states"), arg("of_cells"), arg("gates"), arg("w"),
          arg("h0"), arg("c0"), arg("states"), arg("cells"), arg("products"));
    m.def("gru_grad", &gru_grad, arg("of_states"), arg("of_last"), arg("gates"), arg("w"),
          arg("h0"), arg("bias"), arg("states"), arg("products"));
});

} // namespace
} // namespace triptych
