#include "kernels/boxes.h"

#include <cmath>
#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter taken_nms("nms"), taken_pool("roi_pool"), taken_spread("roi_spread");

// boxes (n, 4), best first, to the places (k,) int64 of those that are kept.
nb::object nms(nb::handle given, double threshold) {
    const Array boxes = Array::packed(given);
    if (!boxes || boxes.ndim() != 2 || boxes.shape(1) != 4 || !(threshold >= 0) ||
        boxes.shape(0) > INT32_MAX / 8)
        return not_implemented();
    taken_nms++;
    // The comparison is with the exact number.
    float limit = static_cast<float>(threshold);
    if (limit > threshold) limit = std::nextafter(limit, -1.0f);
    const long n = boxes.shape(0);
    std::vector<int64_t> places(n);
    long count;
    {
        const Unlocked unlocked(n * 64);
        float *work = scratch_floats(NMS_WORK(n));
        count = TRIPTYCH_PICK(boxes).nms(boxes.data(), n, limit, places.data(), work);
    }
    const Result kept({count}, NPY_INT64);
    std::copy(places.begin(), places.begin() + count, kept.data<int64_t>());
    return kept.object;
}

// The weights of one axis, as Python has them: first and stop (k,) int64, weights (k, bins, width).
struct Axis {
    roi_axis axis{};
    std::vector<int32_t> ranges;
    const int64_t *stop = nullptr;

    // Whether all is of the right kind, and no window leaves a map of `size` rows.
    bool take(nb::handle first, nb::handle last, nb::handle weights, long regions, long size) {
        const Array a = Array::packed(first, NPY_INT64), b = Array::packed(last, NPY_INT64);
        const Array w = Array::packed(weights);
        if (!a || !b || !w || w.ndim() != 3 || w.shape(0) != regions || a.size() != regions ||
            b.size() != regions)
            return false;
        axis = {a.data<int64_t>(), w.data(), nullptr, w.shape(1), w.shape(2)};
        stop = b.data<int64_t>();
        ranges.resize(2 * regions * axis.bins);
        for (long r = 0; r < regions; r++) {
            const long reach = stop[r] - axis.first[r];
            if (axis.first[r] < 0 || stop[r] > size || reach > axis.width) return false;
            for (long bin = 0; bin < axis.bins; bin++) {
                const float *row = axis.weights + (r * axis.bins + bin) * axis.width;
                long from = 0, to = std::max(reach, 0L);
                while (to > from && row[to - 1] == 0) to--;
                while (from < to && row[from] == 0) from++;
                ranges[2 * (r * axis.bins + bin)] = static_cast<int32_t>(from);
                ranges[2 * (r * axis.bins + bin) + 1] = static_cast<int32_t>(to);
            }
        }
        axis.ranges = ranges.data();
        return true;
    }
};

// The regions of each image, and the rows that they touch.
struct Image {
    std::vector<int64_t> regions;
    long top = INT32_MAX, bottom = 0;
};

struct Plan {
    Axis across, along;
    std::vector<Image> images;

    bool take(long n, long rows, long columns, nb::handle of, nb::tuple y, nb::tuple x) {
        const Array numbers = Array::packed(of, NPY_INT64);
        if (!numbers || numbers.ndim() != 1 || y.size() != 3 || x.size() != 3) return false;
        const long k = numbers.size();
        if (!across.take(y[0], y[1], y[2], k, rows) || !along.take(x[0], x[1], x[2], k, columns))
            return false;
        images.resize(n);
        for (long r = 0; r < k; r++) {
            const int64_t number = numbers.data<int64_t>()[r];
            if (number < 0 || number >= n) return false;
            Image &image = images[number];
            image.regions.push_back(r);
            image.top = std::min<long>(image.top, across.axis.first[r]);
            image.bottom = std::max<long>(image.bottom, across.stop[r]);
        }
        return true;
    }
    long bins() const { return across.axis.bins * along.axis.bins; }
};

