#include "kernels/image.h"

#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter taken_resize("resize_bytes"), taken_planes("planes_of_pixels");
Counter taken_normalize("normalize_bytes");

// Filters: how far they reach, and the weight at a distance, in pixels. The same as Pillow's.

double cubic(double x, double a) { // Keys 1981, eq. 4
    x = std::abs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
double sinc(double x) {
    x *= std::numbers::pi;
    return x == 0 ? 1 : std::sin(x) / x;
}
double box(double x) { return x > -0.5 && x <= 0.5; }
double triangle(double x) { return std::max(1 - std::abs(x), 0.0); }
double hamming(double x) {
    return std::abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * std::cos(std::numbers::pi * x)) : 0;
}
double bicubic(double x) { return cubic(x, -0.5); }
double sharper_bicubic(double x) { return cubic(x, -0.75); } // torch's, without antialiasing
double lanczos(double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0; }

struct Filter {
    const char *name;
    double support;
    double (*weight)(double), (*plain)(double); // plain: without antialiasing
};
constexpr Filter FILTERS[] = {
    {"box", 0.5, box, box},
    {"bilinear", 1, triangle, triangle},
    {"hamming", 1, hamming, hamming},
    {"bicubic", 2, bicubic, sharper_bicubic},
    {"lanczos", 3, lanczos, lanczos},
};

const Filter *filter_of(const std::string_view name) {
    for (const Filter &filter : FILTERS)
        if (name == filter.name) return &filter;
    return nullptr;
}

struct Axis {
    image_axis axis{};
    std::vector<int32_t> first, count, weights;

    bool changes() const { return axis.in != axis.out; }

    void make(long in, long out, const Filter &filter, bool antialias) {
        const double scale = static_cast<double>(in) / out, stretch = std::max(scale, 1.0);
        const double reach = filter.support * (antialias ? stretch : 1);
        const long taps = 2 * static_cast<long>(std::ceil(reach)) + 1;
        first.resize(out), count.resize(out), weights.assign(out * taps, 0);
        axis = {in, out, taps, first.data(), count.data(), weights.data()};
        std::vector<double> exact(taps);
        for (long i = 0; i < out; i++) {
            const double center = (i + 0.5) * scale;
            long from, to;
            if (antialias) {
                from = std::max(static_cast<long>(center - reach + 0.5), 0L);
                to = std::min(static_cast<long>(center + reach + 0.5), in);
            } else { // beyond the edge lies the edge
                const long at = static_cast<long>(std::floor(center - 0.5));
                const long side = std::lround(std::ceil(reach));
                from = at + 1 - side, to = at + 1 + side;
            }
            double sum = 0;
            for (long t = from; t < to; t++) {
                exact[t - from] = antialias ? filter.weight((t - center + 0.5) * (1 / stretch))
                                            : filter.plain(center - 0.5 - t);
                sum += exact[t - from];
            }
            const bool whole = !antialias && filter.support == 2; // its weights add up to one
            const long begin = std::clamp(from, 0L, in - 1);
            int32_t *row = weights.data() + i * taps;
            for (long t = from; t < to; t++) {
                const double scaled = exact[t - from] / (whole ? 1 : sum) * (1 << IMAGE_BITS);
                row[std::clamp(t, 0L, in - 1) - begin] +=
                    static_cast<int32_t>(scaled + std::copysign(0.5, scaled));
            }
            trim(i, begin, std::clamp(to - 1, 0L, in - 1) + 1 - begin);
        }
    }

  private:
    void trim(long i, long begin, long length) {
        int32_t *row = weights.data() + i * axis.taps;
        while (length > 1 && row[length - 1] == 0) length--;
        long skip = 0;
        while (skip < length - 1 && row[skip] == 0) skip++;
        std::copy(row + skip, row + length, row);
        std::fill(row + length - skip, row + length, 0);
        first[i] = static_cast<int32_t>(begin + skip);
        count[i] = static_cast<int32_t>(length - skip);
    }
};

struct Plan {
    image_plan plan{};
    std::vector<int32_t> steps, windows;
    std::vector<uint8_t> picks;
    std::vector<int16_t> high, low;

    // Null where there is no fast way.
    const image_plan *make(const image_axis &axis, long lanes) {
        if (lanes == 0 || axis.in < IMAGE_WINDOW) return nullptr;
        steps.push_back(0);
        for (long i = 0; i < axis.out; i += lanes) {
            const long begin = steps.back();
            long end = begin;
            for (long part = 0; part < lanes; part += 4)
                end = std::max(end, fill(axis, i + part, part, begin, lanes));
            steps.push_back(static_cast<int32_t>(end));
        }
        plan = {steps.data(), windows.data(), picks.data(), high.data(), low.data()};
        return &plan;
    }

