// Elementwise operations over packed float32 and halves, and chains of them over float32.
#include "kernels/elementwise.h"

#include "bindings/families.h"
#include "bindings/halves.h"
#include "runtime/scratch.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

namespace triptych {
namespace {

struct Op {
    const char *name, *kinds;
    int arity() const { return static_cast<int>(std::strlen(kinds)) - 1; }
    bool gives_mask() const { return kinds[arity()] == 'm'; }
};
constexpr Op OPS[] = {
#define OP(name, kinds) {#name, kinds},
    ELEMENTWISE_OPS(OP)
#undef OP
};
constexpr int MOST_INPUTS = 3;
constexpr long ONE_FOR_ALL = std::numeric_limits<long>::max(); // inner of a single number

// What NumPy computes faster on one thread: it is left to it unless threads share the work.
constexpr const char *NEED_THREADS[] = {
    "ceil", "eq", "expm1", "floor", "ge", "gt", "isfinite", "isinf", "isnan", "le", "log1p", "lt",
    "ne", "tanh", "trunc"};
bool needs_threads(const char *name) {
    return std::any_of(std::begin(NEED_THREADS), std::end(NEED_THREADS),
                       [&](const char *other) { return !std::strcmp(name, other); });
}

void run(const chain_program &program, long size) {
    const auto &kernels = TRIPTYCH_PICK(elementwise);
    const Unlocked unlocked(size);
    const long tiles = (size + CHAIN_TILE - 1) / CHAIN_TILE;
    parallel(tiles, SMALL / CHAIN_TILE, [&](long begin, long end) {
        const std::size_t registers = program.num_registers;
        float *memory = scratch_floats(registers * CHAIN_TILE);
        kernels.run(&program, begin * CHAIN_TILE, std::min(end * CHAIN_TILE, size), memory);
    });
}

// How an array stretches over a larger shape: its axes longer than one are next to each other.
std::optional<chain_input> stretched(const Array &x, int ndim, const npy_intp *shape) {
    const int lead = ndim - x.ndim();
    if (lead < 0) return {};
    int first = ndim, last = -1;
    for (int i = lead; i < ndim; i++)
        if (x.shape(i - lead) != 1) first = std::min(first, i), last = i;
    chain_input found{CHAIN_SPREAD, x.data(), 1, 1, HALF_NONE};
    if (last < 0) found.inner = ONE_FOR_ALL;
    for (int i = first; i <= last; i++) {
        if (x.shape(i - lead) != shape[i]) return {};
        found.count *= shape[i];
    }
    for (int i = last + 1; i < ndim && last >= 0; i++) found.inner *= shape[i];
    return found;
}

// An input of kind f or m for a result of a shape; a number goes to *number.
std::optional<chain_input> input_of(nb::handle value, char kind, int ndim, const npy_intp *shape,
                                    float *number) {
    if (kind == 'f' && (PyFloat_CheckExact(value.ptr()) || PyLong_CheckExact(value.ptr()))) {
        const double x = PyFloat_AsDouble(value.ptr());
        if (PyErr_Occurred()) return PyErr_Clear(), std::nullopt;
        if (std::isfinite(x) && std::fabs(x) > 3.4e38) return {};
        *number = static_cast<float>(x);
        return chain_input{CHAIN_SPREAD, number, ONE_FOR_ALL, 1, HALF_NONE};
    }
    const Array x = Array::packed(value, kind == 'f' ? NPY_FLOAT32 : NPY_BOOL);
    if (!x) return {};
    if (x.ndim() == ndim && std::equal(shape, shape + ndim, x.shape()))
        return chain_input{kind == 'f' ? CHAIN_FULL : CHAIN_MASK, x.data<void>(), 0, 0,
                           HALF_NONE};
    return kind == 'f' ? stretched(x, ndim, shape) : std::nullopt;
}

// The same beside halves: what stretches is converted, to *memory, and a number rounded.
std::optional<chain_input> half_input(nb::handle value, half_kind half, const Array &result,
                                      std::vector<float> *memory) {
    if (is_number(value)) {
        memory->assign(1, rounded_number(value, half));
        return chain_input{CHAIN_SPREAD, memory->data(), ONE_FOR_ALL, 1, HALF_NONE};
    }
    const Array x = Array::packed(value, type_of(half));
    if (!x) return {};
    if (x.same_shape(result)) return chain_input{CHAIN_FULL, x.data<void>(), 0, 0, half};
    auto found = stretched(x, result.ndim(), result.shape());
    if (!found) return {};
    memory->resize(found->count);
    TRIPTYCH_PICK(half).widen(half, x.data<uint16_t>(), memory->data(), found->count);
    found->data = memory->data();
    return found;
}

// Whether writing to `memory` would change what is still to be read from x.
bool disturbed(const chain_input &x, const Array &memory) {
    if (x.source == CHAIN_FULL && x.data == memory.data<void>()) return false;
    const auto *first = memory.data<const char>(), *data = static_cast<const char *>(x.data);
    const long each = x.half ? 2 : 4, size = memory.size() * PyArray_ITEMSIZE(memory.object);
    const long bytes = (x.source == CHAIN_SPREAD ? x.count : memory.size()) * each;
    return data < first + size && first < data + bytes;
}

// The kind of the inputs that are not masks; refusing where they differ is half_input's part.
template <std::size_t N>
half_kind half_of(const Op &of, const std::array<nb::handle, N> &values) {
    const half_kind first = of.kinds[0] == 'f' ? kind_of(values[0]) : HALF_NONE;
    return first ? first : kind_of(values[N - 1]);
}

// Of two inputs the larger, which has the shape of the result; the first of all else.
template <std::size_t N> Array largest(const Op &of, const std::array<nb::handle, N> &values) {
    const int type = type_of(half_of<N>(of, values));
    const Array a = Array::packed(values[0], of.kinds[0] == 'f' ? type : NPY_BOOL);
    if (N != 2 || of.kinds[0] != 'f') return a;
    const Array b = Array::packed(values[N - 1], type);
    return b && (!a || b.size() > a.size()) ? b : a;
}

// One operation; the result goes into the memory of the first input if in_place.
template <std::size_t N>
nb::object apply(int op, Counter &taken, const std::array<nb::handle, N> &values, bool in_place) {
    const Op &of = OPS[op];
    const half_kind half = half_of<N>(of, values);
    const Array first = in_place ? Array::packed(values[0], type_of(half)) : largest<N>(of, values);
    if (!first || first.size() == 0) return not_implemented();
    chain_input inputs[MOST_INPUTS];
    float numbers[MOST_INPUTS];
    std::vector<float> widened[MOST_INPUTS];
    for (std::size_t i = 0; i < N; i++) {
        const auto found =
            half && of.kinds[i] == 'f'
                ? half_input(values[i], half, first, &widened[i])
                : input_of(values[i], of.kinds[i], first.ndim(), first.shape(), &numbers[i]);
        if (!found || (in_place && disturbed(*found, first))) return not_implemented();
        inputs[i] = *found;
    }
    nb::object object = nb::borrow(values[0]);
    if (in_place && !PyArray_ISWRITEABLE(first.object)) return not_implemented();
    if (!in_place) object = Result::like(first, of.gives_mask() ? NPY_BOOL : type_of(half)).object;
    taken++;
    auto *made = reinterpret_cast<PyArrayObject *>(object.ptr());
    const chain_output output{PyArray_DATA(made), of.gives_mask(),
                              of.gives_mask() ? HALF_NONE : half};
    const unsigned char y = N;
    const chain_step step{static_cast<unsigned char>(op), y, 0, N > 1 ? 1 : 0, N > 2 ? 2 : 0};
    run({N, 1, 1, N + 1, inputs, &output, &step}, first.size());
    return object;
}

// A captured group of operations. Made once, called with the arrays of its inputs.
class Chain {
  public:
    // steps: (op, y, a, b, c) by register; kinds: of the inputs; numbers: values of the inputs
    // after those; masks: which outputs are boolean.
    Chain(nb::sequence steps, nb::str kinds, nb::sequence numbers, nb::sequence masks,
          int num_registers, nb::sequence shape)
        : kinds_(kinds.c_str()), num_registers_(num_registers) {
        for (nb::handle step : steps) {
            const nb::tuple s = nb::cast<nb::tuple>(step);
            steps_.push_back({nb::cast<unsigned char>(s[0]), nb::cast<unsigned char>(s[1]),
                              nb::cast<unsigned char>(s[2]), nb::cast<unsigned char>(s[3]),
                              nb::cast<unsigned char>(s[4])});
        }
        for (nb::handle x : numbers) numbers_.push_back(nb::cast<float>(x));
        for (nb::handle m : masks) masks_.push_back(nb::cast<bool>(m));
        for (nb::handle n : shape) shape_.push_back(nb::cast<npy_intp>(n)), size_ *= shape_.back();
        check();
    }

