#include "kernels/bins.h"

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter taken_largest("roi_largest");

// first and stop (k, bins) int64 within 0 and size; false if they are anything else.
bool edges(nb::handle first, nb::handle stop, long regions, long size, Array &a, Array &b) {
    a = Array::packed(first, NPY_INT64), b = Array::packed(stop, NPY_INT64);
    if (!a || !b || a.ndim() != 2 || !a.same_shape(b) || a.shape(0) != regions) return false;
    for (long i = 0; i < a.size(); i++)
        for (const Array &edge : {a, b})
            if (edge.data<int64_t>()[i] < 0 || edge.data<int64_t>()[i] > size) return false;
    return true;
}

// The values at places, zero in bins that hold none.
void read(const float *maps, const int64_t *places, const bin_edges &rows, const bin_edges &columns,
          float *values) {
    for (long i = 0; i < rows.bins; i++)
        for (long j = 0; j < columns.bins; j++, places++, values++) {
            const bool full = rows.stop[i] > rows.first[i] && columns.stop[j] > columns.first[j];
            *values = full ? maps[*places] : 0;
        }
}

// maps (n, c, h, w), images (k,), edges of the bins (k, bins) int64 to the largest values (k, c,
// bins of rows, bins of columns) float32, or else to their places among all of maps, int64.
nb::object roi_largest(nb::handle given, nb::handle images, nb::handle top, nb::handle bottom,
                       nb::handle left, nb::handle right, bool values) {
    const Array maps = Array::packed(given), of = Array::packed(images, NPY_INT64);
    if (!maps || maps.ndim() != 4 || maps.size() == 0 || !of || of.ndim() != 1)
        return not_implemented();
    const long channels = maps.shape(1), height = maps.shape(2), width = maps.shape(3);
    const long regions = of.size(), plane = height * width;
    Array tops, bottoms, lefts, rights;
    if (!edges(top, bottom, regions, height, tops, bottoms) || height >= 1L << 24 || plane >= 1L << 31 ||
        !edges(left, right, regions, width, lefts, rights))
        return not_implemented();
    for (long r = 0; r < regions; r++)
        if (of.data<int64_t>()[r] < 0 || of.data<int64_t>()[r] >= maps.shape(0))
            return not_implemented();
    taken_largest++;
    const long down = tops.shape(1), across = lefts.shape(1);
    const Result found({regions, channels, down, across}, values ? NPY_FLOAT32 : NPY_INT64);
    const long line = width + BINS_LANES, count = down * across;
    const auto &kernels = TRIPTYCH_PICK(bins);
    const Unlocked unlocked(found.array.size() * 8);
    parallel(regions * channels, 1 + SMALL / (16 * (count + 1)), [&](long begin, long end) {
        float *best = scratch_floats(2 * line + 2 * count + 1), *at = best + line;
        auto *own = reinterpret_cast<int64_t *>(best + 2 * line); // two floats' room for each
        for (long i = begin; i < end; i++) {
            const long r = i / channels;
            const bin_edges rows = {down, tops.data<int64_t>() + r * down,
                                    bottoms.data<int64_t>() + r * down};
            const bin_edges columns = {across, lefts.data<int64_t>() + r * across,
                                       rights.data<int64_t>() + r * across};
            const int64_t base = (of.data<int64_t>()[r] * channels + i % channels) * plane;
            int64_t *places = values ? own : found.data<int64_t>() + i * count;
            kernels.largest(maps.data() + base, height, width, &rows, &columns, base, best, at,
                            places);
            if (values) read(maps.data(), places, rows, columns, found.data() + i * count);
        }
    });
    return found.object;
}

const Family family([](nb::module_ &m) {
    m.def("roi_largest", &roi_largest, nb::arg("maps").none(), nb::arg("images"), nb::arg("top"),
          nb::arg("bottom"), nb::arg("left"), nb::arg("right"), nb::arg("values"));
});

} // namespace
} // namespace triptych
