#include "kernels/iir.h"

#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"

namespace triptych {
namespace {

Counter taken_iir("iir");

// x (n, filters, t) float32, or (n, any, t) for one filter; b and a (filters, taps) float64.
nb::object recurse(nb::handle signal, nb::handle zeros, nb::handle poles) {
    const Array x = Array::packed(signal), b = Array::packed(zeros, NPY_FLOAT64),
                a = Array::packed(poles, NPY_FLOAT64);
    if (!x || !b || !a || x.ndim() != 3 || b.ndim() != 2 || !a.same_shape(b)) return not_implemented();
    const long filters = b.shape(0), taps = b.shape(1), length = x.shape(2);
    const bool fits = taps >= 1 && taps <= IIR_MOST_TAPS && (filters == 1 || filters == x.shape(1));
    if (!fits || x.size() == 0) return not_implemented();
    for (long f = 0; f < filters; f++)
        if (a.data<double>()[f * taps] != 1) return not_implemented();
    taken_iir++;
    const auto &kernels = TRIPTYCH_PICK(iir);
    std::vector<double> tables(filters * IIR_TABLE);
    for (long f = 0; f < filters; f++)
        kernels.prepare(a.data<double>() + f * taps, static_cast<int>(taps),
                        tables.data() + f * IIR_TABLE);
    const Result y = Result::like(x);
    {
        const Unlocked unlocked(x.size());
        parallel(x.size() / length, SMALL / length + 1, [&](long begin, long end) {
            for (long row = begin; row < end; row++) {
                const long f = row % x.shape(1) % filters;
                kernels.filter(x.data() + row * length, y.data() + row * length, length,
                               b.data<double>() + f * taps, a.data<double>() + f * taps,
                               static_cast<int>(taps), tables.data() + f * IIR_TABLE);
            }
        });
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("iir", &recurse, nb::arg("x"), nb::arg("zeros"), nb::arg("poles"));
});

} // namespace
} // namespace triptych
