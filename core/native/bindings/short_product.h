// Products of rows of short numbers, on several threads: the part that bindings share.
#pragma once

#include "bindings/halves.h"
#include "kernels/quantize.h"
#include "kernels/short_gemm.h"

namespace triptych {

// y[i][j] = sum over p of x[i][p] w[j][p], and what `finish` says. Numbers of a row lie side by side,
// `size` bytes each.
struct ShortProduct {
    long m, n, k;
    int size;
    const uint8_t *x, *w;
    long x_step, w_step; // bytes from one row to the next
    uint8_t flip = 0;    // xored with the bytes of x, which makes them uint8
    int32_t x_zero = 0;  // of those
    product_finish finish{};
};

void multiply(const ShortProduct &p);

// Whether products of so many terms stay exact.
inline bool exact_depth(long k) { return k <= 1L << 15; }

} // namespace triptych
