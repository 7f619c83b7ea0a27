// Softmax and log-softmax along any axis, and their gradients.
#include "kernels/softmax.h"

#include "bindings/families.h"
#include "bindings/halves.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter softmax_taken("softmax"), log_softmax_taken("log_softmax");
Counter softmax_dx_taken("softmax_dx"), log_softmax_dx_taken("log_softmax_dx");

softmax_axis axis_of(const Array &x, long axis, bool log) {
    softmax_axis found{1, x.shape(static_cast<int>(axis)), 1, log};
    for (int i = 0; i < x.ndim(); i++)
        if (i != axis) (i < axis ? found.outer : found.inner) *= x.shape(i);
    return found;
}

// Calls body(begin, end) over the units of work.
template <class Body> void over_units(const softmax_axis &axis, Body &&body) {
    const long size = axis.outer * axis.length * axis.inner;
    const long units = TRIPTYCH_PICK(softmax).units(&axis);
    const Unlocked unlocked(size);
    parallel(units, std::max(1L, SMALL * units / size), body);
}

// Rows of halves, of which each thread converts a few at a time.
void rows_of_halves(half_kind half, const softmax_axis &axis, const uint16_t *x, uint16_t *y) {
    const long length = axis.length, most = rows_at_once(length);
    over_units(axis, [&](long begin, long end) {
        const auto compute = [&](float *memory, long rows) {
            TRIPTYCH_PICK(softmax).forward(&axis, memory, memory, 0, rows);
        };
        through_rows(half, x + begin * length, y + begin * length, end - begin, length,
                     scratch_floats(most * length), most, compute);
    });
}

template <bool log> nb::object forward(nb::handle input, long axis) {
    const half_kind half = kind_of(input);
    const Array x = Array::packed(input, type_of(half));
    if (!x || x.size() == 0) return not_implemented();
    axis += axis < 0 ? x.ndim() : 0;
    if (axis < 0 || axis >= x.ndim()) return not_implemented();
    const softmax_axis place = axis_of(x, axis, log);
    if (half && place.inner != 1) return not_implemented();
    (log ? log_softmax_taken : softmax_taken)++;
    const Result y = Result::like(x, type_of(half));
    if (half) {
        rows_of_halves(half, place, x.data<uint16_t>(), y.data<uint16_t>());
        return y.object;
    }
    over_units(place, [&](long begin, long end) {
        TRIPTYCH_PICK(softmax).forward(&place, x.data(), y.data(), begin, end);
    });
    return y.object;
}

template <bool log> nb::object backward(nb::handle gradient, nb::handle output, long axis) {
    const Array g = Array::packed(gradient), y = Array::packed(output);
    if (!g || !y || !g.same_shape(y) || y.size() == 0) return not_implemented();
    axis += axis < 0 ? y.ndim() : 0;
    if (axis < 0 || axis >= y.ndim()) return not_implemented();
    (log ? log_softmax_dx_taken : softmax_dx_taken)++;
    const Result dx = Result::like(y);
    const softmax_axis place = axis_of(y, axis, log);
    over_units(place, [&](long begin, long end) {
        TRIPTYCH_PICK(softmax).backward(&place, g.data(), y.data(), dx.data(), begin, end);
    });
    return dx.object;
}

const Family family([](nb::module_ &m) {
    m.def("softmax", &forward<false>, nb::arg("x"), nb::kw_only(), nb::arg("axis"));
    m.def("log_softmax", &forward<true>, nb::arg("x"), nb::kw_only(), nb::arg("axis"));
    m.def("softmax_dx", &backward<false>, nb::arg("g"), nb::arg("y"), nb::kw_only(),
          nb::arg("axis"));
    m.def("log_softmax_dx", &backward<true>, nb::arg("g"), nb::arg("y"), nb::kw_only(),
          nb::arg("axis"));
});

} // namespace
} // namespace triptych
