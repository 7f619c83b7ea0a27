#include "kernels/grid.h"

#include <cstring>
#include <string_view>

#include "bindings/array.h"
#include "bindings/families.h"

namespace triptych {
namespace {

Counter taken_read("grid_sample"), taken_dx("grid_sample_dx"), taken_dgrid("grid_sample_dgrid");

// x (n, c, h, w) and grid (n, h', w', 2), both packed float32 and not empty.
struct Sampling {
    Array x, grid;
    grid_rule rule{};
    long batch = 0, channels = 0, size = 0, count = 0, blocks = 0; // count: places of an image

    static Sampling of(nb::handle image, nb::handle places, std::string_view mode,
                       std::string_view padding, bool align) {
        Sampling s;
        const Array x = Array::packed(image), grid = Array::packed(places);
        if (!x || !grid || x.ndim() != 4 || grid.ndim() != 4 || grid.shape(3) != 2 ||
            x.size() == 0 || grid.size() == 0 || x.shape(0) != grid.shape(0) ||
            std::max(x.shape(2), x.shape(3)) >= 1L << 22 || x.shape(2) * x.shape(3) >= 1L << 30)
            return s;
        s.rule = {mode == "nearest"    ? GRID_NEAREST
                  : mode == "bilinear" ? GRID_BILINEAR
                                       : GRID_BICUBIC,
                  padding == "zeros"    ? GRID_ZEROS
                  : padding == "border" ? GRID_BORDER
                                        : GRID_REFLECTION,
                  align, x.shape(2), x.shape(3)};
        s.x = x, s.grid = grid;
        s.batch = x.shape(0), s.channels = x.shape(1), s.size = x.shape(2) * x.shape(3);
        s.count = grid.shape(1) * grid.shape(2);
        s.blocks = (s.count + GRID_BLOCK - 1) / GRID_BLOCK;
        return s;
    }
    explicit operator bool() const { return static_cast<bool>(x); }
    bool fits(const Array &g) const {
        return g && g.ndim() == 4 && g.shape(0) == batch && g.shape(1) == channels &&
               g.shape(2) == grid.shape(1) && g.shape(3) == grid.shape(2);
    }
    const float *places(long image, long first) const {
        return grid.data() + 2 * (image * count + first);
    }
    // Calls body(image, first place, number of places) for blocks of all images.
    template <class Body> void each_block(Body &&body) const {
        const long cost = channels * rule.mode * rule.mode * GRID_BLOCK;
        const Unlocked unlocked(batch * blocks * cost);
        parallel(batch * blocks, 1 + SMALL / cost, [&](long begin, long end) {
            for (long at = begin; at < end; at++) {
                const long first = at % blocks * GRID_BLOCK;
                body(at / blocks, first, std::min<long>(GRID_BLOCK, count - first));
            }
        });
    }
};

nb::object grid_sample(nb::handle image, nb::handle grid, const char *mode, const char *padding,
                       bool align) {
    const Sampling s = Sampling::of(image, grid, mode, padding, align);
    if (!s) return not_implemented();
    taken_read++;
    const Result y({s.batch, s.channels, s.grid.shape(1), s.grid.shape(2)});
    const auto &kernels = TRIPTYCH_PICK(grid);
    s.each_block([&](long at, long first, long count) {
        grid_taps taps;
        kernels.taps(&s.rule, s.places(at, first), count, 0, &taps);
        kernels.read(&taps, s.x.data() + at * s.channels * s.size, s.channels, s.size, count,
                     y.data() + at * s.channels * s.count + first, s.count);
    });
    return y.object;
}

// The gradient of the image: each plane is one thread's, as places share pixels.
nb::object grid_sample_dx(nb::handle given, nb::handle image, nb::handle grid, const char *mode,
                          const char *padding, bool align) {
    const Sampling s = Sampling::of(image, grid, mode, padding, align);
    const Array g = Array::packed(given);
    if (!s || !s.fits(g)) return not_implemented();
    taken_dx++;
    const Result dx = Result::like(s.x);
    const auto &kernels = TRIPTYCH_PICK(grid);
    const long groups = std::min<long>(s.channels, num_threads() > s.batch ? num_threads() : 1);
    const long work = s.batch * s.channels * s.count;
    const Unlocked unlocked(work);
    parallel(s.batch * groups, work < SMALL ? s.batch * groups : 1, [&](long begin, long end) {
        for (long at = begin; at < end; at++) {
            const long from = s.channels * (at % groups) / groups;
            const long channels = s.channels * (at % groups + 1) / groups - from;
            const long plane = at / groups * s.channels + from;
            float *to = dx.data() + plane * s.size;
            std::memset(to, 0, channels * s.size * sizeof(float));
            for (long first = 0; first < s.count; first += GRID_BLOCK) {
                const long count = std::min<long>(GRID_BLOCK, s.count - first);
                grid_taps taps;
                kernels.taps(&s.rule, s.places(at / groups, first), count, 0, &taps);
                kernels.spread(&taps, g.data() + plane * s.count + first, s.count, channels,
                               s.size, count, to);
            }
        }
    });
    return dx.object;
}

nb::object grid_sample_dgrid(nb::handle given, nb::handle image, nb::handle grid, const char *mode,
                             const char *padding, bool align) {
    const Sampling s = Sampling::of(image, grid, mode, padding, align);
    const Array g = Array::packed(given);
    if (!s || !s.fits(g)) return not_implemented();
    taken_dgrid++;
    const Result dgrid = Result::like(s.grid);
    if (s.rule.mode == GRID_NEAREST) {
        std::memset(dgrid.data(), 0, s.grid.size() * sizeof(float));
        return dgrid.object;
    }
    const auto &kernels = TRIPTYCH_PICK(grid);
    s.each_block([&](long at, long first, long count) {
        grid_taps taps;
        kernels.taps(&s.rule, s.places(at, first), count, 1, &taps);
        const long plane = at * s.channels;
        kernels.slope(&taps, s.x.data() + plane * s.size, g.data() + plane * s.count + first,
                      s.count, s.channels, s.size, count,
                      dgrid.data() + 2 * (at * s.count + first));
    });
    return dgrid.object;
}

const Family family([](nb::module_ &m) {
    m.def("grid_sample", &grid_sample, nb::arg("x"), nb::arg("grid"), nb::arg("mode"),
          nb::arg("padding"), nb::arg("align"));
    m.def("grid_sample_dx", &grid_sample_dx, nb::arg("g"), nb::arg("x"), nb::arg("grid"),
          nb::arg("mode"), nb::arg("padding"), nb::arg("align"));
    m.def("grid_sample_dgrid", &grid_sample_dgrid, nb::arg("g"), nb::arg("x"), nb::arg("grid"),
          nb::arg("mode"), nb::arg("padding"), nb::arg("align"));
});

} // namespace
} // namespace triptych
