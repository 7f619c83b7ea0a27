#include "kernels/conv.h"

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

#include <optional>

namespace triptych {
namespace {

Counter direct_taken("conv"), winograd_taken("conv_winograd");

constexpr long COPY_FLOATS = 1 << 20; // of padded images at a time, to stay in a cache

constexpr long WINOGRAD_FLOATS = 1 << 20; // of transformed inputs at a time

// The parameters of the primitives, for one or two axes of space; a sound has one row.
struct Options {
    conv_axis y{1, 1, 1, 1, 1, 0}, x{};
    long groups = 0;
    bool valid = false;

    Options(nb::tuple stride, nb::tuple padding, nb::tuple dilation, long groups) : groups(groups) {
        const std::size_t dims = stride.size();
        if (dims != 1 && dims != 2) return;
        read(x, dims - 1, stride, padding, dilation);
        if (dims == 2) read(y, 0, stride, padding, dilation);
        valid = true;
    }

    // Lengths from the shapes (n, c, *in), (o, c / groups, *kernel) and (n, o, *out).
    template <class In, class Kernel, class Out>
    bool lengths(int dims, const In *in, const Kernel *kernel, const Out *out) {
        x.in = in[dims + 1], x.kernel = kernel[dims + 1], x.out = out[dims + 1];
        if (dims == 2) y.in = in[2], y.kernel = kernel[2], y.out = out[2];
        return std::min({x.in, x.kernel, x.out, y.in, y.kernel, y.out}) > 0;
    }