  private:
    // The steps of four new pixels, from step number `step` on; gives the number after the last.
    long fill(const image_axis &axis, long pixel, long part, long step, long lanes) {
        long done[4] = {0};
        for (;; step++) {
            long window = axis.in;
            for (long j = 0; j < 4 && pixel + j < axis.out; j++)
                if (done[j] < axis.count[pixel + j])
                    window = std::min(window, axis.first[pixel + j] + done[j]);
            if (window == axis.in) return step;
            window = std::min(window, axis.in - IMAGE_WINDOW);
            grow(step, lanes);
            windows[step * (lanes / 4) + part / 4] = static_cast<int32_t>(window);
            for (long j = 0; j < 4 && pixel + j < axis.out; j++)
                for (long k = 0; k < 2; k++) {
                    const long i = pixel + j, at = axis.first[i] + done[j] - window;
                    if (done[j] == axis.count[i] || at >= IMAGE_WINDOW) break;
                    const int32_t weight = axis.weights[i * axis.taps + done[j]++];
                    const long place = step * 2 * lanes + 2 * (part + j) + k;
                    picks[2 * place] = static_cast<uint8_t>(at);
                    high[place] = static_cast<int16_t>(weight >> IMAGE_LOW_BITS);
                    low[place] = static_cast<int16_t>(weight & ((1 << IMAGE_LOW_BITS) - 1));
                }
        }
    }
    void grow(long step, long lanes) {
        if (static_cast<long>(picks.size()) > step * 4 * lanes) return;
        windows.resize((step + 1) * (lanes / 4), 0);
        picks.resize((step + 1) * 4 * lanes, 0x80);
        high.resize((step + 1) * 2 * lanes, 0);
        low.resize((step + 1) * 2 * lanes, 0);
    }
};

// Bytes (..., h, w) whose rows lie in one piece each.
struct Planes {
    PyArrayObject *object = nullptr;
    long count = 0, height = 0, width = 0, step = 0;

    static Planes of(nb::handle value) {
        if (!PyArray_CheckExact(value.ptr())) return {};
        auto *a = reinterpret_cast<PyArrayObject *>(value.ptr());
        const int ndim = PyArray_NDIM(a);
        if (PyArray_TYPE(a) != NPY_UINT8 || ndim < 2 || PyArray_SIZE(a) == 0) return {};
        const npy_intp *shape = PyArray_DIMS(a), *strides = PyArray_STRIDES(a);
        if (strides[ndim - 1] != 1 && shape[ndim - 1] != 1) return {};
        const long height = shape[ndim - 2], width = shape[ndim - 1];
        return {a, PyArray_SIZE(a) / (height * width), height, width, strides[ndim - 2]};
    }
    explicit operator bool() const { return object != nullptr; }
    const uint8_t *at(long plane) const {
        const auto *start = static_cast<const uint8_t *>(PyArray_DATA(object));
        for (int axis = PyArray_NDIM(object) - 3; axis >= 0; axis--) {
            start += plane % PyArray_DIM(object, axis) * PyArray_STRIDE(object, axis);
            plane /= PyArray_DIM(object, axis);
        }
        return start;
    }
    std::vector<npy_intp> shape(long new_height, long new_width) const {
        const npy_intp *old = PyArray_DIMS(object);
        std::vector<npy_intp> all(old, old + PyArray_NDIM(object));
        all[all.size() - 2] = new_height, all.back() = new_width;
        return all;
    }
};

// An image (c, h, w) whose channels lie side by side in memory, in rows; any other as given.
nb::object rows_in_one_piece(nb::handle value) {
    nb::object same = nb::borrow(value);
    if (!PyArray_CheckExact(value.ptr())) return same;
    auto *a = reinterpret_cast<PyArrayObject *>(value.ptr());
    if (PyArray_TYPE(a) != NPY_UINT8 || PyArray_NDIM(a) != 3 || PyArray_SIZE(a) == 0) return same;
    const long channels = PyArray_DIM(a, 0), height = PyArray_DIM(a, 1), width = PyArray_DIM(a, 2);
    if (channels < 3 || channels > 4) return same;
    if (PyArray_STRIDE(a, 0) != 1 || PyArray_STRIDE(a, 2) != channels) return same;
    const Result planes({channels, height, width}, NPY_UINT8);
    const auto *x = static_cast<const uint8_t *>(PyArray_DATA(a));
    auto *y = planes.data<uint8_t>();
    for (long row = 0; row < height; row++)
        TRIPTYCH_PICK(image).planes(x + row * PyArray_STRIDE(a, 1), channels, width, channels,
                                    y + row * width, height * width);
    return planes.object;
}

