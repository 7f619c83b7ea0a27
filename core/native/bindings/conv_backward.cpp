#include "bindings/conv_options.h"

#include "bindings/families.h"
#include "runtime/scratch.h"

#include <bit>
#include <cstring>
#include <vector>

namespace triptych {
namespace {

Counter dx_taken("conv_dx"), dw_taken("conv_dw"), winograd_dw_taken("conv_winograd_dw");

// Positions of x with one remainder, (position + before) % stride, and what they see of g: position
// first + i * stride sees with `taps[t]` the row i + shifts[t] of a padded copy of g.
struct Phase {
    long first = 0, count = 0;
    std::vector<long> taps, shifts;
};

// All phases of an axis; `copy` becomes the axis of that copy: kernel - 1 is its largest shift.
std::vector<Phase> phases(const conv_axis &a, conv_axis &copy) {
    std::vector<Phase> all(a.stride);
    long pad = -a.in - a.out; // zeros before g: the least for which no shift is negative
    for (long r = 0; r < a.stride; r++) {
        const long start = a.before <= r ? 0 : (a.before - r + a.stride - 1) / a.stride;
        all[r].first = start * a.stride + r - a.before;
        all[r].count = std::max(0L, (a.in - all[r].first + a.stride - 1) / a.stride);
        for (long k = 0; k < a.kernel; k++)
            if (k * a.dilation % a.stride == r) {
                all[r].taps.push_back(k);
                all[r].shifts.push_back(start - k * a.dilation / a.stride);
                pad = std::max(pad, -all[r].shifts.back());
            }
    }
    copy = {a.out, 1, 1, 1, 1, pad};
    for (Phase &phase : all)
        for (long &shift : phase.shifts) {
            shift += pad;
            copy.kernel = std::max(copy.kernel, shift + 1);
            copy.out = std::max(copy.out, phase.count);
        }
    return all;
}

void turn_weights(const ConvOptions &options, const float *w, float *to, long c, long o,
                  const long *taps, long count) {
    const auto &kernels = TRIPTYCH_PICK(conv_gradient);
    const long groups = options.groups;
    parallel(c, SMALL * groups / (o * count) + 1, [&](long begin, long end) {
        kernels.turn(w, to, o / groups, c / groups, options.taps(), taps, count, begin, end);
    });
}

// With stride 1 the gradient of x is a convolution of g with w turned around.
void dx_dense(const ConvOptions &options, long n, long c, long o, const float *g, const float *w,
              float *turned, float *dx, Winograd winograd) {
    std::vector<long> taps(options.taps());
    for (std::size_t i = 0; i < taps.size(); i++) taps[i] = long(taps.size() - 1 - i);
    turn_weights(options, w, turned, c, o, taps.data(), long(taps.size()));
    ConvOptions back = options;
    for (conv_axis *a : {&back.y, &back.x}) {
        std::swap(a->in, a->out);
        a->before = a->dilation * (a->kernel - 1) - a->before;
    }
    convolve(back, n, o, c, g, turned, dx, winograd);
}

// With other strides it is one for each remainder of the positions of x.
void dx_strided(const ConvOptions &options, long n, long c, long o, const float *g, const float *w,
                float *turned, float *dx) {
    const auto &kernels = TRIPTYCH_PICK(conv_direct);
    conv_axis y, x;
    const std::vector<Phase> along_y = phases(options.y, y), along_x = phases(options.x, x);
    conv_layout layout;
    kernels.layout(&layout, &y, &x);
    const long groups = options.groups, most = samples_at_once(n, o * layout.plane);
    float *planes = scratch_floats(most * o * layout.plane + layout.slack);
    if (options.y.stride > options.y.kernel || options.x.stride > options.x.kernel ||
        options.y.dilation > 1 || options.x.dilation > 1)
        std::memset(dx, 0, sizeof(float) * n * c * options.in()); // some positions see nothing
    for (long s = 0; s < n; s += most) {
        const long now = std::min(most, n - s), channels = now * o;
        const float *from = g + s * o * options.out();
        parallel(channels, SMALL / layout.plane + 1, [&](long begin, long end) {
            kernels.fill(&layout, from + begin * options.out(), planes + begin * layout.plane,
                         end - begin, end == channels);
        });
        for (const Phase &p : along_y)
            for (const Phase &q : along_x) {
                std::vector<long> taps, offsets;
                for (std::size_t i = 0; i < p.taps.size(); i++)
                    for (std::size_t j = 0; j < q.taps.size(); j++) {
                        taps.push_back(p.taps[i] * options.x.kernel + q.taps[j]);
                        offsets.push_back(p.shifts[i] * layout.pitch + q.shifts[j]);
                    }
                const long count = long(taps.size());
                if (count == 0 || p.count == 0 || q.count == 0) continue;
                turn_weights(options, w, turned, c, o, taps.data(), count);
                float *to = dx + s * c * options.in() + p.first * options.x.in + q.first;
                multiply(kernels, {now, groups, turned, c / groups, planes, o / groups,
                                   layout.plane, count, offsets.data(), layout.pitch, p.count,
                                   q.count, 0, to, options.in(), options.y.stride * options.x.in,
                                   options.x.stride, nullptr});
            }
    }
}

nb::object conv_dx(nb::handle gradient, nb::handle weight, nb::tuple shape, nb::tuple stride,
                   nb::tuple padding, nb::tuple dilation, long groups, long winograd) {
    const Array g = Array::packed(gradient), w = Array::packed(weight);
    ConvOptions options(stride, padding, dilation, groups);
    const int ndim = options.dims + 2;
    if (!g || !w || ndim == 2 || g.ndim() != ndim || w.ndim() != ndim || int(shape.size()) != ndim)
        return not_implemented();
    npy_intp in[4];
    for (int i = 0; i < ndim; i++) in[i] = nb::cast<long>(shape[i]);
    if (!options.lengths(in, w.shape(), g.shape())) return not_implemented();
    dx_taken++;
    const Result dx(ndim, in), turned({w.size()});
    {
        const Unlocked unlocked(g.size());
        const long n = in[0], c = in[1], o = w.shape(0);
        if (options.y.stride == 1 && options.x.stride == 1)
            dx_dense(options, n, c, o, g.data(), w.data(), turned.data(), dx.data(),
                     Winograd(winograd));
        else dx_strided(options, n, c, o, g.data(), w.data(), turned.data(), dx.data());
    }
    return dx.object;
}

void dw_depthwise(const ConvOptions &options, long n, long c, long o, const float *g,
                  const float *x, float *dw) {
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
    with_scratch(o, threads, memory + table, each, [&](long begin, long end, float *own) {
        kernels.weights(&layout, offsets, n, c, o / c, g, x, dw, own, begin, end);
    });
}

// How many parts the positions are cut into, where each part has sums of its own: by sizes alone.
long parts_of(long positions, long sums) {
    const long most = std::max(1L, positions / 512);
    return std::bit_floor(static_cast<unsigned long>(std::clamp((1L << 19) / sums, 1L, most)));
}

// sums += those of the other parts, `each` floats apart.
void add_parts(float *sums, long count, long parts, long each) {
    parallel(count, SMALL / parts + 1, [&](long begin, long end) {
        for (long part = 1; part < parts; part++)
            for (long i = begin; i < end; i++) sums[i] += sums[part * each + i];
    });
}

// Few weights: threads take parts of the rows of outputs, some at a time such that what they see
// stays in the second cache.
void dw_rows(const conv_gradient &all, long n, const float *g, const float *x, float *dw) {
    constexpr long ROOM = 1L << 16; // floats of x, and of g
    const auto &kernels = TRIPTYCH_PICK(conv_gradient);
    const long c = all.groups * all.c, o = all.groups * all.o, rows = all.y.out;
    const long of_x = all.columns * all.channels * all.row_step, of_g = o * all.x.out;
    const long at_once = std::clamp(ROOM / std::max(of_x, of_g), 1L, rows);
    const long chunks = (rows + at_once - 1) / at_once, units = n * chunks;
    const long parts = std::min(units, parts_of(n * all.plane, all.sums));
    conv_gradient most = all;
    most.y.out = at_once;
    kernels.plan(&most);
    const long room = whole_lines(most.image + most.slack), each = room + whole_lines(all.sums);
    float *memory = scratch_floats(parts * each), *sums = memory + room;
    run_pieces(parts, [&](long part, int) {
        for (long first = units * part / parts, i = first; i < units * (part + 1) / parts; i++) {
            const long sample = i / chunks, row = i % chunks * at_once;
            conv_gradient p = all;
            p.samples = 1;
            p.y.out = std::min(at_once, rows - row);
            p.y.before -= row * p.y.stride;
            kernels.plan(&p);
            p.plane = all.plane;
            float *image = memory + part * each;
            kernels.fill(&p, x + sample * c * p.y.in * p.x.in, image, 0, p.rows);
            kernels.multiply(&p, g + sample * o * p.plane + row * p.x.out, image, sums + part * each,
                             i > first, 0, kernels.units(&p));
        }
    });
    add_parts(sums, all.sums, parts, each);
    parallel(o, SMALL / (all.c * all.run) + 1,
             [&](long begin, long end) { kernels.finish(&all, sums, dw, begin, end); });
}

void dw_dense(const ConvOptions &options, long n, long c, long o, const float *g, const float *x,
              float *dw) {
    const auto &kernels = TRIPTYCH_PICK(conv_gradient);
    conv_gradient p{};
    p.groups = options.groups, p.o = o / p.groups, p.c = c / p.groups;
    p.y = options.y, p.x = options.x;
    kernels.plan(&p);
    if (p.sums <= 1L << 17 && n * options.out() >= 4096) return dw_rows(p, n, g, x, dw);
    const long most = samples_at_once(n, p.image), room = whole_lines(most * p.image + p.slack);
    float *images = scratch_floats(room + p.sums), *sums = images + room;
    for (long s = 0; s < n; s += most) {
        p.samples = std::min(most, n - s);
        parallel(p.samples * p.rows, SMALL / (p.columns * p.channels) + 1, [&](long begin, long end) {
            kernels.fill(&p, x + s * c * options.in(), images, begin, end);
        });
        parallel(kernels.units(&p), 1, [&](long begin, long end) {
            kernels.multiply(&p, g + s * o * options.out(), images, sums, s > 0, begin, end);
        });
    }
    parallel(o, SMALL / (p.c * options.taps()) + 1,
             [&](long begin, long end) { kernels.finish(&p, sums, dw, begin, end); });
}

// Whether Winograd's method is the faster way to the gradient of the weights.
bool dw_by_winograd(const ConvOptions &options, long n, long c, long o, Winograd winograd) {
    const auto fits = [](const conv_axis &a) {
        return a.kernel == 3 && a.stride == 1 && a.dilation == 1 && a.before >= 0;
    };
    const long lanes = TRIPTYCH_PICK(conv_winograd_gradient).lanes();
    return winograd != Winograd::off && options.groups == 1 && fits(options.y) && fits(options.x) &&
           c % lanes == 0 && o % lanes == 0 && std::min(c, o) >= 32 && n * options.out() >= 64;
}

// Few weights: threads take parts of the tiles, some strips at a time such that their transforms
// stay in the second cache, and the sums of all parts are added at the end. How many parts there are
// depends on sizes alone.
void dw_winograd_parts(const conv_winograd_gradient &s, const float *g, const float *x, float *dw) {
    const auto &kernels = TRIPTYCH_PICK(conv_winograd_gradient);
    const long strips = s.samples * s.tiles_y, size = 16 * s.c * s.o;
    const long parts = std::min(strips, parts_of(4 * strips * s.tiles_x, size));
    const long at_once = std::clamp(16384 / (s.tiles_x * (s.c + s.o)), 1L, strips);
    const long of_x = kernels.room(at_once * s.tiles_x, s.c);
    const long of_g = kernels.room(at_once * s.tiles_x, s.o);
    const long each = whole_lines(size + of_x + of_g + kernels.scratch(&s));
    float *memory = scratch_floats(parts * each);
    const conv_winograd_block block{0, s.o, 0, s.c};
    run_pieces(parts, [&](long part, int) {
        float *own = memory + part * each, *v = own + size, *m = v + of_x, *ring = m + of_g;
        const long begin = strips * part / parts, end = strips * (part + 1) / parts;
        for (long first = begin; first < end; first += at_once) {
            const long count = std::min(at_once, end - first);
            kernels.input(&s, x, v, first, count, ring, 0, s.c / kernels.lanes());
            kernels.output(&s, g, m, first, count, ring, 0, s.o / kernels.lanes());
            kernels.multiply(&block, v, m, count * s.tiles_x, own, first > begin);
        }
    });
    parallel(s.o, SMALL / (16 * s.c) + 1, [&](long begin, long end) {
        kernels.finish(&s, &block, memory, parts, each, dw, begin, end);
    });
}

// Many weights: threads take blocks of them, over the tiles of all samples.
void dw_winograd_blocks(const conv_winograd_gradient &s, const float *g, const float *x,
                        float *dw) {
    constexpr long OUTPUTS = 64, CHANNELS = 128;
    const auto &kernels = TRIPTYCH_PICK(conv_winograd_gradient);
    const int threads = num_threads();
    const long strips = s.samples * s.tiles_y, most = (1L << 22) / 16 / (s.tiles_x * (s.c + s.o));
    const long at_once = std::clamp(most, 1L, strips);
    const long of_x = kernels.room(at_once * s.tiles_x, s.c);
    const long of_g = kernels.room(at_once * s.tiles_x, s.o);
    const long across = (s.c + CHANNELS - 1) / CHANNELS;
    const long units = (s.o + OUTPUTS - 1) / OUTPUTS * across;
    // With all tiles at once the sums of a block are used up in the cache.
    const bool one = at_once == strips;
    const long block_sums = 16 * OUTPUTS * CHANNELS;
    const long each = whole_lines(kernels.scratch(&s));
    float *v = scratch_floats(of_x + of_g + threads * each + (one ? threads : units) * block_sums);
    float *m = v + of_x, *own = m + of_g, *sums = own + threads * each;
    for (long first = 0; first < strips; first += at_once) {
        const long count = std::min(at_once, strips - first);
        const long blocks = s.c / kernels.lanes(), all = blocks + s.o / kernels.lanes();
        with_scratch(all, threads, own, each, [&](long begin, long end, float *ring) {
            if (begin < blocks)
                kernels.input(&s, x, v, first, count, ring, begin, std::min(end, blocks));
            if (end > blocks)
                kernels.output(&s, g, m, first, count, ring, std::max(begin, blocks) - blocks,
                               end - blocks);
        });
        const auto run = [&](long unit, int worker) {
            const long o = unit / across * OUTPUTS, c = unit % across * CHANNELS;
            const conv_winograd_block block{o, std::min(OUTPUTS, s.o - o), c,
                                            std::min(CHANNELS, s.c - c)};
            float *to = sums + (one ? worker : unit) * block_sums;
            kernels.multiply(&block, v, m, count * s.tiles_x, to, first > 0);
            if (first + count == strips)
                kernels.finish(&s, &block, to, 1, 0, dw, 0, block.outputs);
        };
        run_pieces(units, run, threads);
    }
}

void dw_winograd(const ConvOptions &options, long n, long c, long o, const float *g, const float *x,
                 float *dw) {
    const conv_winograd_gradient s{n, c, o, options.y, options.x, (options.y.out + 1) / 2,
                                   (options.x.out + 1) / 2};
    winograd_dw_taken++;
    (c * o <= 128 * 128 ? dw_winograd_parts : dw_winograd_blocks)(s, g, x, dw);
}

nb::object conv_dw(nb::handle gradient, nb::handle input, nb::tuple shape, nb::tuple stride,
                   nb::tuple padding, nb::tuple dilation, long groups, long winograd) {
    const Array g = Array::packed(gradient), x = Array::packed(input);
    ConvOptions options(stride, padding, dilation, groups);
    const int ndim = options.dims + 2;
    if (!g || !x || ndim == 2 || g.ndim() != ndim || x.ndim() != ndim || int(shape.size()) != ndim)
        return not_implemented();
    npy_intp kernel[4];
    for (int i = 0; i < ndim; i++) kernel[i] = nb::cast<long>(shape[i]);
    if (!options.lengths(x.shape(), kernel, g.shape())) return not_implemented();
    dw_taken++;
    const Result dw(ndim, kernel);
    {
        const Unlocked unlocked(g.size());
        const long n = x.shape(0), c = x.shape(1), o = kernel[0];
        const auto run =
            dw_by_winograd(options, n, c, o, Winograd(winograd))  ? dw_winograd
            : options.depthwise(c, o) && options.taps() < 64 ? dw_depthwise
                                                             : dw_dense;
        run(options, n, c, o, g.data(), x.data(), dw.data());
    }
    return dw.object;
}

const Family family([](nb::module_ &m) {
    m.def("conv_dx", &conv_dx, nb::arg("g"), nb::arg("w"), nb::arg("shape"), nb::arg("stride"),
          nb::arg("padding"), nb::arg("dilation"), nb::arg("groups"), nb::arg("winograd"));
    m.def("conv_dw", &conv_dw, nb::arg("g"), nb::arg("x"), nb::arg("shape"), nb::arg("stride"),
          nb::arg("padding"), nb::arg("dilation"), nb::arg("groups"), nb::arg("winograd"));
});

} // namespace
} // namespace triptych
