// Reductions of packed float32 along axes that are next to each other.
#include "kernels/reduce.h"

#include "bindings/families.h"
#include "bindings/halves.h"
#include "runtime/scratch.h"

#include <optional>
#include <vector>

namespace triptych {
namespace {

Counter sum_taken("sum"), amax_taken("amax"), amin_taken("amin"), argmax_taken("argmax"),
    argmin_taken("argmin");

// An array as (outer, length, inner), to be reduced along the middle; shape: of the result.
struct Plan {
    Array x;
    long outer = 1, length = 1, inner = 1;
    std::vector<npy_intp> shape;
    half_kind half = HALF_NONE;
};

std::optional<Plan> planned(nb::handle input, int first, int last, bool keepdim) {
    const half_kind half = kind_of(input);
    Plan plan{Array::packed(input, type_of(half)), 1, 1, 1, {}, half};
    if (!plan.x || plan.x.size() == 0 || first < 0 || last >= plan.x.ndim()) return {};
    for (int i = 0; i < plan.x.ndim(); i++) {
        const long n = plan.x.shape(i);
        (i < first ? plan.outer : i <= last ? plan.length : plan.inner) *= n;
        if (i < first || i > last) plan.shape.push_back(n);
        else if (keepdim) plan.shape.push_back(1);
    }
    if (half && plan.inner > 1) return {};
    return plan;
}

std::optional<Plan> planned(nb::handle input, const nb::tuple &axes, bool keepdim) {
    const int count = static_cast<int>(axes.size());
    if (count == 0) return {};
    const int first = nb::cast<int>(axes[0]);
    for (int i = 0; i < count; i++)
        if (nb::cast<int>(axes[i]) != first + i) return {};
    return planned(input, first, first + count - 1, keepdim);
}

Result result_of(const Plan &plan, int type = NPY_FLOAT32) {
    return Result(static_cast<int>(plan.shape.size()), plan.shape.data(), type);
}

// A long row: pieces of a fixed size on several threads, and then the same of what they gave.
template <class Reduce> float in_pieces(const float *x, long n, const Reduce &reduce) {
    const long pieces = (n + REDUCE_PIECE - 1) / REDUCE_PIECE;
    if (pieces == 1) return reduce(x, n);
    std::vector<float> parts(pieces);
    parallel(pieces, 1, [&](long begin, long end) {
        for (long i = begin; i < end; i++) {
            const long start = i * REDUCE_PIECE;
            parts[i] = reduce(x + start, std::min<long>(REDUCE_PIECE, n - start));
        }
    });
    return in_pieces(parts.data(), pieces, reduce);
}

// The number i of x, and those after it: n float32, converted to the thread's own memory.
const float *widened(const Plan &plan, long i, long n) {
    float *memory = scratch_floats(n);
    TRIPTYCH_PICK(half).widen(plan.half, plan.x.data<uint16_t>() + i, memory, n);
    return memory;
}

constexpr long HALVES = 4096; // of a row, that are converted at a time: they stay in the cache

template <class Reduce> float of_halves(const Plan &plan, long row, const Reduce &reduce) {
    const long n = plan.length, pieces = (n + HALVES - 1) / HALVES;
    std::vector<float> parts(pieces);
    parallel(pieces, SMALL / HALVES, [&](long begin, long end) {
        for (long i = begin; i < end; i++) {
            const long start = i * HALVES, count = std::min(HALVES, n - start);
            parts[i] = reduce(widened(plan, row * n + start, count), count);
        }
    });
    return pieces == 1 ? parts[0] : in_pieces(parts.data(), pieces, reduce);
}

// Each row is reduced in float32 and the result rounded.
template <class Reduce> nb::object along_rows_of_halves(const Plan &plan, const Reduce &reduce) {
    const Result y = result_of(plan, type_of(plan.half));
    std::vector<float> found(plan.outer);
    {
        const Unlocked unlocked(plan.x.size());
        const auto rows = [&](long begin, long end) {
            for (long i = begin; i < end; i++) found[i] = of_halves(plan, i, reduce);
        };
        if (plan.length > REDUCE_PIECE) rows(0, plan.outer);
        else parallel(plan.outer, SMALL / plan.length + 1, rows);
        TRIPTYCH_PICK(half).narrow(plan.half, found.data(), y.data<uint16_t>(), plan.outer);
    }
    return y.object;
}

template <class Reduce> nb::object along_rows(const Plan &plan, const Reduce &reduce) {
    if (plan.half) return along_rows_of_halves(plan, reduce);
    const Result y = result_of(plan);
    const float *x = plan.x.data();
    float *out = y.data();
    {
        const Unlocked unlocked(plan.x.size());
        if (plan.length > REDUCE_PIECE) {
            for (long i = 0; i < plan.outer; i++)
                out[i] = in_pieces(x + i * plan.length, plan.length, reduce);
        } else {
            parallel(plan.outer, SMALL / plan.length + 1, [&](long begin, long end) {
                for (long i = begin; i < end; i++)
                    out[i] = reduce(x + i * plan.length, plan.length);
            });
        }
    }
    return y.object;
}

constexpr long COLUMNS = 1024, ROWS = 512; // that a thread sums as one piece

// Sums of columns, of pieces of the rows first where there are many.
void sum_tables(const float *x, long outer, long rows, long columns, float *y) {
    const auto &kernels = TRIPTYCH_PICK(reduce);
    const long parts = (columns + COLUMNS - 1) / COLUMNS, cuts = (rows + ROWS - 1) / ROWS;
    std::vector<float> sums(cuts > 1 ? outer * cuts * columns : 0);
    float *out = cuts > 1 ? sums.data() : y;
    const long work = std::min(rows, ROWS) * std::min(columns, COLUMNS);
    parallel(outer * cuts * parts, SMALL / work + 1, [&](long begin, long end) {
        for (long k = begin; k < end; k++) {
            const long table = k / parts / cuts, cut = k / parts % cuts, j = k % parts * COLUMNS;
            kernels.sum_columns(x + (table * rows + cut * ROWS) * columns + j,
                                std::min(ROWS, rows - cut * ROWS), columns,
                                out + (table * cuts + cut) * columns + j,
                                std::min(COLUMNS, columns - j));
        }
    });
    if (cuts > 1) sum_tables(out, outer, cuts, columns, y);
}

nb::object sum_along(const Plan &plan) {
    const Result y = result_of(plan);
    {
        const Unlocked unlocked(plan.x.size());
        sum_tables(plan.x.data(), plan.outer, plan.length, plan.inner, y.data());
    }
    return y.object;
}

nb::object sum(nb::handle input, const nb::tuple &axes, bool keepdim) {
    const auto plan = planned(input, axes, keepdim);
    if (!plan) return not_implemented();
    sum_taken++;
    return plan->inner > 1 ? sum_along(*plan) : along_rows(*plan, TRIPTYCH_PICK(reduce).sum);
}

nb::object extreme(nb::handle input, const nb::tuple &axes, bool keepdim, Counter &taken,
                   float (*kernel)(const float *, long)) {
    const auto plan = planned(input, axes, keepdim);
    if (!plan || plan->inner > 1) return not_implemented();
    taken++;
    return along_rows(*plan, kernel);
}

nb::object place(nb::handle input, int axis, bool keepdim, Counter &taken,
                 long (*kernel)(const float *, long)) {
    const auto plan = planned(input, axis, axis, keepdim);
    if (!plan || plan->inner > 1) return not_implemented();
    taken++;
    const Result y = result_of(*plan, NPY_INT64);
    const float *x = plan->x.data();
    auto *out = y.data<npy_int64>();
    {
        const Unlocked unlocked(plan->x.size());
        parallel(plan->outer, SMALL / plan->length + 1, [&](long begin, long end) {
            for (long i = begin, n = plan->length; i < end; i++)
                out[i] = kernel(plan->half ? widened(*plan, i * n, n) : x + i * n, n);
        });
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    const auto &kernels = TRIPTYCH_PICK(reduce);
    m.def("sum", &sum, nb::arg("x"), nb::kw_only(), nb::arg("axes"), nb::arg("keepdim") = false);
    const auto extremes = [&](const char *name, Counter &taken, auto kernel) {
        m.def(name, [=, &taken](nb::handle x, const nb::tuple &axes, bool keepdim) {
            return extreme(x, axes, keepdim, taken, kernel);
        }, nb::arg("x"), nb::kw_only(), nb::arg("axes"), nb::arg("keepdim") = false);
    };
    extremes("amax", amax_taken, kernels.maximum), extremes("amin", amin_taken, kernels.minimum);
    const auto places = [&](const char *name, Counter &taken, auto kernel) {
        m.def(name, [=, &taken](nb::handle x, int axis, bool keepdim) {
            return place(x, axis, keepdim, taken, kernel);
        }, nb::arg("x"), nb::kw_only(), nb::arg("axis"), nb::arg("keepdim") = false);
    };
    places("argmax", argmax_taken, kernels.argmax), places("argmin", argmin_taken, kernels.argmin);
});

} // namespace
} // namespace triptych
