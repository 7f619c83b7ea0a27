#include "kernels/iir.h"

#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter taken_iir("iir"), taken_bank("filter_bank");

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

// Filters without the zeros at their ends: all get the length of the longest.
struct Bank {
    long taps = 1, reach = 0;
    std::vector<long> starts;
    std::vector<float> weights;

    Bank(const float *w, long phases, long length) : starts(phases) {
        for (long p = 0; p < phases; p++) {
            long first = 0, last = length;
            while (first < length && w[p * length + first] == 0) first++;
            while (last > first && w[p * length + last - 1] == 0) last--;
            starts[p] = first;
            taps = std::max(taps, last - first);
        }
        weights.resize(phases * taps);
        for (long p = 0; p < phases; p++) {
            starts[p] = std::min(starts[p], length - taps);
            reach = std::max(reach, starts[p] + taps);
            std::copy_n(w + p * length + starts[p], taps, weights.data() + p * taps);
        }
    }
};

constexpr long MOST_WORK = 1 << 18; // floats: beyond it the work memory leaves the caches

// x (..., t), w (phases, length) to (..., groups, phases).
nb::object filter_bank(nb::handle signal, nb::handle filters, long step) {
    const Array x = Array::packed(signal), w = Array::packed(filters);
    if (!x || !w || x.ndim() < 1 || w.ndim() != 2 || step < 1 || w.size() == 0)
        return not_implemented();
    const long phases = w.shape(0), length = w.shape(1), samples = x.shape(-1);
    if (samples < length || RESAMPLE_WORK(length, phases) > MOST_WORK) return not_implemented();
    taken_bank++;
    const Bank bank(w.data(), phases, length);
    const long groups = (samples - length) / step + 1, rows = x.size() / samples;
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim() - 1);
    shape.insert(shape.end(), {groups, phases});
    const Result y(x.ndim() + 1, shape.data());
    const auto &kernels = TRIPTYCH_PICK(iir);
    const long lanes = kernels.lanes, blocks = (groups + lanes - 1) / lanes;
    {
        const Unlocked unlocked(y.array.size() * bank.taps);
        parallel(rows * blocks, SMALL / (lanes * phases * bank.taps) + 1, [&](long begin, long end) {
            float *work = scratch_floats(RESAMPLE_WORK(bank.reach, phases));
            for (long at = begin; at < end;) {
                const long row = at / blocks, block = at % blocks;
                const long last = std::min(blocks, block + end - at);
                const long first = block * lanes, count = std::min(groups, last * lanes) - first;
                kernels.resample(x.data() + row * samples + first * step,
                                 y.data() + (row * groups + first) * phases, count, step, phases,
                                 bank.taps, bank.starts.data(), bank.weights.data(), bank.reach, work);
                at += last - block;
            }
        });
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("iir", &recurse, nb::arg("x"), nb::arg("zeros"), nb::arg("poles"));
    m.def("filter_bank", &filter_bank, nb::arg("x"), nb::arg("w"), nb::kw_only(), nb::arg("step"));
});

} // namespace
} // namespace triptych