// The way back: (c, h, w) in rows as a view of new pixels whose channels lie side by side.
nb::object side_by_side(const Result &planes) {
    const npy_intp *shape = planes.array.shape();
    const long channels = shape[0], count = shape[1] * shape[2];
    const Result pixels({shape[1], shape[2], shape[0]}, NPY_UINT8);
    const auto *x = planes.data<uint8_t>();
    auto *y = pixels.data<uint8_t>();
    for (long i = 0; i < count; i++)
        for (long c = 0; c < channels; c++) y[i * channels + c] = x[c * count + i];
    npy_intp order[] = {2, 0, 1};
    PyArray_Dims axes = {order, 3};
    return nb::steal(PyArray_Transpose(pixels.array.object, &axes));
}

struct Resize {
    Axis down, across;
    Plan plans;
    const image_plan *plan = nullptr;
    bool rows_first = false;

    // New rows [begin, end) of one plane.
    void run(const uint8_t *x, long step, long begin, long end, uint8_t *y) const {
        const auto &kernels = TRIPTYCH_PICK(image);
        const image_axis &rows = down.axis, &columns = across.axis;
        if (!down.changes())
            return kernels.columns(x + begin * step, step, end - begin, &columns, plan, y,
                                   columns.out);
        if (!across.changes())
            return kernels.rows(x, step, columns.in, &rows, begin, end, y, columns.out);
        if (rows_first) {
            auto *half = static_cast<uint8_t *>(scratch((end - begin) * columns.in));
            kernels.rows(x, step, columns.in, &rows, begin, end, half, columns.in);
            return kernels.columns(half, columns.in, end - begin, &columns, plan, y, columns.out);
        }
        long top = rows.in, bottom = 0;
        for (long i = begin; i < end; i++) {
            top = std::min<long>(top, rows.first[i]);
            bottom = std::max<long>(bottom, rows.first[i] + rows.count[i]);
        }
        auto *half = static_cast<uint8_t *>(scratch((bottom - top) * columns.out));
        kernels.columns(x + top * step, step, bottom - top, &columns, plan, half, columns.out);
        kernels.rows(half - top * columns.out, columns.out, columns.out, &rows, begin, end, y,
                     columns.out);
    }
};

// x (..., h, w) bytes to (..., *size).
nb::object resize_bytes(nb::handle given, nb::tuple size, const char *mode, bool antialias) {
    const nb::object planar = rows_in_one_piece(given);
    const Planes x = Planes::of(planar);
    const Filter *filter = filter_of(mode);
    if (!x || !filter || size.size() != 2) return not_implemented();
    const long height = nb::cast<long>(size[0]), width = nb::cast<long>(size[1]);
    if (height < 1 || width < 1) return not_implemented();
    if (height == x.height && width == x.width) return not_implemented();
    taken_resize++;
    Resize resize;
    resize.down.make(x.height, height, *filter, antialias);
    resize.across.make(x.width, width, *filter, antialias);
    resize.plan = resize.plans.make(resize.across.axis, TRIPTYCH_PICK(image).lanes);
    const long lost_rows = x.height - height, lost_columns = x.width - width;
    resize.rows_first = antialias && lost_rows > std::max(0L, 2 * lost_columns);
    const std::vector<npy_intp> shape = x.shape(height, width);
    const Result y(static_cast<int>(shape.size()), shape.data(), NPY_UINT8);
    auto *out = y.data<uint8_t>();
    const long bands = num_threads() == 1 || x.count >= 4 * num_threads() || height < 64 ? 1 : 4;
    {
        const Unlocked unlocked(x.count * x.height * x.width);
        parallel(x.count * bands, 1, [&](long first, long last) {
            for (long at = first; at < last; at++) {
                const long plane = at / bands, band = at % bands;
                const long begin = height * band / bands, end = height * (band + 1) / bands;
                resize.run(x.at(plane), x.step, begin, end, out + (plane * height + begin) * width);
            }
        });
    }
    return planar.is(given) ? y.object : side_by_side(y);
}

void planes_from(const uint8_t *x, long step, long count, long channels, uint8_t *y) {
    taken_planes++;
    const Unlocked unlocked(count);
    parallel(count, SMALL, [&](long begin, long end) {
        TRIPTYCH_PICK(image).planes(x + begin * step, step, end - begin, channels, y + begin,
                                    count);
    });
}

