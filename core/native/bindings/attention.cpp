// Attention and its gradients, a head at a time.
#include "kernels/attention.h"

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

#include <vector>

namespace triptych {
namespace {

Counter attention_taken("attention"), attention_grad_taken("attention_grad");

constexpr long BLOCK = 64; // of queries, which the kernel starts on

const attention_kernels &kernels() { return TRIPTYCH_PICK(attention); }

float *memory(long floats) { return scratch_floats(static_cast<std::size_t>(floats)); }

// A stack of matrices of any strides, with where each one starts.
template <class T = float> struct Stack {
    const T *data = nullptr;
    long row = 0, column = 0;
    std::vector<long> starts{0};

    attention_matrix matrix(long head) const { return {data + starts[head], row, column}; }
};

// value (..., rows, columns) as (lead..., rows, columns), to which it broadcasts.
template <class T>
bool stacked(nb::handle value, int type, const std::vector<npy_intp> &shape, Stack<T> &found) {
    if (!PyArray_CheckExact(value.ptr())) return false;
    auto *a = reinterpret_cast<PyArrayObject *>(value.ptr());
    const int dims = static_cast<int>(shape.size()), missing = dims - PyArray_NDIM(a);
    if (PyArray_TYPE(a) != type || !PyArray_ISALIGNED(a) || !PyArray_ISNOTSWAPPED(a) || missing < 0)
        return false;
    std::vector<long> steps(dims, 0);
    for (int i = missing; i < dims; i++) {
        const npy_intp length = PyArray_DIM(a, i - missing), step = PyArray_STRIDE(a, i - missing);
        if (length == 1 && shape[i] != 1) continue;
        if (length != shape[i] || step % static_cast<npy_intp>(sizeof(T))) return false;
        steps[i] = static_cast<long>(step) / static_cast<long>(sizeof(T));
    }
    found.data = static_cast<const T *>(PyArray_DATA(a));
    found.row = steps[dims - 2], found.column = steps[dims - 1];
    for (int i = 0; i < dims - 2; i++) { // earlier axes are slower
        std::vector<long> longer;
        for (const long start : found.starts)
            for (long j = 0; j < shape[i]; j++) longer.push_back(start + j * steps[i]);
        found.starts.swap(longer);
    }
    return true;
}

struct Heads {
    attention_head shape{};
    std::vector<npy_intp> lead;
    long count = 1;
    Stack<> q, k, v;
    Stack<unsigned char> bytes;
    Stack<> floats;

    std::vector<npy_intp> led(long rows, long columns) const {
        std::vector<npy_intp> found(lead);
        found.push_back(rows);
        found.push_back(columns);
        return found;
    }

    bool read(nb::handle query, nb::handle key, nb::handle value, nb::handle mask, double scale,
              nb::handle causal) {
        for (const nb::handle given : {query, key, value})
            if (!PyArray_CheckExact(given.ptr()) || Array{array(given)}.ndim() < 2 ||
                Array{array(given)}.size() == 0)
                return false;
        const Array first{array(query)}, second{array(key)}, third{array(value)};
        lead.assign(first.shape(), first.shape() + first.ndim() - 2);
        for (const npy_intp length : lead) count *= static_cast<long>(length);
        shape.l = first.shape(-2), shape.e = first.shape(-1);
        shape.s = second.shape(-2), shape.f = third.shape(-1);
        shape.scale = static_cast<float>(scale);
        shape.causal = !causal.is_none();
        if (shape.causal) shape.ahead = nb::cast<long>(causal);
        return third.shape(-2) == shape.s && second.shape(-1) == shape.e &&
               stacked(query, NPY_FLOAT32, led(shape.l, shape.e), q) &&
               stacked(key, NPY_FLOAT32, led(shape.s, shape.e), k) &&
               stacked(value, NPY_FLOAT32, led(shape.s, shape.f), v) && read_mask(mask);
    }

    bool read_mask(nb::handle mask) {
        if (mask.is_none()) return true;
        if (stacked(mask, NPY_BOOL, led(shape.l, shape.s), bytes)) {
            shape.kind = ATTENTION_BYTES;
            shape.mask_row = bytes.row, shape.mask_column = bytes.column;
            return true;
        }
        shape.kind = ATTENTION_FLOATS;
        if (!stacked(mask, NPY_FLOAT32, led(shape.l, shape.s), floats)) return false;
        shape.mask_row = floats.row, shape.mask_column = floats.column;
        return true;
    }

    attention_head head(long number) const {
        attention_head found = shape;
        found.q = q.matrix(number), found.k = k.matrix(number), found.v = v.matrix(number);
        if (shape.kind == ATTENTION_BYTES) found.mask = bytes.data + bytes.starts[number];
        if (shape.kind == ATTENTION_FLOATS) found.mask = floats.data + floats.starts[number];
        return found;
    }

