#include "kernels/sample.h"

#include <cstring>
#include <string_view>
#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter taken_places("sample_places");

// What a map says, or false where it is of no known kind.
bool read_map(std::string_view kind, const nb::tuple &numbers, long rows, long columns,
              sample_map &map) {
    if (kind == "given" && numbers.size() == 2) {
        const Array x = Array::packed(numbers[0]), y = Array::packed(numbers[1]);
        map.kind = SAMPLE_GIVEN;
        if (!x || !y || x.size() != rows * columns || y.size() != rows * columns) return false;
        map.x = x.data(), map.y = y.data();
        return true;
    }
    float *const places[] = {&map.center_x, &map.center_y, &map.a, &map.b, &map.c, &map.d, &map.e,
                             &map.f,        &map.g,        &map.h, &map.half_width,
                             &map.half_height};
    map.kind = kind == "affine" ? SAMPLE_AFFINE : SAMPLE_PROJECTIVE;
    if (kind != "affine" && kind != "projective") return false;
    if (numbers.size() != (map.kind == SAMPLE_AFFINE ? 8u : 12u)) return false;
    for (size_t i = 0; i < numbers.size(); i++)
        *places[i] = static_cast<float>(nb::cast<double>(numbers[i]));
    return true;
}

// One value per channel, or false: another count, or no byte where bytes are wanted.
bool read_fill(nb::handle fill, long channels, bool bytes, std::vector<float> &values) {
    if (fill.is_none()) return true;
    const nb::list given = nb::cast<nb::list>(fill);
    if (given.size() != 1 && static_cast<long>(given.size()) != channels) return false;
    for (long c = 0; c < channels; c++) {
        const double value = nb::cast<double>(given[given.size() == 1 ? 0 : c]);
        if (bytes && !(value >= 0 && value <= 255)) return false;
        values.push_back(static_cast<float>(value));
    }
    return true;
}

// image (..., c, h, w) bytes or float32 to (..., c, *size), read at the places of a map.
nb::object sample_places(nb::handle given, const char *kind, nb::tuple numbers, nb::tuple size,
                         bool bilinear, nb::handle fill) {
    const Array bytes = Array::packed(given, NPY_UINT8), floats = Array::packed(given);
    const Array image = bytes ? bytes : floats;
    if (!image || image.ndim() < 3 || image.size() == 0) return not_implemented();
    const long height = image.shape(-2), width = image.shape(-1), channels = image.shape(-3);
    const long rows = nb::cast<long>(size[0]), columns = nb::cast<long>(size[1]);
    sample_map map{};
    std::vector<float> values;
    if (height * width >= 1L << 30 || std::max({height, width, rows, columns}) >= 1L << 22 ||
        rows < 1 || columns < 1 || !read_map(kind, numbers, rows, columns, map) ||
        !read_fill(fill, channels, static_cast<bool>(bytes), values))
        return not_implemented();
    taken_places++;
    std::vector<npy_intp> shape(image.shape(), image.shape() + image.ndim());
    shape[shape.size() - 2] = rows, shape.back() = columns;
    const Result y(image.ndim(), shape.data(), bytes ? NPY_UINT8 : NPY_FLOAT32);
    const long plane = height * width, images = image.size() / (channels * plane);
    const long padded = (columns + SAMPLE_LANES - 1) / SAMPLE_LANES * SAMPLE_LANES;
    const auto &kernels = TRIPTYCH_PICK(sample);
    {
        const Unlocked unlocked(y.array.size());
        parallel(images * rows, 1 + SMALL / (columns * channels), [&](long begin, long end) {
            float *px = scratch_floats(2 * padded), *py = px + padded;
            for (long at = begin; at < end; at++) {
                const long row = at % rows, first = at / rows * channels;
                const long from = first * plane, to = (first * rows + row) * columns;
                sample_image source{nullptr, channels, height, width,
                                    values.empty() ? nullptr : values.data()};
                kernels.places(&map, row, columns, height, width, px, py);
                if (bytes) {
                    source.planes = bytes.data<uint8_t>() + from;
                    kernels.bytes(&source, bilinear, px, py, columns, y.data<uint8_t>() + to,
                                  rows * columns);
                } else {
                    source.planes = floats.data() + from;
                    kernels.floats(&source, bilinear, px, py, columns, y.data() + to,
                                   rows * columns);
                }
            }
        });
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("sample_places", &sample_places, nb::arg("image"), nb::arg("kind"), nb::arg("numbers"),
          nb::arg("size"), nb::arg("bilinear"), nb::arg("fill").none());
});

} // namespace
} // namespace triptych
