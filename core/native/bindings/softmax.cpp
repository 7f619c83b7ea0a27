#include "kernels/softmax.h"

#include "bindings/array.h"
#include "bindings/families.h"

namespace triptych {
namespace {

Counter taken("softmax");

nb::object softmax_last(nb::handle input, long axis) {
    const Array x = Array::packed(input);
    if (!x || x.size() == 0 || (axis != -1 && axis != x.ndim() - 1)) return not_implemented();
    taken++;
    const Result y = Result::like(x);
    const long length = x.shape(-1), rows = x.size() / length;
    const auto &kernels = TRIPTYCH_PICK(softmax);
    {
        const Unlocked unlocked(x.size());
        parallel(rows, SMALL / length + 1, [&](long begin, long end) {
            kernels.softmax(x.data() + begin * length, y.data() + begin * length, end - begin, length);
        });
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("softmax", &softmax_last, nb::arg("x"), nb::kw_only(), nb::arg("axis"));
});

} // namespace
} // namespace triptych
