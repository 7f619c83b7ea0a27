#include "kernels/bands.h"

#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"

namespace triptych {
namespace {

Counter taken("band_sums");

constexpr long SPARSE = 3; // times as many weights as count: below that a plain product is faster

// x (..., f, t), bands (m, f) to (..., m, t).
nb::object band_sums(nb::handle spectrum, nb::handle bank) {
    const Array x = Array::packed(spectrum), bands = Array::packed(bank);
    if (!x || !bands || x.ndim() < 2 || bands.ndim() != 2) return not_implemented();
    const int axis = x.ndim() - 2;
    const long count = bands.shape(0), bins = bands.shape(1), frames = x.shape(axis + 1);
    if (x.shape(axis) != bins || x.size() == 0 || count == 0) return not_implemented();
    const auto &kernels = TRIPTYCH_PICK(bands);
    std::vector<bands_range> ranges(count);
    const long used = kernels.ranges(bands.data(), count, bins, ranges.data());
    if (used * SPARSE > count * bins) return not_implemented();
    taken++;
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim());
    shape[axis] = count;
    const Result y(x.ndim(), shape.data());
    {
        const Unlocked unlocked(x.size());
        const long pieces = (frames + kernels.frames - 1) / kernels.frames;
        const long samples = x.size() / (bins * frames);
        const long work = (used + count) * kernels.frames; // of a piece
        parallel(samples * pieces, SMALL / work + 1, [&](long begin, long end) {
            for (long i = begin; i < end; i++) {
                const long sample = i / pieces, first = i % pieces * kernels.frames;
                kernels.sums(bands.data(), ranges.data(), count, bins,
                             x.data() + sample * bins * frames, y.data() + sample * count * frames,
                             frames, first, std::min(first + kernels.frames, frames));
            }
        });
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("band_sums", &band_sums, nb::arg("x"), nb::arg("bands"));
});

} // namespace
} // namespace triptych
