// int8 and uint8: conversions, and affine maps of them.
#include "bindings/families.h"
#include "bindings/short_product.h"
#include "kernels/reduce.h"

#include <cmath>
#include <limits>
#include <vector>

namespace triptych {
namespace {

Counter quantize_taken("quantize"), dequantize_taken("dequantize"),
    integer_linear_taken("integer_linear"), quantized_linear_taken("quantized_linear"),
    dynamic_linear_taken("dynamic_linear");

const quantize_kernels &kernels() { return TRIPTYCH_PICK(quantize); }

int type_of(const Array &x) { return PyArray_TYPE(x.object); }

// Scales and zeros of an array: one for all of it, or one for each place along an axis.
struct Scales {
    const float *scale = nullptr;
    const int32_t *zero = nullptr;
    long outer = 1, count = 1, inner = 1;

    Scales(const Array &x, nb::handle scales, nb::handle zeros, nb::handle axis) {
        const Array s = Array::packed(scales), z = Array::packed(zeros, NPY_INT32);
        if (!x || x.size() == 0 || !s || !z || s.size() != z.size()) return;
        inner = x.size();
        if (!axis.is_none()) {
            const long at = nb::cast<long>(axis);
            if (at < 0 || at >= x.ndim()) return;
            inner = 1;
            for (int i = 0; i < x.ndim(); i++)
                (i < at ? outer : i == at ? count : inner) *= x.shape(i);
        }
        if (s.size() == count) scale = s.data(), zero = z.data<int32_t>();
    }
    explicit operator bool() const { return scale != nullptr; }