    static PyArrayObject *array(nb::handle value) {
        return reinterpret_cast<PyArrayObject *>(value.ptr());
    }
};

Result empty(const std::vector<npy_intp> &shape) {
    return Result(static_cast<int>(shape.size()), shape.data());
}

// New matrices (lead..., rows, columns), heads in memory as those of `like`: where its heads come
// after its rows, as projections give them, so do these, and joining them copies nothing.
struct HeadResult {
    nb::object object;
    float *data;
    long row, heads = 1, inside, outside; // how far rows, heads and stacks of heads are apart

    HeadResult(const std::vector<npy_intp> &shape, nb::handle like) {
        const int dims = static_cast<int>(shape.size());
        auto *a = reinterpret_cast<PyArrayObject *>(like.ptr());
        const bool swap = dims > 2 && PyArray_STRIDE(a, dims - 3) < PyArray_STRIDE(a, dims - 2);
        std::vector<npy_intp> order(shape);
        if (swap) std::swap(order[dims - 3], order[dims - 2]);
        const Result made = empty(order);
        object = swap ? nb::steal(PyArray_SwapAxes(made.array.object, dims - 3, dims - 2))
                      : made.object;
        if (!object.is_valid()) nb::raise_python_error();
        const long columns = static_cast<long>(shape[dims - 1]);
        const long rows = static_cast<long>(shape[dims - 2]);
        data = made.data();
        if (swap) heads = static_cast<long>(shape[dims - 3]);
        row = heads * columns, inside = columns, outside = heads * rows * columns;
    }

    attention_result head(long number) const {
        return {data + number / heads * outside + number % heads * inside, row};
    }
};

nb::object attention(nb::handle q, nb::handle k, nb::handle v, nb::handle mask, double scale,
                     nb::handle causal) {
    Heads heads;
    if (!heads.read(q, k, v, mask, scale, causal)) return not_implemented();
    attention_taken++;
    const attention_head &shape = heads.shape;
    std::vector<npy_intp> rows = heads.led(shape.l, shape.f);
    const HeadResult out(rows, q);
    rows.pop_back();
    const Result level = empty(rows);
    // Heads are cut only where there are few of them: each part packs the keys for itself.
    const long blocks = (shape.l + BLOCK - 1) / BLOCK, threads = num_threads();
    const long wanted = threads == 1 ? 1 : (4 * threads + heads.count - 1) / heads.count;
    const long cuts = std::max(1L, std::min(blocks, wanted));
    {
        const Unlocked unlocked(heads.count * shape.l * shape.s);
        run_pieces(heads.count * cuts, [&](long piece, int) {
            const long number = piece / cuts, cut = piece % cuts;
            const attention_head head = heads.head(number);
            const long begin = blocks * cut / cuts * BLOCK;
            const long end = std::min(shape.l, blocks * (cut + 1) / cuts * BLOCK);
            kernels().forward(&head, out.head(number), level.data() + number * shape.l, begin, end,
                              memory(kernels().forward_floats(&head)));
        });
    }
    return nb::make_tuple(out.object, level.object);
}

nb::object attention_grad(nb::handle g, nb::handle h, nb::handle q, nb::handle k, nb::handle v,
                          nb::handle out, nb::handle level, nb::handle mask, double scale,
                          nb::handle causal) {
    Heads heads;
    Stack<> of_out, outs;
    const Array of_level = Array::packed(h), levels = Array::packed(level);
    if (!heads.read(q, k, v, mask, scale, causal) || !of_level || !levels) return not_implemented();
    const attention_head &shape = heads.shape;
    const std::vector<npy_intp> whole = heads.led(shape.l, shape.f);
    if (shape.kind == ATTENTION_FLOATS || of_level.size() != heads.count * shape.l ||
        !of_level.same_shape(levels) || !stacked(g, NPY_FLOAT32, whole, of_out) ||
        !stacked(out, NPY_FLOAT32, whole, outs))
        return not_implemented();
    attention_grad_taken++;
    const HeadResult dq(heads.led(shape.l, shape.e), q), dk(heads.led(shape.s, shape.e), k);
    const HeadResult dv(heads.led(shape.s, shape.f), v);
    const Result of_mask(0, nullptr);
    *of_mask.data() = 0;
    {
        const Unlocked unlocked(heads.count * shape.l * shape.s);
        run_pieces(heads.count, [&](long number, int) {
            const attention_head head = heads.head(number);
            kernels().backward(&head, of_out.matrix(number), outs.matrix(number),
                               levels.data() + number * shape.l, of_level.data() + number * shape.l,
                               dq.head(number), dk.head(number), dv.head(number),
                               memory(kernels().backward_floats(&head)));
        });
    }
    return nb::make_tuple(dq.object, dk.object, dv.object, of_mask.object);
}

const Family family([](nb::module_ &m) {
    m.def("attention", &attention, nb::arg("q"), nb::arg("k"), nb::arg("v"), nb::arg("mask").none(),
          nb::arg("scale"), nb::arg("causal").none());
    m.def("attention_grad", &attention_grad, nb::arg("g"), nb::arg("h"), nb::arg("q"), nb::arg("k"),
          nb::arg("v"), nb::arg("out"), nb::arg("level"), nb::arg("mask").none(), nb::arg("scale"),
          nb::arg("causal").none());
});

} // namespace
} // namespace triptych
