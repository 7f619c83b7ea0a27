// Picking and adding along one axis: rows of a table and numbers by an index of their own.
#include "kernels/picking.h"

#include "bindings/array.h"
#include "bindings/families.h"

#include <atomic>
#include <vector>

namespace triptych {
namespace {

Counter index_taken("index"), unindex_taken("unindex"), index_put_taken("index_put");
Counter gather_taken("gather"), ungather_taken("ungather"), scatter_taken("scatter");

constexpr long PIECE = 1 << 14; // numbers worth waking a thread for

// The axes of (shape) around `axis`; an index of `count` along it.
picking_axis axis_of(const npy_intp *shape, int ndim, long axis, long count) {
    picking_axis found{1, static_cast<long>(shape[axis]), 1, count};
    for (int i = 0; i < ndim; i++)
        if (i != axis) (i < axis ? found.outer : found.inner) *= static_cast<long>(shape[i]);
    return found;
}

bool in_range(const Array &index, long length) {
    return TRIPTYCH_PICK(picking).in_range(index.data<long long>(), index.size(), length);
}

// Where one index picks a row: (..., length, ...) with the axis replaced by the index's shape.
std::vector<npy_intp> picked_shape(const npy_intp *shape, int ndim, long axis, const Array &index) {
    std::vector<npy_intp> found(shape, shape + axis);
    found.insert(found.end(), index.shape(), index.shape() + index.ndim());
    found.insert(found.end(), shape + axis + 1, shape + ndim);
    return found;
}

bool has_shape(const Array &x, const std::vector<npy_intp> &shape) {
    return x && x.ndim() == static_cast<int>(shape.size()) &&
           std::equal(shape.begin(), shape.end(), x.shape());
}

nb::object take(nb::handle input, nb::handle places, long axis) {
    const Array x = Array::packed(input), index = Array::packed(places, NPY_INT64);
    if (!x || !index || axis >= x.ndim() || !in_range(index, x.shape(static_cast<int>(axis))))
        return not_implemented();
    index_taken++;
    const picking_axis a = axis_of(x.shape(), x.ndim(), axis, index.size());
    const auto shape = picked_shape(x.shape(), x.ndim(), axis, index);
    const Result y(static_cast<int>(shape.size()), shape.data());
    {
        const Unlocked unlocked(y.array.size());
        parallel(a.outer * a.count, PIECE / std::max(1L, a.inner) + 1, [&](long begin, long end) {
            TRIPTYCH_PICK(picking).take(&a, x.data(), index.data<long long>(), y.data(), begin,
                                        end);
        });
    }
    return y.object;
}

// y = start, or zeros without it, plus the rows of g where the index points.
void add_rows(const picking_axis &a, const float *start, const float *g, const Array &index,
              float *y) {
    const long rows = a.outer * a.length, size = rows * a.inner;
    const Unlocked unlocked(size + a.outer * a.count * a.inner);
    // Each piece walks all indices: a few for each thread will do.
    const long least = std::max(1L, rows / (2L * num_threads()));
    parallel(rows, std::max(least, PIECE / std::max(1L, a.inner) + 1), [&](long begin, long end) {
        const long first = begin * a.inner, count = (end - begin) * a.inner;
        if (start) std::copy_n(start + first, count, y + first);
        else std::fill_n(y + first, count, 0.0f);
        TRIPTYCH_PICK(picking).add(&a, g, index.data<long long>(), y, begin, end);
    });
}

nb::object unindex(nb::handle gradient, nb::handle places, const std::vector<npy_intp> &shape,
                   long axis) {
    const Array g = Array::packed(gradient), index = Array::packed(places, NPY_INT64);
    const int ndim = static_cast<int>(shape.size());
    if (!g || !index || axis >= ndim || !in_range(index, static_cast<long>(shape[axis])) ||
        !has_shape(g, picked_shape(shape.data(), ndim, axis, index)))
        return not_implemented();
    unindex_taken++;
    const Result y(ndim, shape.data());
    add_rows(axis_of(shape.data(), ndim, axis, index.size()), nullptr, g.data(), index, y.data());
    return y.object;
}

nb::object index_add(nb::handle input, nb::handle values, nb::handle places, long axis) {
    const Array x = Array::packed(input), v = Array::packed(values),
                index = Array::packed(places, NPY_INT64);
    if (!x || !index || axis >= x.ndim() || !in_range(index, x.shape(static_cast<int>(axis))) ||
        !has_shape(v, picked_shape(x.shape(), x.ndim(), axis, index)))
        return not_implemented();
    index_put_taken++;
    const Result y = Result::like(x);
    add_rows(axis_of(x.shape(), x.ndim(), axis, index.size()), x.data(), v.data(), index, y.data());
    return y.object;
}

// Whether an index has the shape, but for its length along the axis; its numbers are not looked at.
bool along(const npy_intp *shape, int ndim, const Array &index, long axis) {
    if (!index || index.ndim() != ndim || axis >= ndim) return false;
    for (int i = 0; i < ndim; i++)
        if (i != axis && index.shape(i) != shape[i]) return false;
    return true;
}

// y[...] = x[index...]; false if an index is out of range.
bool pick_numbers(const picking_axis &a, const float *x, const long long *index, float *y) {
    const auto &kernels = TRIPTYCH_PICK(picking);
    const long size = a.outer * a.count * a.inner;
    std::atomic<bool> fine = true;
    const Unlocked unlocked(size);
    if (a.outer * a.inner == 1) {
        parallel(a.count, PIECE, [&](long begin, long end) {
            const picking_axis part{1, a.length, 1, end - begin};
            if (!kernels.gather(&part, x, index + begin, y + begin, 0, 1)) fine = false;
        });
        return fine;
    }
    const long units = kernels.units(&a), each = size / std::max(1L, units) + 1;
    parallel(units, PIECE / each + 1, [&](long begin, long end) {
        if (!kernels.gather(&a, x, index, y, begin, end)) fine = false;
    });
    return fine;
}

nb::object gather(nb::handle input, nb::handle places, long axis) {
    const Array x = Array::packed(input), index = Array::packed(places, NPY_INT64);
    if (!x || !along(x.shape(), x.ndim(), index, axis)) return not_implemented();
    const picking_axis a =
        axis_of(x.shape(), x.ndim(), axis, index.shape(static_cast<int>(axis)));
    const Result y = Result::like(index, NPY_FLOAT32);
    if (!pick_numbers(a, x.data(), index.data<long long>(), y.data())) return not_implemented();
    gather_taken++;
    return y.object;
}

// y = start, or zeros without it, where values are written or added at the index; false if one is
// out of range.
bool write_numbers(const picking_axis &a, const float *start, const float *values,
                   const long long *index, bool add, float *y) {
    const auto &kernels = TRIPTYCH_PICK(picking);
    const long units = kernels.units(&a);
    const long each = a.outer * std::max(a.count, a.length) * a.inner / std::max(1L, units) + 1;
    std::atomic<bool> fine = true;
    const Unlocked unlocked(units * each);
    parallel(units, PIECE / each + 1, [&](long begin, long end) {
        if (!kernels.scatter(&a, start, values, index, add, y, begin, end)) fine = false;
    });
    return fine;
}

nb::object ungather(nb::handle gradient, nb::handle places, const std::vector<npy_intp> &shape,
                    long axis) {
    const Array g = Array::packed(gradient), index = Array::packed(places, NPY_INT64);
    const int ndim = static_cast<int>(shape.size());
    if (!g || !along(shape.data(), ndim, index, axis) || !g.same_shape(index))
        return not_implemented();
    const Result y(ndim, shape.data());
    const picking_axis a =
        axis_of(shape.data(), ndim, axis, index.shape(static_cast<int>(axis)));
    if (!write_numbers(a, nullptr, g.data(), index.data<long long>(), true, y.data()))
        return not_implemented();
    ungather_taken++;
    return y.object;
}

nb::object scatter(nb::handle input, nb::handle places, nb::handle source, long axis,
                   bool accumulate) {
    const Array x = Array::packed(input), index = Array::packed(places, NPY_INT64),
                src = Array::packed(source);
    if (!x || !src || !along(x.shape(), x.ndim(), index, axis) || !src.same_shape(index))
        return not_implemented();
    const Result y = Result::like(x);
    const picking_axis a =
        axis_of(x.shape(), x.ndim(), axis, index.shape(static_cast<int>(axis)));
    if (!write_numbers(a, x.data(), src.data(), index.data<long long>(), accumulate, y.data()))
        return not_implemented();
    scatter_taken++;
    return y.object;
}

std::vector<npy_intp> sizes(const nb::tuple &shape) {
    std::vector<npy_intp> found;
    for (nb::handle n : shape) found.push_back(nb::cast<npy_intp>(n));
    return found;
}

const Family family([](nb::module_ &m) {
    using nb::arg;
    m.def("index", &take, arg("x"), arg("index"), arg("axis"));
    m.def("unindex",
          [](nb::handle g, nb::handle index, const nb::tuple &shape, long axis) {
              return unindex(g, index, sizes(shape), axis);
          });
    m.def("index_add", &index_add, arg("x"), arg("v"), arg("index"), arg("axis"));
    m.def("gather", &gather, arg("x"), arg("index"), nb::kw_only(), arg("axis"));
    m.def(
        "ungather",
        [](nb::handle g, nb::handle index, const nb::tuple &shape, long axis) {
            return ungather(g, index, sizes(shape), axis);
        },
        arg("g"), arg("index"), nb::kw_only(), arg("shape"), arg("axis"));
    m.def("scatter", &scatter, arg("x"), arg("index"), arg("src"), nb::kw_only(), arg("axis"),
          arg("accumulate"));
});

} // namespace
} // namespace triptych
