// The largest of windows over the last one or two axes.
#include "kernels/pool.h"

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

#include <limits>
#include <vector>

namespace triptych {
namespace {

Counter max_pool_taken("max_pool"), max_pool_alone_taken("max_pool_alone");

const pool_kernels &kernels() { return TRIPTYCH_PICK(pool); }

// Whether each window sees some number of its axis.
bool sees(const pool_axis &a) {
    for (long i = 0; i < a.out; i++) {
        bool any = false;
        for (long k = 0; k < a.size && !any; k++) {
            const long place = i * a.stride - a.before + k * a.dilation;
            any = place >= 0 && place < a.in;
        }
        if (!any) return false;
    }
    return true;
}

struct Windows {
    pool_axis y{1, 1, 1, 1, 1, 0}, x{};
    long planes = 0;
    std::vector<npy_intp> shape; // of the result

    // The parameters are tuples with an entry for each of the last axes.
    bool read(const Array &a, nb::tuple size, nb::tuple stride, nb::tuple padding,
              nb::tuple dilation) {
        const int dims = static_cast<int>(size.size()), split = a.ndim() - dims;
        if (dims < 1 || dims > 2 || split < 0 || a.size() == 0) return false;
        shape.assign(a.shape(), a.shape() + a.ndim());
        planes = a.size();
        for (int i = 0; i < dims; i++) {
            const auto sides = nb::cast<nb::tuple>(padding[i]);
            const auto number = [i](const nb::tuple &of) { return nb::cast<long>(of[i]); };
            pool_axis axis{a.shape(split + i), 0, number(size), number(stride), number(dilation),
                           nb::cast<long>(sides[0])};
            const long span = axis.dilation * (axis.size - 1) + 1;
            const long room = axis.in + axis.before + nb::cast<long>(sides[1]) - span;
            if (room < 0) return false;
            axis.out = room / axis.stride + 1;
            if (!sees(axis)) return false;
            planes /= axis.in;
            shape[split + i] = axis.out;
            (i == dims - 1 ? x : y) = axis;
        }
        return y.in * x.in < std::numeric_limits<int>::max();
    }
    Result result(int type = NPY_FLOAT32) const {
        return Result(static_cast<int>(shape.size()), shape.data(), type);
    }
    // body(first plane, planes, scratch)
    template <class Body> void over_planes(Body &&body) const {
        const long work = y.in * x.in + y.out * x.out * 4;
        const Unlocked unlocked(planes * work);
        parallel(planes, SMALL / work + 1, [&](long begin, long end) {
            body(begin, end - begin,
                 scratch_floats(static_cast<std::size_t>(kernels().scratch(&y, &x))));
        });
    }
};

nb::object max_pool(nb::handle input, nb::tuple size, nb::tuple stride, nb::tuple padding,
                    nb::tuple dilation) {
    const Array a = Array::packed(input);
    Windows windows;
    if (!a || !windows.read(a, size, stride, padding, dilation)) return not_implemented();
    max_pool_taken++;
    const Result best = windows.result(), places = windows.result(NPY_INT64);
    const pool_axis &y = windows.y, &x = windows.x;
    windows.over_planes([&](long first, long planes, float *memory) {
        const long at = first * y.out * x.out;
        kernels().largest_at(&y, &x, a.data() + first * y.in * x.in, best.data() + at,
                             places.data<int64_t>() + at, planes, memory);
    });
    return nb::make_tuple(best.object, places.object);
}

nb::object max_pool_alone(nb::handle input, nb::tuple size, nb::tuple stride, nb::tuple padding,
                          nb::tuple dilation) {
    const Array a = Array::packed(input);
    Windows windows;
    if (!a || !windows.read(a, size, stride, padding, dilation)) return not_implemented();
    max_pool_alone_taken++;
    const Result best = windows.result();
    const pool_axis &y = windows.y, &x = windows.x;
    windows.over_planes([&](long first, long planes, float *memory) {
        kernels().largest(&y, &x, a.data() + first * y.in * x.in,
                          best.data() + first * y.out * x.out, planes, memory);
    });
    return best.object;
}

const Family family([](nb::module_ &m) {
    const auto windows = [&m](const char *name, auto function) {
        m.def(name, function, nb::arg("x"), nb::kw_only(), nb::arg("size"), nb::arg("stride"),
              nb::arg("padding"), nb::arg("dilation"));
    };
    windows("max_pool", &max_pool);
    windows("max_pool_alone", &max_pool_alone);
});

} // namespace
} // namespace triptych