// Calls one kernel for groups of channels of each image that has regions: maps are (n, c, h, w).
template <class Float, class Kernel, class Other>
void over_maps(const Plan &plan, Kernel kernel, Float *maps, const npy_intp *shape, Other *pooled) {
    const long lanes = TRIPTYCH_PICK(boxes).lanes, channels = shape[1];
    const long rows = shape[2], columns = shape[3], plane = rows * columns;
    const long groups = (channels + lanes - 1) / lanes;
    const Unlocked unlocked(shape[0] * channels * plane);
    parallel(shape[0] * groups, 1, [&](long begin, long end) {
        const long strips = (plan.across.axis.bins + 1) * plan.along.axis.bins;
        float *work = scratch_floats(lanes * (plane + strips));
        for (long at = begin; at < end; at++) {
            const Image &image = plan.images[at / groups];
            if (image.regions.empty()) continue;
            const long channel = at % groups * lanes, top = std::min(image.top, rows);
            kernel(maps + (at / groups * channels + channel) * plane, plane, top,
                   std::max(image.bottom - top, 0L), columns, std::min(lanes, channels - channel),
                   image.regions.data(), static_cast<long>(image.regions.size()),
                   &plan.across.axis, &plan.along.axis, pooled + channel * plan.bins(),
                   channels * plan.bins(), work + lanes * strips, work);
        }
    });
}

// maps (n, c, h, w) to (k, c, bins, bins).
nb::object pool(nb::handle given, nb::handle of, nb::tuple across, nb::tuple along) {
    const Array maps = Array::packed(given);
    Plan plan;
    if (!maps || maps.ndim() != 4 || maps.size() == 0 ||
        !plan.take(maps.shape(0), maps.shape(2), maps.shape(3), of, across, along))
        return not_implemented();
    taken_pool++;
    const long k = Array::packed(of, NPY_INT64).size();
    const Result pooled({k, maps.shape(1), plan.across.axis.bins, plan.along.axis.bins});
    const float *from = maps.data();
    over_maps(plan, TRIPTYCH_PICK(boxes).pool, from, maps.shape(), pooled.data());
    return pooled.object;
}

// The adjoint: pooled (k, c, bins, bins) to maps of shape (n, c, h, w).
nb::object spread(nb::handle given, nb::handle of, nb::tuple across, nb::tuple along,
                  nb::tuple shape) {
    const Array pooled = Array::packed(given);
    if (!pooled || pooled.ndim() != 4 || shape.size() != 4 || pooled.size() == 0)
        return not_implemented();
    npy_intp sizes[4];
    for (int i = 0; i < 4; i++) sizes[i] = nb::cast<long>(shape[i]);
    Plan plan;
    if (std::min({sizes[0], sizes[1], sizes[2], sizes[3]}) < 1 || sizes[1] != pooled.shape(1) ||
        !plan.take(sizes[0], sizes[2], sizes[3], of, across, along) ||
        plan.across.axis.bins != pooled.shape(2) || plan.along.axis.bins != pooled.shape(3) ||
        Array::packed(of, NPY_INT64).size() != pooled.shape(0))
        return not_implemented();
    taken_spread++;
    const Result maps(4, sizes);
    std::fill_n(maps.data(), maps.array.size(), 0.0f);
    const float *from = pooled.data();
    over_maps(plan, TRIPTYCH_PICK(boxes).spread, maps.data(), sizes, from);
    return maps.object;
}

const Family family([](nb::module_ &m) {
    m.def("nms", &nms, nb::arg("boxes"), nb::arg("threshold"));
    m.def("roi_pool", &pool, nb::arg("maps"), nb::arg("images"), nb::arg("rows"),
          nb::arg("columns"));
    m.def("roi_spread", &spread, nb::arg("pooled"), nb::arg("images"), nb::arg("rows"),
          nb::arg("columns"), nb::arg("shape"));
});

} // namespace
} // namespace triptych
