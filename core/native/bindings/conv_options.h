// What the bindings of convolutions share.
#pragma once

#include "kernels/conv.h"

#include "bindings/array.h"

namespace triptych {

// The parameters of the primitives, for one or two axes of space; a sound has one row.
struct ConvOptions {
    conv_axis y{1, 1, 1, 1, 1, 0}, x{};
    long groups = 0;
    int dims = 0; // 0 if there are more than two
    long after[2] = {0, 0};

    ConvOptions(nb::tuple stride, nb::tuple padding, nb::tuple dilation, long groups);

    // From the shapes (n, c, *in), (o, c / groups, *kernel) and (n, o, *out); false if one is empty
    // or they do not go together.
    bool read(const Array &x, const Array &w);
    bool lengths(const npy_intp *in, const npy_intp *kernel, const npy_intp *out);

    long taps() const { return y.kernel * x.kernel; }
    long in() const { return y.in * x.in; }
    long out() const { return y.out * x.out; }
    // Each output sees one channel, and few see the same.
    bool depthwise(long c, long o) const { return groups == c && o <= 2 * c; }
};

inline long whole_lines(long floats) { return (floats + 15) / 16 * 16; }

// How many samples are worked on at a time, if each takes so many floats of intermediate results.
inline long samples_at_once(long n, long floats) { return std::clamp((1L << 20) / floats, 1L, n); }

// Runs all units of a product.
void multiply(const conv_direct_kernels &kernels, const conv_product &p);

// Whether 3x3 kernels may go by Winograd's method, and the edge of its tiles.
enum class Winograd : long { off = 0, tiles_of_2 = 2, tiles_of_4 = 4 };

// y (n, o, oh, ow) from x (n, c, h, w) and w (o, c / groups, kh, kw) by the method that fits; gives
// back whether that has finished y by `after` as well.
bool convolve(const ConvOptions &options, long n, long c, long o, const float *x, const float *w,
              float *y, Winograd winograd, const conv_after *after = nullptr);

// Calls body(begin, end, scratch) over ranges of units; each thread has its own scratch.
template <class Body>
void with_scratch(long units, int threads, float *memory, long each, Body &&body) {
    const long pieces = threads == 1 ? 1 : std::min(units, 8L * threads);
    const auto run = [&](long piece, int worker) {
        body(units * piece / pieces, units * (piece + 1) / pieces, memory + worker * each);
    };
    run_pieces(pieces, run, threads);
}

} // namespace triptych
