#include "bindings/conv_options.h"

#include "bindings/families.h"
#include "runtime/scratch.h"

#include <vector>

namespace triptych {
namespace {

Counter taken("conv"), depthwise_taken("conv_depthwise"), winograd_2_taken("conv_winograd_2"),
    winograd_4_taken("conv_winograd_4");

void read_axis(conv_axis &axis, long &after, std::size_t i, nb::tuple stride, nb::tuple padding,
               nb::tuple dilation) {
    const auto pads = nb::cast<nb::tuple>(padding[i]);
    axis.stride = nb::cast<long>(stride[i]);
    axis.dilation = nb::cast<long>(dilation[i]);
    axis.before = nb::cast<long>(pads[0]);
    after = nb::cast<long>(pads[1]);
}

// Calls body(begin, end, scratch, held) over ranges of units, at most so many; each thread has
// scratch of its own, and a number beside it that is -1 at first.
template <class Body>
void with_held(long most, long units, long room, int threads, Body &&body) {
    const long pieces = threads == 1 ? 1 : std::min(most, 8L * threads);
    constexpr long LINE = 8; // threads write to lines of their own
    std::vector<long> held(threads * LINE, -1);
    const auto run = [&](long piece, int worker) {
        body(units * piece / pieces, units * (piece + 1) / pieces, scratch_floats(room, 1),
             &held[worker * LINE]);
    };
    run_pieces(pieces, run, threads);
}

// x, padded for reading, times weights.
void convolve_direct(const ConvOptions &options, long n, long c, long o, const float *x,
                     const float *w, float *y, const conv_after *after) {
    const auto &kernels = TRIPTYCH_PICK(conv_direct);
    conv_layout layout;
    kernels.layout(&layout, &options.y, &options.x);
    const long most = samples_at_once(n, c * layout.plane);
    const long table = 2 * whole_lines(options.taps()); // offsets come first
    float *memory = scratch_floats(table + most * c * layout.plane + layout.slack);
    long *offsets = reinterpret_cast<long *>(memory);
    float *planes = memory + table;
    kernels.offsets(&layout, offsets);
    for (long s = 0; s < n; s += most) {
        const long now = std::min(most, n - s), channels = now * c;
        const float *from = x + s * c * options.in();
        parallel(channels, SMALL / layout.plane + 1, [&](long begin, long end) {
            kernels.fill(&layout, from + begin * options.in(), planes + begin * layout.plane,
                         end - begin, end == channels);
        });
        multiply(kernels, {now, options.groups, w, o / options.groups, planes, c / options.groups,
                           layout.plane, options.taps(), offsets, layout.pitch, options.y.out,
                           options.x.out, 0, y + s * o * options.out(), options.out(),
                           options.x.out, 1, after});
    }
}

// A kernel of one pixel reads x where it lies.
bool reads_pixels(const ConvOptions &options) {
    const auto plain = [](const conv_axis &a) {
        return a.kernel == 1 && a.stride == 1 && a.before == 0 && a.in == a.out;
    };
    return plain(options.y) && plain(options.x) && options.in() >= 48;
}

void convolve_pixels(const ConvOptions &options, long n, long c, long o, const float *x,
                     const float *w, float *y, const conv_after *after) {
    const long size = options.in(), here = 0;
    multiply(TRIPTYCH_PICK(conv_direct),
             {n, options.groups, w, o / options.groups, x, c / options.groups, size, 1, &here, size,
              1, size, 1, y, size, 0, 1, after});
}

// Images of one pixel, such as those in squeeze and excitation.
void convolve_one_pixel(const ConvOptions &, long n, long c, long o, const float *x, const float *w,
                        float *y, const conv_after *after) {
    const auto &kernels = TRIPTYCH_PICK(conv_direct);
    parallel(o, 2 * SMALL / (n * c) + 1,
             [&](long begin, long end) { kernels.dots(w, x, after, y, n, c, o, begin, end); });
}

void convolve_depthwise(const ConvOptions &options, long n, long c, long o, const float *x,
                        const float *w, float *y, const conv_after *after) {
    const auto &plans = TRIPTYCH_PICK(conv_direct);
    const auto &kernels = TRIPTYCH_PICK(conv_depthwise);
    conv_layout layout;
    plans.layout(&layout, &options.y, &options.x);
    const long table = 2 * whole_lines(options.taps());
    const long each = whole_lines(kernels.scratch(&layout));
    const int threads = num_threads();
    float *memory = scratch_floats(table + threads * each);
    long *offsets = reinterpret_cast<long *>(memory);
    plans.offsets(&layout, offsets);
    with_scratch(n * c, threads, memory + table, each, [&](long begin, long end, float *own) {
        kernels.forward(&layout, offsets, c, o / c, x, w, after, y, own, begin, end);
    });
}

// Edge of the tiles of outputs: 4 where that is wished for, or 2; 0 where the plain way is faster.
long winograd_tile(const ConvOptions &options, long n, long c, long o, Winograd wish) {
    const auto fits = [](const conv_axis &a) {
        return a.kernel == 3 && a.stride == 1 && a.dilation == 1 && a.before >= 0;
    };
    const long lanes = TRIPTYCH_PICK(conv_winograd).lanes(), m = static_cast<long>(wish);
    if (m == 0 || !fits(options.y) || !fits(options.x)) return 0;
    if (options.groups != 1 || c % lanes || o % lanes || c < 32) return 0;
    const long tiles = n * ((options.y.out + m - 1) / m) * ((options.x.out + m - 1) / m);
    return tiles >= 12 ? m : 0; // with fewer, transforming the weights takes too long
}

// 3x3 kernels, as many samples at a time as fit.
void convolve_winograd(const ConvOptions &options, long n, long c, long o, const float *x,
                       const float *w, float *y, long m) {
    const auto &kernels = TRIPTYCH_PICK(conv_winograd);
    conv_winograd s{1, c, o, options.y, options.x, m, (options.y.out + m - 1) / m,
                    (options.x.out + m - 1) / m, num_threads()};
    const long most = samples_at_once(n, (m + 2) * (m + 2) * s.tiles_y * s.tiles_x * c);
    for (long first = 0; first < n; first += most) {
        s.samples = std::min(most, n - first);
        const float *from = x + first * c * options.in();
        float *to = y + first * o * options.out();
        const long units = kernels.units(&s);
        with_held(units, units, kernels.scratch(&s), int(s.threads),
                  [&](long begin, long end, float *memory, long *held) {
                      kernels.multiply(&s, from, w, to, memory, held, begin, end);
                  });
    }
}

nb::object conv(nb::handle input, nb::handle weight, nb::tuple stride, nb::tuple padding,
                nb::tuple dilation, long groups, long winograd) {
    const Array x = Array::packed(input), w = Array::packed(weight);
    ConvOptions options(stride, padding, dilation, groups);
    if (!x || !w || !options.read(x, w)) return not_implemented();
    const long rows = options.dims == 2 ? options.y.out : options.x.out; // a sound has columns only
    const npy_intp shape[] = {x.shape(0), w.shape(0), rows, options.x.out};
    const Result y(options.dims + 2, shape);
    {
        const Unlocked unlocked(y.array.size());
        convolve(options, x.shape(0), x.shape(1), w.shape(0), x.data(), w.data(), y.data(),
                 Winograd(winograd));
    }
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("conv", &conv, nb::arg("x"), nb::arg("w"), nb::arg("stride"), nb::arg("padding"),
          nb::arg("dilation"), nb::arg("groups"), nb::arg("winograd"));
});

} // namespace