  private:
    static void read(conv_axis &axis, std::size_t i, nb::tuple stride, nb::tuple padding,
                     nb::tuple dilation) {
        axis.stride = nb::cast<long>(stride[i]);
        axis.dilation = nb::cast<long>(dilation[i]);
        axis.before = nb::cast<long>(nb::cast<nb::tuple>(padding[i])[0]);
    }
};

long after(nb::tuple padding, std::size_t i) {
    return nb::cast<long>(nb::cast<nb::tuple>(padding[i])[1]);
}

// Runs all units of a product.
void multiply(const conv_direct_kernels &kernels, const conv_product &p) {
    const long units = kernels.units(&p);
    const double each = double(p.samples) * p.groups * p.rows * p.channels * p.taps *
                        p.out_rows * p.out_columns / units;
    parallel(units, long(2 * SMALL / each) + 1,
             [&](long begin, long end) { kernels.multiply(&p, begin, end); });
}

// x (n, c, h, w), padded for reading, as many samples at a time as fit.
void convolve(const Options &options, long n, long c, long o, const float *x, const float *w,
              float *y) {
    const auto &kernels = TRIPTYCH_PICK(conv_direct);
    const conv_axis &along_y = options.y, &along_x = options.x;
    conv_layout layout;
    kernels.layout(&layout, &along_y, &along_x);
    const long taps = along_y.kernel * along_x.kernel, image = along_y.in * along_x.in;
    const long most = std::clamp(COPY_FLOATS / (c * layout.plane), 1L, n);
    const long table = (taps + 7) / 8 * 16; // offsets come first
    float *memory = scratch_floats(table + most * c * layout.plane + layout.slack);
    long *offsets = reinterpret_cast<long *>(memory);
    float *planes = memory + table;
    kernels.offsets(&layout, offsets);
    for (long s = 0; s < n; s += most) {
        const long now = std::min(most, n - s), channels = now * c;
        const float *from = x + s * c * image;
        parallel(channels, SMALL / layout.plane + 1, [&](long begin, long end) {
            kernels.fill(&layout, from + begin * image, planes + begin * layout.plane, end - begin,
                         end == channels);
        });
        multiply(kernels, {now, options.groups, w, o / options.groups, planes, c / options.groups,
                           layout.plane, taps, offsets, layout.pitch, along_y.out, along_x.out, 0,
                           y + s * o * along_y.out * along_x.out, along_y.out * along_x.out,
                           along_x.out, 1});
    }
}

// A kernel of one pixel reads x where it lies.
void convolve_pixels(const Options &options, long n, long c, long o, const float *x, const float *w,
                     float *y) {
    const long size = options.y.in * options.x.in, here = 0;
    multiply(TRIPTYCH_PICK(conv_direct),
             {n, options.groups, w, o / options.groups, x, c / options.groups, size, 1, &here, size,
              1, size, 1, y, size, 0, 1});
}

bool reads_pixels(const Options &options) {
    const auto plain = [](const conv_axis &a) {
        return a.kernel == 1 && a.stride == 1 && a.before == 0 && a.in == a.out;
    };
    return plain(options.y) && plain(options.x) && options.y.in * options.x.in >= 48;
}

bool fits_winograd(const Options &options, long n, long c, long o) {
    const auto fits = [](const conv_axis &a) {
        return a.kernel == 3 && a.stride == 1 && a.dilation == 1 && a.before >= 0;
    };
    const long lanes = TRIPTYCH_PICK(conv_winograd).lanes();
    const long tiles = n * ((options.y.out + 3) / 4) * ((options.x.out + 3) / 4);
    return fits(options.y) && fits(options.x) && options.groups == 1 && c % lanes == 0 &&
           o % lanes == 0 && tiles >= 4;
}

// Calls body(begin, end, scratch) over ranges of units; each thread has its own scratch.
template <class Body> void with_scratch(long units, float *memory, long each, Body &&body) {
    const long pieces = std::min(units, 8L * num_threads());
    run_pieces(pieces, [&](long piece, int worker) {
        body(units * piece / pieces, units * (piece + 1) / pieces, memory + worker * each);
    });
}

// 3x3 kernels by F(4x4, 3x3), as many samples at a time as fit.
void convolve_winograd(const Options &options, long n, long c, long o, const float *x,
                       const float *w, float *y) {
    const auto &kernels = TRIPTYCH_PICK(conv_winograd);
    conv_winograd s{1, c, o, options.y, options.x, (options.y.out + 3) / 4,
                    (options.x.out + 3) / 4, 0};
    const long tiles = s.tiles_y * s.tiles_x, in = c * s.y.in * s.x.in;
    const long most = std::clamp(WINOGRAD_FLOATS / (36 * tiles * c), 1L, n);
    s.samples = most;
    s.v_step = most * tiles * c + 16;
    const long each = (std::max(kernels.scratch(&s), kernels.input_scratch(&s)) + 15) / 16 * 16;
    float *v = scratch_floats(36 * s.v_step + num_threads() * each), *own = v + 36 * s.v_step;
    for (long first = 0; first < n; first += most) {
        s.samples = std::min(most, n - first);
        const float *from = x + first * in;
        float *to = y + first * o * s.y.out * s.x.out;
        with_scratch(s.samples * c / kernels.lanes(), own, each, [&](long begin, long end, float *m) {
            kernels.input(&s, from, v, m, begin, end);
        });
        with_scratch(kernels.units(&s), own, each, [&](long begin, long end, float *m) {
            kernels.multiply(&s, v, w, to, m, begin, end);
        });
    }
}

nb::object conv(nb::handle input, nb::handle weight, nb::tuple stride, nb::tuple padding,
                nb::tuple dilation, long groups, bool winograd) {
    const Array x = Array::packed(input), w = Array::packed(weight);
    Options options(stride, padding, dilation, groups);
    const int dims = static_cast<int>(stride.size());
    if (!x || !w || !options.valid || x.ndim() != dims + 2) return not_implemented();
    npy_intp shape[4] = {x.shape(0), w.shape(0)};
    for (int i = 0; i < dims; i++) {
        const conv_axis &axis = dims == 2 && i == 0 ? options.y : options.x;
        const long room = x.shape(i + 2) + axis.before + after(padding, i) -
                          axis.dilation * (w.shape(i + 2) - 1) - 1;
        shape[i + 2] = room / axis.stride + 1;
    }
    if (!options.lengths(dims, x.shape(), w.shape(), shape) || x.size() == 0 || w.size() == 0)
        return not_implemented();
    const Result y(dims + 2, shape);
    const long n = x.shape(0), c = x.shape(1), o = w.shape(0);
    winograd = winograd && fits_winograd(options, n, c, o);
    (winograd ? winograd_taken : direct_taken)++;
    const Unlocked unlocked(y.array.size());
    const auto run = winograd ? convolve_winograd
                     : reads_pixels(options) ? convolve_pixels
                                             : convolve;
    run(options, n, c, o, x.data(), w.data(), y.data());
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("conv", &conv, nb::arg("x"), nb::arg("w"), nb::arg("stride"), nb::arg("padding"),
          nb::arg("dilation"), nb::arg("groups"), nb::arg("winograd"));
});

} // namespace
} // namespace triptych
