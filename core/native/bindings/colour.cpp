#include "kernels/colour.h"

#include <cstring>
#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"

namespace triptych {
namespace {

Counter taken_contrast("color_contrast"), taken_scale("color_scale"), taken_grey("color_grey");
Counter taken_saturation("color_saturation"), taken_normal("normal_pairs");

constexpr long PIECE = 8192; // pixels at a time

// Bytes or float32 (..., h, w), one after the other; `channels` is that of the axis before them.
struct Pixels {
    Array array;
    bool bytes = false;
    long channels = 0, plane = 0, images = 0;

    static Pixels of(nb::handle value) {
        const Array small = Array::packed(value, NPY_UINT8), floats = Array::packed(value);
        const Array &x = small ? small : floats;
        if (!x || x.ndim() < 3 || x.size() == 0) return {};
        const long plane = x.shape(-1) * x.shape(-2), channels = x.shape(-3);
        return {x, static_cast<bool>(small), channels, plane, x.size() / (channels * plane)};
    }
    explicit operator bool() const { return static_cast<bool>(array); }
    int type() const { return bytes ? NPY_UINT8 : NPY_FLOAT32; }
    float most() const { return bytes ? 255.0f : 1.0f; }
    char *at(const Array &a, long place) const {
        return a.data<char>() + place * (bytes ? 1 : sizeof(float));
    }
    // Calls body(image, first pixel, number of pixels) for pieces of all images.
    template <class Body> void each_piece(Body &&body) const {
        const long pieces = (plane + PIECE - 1) / PIECE;
        const Unlocked unlocked(array.size());
        parallel(images * pieces, 4 * SMALL / PIECE, [&](long begin, long end) {
            for (long i = begin; i < end; i++) {
                const long first = i % pieces * PIECE;
                body(i / pieces, first, std::min(PIECE, plane - first));
            }
        });
    }
};

// x * factor, cut to the range.
nb::object color_scale(nb::handle given, double factor) {
    const Pixels x = Pixels::of(given);
    if (!x) return not_implemented();
    taken_scale++;
    const Result y = Result::like(x.array, x.type());
    const Unlocked unlocked(x.array.size());
    parallel(x.array.size(), 4 * SMALL, [&](long begin, long end) {
        TRIPTYCH_PICK(colour).scale[x.bytes](x.at(x.array, begin), end - begin,
                                             static_cast<float>(factor), 0.0f, x.most(),
                                             x.at(y.array, begin));
    });
    return y.object;
}

// How bright each pixel of three channels is, in `copies` equal channels.
nb::object color_grey(nb::handle given, long copies) {
    const Pixels x = Pixels::of(given);
    if (!x || x.channels != 3) return not_implemented();
    taken_grey++;
    std::vector<npy_intp> shape(x.array.shape(), x.array.shape() + x.array.ndim());
    shape[shape.size() - 3] = copies;
    const Result y(x.array.ndim(), shape.data(), x.type());
    x.each_piece([&](long image, long first, long count) {
        char *const to = x.at(y.array, image * copies * x.plane + first);
        TRIPTYCH_PICK(colour).luma[x.bytes](x.at(x.array, 3 * image * x.plane + first), x.plane,
                                            count, to);
        for (long c = 1; c < copies; c++)
            std::memcpy(x.at(y.array, (image * copies + c) * x.plane + first), to,
                        count * (x.bytes ? 1 : sizeof(float)));
    });
    return y.object;
}

// factor of x and the rest of the mean brightness of its image.
nb::object color_contrast(nb::handle given, double factor) {
    const Pixels x = Pixels::of(given);
    if (!x || x.channels != 3) return not_implemented();
    taken_contrast++;
    const Result y = Result::like(x.array, x.type());
    const long pieces = (x.plane + PIECE - 1) / PIECE;
    std::vector<double> sums(x.images * pieces);
    const auto &kernels = TRIPTYCH_PICK(colour);
    x.each_piece([&](long image, long first, long count) {
        sums[image * pieces + first / PIECE] = kernels.luma_sum[x.bytes](
            x.at(x.array, 3 * image * x.plane + first), x.plane, count);
    });
    const float by = static_cast<float>(factor), rest = static_cast<float>(1 - factor);
    x.each_piece([&](long image, long first, long count) {
        double sum = 0;
        for (long i = 0; i < pieces; i++) sum += sums[image * pieces + i];
        const float mean = static_cast<float>(sum / static_cast<double>(x.plane));
        for (long c = 0; c < 3; c++) {
            const long place = (3 * image + c) * x.plane + first;
            kernels.scale[x.bytes](x.at(x.array, place), count, by, mean * rest, x.most(),
                                   x.at(y.array, place));
        }
    });
    return y.object;
}

// factor of x and the rest of the brightness of each pixel.
nb::object color_saturation(nb::handle given, double factor) {
    const Pixels x = Pixels::of(given);
    if (!x || x.channels != 3) return not_implemented();
    taken_saturation++;
    const Result y = Result::like(x.array, x.type());
    const float by = static_cast<float>(factor), rest = static_cast<float>(1 - factor);
    x.each_piece([&](long image, long first, long count) {
        const long place = 3 * image * x.plane + first;
        TRIPTYCH_PICK(colour).saturate[x.bytes](x.at(x.array, place), x.plane, count, by, rest,
                                                x.most(), x.at(y.array, place));
    });
    return y.object;
}

// pairs (2, n) uniform in [0, 1) to (2 n,) normal numbers.
nb::object normal_pairs(nb::handle given, double sigma) {
    const Array pairs = Array::packed(given);
    if (!pairs || pairs.ndim() != 2 || pairs.shape(0) != 2) return not_implemented();
    taken_normal++;
    const long half = pairs.shape(1);
    const Result y({2 * half});
    const Unlocked unlocked(4 * half);
    parallel(half, SMALL / 4, [&](long begin, long end) {
        TRIPTYCH_PICK(colour).normal(pairs.data() + begin, pairs.data() + half + begin, end - begin,
                                     static_cast<float>(sigma), half, y.data() + begin);
    });
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("color_scale", &color_scale, nb::arg("x"), nb::arg("factor"));
    m.def("color_grey", &color_grey, nb::arg("x"), nb::arg("copies"));
    m.def("color_contrast", &color_contrast, nb::arg("x"), nb::arg("factor"));
    m.def("color_saturation", &color_saturation, nb::arg("x"), nb::arg("factor"));
    m.def("normal_pairs", &normal_pairs, nb::arg("pairs"), nb::arg("sigma"));
});

} // namespace
} // namespace triptych
