#include "kernels/resample.h"
#include "kernels/resample_fourier.h"

#include <array>
#include <atomic>
#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"
#include "bindings/fft_plan.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter taken_bank("filter_bank"), taken_fourier("filter_bank_fourier");

// Filters without the zeros at their ends, in tiles as the kernel takes them. `merged` groups count
// as one with as many times the phases, so that few phases fill a tile as well.
struct Bank {
    long step, phases, taps = 1, reach = 0;
    std::vector<long> starts;
    std::vector<float> weights;

    Bank(const float *w, long own, long length, long hop, long merged, long tile)
        : step(hop * merged), phases(own * merged), starts((phases + tile - 1) / tile) {
        std::vector<long> firsts(own, 0), lasts(own, length);
        for (long p = 0; p < own; p++) {
            while (firsts[p] < length && w[p * length + firsts[p]] == 0) firsts[p]++;
            while (lasts[p] > firsts[p] && w[p * length + lasts[p] - 1] == 0) lasts[p]--;
        }
        const long tiles = static_cast<long>(starts.size()), seen = length + (merged - 1) * hop;
        for (long t = 0; t < tiles; t++) {
            long first = seen, last = 0;
            for (long q = t * tile; q < std::min(phases, (t + 1) * tile); q++) {
                first = std::min(first, firsts[q % own] + q / own * hop);
                last = std::max(last, lasts[q % own] + q / own * hop);
            }
            starts[t] = first;
            taps = std::max(taps, last - first);
        }
        weights.resize(tiles * taps * tile);
        for (long t = 0; t < tiles; t++) {
            starts[t] = std::min(starts[t], seen - taps);
            reach = std::max(reach, starts[t] + taps);
            for (long q = t * tile; q < std::min(phases, (t + 1) * tile); q++)
                for (long k = firsts[q % own]; k < lasts[q % own]; k++)
                    weights[(t * taps + k + q / own * hop - starts[t]) * tile + q % tile] =
                        w[q % own * length + k];
        }
    }
};

constexpr long MOST_WORK = 1 << 18; // floats: beyond it the work memory leaves the caches
constexpr long FEW_PHASES = 32;     // of more, samples are not read again and again

// x (..., t), w (phases, length) to (..., groups, phases).
nb::object filter_bank(nb::handle signal, nb::handle filters, long step) {
    const Array x = Array::packed(signal), w = Array::packed(filters);
    if (!x || !w || x.ndim() < 1 || w.ndim() != 2 || step < 1 || w.size() == 0)
        return not_implemented();
    const long phases = w.shape(0), length = w.shape(1), samples = x.shape(-1);
    if (samples < length) return not_implemented();
    const long groups = (samples - length) / step + 1, rows = x.size() / samples;
    const auto &kernels = TRIPTYCH_PICK(resample);
    const long merged = std::min(groups, (FEW_PHASES + phases - 1) / phases);
    if (RESAMPLE_WORK(length + (merged - 1) * step) > MOST_WORK) return not_implemented();
    taken_bank++;
    const Bank many(w.data(), phases, length, step, merged, kernels.tile);
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim() - 1);
    shape.insert(shape.end(), {groups, phases});
    const Result y(x.ndim() + 1, shape.data());
    const long whole = groups / merged, blocks = (whole + kernels.lanes - 1) / kernels.lanes;
    {
        const Unlocked unlocked(y.array.size() * many.taps);
        const auto run = [&](const Bank &bank, long row, long first, long count) {
            float *work = scratch_floats(RESAMPLE_WORK(bank.reach));
            const long start = first * bank.step, at = first * bank.phases;
            kernels.bank(x.data() + row * samples + start, y.data() + row * groups * phases + at,
                         count, bank.step, bank.phases, bank.taps, bank.starts.data(),
                         bank.weights.data(), bank.reach, work);
        };
        const long cost = kernels.lanes * many.phases * many.taps;
        parallel(rows * blocks, SMALL / cost + 1, [&](long begin, long end) {
            for (long at = begin; at < end;) {
                const long row = at / blocks, block = at % blocks;
                const long last = std::min(blocks, block + end - at), first = block * kernels.lanes;
                run(many, row, first, std::min(whole, last * kernels.lanes) - first);
                at += last - block;
            }
        });
        if (const long done = whole * merged; done < groups) {
            const Bank single(w.data(), phases, length, step, 1, kernels.tile);
            for (long row = 0; row < rows; row++) run(single, row, done, groups - done);
        }
    }
    return y.object;
}

// The same by Fourier transforms of `merged` groups each, of which the design is in ends, sources
// and gains as fourier_bank has them; w has `length` taps. NotImplemented also for samples that
// transforms cannot take.
nb::object filter_bank_fourier(nb::handle signal, nb::handle term_ends, nb::handle term_sources,
                               nb::handle term_gains, long step, long phases, long length,
                               long merged) {
    const Array x = Array::packed(signal), gains = Array::packed(term_gains);
    const Array ends = Array::packed(term_ends, NPY_INT64);
    const Array sources = Array::packed(term_sources, NPY_INT64);
    if (!x || !ends || !sources || !gains || x.ndim() < 1 || x.shape(-1) < length)
        return not_implemented();
    const long n = merged * step, samples = x.shape(-1);
    const fft_plan *forward = fft_plan_for(n), *inverse = fft_plan_for(merged * phases);
    if (!forward || !inverse || ends.size() != inverse->m + 2) return not_implemented();
    const fourier_bank bank{forward, inverse, ends.data<long>(), sources.data<long>(), gains.data()};
    const long groups = (samples - length) / step + 1, rows = x.size() / samples;
    const long own = (n - length) / step + 1, blocks = (groups + own - 1) / own;
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim() - 1);
    shape.insert(shape.end(), {groups, phases});
    const Result y(x.ndim() + 1, shape.data());
    const auto &kernels = TRIPTYCH_PICK(fourier);
    std::atomic<bool> fits = true;
    {
        const Unlocked unlocked(y.array.size() * n);
        parallel((rows * blocks + kernels.lanes - 1) / kernels.lanes, 1, [&](long begin, long end) {
            float *work = scratch_floats(FOURIER_WORK(forward->m, inverse->m));
            for (long set = begin; set < end && fits; set++) {
                std::array<fourier_block, FOURIER_MOST_LANES> of_set{};
                for (long lane = 0; lane < kernels.lanes; lane++) {
                    const long at = set * kernels.lanes + lane;
                    if (at >= rows * blocks) break;
                    const long row = at / blocks, first = at % blocks * own;
                    of_set[lane] = {x.data() + row * samples + first * step,
                                    y.data() + (row * groups + first) * phases,
                                    std::min(n, samples - first * step),
                                    std::min(own, groups - first) * phases};
                }
                if (!kernels.run(&bank, of_set.data(), work)) fits = false;
            }
        });
    }
    if (!fits) return not_implemented();
    taken_fourier++;
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("filter_bank", &filter_bank, nb::arg("x"), nb::arg("w"), nb::kw_only(), nb::arg("step"));
    m.def("filter_bank_fourier", &filter_bank_fourier, nb::arg("x"), nb::arg("ends"),
          nb::arg("sources"), nb::arg("gains"), nb::kw_only(), nb::arg("step"), nb::arg("phases"),
          nb::arg("length"), nb::arg("merged"));
});

} // namespace
} // namespace triptych