    nb::object call(nb::args values) const {
        const int ndim = static_cast<int>(shape_.size());
        if (values.size() != kinds_.size() || size_ == 0) return not_implemented();
        std::vector<chain_input> inputs;
        float unused;
        for (std::size_t i = 0; i < kinds_.size(); i++) {
            const auto found = input_of(values[i], kinds_[i], ndim, shape_.data(), &unused);
            if (!found || found->data == &unused) return not_implemented();
            inputs.push_back(*found);
        }
        for (const float &x : numbers_)
            inputs.push_back({CHAIN_SPREAD, &x, ONE_FOR_ALL, 1, HALF_NONE});
        static Counter &taken = *new Counter("chain");
        taken++;
        nb::list results;
        std::vector<chain_output> outputs;
        for (const bool mask : masks_) {
            const Result y(ndim, shape_.data(), mask ? NPY_BOOL : NPY_FLOAT32);
            outputs.push_back({y.data<void>(), mask, HALF_NONE});
            results.append(y.object);
        }
        run({static_cast<int>(inputs.size()), static_cast<int>(outputs.size()),
             static_cast<int>(steps_.size()), num_registers_, inputs.data(), outputs.data(),
             steps_.data()},
            size_);
        return nb::tuple(results);
    }

  private:
    void check() const {
        const std::size_t given = kinds_.size() + numbers_.size();
        bool fits = num_registers_ <= CHAIN_REGISTERS &&
                    given + masks_.size() <= static_cast<std::size_t>(num_registers_);
        for (const chain_step &s : steps_)
            fits = fits && s.op < ELEMENTWISE_COUNT && s.y >= given &&
                   std::max({s.y, s.a, s.b, s.c}) < num_registers_;
        if (!fits) throw nb::value_error("Chain: a register or an operation is out of range");
    }