// x (h, w, c) bytes to (c, h, w).
nb::object planes_of_pixels(nb::handle given) {
    const Array x = Array::packed(given, NPY_UINT8);
    if (!x || x.ndim() != 3 || x.size() == 0 || x.shape(2) > 4) return not_implemented();
    const Result y({x.shape(2), x.shape(0), x.shape(1)}, NPY_UINT8);
    planes_from(x.data<uint8_t>(), x.shape(2), x.shape(0) * x.shape(1), x.shape(2),
                y.data<uint8_t>());
    return y.object;
}

// What the Arrow C data interface says of an array, https://arrow.apache.org/docs/format/
struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    ArrowArray **children, *dictionary;
    void (*release)(ArrowArray *);
    void *private_data;
};

// Fills planes (c, h, w) bytes from pixels of four bytes, an Arrow array of lists of fixed size.
nb::object planes_of_arrow(nb::handle given, nb::handle capsule) {
    const Array planes = Array::packed(given, NPY_UINT8);
    if (!planes || planes.ndim() != 3 || planes.size() == 0 || planes.shape(0) > 4 ||
        !PyArray_ISWRITEABLE(planes.object) || !PyCapsule_IsValid(capsule.ptr(), "arrow_array"))
        return not_implemented();
    auto *array = static_cast<ArrowArray *>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array"));
    const long count = planes.shape(1) * planes.shape(2);
    if (!array || !array->release || array->n_children != 1 || array->offset != 0 ||
        array->length != count)
        return not_implemented();
    const ArrowArray *bytes = array->children[0];
    if (!bytes || bytes->length != 4 * count || bytes->offset != 0 || bytes->n_buffers != 2)
        return not_implemented();
    planes_from(static_cast<const uint8_t *>(bytes->buffers[1]), 4, count, planes.shape(0),
                planes.data<uint8_t>());
    return nb::borrow(given);
}

// x (..., c, h, w) bytes to float32, (x * scale / divisor - mean) / deviation by channel.
nb::object normalize_bytes(nb::handle value, double scale, double divisor, nb::tuple mean,
                           nb::tuple deviation) {
    const nb::object planar = rows_in_one_piece(value);
    const Planes x = Planes::of(planar);
    const int ndim = x ? PyArray_NDIM(x.object) : 0;
    if (ndim < 3) return not_implemented();
    const long channels = PyArray_DIM(x.object, ndim - 3);
    std::vector<float> center, width;
    for (long c = 0; c < channels; c++) {
        const long sizes[] = {static_cast<long>(mean.size()), static_cast<long>(deviation.size())};
        if ((sizes[0] != 1 && sizes[0] != channels) || (sizes[1] != 1 && sizes[1] != channels))
            return not_implemented();
        center.push_back(static_cast<float>(nb::cast<double>(mean[sizes[0] == 1 ? 0 : c])));
        width.push_back(static_cast<float>(nb::cast<double>(deviation[sizes[1] == 1 ? 0 : c])));
        if (width.back() == 0) return not_implemented(); // the plain way says what is wrong
    }
    taken_normalize++;
    const Result y(ndim, PyArray_DIMS(x.object));
    const long size = x.height * x.width;
    const bool whole = x.step == x.width || x.height == 1;
    const long pieces = whole ? 1 : x.height, length = size / pieces;
    const float factor = static_cast<float>(scale), by = static_cast<float>(divisor);
    { // the GIL is held again where references are counted
        const Unlocked unlocked(x.count * size);
        parallel(x.count * pieces, 1 + SMALL / length, [&](long begin, long end) {
            for (long at = begin; at < end; at++) {
                const long plane = at / pieces, c = plane % channels;
                TRIPTYCH_PICK(image).normalize(x.at(plane) + at % pieces * x.step, length,
                                               factor, by, center[c], width[c],
                                               y.data() + at * length);
            }
        });
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("resize_bytes", &resize_bytes, nb::arg("x"), nb::arg("size"), nb::arg("mode"),
          nb::arg("antialias"));
    m.def("planes_of_pixels", &planes_of_pixels, nb::arg("x"));
    m.def("planes_of_arrow", &planes_of_arrow, nb::arg("planes"), nb::arg("array"));
    m.def("normalize_bytes", &normalize_bytes, nb::arg("x"), nb::arg("scale"), nb::arg("divisor"),
          nb::arg("mean"), nb::arg("deviation"));
});

} // namespace
} // namespace triptych
