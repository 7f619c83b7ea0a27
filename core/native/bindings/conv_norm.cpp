// A convolution, batch normalisation by given statistics or a bias, and an activation.
//
// Where the method of the convolution can, it finishes its outputs before it writes them; else what
// follows is one pass over numbers that were just written, and no memory of its own.
#include "bindings/conv_options.h"
#include "kernels/elementwise.h"
#include "kernels/norm.h"

#include "bindings/families.h"
#include "runtime/scratch.h"

#include <cmath>
#include <limits>
#include <vector>

namespace triptych {
namespace {

Counter norm_taken("conv_norm"), bias_taken("conv_bias");
constexpr long BLOCK = 4096; // numbers that stay in the first cache between the two steps

struct Finish {
    long channels, space; // of (n, channels, space)
    const float *mean = nullptr, *var = nullptr, *weight = nullptr, *bias = nullptr;
    std::vector<float> scale{};
    int activation = -1; // an elementwise_op of one input, or -1

    // What the convolution may do itself; it takes the activation along where it knows it.
    conv_after of_convolution(double eps) {
        if (mean) scale.resize(channels);
        for (long c = 0; mean && c < channels; c++)
            scale[c] = static_cast<float>(1 / std::sqrt(var[c] + eps)) * weight[c];
        constexpr float endless = std::numeric_limits<float>::infinity();
        conv_after after{mean, mean ? scale.data() : nullptr, bias, -endless, endless, 0};
        if (activation == ELEMENTWISE_relu || activation == ELEMENTWISE_relu6) after.low = 0;
        if (activation == ELEMENTWISE_relu6) after.high = 6;
        after.hardswish = activation == ELEMENTWISE_hardswish;
        return after;
    }
    bool activates(const conv_after &after) const {
        return after.hardswish || after.low == 0;
    }

    // The planes [begin, end) of y, a plane for each sample and channel.
    void normalise(float *y, long begin, long end) const {
        const norm_span one{1, space, space};
        for (long plane = begin; plane < end; plane++) {
            const long c = plane % channels;
            float *at = y + plane * space;
            TRIPTYCH_PICK(norm).apply(&one, at, at, mean ? mean[c] : 0, mean ? scale[c] : 1,
                                      bias[c]);
        }
    }
    void activate(float *y, long begin, long end) const {
        float *at = y + begin * space;
        const long count = (end - begin) * space;
        const chain_input input{CHAIN_FULL, at, 0, 0, HALF_NONE};
        const chain_output output{at, 0, HALF_NONE};
        const chain_step step{static_cast<unsigned char>(activation), 1, 0, 0, 0};
        const chain_program program{1, 1, 1, 2, &input, &output, &step};
        TRIPTYCH_PICK(elementwise).run(&program, 0, count, scratch_floats(2 * CHAIN_TILE));
    }
};

bool vector_of(nb::handle value, long size, const float *&data) {
    const Array a = Array::packed(value);
    if (!a || a.ndim() != 1 || a.size() != size) return false;
    data = a.data();
    return true;
}

struct Images {
    Array x, w;
    ConvOptions options;

    Images(nb::handle input, nb::handle kernels, nb::tuple stride, nb::tuple padding,
           nb::tuple dilation, long groups)
        : x(Array::packed(input)), w(Array::packed(kernels)),
          options(stride, padding, dilation, groups) {}
    bool fit() { return x && w && options.dims == 2 && options.read(x, w); }
};

nb::object convolved(const Images &images, Finish &finish, long winograd, double eps) {
    const ConvOptions &options = images.options;
    const long n = images.x.shape(0), c = images.x.shape(1), o = finish.channels;
    const Result result({n, o, options.y.out, options.x.out});
    float *y = result.data();
    {
        const Unlocked unlocked(result.array.size());
        const conv_after after = finish.of_convolution(eps);
        const bool finished = convolve(options, n, c, o, images.x.data(), images.w.data(), y,
                                       Winograd(winograd), &after);
        const bool activated = finish.activation < 0 || (finished && finish.activates(after));
        const long each = std::max(1L, BLOCK / finish.space), blocks = (n * o + each - 1) / each;
        const auto planes = [&](long begin, long end) {
            for (long block = begin; block < end; block++) {
                const long first = block * each, last = std::min(first + each, n * o);
                if (!finished) finish.normalise(y, first, last);
                if (!activated) finish.activate(y, first, last);
            }
        };
        if (!finished || !activated) parallel(blocks, SMALL / (each * finish.space) + 1, planes);
    }
    return result.object;
}

nb::object conv_norm(nb::handle input, nb::handle kernels, nb::handle mean, nb::handle var,
                     nb::handle weight, nb::handle bias, nb::tuple stride, nb::tuple padding,
                     nb::tuple dilation, long groups, long winograd, double eps, int activation) {
    Images images(input, kernels, stride, padding, dilation, groups);
    if (!images.fit()) return not_implemented();
    const long o = images.w.shape(0);
    Finish finish{o, images.options.out()};
    finish.activation = activation;
    if (!vector_of(mean, o, finish.mean) || !vector_of(var, o, finish.var) ||
        !vector_of(weight, o, finish.weight) || !vector_of(bias, o, finish.bias))
        return not_implemented();
    norm_taken++;
    return convolved(images, finish, winograd, eps);
}

nb::object conv_bias(nb::handle input, nb::handle kernels, nb::handle bias, nb::tuple stride,
                     nb::tuple padding, nb::tuple dilation, long groups, long winograd,
                     int activation) {
    Images images(input, kernels, stride, padding, dilation, groups);
    if (!images.fit()) return not_implemented();
    const long o = images.w.shape(0);
    Finish finish{o, images.options.out()};
    finish.activation = activation;
    if (!vector_of(bias, o, finish.bias)) return not_implemented();
    bias_taken++;
    return convolved(images, finish, winograd, 0);
}

const Family family([](nb::module_ &m) {
    m.def("conv_norm", &conv_norm, nb::arg("x"), nb::arg("w"), nb::arg("mean"), nb::arg("var"),
          nb::arg("weight"), nb::arg("bias"), nb::arg("stride"), nb::arg("padding"),
          nb::arg("dilation"), nb::arg("groups"), nb::arg("winograd"), nb::arg("eps"),
          nb::arg("activation"));
    m.def("conv_bias", &conv_bias, nb::arg("x"), nb::arg("w"), nb::arg("bias"), nb::arg("stride"),
          nb::arg("padding"), nb::arg("dilation"), nb::arg("groups"), nb::arg("winograd"),
          nb::arg("activation"));
});

} // namespace
} // namespace triptych