    std::vector<chain_step> steps_;
    std::string kinds_;
    std::vector<float> numbers_;
    std::vector<bool> masks_;
    int num_registers_;
    std::vector<npy_intp> shape_;
    long size_ = 1;
};

// name: (code, kinds), for who makes chains.
nb::dict operations() {
    nb::dict found;
    for (int op = 0; op < ELEMENTWISE_COUNT; op++)
        found[OPS[op].name] = nb::make_tuple(op, OPS[op].kinds);
    return found;
}

// f(a, b, c) and, for results like the first input, f_(a, b, c), which writes over it.
void define(nb::module_ &m, int op) {
    const Op &of = OPS[op];
    Counter *taken = new Counter(of.name);
    const bool threads = needs_threads(of.name); // NumPy is not the faster one for halves
    const auto bind = [&](const std::string &name, bool in) {
        if (of.arity() == 1)
            m.def(name.c_str(), [=](nb::handle a) {
                if (threads && num_threads() == 1 && !kind_of(a)) return not_implemented();
                return apply<1>(op, *taken, {a}, in);
            });
        else if (of.arity() == 2)
            m.def(name.c_str(), [=](nb::handle a, nb::handle b) {
                if (threads && num_threads() == 1 && !kind_of(a)) return not_implemented();
                return apply<2>(op, *taken, {a, b}, in);
            });
        else
            m.def(name.c_str(), [=](nb::handle a, nb::handle b, nb::handle c) {
                return apply<3>(op, *taken, {a, b, c}, in);
            });
    };
    bind(of.name, false);
    if (of.kinds[0] == 'f' && !of.gives_mask()) bind(std::string(of.name) + "_", true);
}

const Family family([](nb::module_ &m) {
    for (int op = 0; op < ELEMENTWISE_COUNT; op++) define(m, op);
    m.def("elementwise_operations", &operations);
    nb::class_<Chain>(m, "Chain")
        .def(nb::init<nb::sequence, nb::str, nb::sequence, nb::sequence, int, nb::sequence>(),
             nb::arg("steps"), nb::arg("kinds"), nb::arg("numbers"), nb::arg("masks"),
             nb::arg("num_registers"), nb::arg("shape"))
        .def("__call__", &Chain::call);
});

} // namespace
} // namespace triptych
