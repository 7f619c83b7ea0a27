// Convolution of bytes: an image in words of four channels, panels of pixels gathered from it.
#include "bindings/conv_options.h"
#include "bindings/families.h"
#include "bindings/short_product.h"
#include "kernels/short_conv.h"
#include "runtime/scratch.h"

#include <vector>

namespace triptych {
namespace {

Counter taken("quantized_conv");

constexpr long CHUNK = 8; // panels that a thread packs at a time

constexpr long round_up(long size, long multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

// A convolution of uint8 (after flip) with int8, a group of channels after the other.
struct QuantizedConv {
    const ConvOptions &options;
    long n, c, o; // samples, and channels of one group
    const uint8_t *x;
    const int8_t *w;
    uint8_t flip;
    int32_t zero;
    product_finish finish;

    const short_gemm_kernels &gemm = TRIPTYCH_PICK(short_gemm);
    const short_conv_kernels &conv = TRIPTYCH_PICK(short_conv);
    const long fours = (c + 3) / 4, groups = fours * options.taps();
    const short_depth depth = gemm.depth(4 * groups, 1);
    const long height = padded(options.y, options.after[0]);
    const long width = padded(options.x, options.after[1]);
    const long plane = height * width; // words
    const long image = fours * plane + SHORT_COLUMNS;
    const long out = options.out(), panels = round_up(out, SHORT_COLUMNS) / SHORT_COLUMNS;
    const long chunks = round_up(panels, CHUNK) / CHUNK;
    const long panel = 4 * depth.groups * SHORT_COLUMNS;
    const long blocks = round_up(o, SHORT_ROWS) / SHORT_ROWS;

    static long padded(const conv_axis &axis, long after) { return axis.in + axis.before + after; }

    // Memory: images of all samples and groups, then ordered weights, then a part for each thread.
    long weights() const { return options.groups * blocks * SHORT_ROWS * 4 * depth.groups; }
    long each() const {
        return CHUNK * panel + 4 * SHORT_ROWS * CHUNK * SHORT_COLUMNS +
               round_up(gemm.scratch_bytes(&depth), 64);
    }

    // Words of a group of a sample, with zeros of the scale around.
    void fill_image(const uint8_t *from, uint32_t *to) const {
        const long in = options.in();
        for (long f = 0; f < fours; f++, to += plane) {
            std::fill_n(to, plane, static_cast<uint32_t>(zero) * 0x01010101u);
            for (long row = 0; row < options.y.in; row++) {
                const uint8_t *planes[4];
                for (long j = 0; j < 4; j++) {
                    const long channel = 4 * f + j;
                    planes[j] = channel < c ? from + channel * in + row * options.x.in : nullptr;
                }
                uint32_t *at = to + (row + options.y.before) * width + options.x.before;
                conv.interleave(planes, flip, reinterpret_cast<uint8_t *>(at), options.x.in);
            }
        }
        std::fill_n(to, SHORT_COLUMNS, 0u);
    }

    // Rows in the order of groups: four channels, then the taps, then the next four.
    void order_weights(uint8_t *to) const {
        const long taps = options.taps(), length = 4 * depth.groups;
        std::fill_n(to, weights(), uint8_t{0});
        for (long row = 0; row < options.groups * o; row++) {
            const int8_t *from = w + row * c * taps;
            uint8_t *start = to + (row / o * blocks * SHORT_ROWS + row % o) * length;
            for (long channel = 0; channel < c; channel++)
                for (long t = 0; t < taps; t++)
                    start[(channel / 4 * taps + t) * 4 + channel % 4] =
                        static_cast<uint8_t>(from[channel * taps + t]);
        }
    }

    std::vector<long> offsets() const {
        std::vector<long> found;
        for (long f = 0; f < fours; f++)
            for (long i = 0; i < options.y.kernel; i++)
                for (long j = 0; j < options.x.kernel; j++)
                    found.push_back(f * plane + i * options.y.dilation * width +
                                    j * options.x.dilation);
        return found;
    }

    void pack_panel(const uint32_t *words, const long *offset, long first, uint8_t *to) const {
        long bases[SHORT_COLUMNS] = {};
        const long count = std::min<long>(SHORT_COLUMNS, out - first);
        for (long i = 0; i < count; i++) {
            const long row = (first + i) / options.x.out, column = (first + i) % options.x.out;
            bases[i] = row * options.y.stride * width + column * options.x.stride;
        }
        conv.pack(words, offset, groups, depth.groups, bases, count, to);
    }

    // Some panels of one group of one sample, by all its weights.
    void chunk(long sample, long group, long first, const uint32_t *words, const long *offset,
               const uint8_t *ordered, const int32_t *zeros, uint8_t *memory) const {
        const long count = std::min(CHUNK, panels - first), pixel = first * SHORT_COLUMNS;
        const long row = CHUNK * SHORT_COLUMNS, length = 4 * depth.groups;
        auto *c_block = reinterpret_cast<int32_t *>(memory + CHUNK * panel);
        void *spare = c_block + SHORT_ROWS * row;
        for (long j = 0; j < count; j++)
            pack_panel(words, offset, pixel + j * SHORT_COLUMNS, memory + j * panel);
        for (long i = 0; i < o; i += SHORT_ROWS) {
            const long at = group * o + i, rows = std::min<long>(SHORT_ROWS, o - i);
            const uint8_t *from = ordered + (group * blocks * SHORT_ROWS + i) * length;
            gemm.multiply(static_cast<short_way>(product_instructions()), &depth,
                          reinterpret_cast<const int8_t *>(from), length, SHORT_ROWS, memory, count,
                          c_block, row, spare);
            product_finish f = finish;
            const long size = f.result == PRODUCT_FLOATS ? 4 : 1;
            f.offset = zeros + at, f.factor += at;
            if (f.row_bias) f.row_bias += at;
            f.y = static_cast<char *>(f.y) +
                  size * ((sample * options.groups * o + at) * out + pixel);
            TRIPTYCH_PICK(quantize).finish(&f, c_block, row, rows,
                                           std::min(count * SHORT_COLUMNS, out - pixel));
        }
    }

    void run() const {
        const long images = n * options.groups, all_words = round_up(images * image, 16);
        const long ordered_bytes = round_up(weights(), 64);
        const int threads = num_threads();
        auto *words = static_cast<uint32_t *>(scratch(static_cast<std::size_t>(
            4 * all_words + ordered_bytes + threads * round_up(each(), 64))));
        auto *ordered = reinterpret_cast<uint8_t *>(words + all_words);
        uint8_t *own = ordered + ordered_bytes;
        const std::vector<long> offset = offsets();
        std::vector<int32_t> zeros(options.groups * o);
        for (std::size_t i = 0; i < zeros.size(); i++)
            zeros[i] = zero * TRIPTYCH_PICK(quantize).sum_signed(w + i * c * options.taps(),
                                                                 c * options.taps());
        order_weights(ordered);
        parallel(images, SMALL / image + 1, [&](long begin, long end) {
            for (long i = begin; i < end; i++)
                fill_image(x + i * c * options.in(), words + i * image);
        });
        run_pieces(images * chunks, [&](long piece, int worker) {
            const long i = piece / chunks;
            chunk(i / options.groups, i % options.groups, piece % chunks * CHUNK, words + i * image,
                  offset.data(), ordered, zeros.data(), own + worker * round_up(each(), 64));
        }, threads);
    }
};

nb::object quantized_conv(nb::handle input, nb::handle weight, nb::handle scale, nb::handle zero,
                          nb::handle bias, nb::tuple stride, nb::tuple padding, nb::tuple dilation,
                          long groups, float x_scale, int32_t x_zero, bool relu, float y_scale,
                          int32_t y_zero, nb::handle dtype) {
    const Array x = bytes_of(input), w = Array::packed(weight, NPY_INT8);
    const Array w_zero = Array::packed(zero, NPY_INT32);
    ConvOptions options(stride, padding, dilation, groups);
    const int type = type_number(dtype);
    if (!x || !w || !w_zero || (type != NPY_FLOAT32 && !is_bytes(type)) || !options.read(x, w) ||
        std::min({options.y.before, options.x.before, options.after[0], options.after[1]}) < 0)
        return not_implemented();
    const long n = x.shape(0), c = w.shape(1), o = w.shape(0);
    const int32_t *zeros = w_zero.data<int32_t>();
    std::vector<float> factor;
    product_finish finish{};
    if (!exact_depth(c * options.taps()) || w_zero.size() != o ||
        std::any_of(zeros, zeros + o, [](int32_t z) { return z != 0; }) ||
        !read_vectors(scale, bias, o, factor, x_scale, finish.row_bias))
        return not_implemented();
    taken++;
    const long rows = options.dims == 2 ? options.y.out : options.x.out;
    const npy_intp shape[] = {n, o, rows, options.x.out};
    const Result y(options.dims + 2, shape, type);
    const uint8_t flip = PyArray_TYPE(x.object) == NPY_INT8 ? 0x80 : 0;
    finish.factor = factor.data(), finish.relu = relu, finish.y = y.data<void>();
    finish.result = type == NPY_FLOAT32 ? PRODUCT_FLOATS : PRODUCT_BYTES;
    finish.bytes = scale_of(y_scale, y_zero, type);
    finish.row_step = options.out(), finish.column_step = 1;
    const QuantizedConv conv{options, n, c, o / groups, x.data<uint8_t>(), w.data<int8_t>(), flip,
                             x_zero + flip, finish};
    const Unlocked unlocked(y.array.size());
    conv.run();
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("quantized_conv", &quantized_conv, nb::arg("x"), nb::arg("w"), nb::arg("scale"),
          nb::arg("zero"), nb::arg("bias") = nb::none(), nb::kw_only(), nb::arg("stride"),
          nb::arg("padding"), nb::arg("dilation"), nb::arg("groups"), nb::arg("x_scale"),
          nb::arg("x_zero"), nb::arg("relu"), nb::arg("y_scale"), nb::arg("y_zero"),
          nb::arg("dtype"));
});

} // namespace
} // namespace triptych
