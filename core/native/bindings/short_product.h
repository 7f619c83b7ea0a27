// Products of rows of short numbers, on several threads: the part that bindings share.
#pragma once

#include "bindings/halves.h"
#include "kernels/quantize.h"
#include "kernels/short_gemm.h"

#include <vector>

namespace triptych {

// y[i][j] = sum over p of x[i][p] w[j][p], and what `finish` says. Numbers of a row lie side by side,
// `size` bytes each.
struct ShortProduct {
    long m, n, k;
    int size;
    const uint8_t *x, *w;
    long x_step, w_step; // bytes from one row to the next
    bool turned = false; // x of two-byte numbers is (k, m): x_step from one term to the next
    uint8_t flip = 0;    // xored with the bytes of x, which makes them uint8
    int32_t x_zero = 0;  // of those
    product_finish finish{};
};

void multiply(const ShortProduct &p);

// Whether products of so many terms stay exact.
inline bool exact_depth(long k) { return k <= 1L << 15; }

inline bool is_bytes(int type) { return type == NPY_INT8 || type == NPY_UINT8; }

inline int type_number(nb::handle dtype) {
    if (!PyArray_DescrCheck(dtype.ptr())) return -1;
    return reinterpret_cast<PyArray_Descr *>(dtype.ptr())->type_num;
}

inline byte_scale scale_of(float scale, int32_t zero, int type) {
    if (type == NPY_INT8) return {scale, zero, -128, 127};
    return {scale, zero, 0, 255};
}

// int8 or uint8, packed.
inline Array bytes_of(nb::handle value) {
    const Array x = Array::packed(value, NPY_INT8);
    return x ? x : Array::packed(value, NPY_UINT8);
}

// Vectors of n numbers beside a weight (n, ...).
inline bool read_vectors(nb::handle scale, nb::handle bias, long n, std::vector<float> &factor,
                         float x_scale, const float *&shift) {
    const Array s = Array::packed(scale);
    if (!s || s.ndim() != 1 || s.size() != n) return false;
    factor.resize(n);
    for (long i = 0; i < n; i++) factor[i] = x_scale * s.data()[i];
    if (bias.is_none()) return true;
    const Array b = Array::packed(bias);
    if (!b || b.ndim() != 1 || b.size() != n) return false;
    shift = b.data();
    return true;
}

} // namespace triptych
