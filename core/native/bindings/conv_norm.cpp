// A convolution, batch normalisation by given statistics and an activation.
//
// The channels of the convolution are normalised and activated where they lie: what follows it is
// one pass over numbers that were just written, and no memory of its own.
#include "bindings/conv_options.h"
#include "kernels/elementwise.h"
#include "kernels/norm.h"

#include "bindings/families.h"
#include "runtime/scratch.h"

#include <cmath>

namespace triptych {
namespace {

Counter taken("conv_norm");
constexpr long BLOCK = 4096; // numbers that stay in the first cache between the two steps

struct Norm {
    long channels, space; // of (n, channels, space)
    const float *mean, *var, *weight, *bias;
    double eps;
    int activation; // an elementwise_op of one input, or -1

    // The planes [begin, end) of y, a plane for each sample and channel.
    void planes(float *y, long begin, long end) const {
        const norm_span one{1, space, space};
        for (long plane = begin; plane < end; plane++) {
            const long c = plane % channels;
            const auto scale = static_cast<float>(1 / std::sqrt(var[c] + eps)) * weight[c];
            float *at = y + plane * space;
            TRIPTYCH_PICK(norm).apply(&one, at, at, mean[c], scale, bias[c]);
        }
        if (activation >= 0) activate(y + begin * space, (end - begin) * space);
    }
    void activate(float *y, long count) const {
        const chain_input input{CHAIN_FULL, y, 0, 0, HALF_NONE};
        const chain_output output{y, 0, HALF_NONE};
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

nb::object conv_norm(nb::handle input, nb::handle kernels, nb::handle mean, nb::handle var,
                     nb::handle weight, nb::handle bias, nb::tuple stride, nb::tuple padding,
                     nb::tuple dilation, long groups, long winograd, double eps, int activation) {
    const Array x = Array::packed(input), w = Array::packed(kernels);
    ConvOptions options(stride, padding, dilation, groups);
    if (!x || !w || options.dims != 2 || !options.read(x, w)) return not_implemented();
    const long n = x.shape(0), o = w.shape(0);
    Norm norm{o, options.out(), nullptr, nullptr, nullptr, nullptr, eps, activation};
    if (!vector_of(mean, o, norm.mean) || !vector_of(var, o, norm.var) ||
        !vector_of(weight, o, norm.weight) || !vector_of(bias, o, norm.bias))
        return not_implemented();
    taken++;
    const Result y({n, o, options.y.out, options.x.out});
    {
        const Unlocked unlocked(y.array.size());
        convolve(options, n, x.shape(1), o, x.data(), w.data(), y.data(), Winograd(winograd));
        const long each = std::max(1L, BLOCK / norm.space), blocks = (n * o + each - 1) / each;
        parallel(blocks, SMALL / (each * norm.space) + 1, [&](long begin, long end) {
            for (long block = begin; block < end; block++)
                norm.planes(y.data(), block * each, std::min((block + 1) * each, n * o));
        });
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("conv_norm", &conv_norm, nb::arg("x"), nb::arg("w"), nb::arg("mean"), nb::arg("var"),
          nb::arg("weight"), nb::arg("bias"), nb::arg("stride"), nb::arg("padding"),
          nb::arg("dilation"), nb::arg("groups"), nb::arg("winograd"), nb::arg("eps"),
          nb::arg("activation"));
});

} // namespace
} // namespace triptych