    // Calls body(channel, begin, end) over all numbers.
    template <class Body> void over(Body &&body) const {
        const long parts = (inner + 4 * SMALL - 1) / (4 * SMALL), units = outer * count * parts;
        parallel(units, SMALL / std::min(inner, 4 * SMALL) + 1, [&](long begin, long end) {
            for (long unit = begin; unit < end; unit++) {
                const long run = unit / parts, part = unit % parts, at = run * inner;
                body(run % count, at + inner * part / parts, at + inner * (part + 1) / parts);
            }
        });
    }
};

nb::object quantize(nb::handle input, nb::handle scale, nb::handle zero, nb::handle axis,
                    nb::handle dtype) {
    const Array x = Array::packed(input);
    const Scales scales(x, scale, zero, axis);
    const int type = type_number(dtype);
    if (!scales || !is_bytes(type)) return not_implemented();
    quantize_taken++;
    const Result y = Result::like(x, type);
    {
        const Unlocked unlocked(x.size());
        scales.over([&](long channel, long begin, long end) {
            const byte_scale q = scale_of(scales.scale[channel], scales.zero[channel], type);
            kernels().quantize(&q, x.data() + begin, y.data<uint8_t>() + begin, end - begin);
        });
    }
    return y.object;
}

nb::object dequantize(nb::handle input, nb::handle scale, nb::handle zero, nb::handle axis) {
    const Array x = bytes_of(input);
    const Scales scales(x, scale, zero, axis);
    if (!scales) return not_implemented();
    dequantize_taken++;
    const Result y = Result::like(x);
    {
        const Unlocked unlocked(x.size());
        scales.over([&](long channel, long begin, long end) {
            const byte_scale q =
                scale_of(scales.scale[channel], scales.zero[channel], type_of(x));
            kernels().dequantize(&q, x.data<uint8_t>() + begin, y.data() + begin, end - begin);
        });
    }
    return y.object;
}

// x (..., k) and w (n, k) for a product; m is 0 where they do not fit.
ShortProduct product_of(const Array &x, const Array &w) {
    ShortProduct p{};
    if (!x || !w || x.ndim() < 1 || w.ndim() != 2 || x.size() == 0 || w.size() == 0) return p;
    const long k = w.shape(1);
    if (x.shape(-1) != k || !exact_depth(k)) return p;
    p.m = x.size() / k, p.n = w.shape(0), p.k = k, p.size = 1;
    p.x = x.data<uint8_t>(), p.w = w.data<uint8_t>(), p.x_step = p.w_step = k;
    p.flip = type_of(x) == NPY_INT8 ? 0x80 : 0;
    p.x_zero = p.flip;
    return p;
}

// The result of a product, which writes to it.
Result result_of(const Array &x, ShortProduct &p, int type) {
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim());
    shape.back() = p.n;
    const Result y(x.ndim(), shape.data(), type);
    p.finish.y = y.data<void>(), p.finish.row_step = 1, p.finish.column_step = p.n;
    p.finish.result = type == NPY_INT32 ? PRODUCT_INTS
                      : is_bytes(type)  ? PRODUCT_BYTES
                                        : PRODUCT_FLOATS;
    return y;
}

void compute(const ShortProduct &p) {
    const Unlocked unlocked(p.m * p.n * p.k / 16);
    multiply(p);
}

nb::object integer_linear(nb::handle input, nb::handle weight) {
    const Array x = bytes_of(input), w = Array::packed(weight, NPY_INT8);
    ShortProduct p = product_of(x, w);
    if (!p.m) return not_implemented();
    integer_linear_taken++;
    const Result y = result_of(x, p, NPY_INT32);
    compute(p);
    return y.object;
}

nb::object quantized_linear(nb::handle input, nb::handle weight, nb::handle scale, nb::handle zero,
                            nb::handle bias, float x_scale, int32_t x_zero, bool relu,
                            float y_scale, int32_t y_zero, nb::handle dtype) {
    const Array x = bytes_of(input), w = Array::packed(weight, NPY_INT8);
    const Array w_zero = Array::packed(zero, NPY_INT32);
    const int type = type_number(dtype);
    ShortProduct p = product_of(x, w);
    std::vector<float> factor;
    if (!p.m || !w_zero || w_zero.size() != p.n || (type != NPY_FLOAT32 && !is_bytes(type)) ||
        !read_vectors(scale, bias, p.n, factor, x_scale, p.finish.row_bias))
        return not_implemented();
    quantized_linear_taken++;
    p.x_zero += x_zero;
    const int32_t *zeros = w_zero.data<int32_t>();
    if (std::any_of(zeros, zeros + p.n, [](int32_t z) { return z != 0; }))
        p.finish.weight_zero = zeros;
    p.finish.factor = factor.data(), p.finish.relu = relu;
    p.finish.bytes = scale_of(y_scale, y_zero, type);
    const Result y = result_of(x, p, type);
    compute(p);
    return y.object;
}

// The scale by which all numbers of x and zero become uint8; its scale is 0 where one is not finite.
byte_scale range_of(const Array &x) {
    const auto &reduce = TRIPTYCH_PICK(reduce);
    const long size = x.size(), pieces = (size + REDUCE_PIECE - 1) / REDUCE_PIECE;
    std::vector<float> lowest(pieces), highest(pieces);
    parallel(pieces, 1, [&](long begin, long end) {
        for (long i = begin; i < end; i++) {
            const long at = i * REDUCE_PIECE, n = std::min<long>(REDUCE_PIECE, size - at);
            lowest[i] = reduce.minimum(x.data() + at, n);
            highest[i] = reduce.maximum(x.data() + at, n);
        }
    });
    const float low = reduce.minimum(lowest.data(), pieces);
    const float high = reduce.maximum(highest.data(), pieces);
    const float from = std::min(low, 0.0f), range = std::max(high, 0.0f) - from;
    if (!(low == low) || !(range < std::numeric_limits<float>::infinity())) return {0, 0, 0, 0};
    const float scale = range / 255;
    if (scale < std::numeric_limits<float>::min()) return {1, 0, 0, 255};
    return {scale, static_cast<int32_t>(std::nearbyint(-from / scale)), 0, 255};
}

nb::object dynamic_linear(nb::handle input, nb::handle weight, nb::handle scale, nb::handle bias) {
    const Array x = Array::packed(input), w = Array::packed(weight, NPY_INT8);
    ShortProduct p = product_of(x, w);
    if (!p.m) return not_implemented();
    const byte_scale q = range_of(x);
    std::vector<float> factor;
    if (q.scale == 0 || !read_vectors(scale, bias, p.n, factor, q.scale, p.finish.row_bias))
        return not_implemented();
    dynamic_linear_taken++;
    const Result y = result_of(x, p, NPY_FLOAT32), bytes = Result::like(x, NPY_UINT8);
    p.x = bytes.data<uint8_t>(), p.flip = 0, p.x_zero = q.zero, p.finish.factor = factor.data();
    const Unlocked unlocked(p.m * p.n * p.k / 16);
    parallel(x.size(), 2 * SMALL, [&](long begin, long end) {
        kernels().quantize(&q, x.data() + begin, bytes.data<uint8_t>() + begin, end - begin);
    });
    multiply(p);
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("quantize", &quantize, nb::arg("x"), nb::arg("scale"), nb::arg("zero"), nb::kw_only(),
          nb::arg("axis").none(), nb::arg("dtype"));
    m.def("dequantize", &dequantize, nb::arg("x"), nb::arg("scale"), nb::arg("zero"), nb::kw_only(),
          nb::arg("axis").none());
    m.def("integer_linear", &integer_linear, nb::arg("x"), nb::arg("w"));
    m.def("quantized_linear", &quantized_linear, nb::arg("x"), nb::arg("w"), nb::arg("scale"),
          nb::arg("zero"), nb::arg("bias") = nb::none(), nb::kw_only(), nb::arg("x_scale"),
          nb::arg("x_zero"), nb::arg("relu"), nb::arg("y_scale"), nb::arg("y_zero"),
          nb::arg("dtype"));
    m.def("dynamic_linear", &dynamic_linear, nb::arg("x"), nb::arg("w"), nb::arg("scale"),
          nb::arg("bias") = nb::none());
    m.def("product_instructions", &product_instructions);
    m.def("bfloat16_instructions", &bfloat16_instructions);
});

} // namespace
} // namespace triptych