ConvOptions::ConvOptions(nb::tuple stride, nb::tuple padding, nb::tuple dilation, long groups)
    : groups(groups) {
    const std::size_t count = stride.size();
    if (count < 1 || count > 2 || padding.size() != count || dilation.size() != count) return;
    dims = static_cast<int>(count);
    read_axis(x, after[1], count - 1, stride, padding, dilation);
    if (dims == 2) read_axis(y, after[0], 0, stride, padding, dilation);
    if (std::min({x.stride, x.dilation, y.stride, y.dilation}) < 1) dims = 0;
}

bool ConvOptions::lengths(const npy_intp *in, const npy_intp *kernel, const npy_intp *out) {
    x.in = in[dims + 1], x.kernel = kernel[dims + 1], x.out = out[dims + 1];
    if (dims == 2) y.in = in[2], y.kernel = kernel[2], y.out = out[2];
    return groups > 0 && in[0] > 0 && in[0] == out[0] && kernel[0] > 0 && kernel[0] == out[1] &&
           kernel[0] % groups == 0 && in[1] > 0 && in[1] == kernel[1] * groups &&
           std::min({x.in, x.kernel, x.out, y.in, y.kernel, y.out}) > 0;
}

bool ConvOptions::read(const Array &input, const Array &w) {
    if (dims == 0 || input.ndim() != dims + 2 || w.ndim() != dims + 2) return false;
    npy_intp out[4] = {input.shape(0), w.shape(0)};
    for (int i = 0; i < dims; i++) {
        const conv_axis &axis = dims == 2 && i == 0 ? y : x;
        const long room = input.shape(i + 2) + axis.before + after[dims == 2 ? i : 1] -
                          axis.dilation * (w.shape(i + 2) - 1) - 1;
        out[i + 2] = room < 0 ? 0 : room / axis.stride + 1;
    }
    return lengths(input.shape(), w.shape(), out);
}

void multiply(const conv_direct_kernels &kernels, const conv_product &p) {
    const long units = kernels.units(&p), room = kernels.scratch(&p);
    const double steps = double(p.samples) * p.groups * p.rows * p.channels * p.taps * p.out_rows *
                         p.out_columns;
    with_held(std::min(units, long(steps / (2 * SMALL)) + 1), units, room, num_threads(),
              [&](long begin, long end, float *memory, long *held) {
                  kernels.multiply(&p, memory, held, begin, end);
              });
}

bool convolve(const ConvOptions &options, long n, long c, long o, const float *x, const float *w,
              float *y, Winograd winograd, const conv_after *after) {
    if (const long tile = winograd_tile(options, n, c, o, winograd)) {
        (tile == 2 ? winograd_2_taken : winograd_4_taken)++;
        convolve_winograd(options, n, c, o, x, w, y, tile);
        return !after;
    }
    const bool alone = options.depthwise(c, o) && n * c >= 2 * num_threads();
    (alone ? depthwise_taken : taken)++;
    const bool one = options.in() == 1 && options.out() == 1 && options.taps() == 1 &&
                     options.groups == 1 && options.y.before == 0 && options.x.before == 0;
    (alone                   ? convolve_depthwise
     : one                   ? convolve_one_pixel
     : reads_pixels(options) ? convolve_pixels
                             : convolve_direct)(options, n, c, o, x, w, y, after);
    return true;
}

} // namespace triptych
