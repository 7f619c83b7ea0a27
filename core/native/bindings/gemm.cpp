// Matrix products: matmul over any strides and leading dims, linear with its bias.
#include "kernels/gemm.h"

#include "bindings/families.h"
#include "bindings/short_product.h"
#include "runtime/scratch.h"

#include <vector>

namespace triptych {
namespace {

Counter matmul_taken("matmul"), linear_taken("linear"), fused_linear_taken("fused_linear");

constexpr long PIECE = 1L << 20;       // multiplications worth waking a thread for
constexpr long LONG_PIECE = 1L << 30; // about 15 ms: threads wait for each other no longer

constexpr long TAIL_PIECE = 1L << 26; // from about 0.5 ms on, threads may be some time apart

// float32 in any strides that are whole numbers of floats.
Array strided(nb::handle value) {
    if (!PyArray_CheckExact(value.ptr())) return {};
    auto *a = reinterpret_cast<PyArrayObject *>(value.ptr());
    bool fits = PyArray_TYPE(a) == NPY_FLOAT32 && PyArray_ISALIGNED(a) && PyArray_ISNOTSWAPPED(a) &&
                PyArray_NDIM(a) >= 2 && PyArray_SIZE(a) > 0;
    for (int i = 0; fits && i < PyArray_NDIM(a); i++)
        fits = PyArray_STRIDE(a, i) % static_cast<npy_intp>(sizeof(float)) == 0;
    return fits ? Array{a} : Array{};
}

long stride(const Array &a, int axis) {
    const npy_intp bytes = PyArray_STRIDE(a.object, axis < 0 ? axis + a.ndim() : axis);
    return static_cast<long>(bytes) / static_cast<long>(sizeof(float));
}

gemm_view view(const Array &a) { return {a.data(), stride(a, -2), stride(a, -1)}; }

// `count` products of (m, k) and (k, n); how far the matrices of each are from the first ones.
struct Products {
    long m, n, k;
    gemm_view a, b;
    float *c;
    gemm_after after{};
    long count = 1;
    std::vector<long> a_at{0}, b_at{0};
};

long round_up(long size, long multiple) { return (size + multiple - 1) / multiple * multiple; }

// Where an axis is cut: into `pieces` of whole tiles. With `tail`, a quarter of it is left for as
// many short ones at the end, which the threads that are done first take.
std::vector<long> cuts(long size, long pieces, long tile, bool tail) {
    std::vector<long> found{0};
    const auto cut = [&](long end, long count) {
        const long begin = found.back(), step = round_up((end - begin + count - 1) / count, tile);
        for (long i = begin; i < end; i += step) found.push_back(std::min(i + step, end));
    };
    if (pieces < 2) return {0, size};
    if (tail) cut(std::min(size, round_up(size * 3 / 4, tile * pieces)), pieces);
    cut(size, pieces);
    return found;
}

// How to cut a product into about `pieces` blocks: borders of rows and of columns of the blocks.
// A is packed once for each column of blocks and B once for each row, so that their sum decides.
struct Grid {
    std::vector<long> rows, columns;

    Grid(const Products &p, const gemm_kernels &kernels, long pieces, bool tail) {
        long best = -1, most = 1, down = 1, across = 1;
        for (long i = 1; i <= pieces; i++) {
            const long j = std::max(1L, std::min(pieces / i, p.n / kernels.columns));
            if (i > 1 && p.m < i * kernels.rows) break;
            const long cost = i * p.n + j * p.m, used = i * j;
            if (used > most || (used == most && (best < 0 || cost < best)))
                best = cost, most = used, down = i, across = j;
        }
        rows = cuts(p.m, down, kernels.rows, tail && across == 1);
        columns = cuts(p.n, across, kernels.columns, tail && down == 1);
    }

    long across() const { return static_cast<long>(columns.size()) - 1; }
    long blocks() const { return (static_cast<long>(rows.size()) - 1) * across(); }
};

void multiply(const Products &p) {
    const gemm_kernels &kernels = TRIPTYCH_PICK(gemm);
    const long work = p.m * p.n * p.k, threads = num_threads();
    // As few pieces as there are threads: each packs for itself what its blocks have in common.
    const long fair = std::clamp(work * p.count / LONG_PIECE / threads, 1L, 8L) * threads;
    const long pieces = threads == 1 ? 1 : std::min(fair, work * p.count / PIECE);
    const bool tail = p.count == 1 && pieces == threads && work / threads >= TAIL_PIECE;
    const Grid grid(p, kernels, std::max(1L, (pieces + p.count - 1) / p.count), tail);
    const long blocks = grid.blocks(), all = blocks * p.count;
    const auto block = [&](long number) {
        const long item = number / blocks, place = number % blocks;
        const long *row = &grid.rows[place / grid.across()];
        const long *column = &grid.columns[place % grid.across()];
        const long i = row[0], j = column[0], m = row[1] - i, n = column[1] - j;
        const gemm_view a{p.a.data + p.a_at[item] + i * p.a.row, p.a.row, p.a.column};
        const gemm_view b{p.b.data + p.b_at[item] + j * p.b.column, p.b.row, p.b.column};
        gemm_after after = p.after;
        if (after.column_bias) after.column_bias += j;
        if (after.residual) after.residual += i * after.residual_step + j;
        kernels.multiply(m, n, p.k, a, b, p.c + item * p.m * p.n + i * p.n + j, p.n, 0, &after,
                         scratch_floats(kernels.scratch_floats(m, n, p.k)));
    };
    const Unlocked unlocked(work * p.count / 16);
    const long runs = pieces <= 1 ? 1 : std::min(all, std::max(pieces, 4 * threads));
    run_pieces(runs, [&](long run, int) {
        for (long i = all * run / runs; i < all * (run + 1) / runs; i++) block(i);
    });
}

// Leading dims of both after broadcasting, in `lead`; for each product where its matrices are.
bool broadcast_leads(const Array &a, const Array &b, std::vector<npy_intp> &lead, Products &p) {
    const int dims = std::max(a.ndim(), b.ndim()) - 2;
    lead.assign(dims, 1);
    p.count = 1;
    for (int i = dims - 1; i >= 0; i--) {
        const int at_a = i - dims + a.ndim() - 2, at_b = i - dims + b.ndim() - 2;
        const long in_a = at_a < 0 ? 1 : a.shape(at_a), in_b = at_b < 0 ? 1 : b.shape(at_b);
        if (in_a != in_b && in_a != 1 && in_b != 1) return false;
        const long size = std::max(in_a, in_b);
        const long step_a = in_a == 1 ? 0 : stride(a, at_a);
        const long step_b = in_b == 1 ? 0 : stride(b, at_b);
        lead[i] = size;
        for (long outer = 1; outer < size; outer++) // earlier axes are slower: append whole copies
            for (long inner = 0; inner < p.count; inner++) {
                p.a_at.push_back(p.a_at[inner] + outer * step_a);
                p.b_at.push_back(p.b_at[inner] + outer * step_b);
            }
        p.count *= size;
    }
    return true;
}

// Whether the rows of all matrices of a are those of one matrix, one after the other.
bool rows_of_one(const Array &a) {
    for (int i = 0; i < a.ndim() - 2; i++)
        if (stride(a, i) != stride(a, i + 1) * a.shape(i + 1)) return false;
    return true;
}

// Products of bfloat16 by the instructions for them, where the processor has some.
bool has_bfloat_products() {
    return bfloat16_instructions() && TRIPTYCH_PICK(short_gemm).multiply_bfloat16;
}

// y (m, n) = x (m, k) w (n, k) transposed, where the one with fewer rows is packed; or x w with
// w (k, n), `turned`, which is packed.
void multiply_bfloats(long m, long n, long k, const uint8_t *x, const uint8_t *w, bool turned,
                      const float *bias, void *y) {
    ShortProduct p{m, n, k, 2, x, w, 2 * k, 2 * k};
    const bool exchanged = turned || m > n;
    if (exchanged) std::swap(p.m, p.n), std::swap(p.x, p.w);
    if (turned) p.turned = true, p.x_step = 2 * n;
    product_finish &finish = p.finish;
    finish.floats = 1, finish.result = PRODUCT_BFLOATS, finish.y = y;
    finish.row_step = exchanged ? n : 1, finish.column_step = exchanged ? 1 : n;
    (exchanged ? finish.column_bias : finish.row_bias) = bias;
    multiply(p);
}

nb::object linear_of_bfloats(nb::handle input, nb::handle weight, nb::handle bias) {
    const Array x = Array::packed(input, bfloat16_type), w = Array::packed(weight, bfloat16_type);
    if (!has_bfloat_products() || !x || !w || x.ndim() < 1 || w.ndim() != 2 || x.size() == 0 ||
        w.size() == 0 || x.shape(-1) != w.shape(1))
        return not_implemented();
    const long d = x.shape(-1), rows = x.size() / d, o = w.shape(0);
    std::vector<float> shift;
    if (!bias.is_none()) {
        const Array b = Array::packed(bias, bfloat16_type);
        if (!b || b.ndim() != 1 || b.size() != o) return not_implemented();
        shift.resize(o);
        TRIPTYCH_PICK(half).widen(HALF_BFLOAT16, b.data<uint16_t>(), shift.data(), o);
    }
    linear_taken++;
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim());
    shape.back() = o;
    const Result y(x.ndim(), shape.data(), bfloat16_type);
    const Unlocked unlocked(rows * o * d / 16);
    multiply_bfloats(rows, o, d, x.data<uint8_t>(), w.data<uint8_t>(), false,
                     shift.empty() ? nullptr : shift.data(), y.data<void>());
    return y.object;
}

// a (..., k) and a matrix b (k, n), packed or the transpose of a packed one.
nb::object matmul_of_bfloats(nb::handle left, nb::handle right) {
    const Array a = Array::packed(left, bfloat16_type);
    if (!has_bfloat_products() || !a || a.ndim() < 2 || !PyArray_CheckExact(right.ptr()))
        return not_implemented();
    const Array b{reinterpret_cast<PyArrayObject *>(right.ptr())};
    if (PyArray_TYPE(b.object) != bfloat16_type || b.ndim() != 2 || a.size() == 0 ||
        b.size() == 0 || a.shape(-1) != b.shape(0) || !PyArray_ISALIGNED(b.object))
        return not_implemented();
    const long k = b.shape(0), n = b.shape(1), m = a.size() / k;
    // Rows that are packed once for few of the other are not worth it.
    const bool packed = PyArray_IS_C_CONTIGUOUS(b.object) && m >= SHORT_ROWS;
    if (!packed && !PyArray_IS_F_CONTIGUOUS(b.object)) return not_implemented();
    matmul_taken++;
    std::vector<npy_intp> shape(a.shape(), a.shape() + a.ndim());
    shape.back() = n;
    const Result y(a.ndim(), shape.data(), bfloat16_type);
    const Unlocked unlocked(m * n * k / 16);
    multiply_bfloats(m, n, k, a.data<uint8_t>(), b.data<uint8_t>(), packed, nullptr,
                     y.data<void>());
    return y.object;
}

nb::object matmul(nb::handle left, nb::handle right) {
    if (kind_of(left) == HALF_BFLOAT16) return matmul_of_bfloats(left, right);
    const Array a = strided(left), b = strided(right);
    if (!a || !b || a.shape(-1) != b.shape(-2)) return not_implemented();
    Products p{a.shape(-2), b.shape(-1), a.shape(-1), view(a), view(b), nullptr};
    std::vector<npy_intp> shape;
    if (!broadcast_leads(a, b, shape, p)) return not_implemented();
    matmul_taken++;
    shape.push_back(p.m);
    shape.push_back(p.n);
    const Result c(static_cast<int>(shape.size()), shape.data());
    p.c = c.data();
    if (p.count > 1 && b.ndim() == 2 && rows_of_one(a)) p.m *= p.count, p.count = 1;
    multiply(p);
    return c.object;
}

// act(input weightT + bias + residual); bias and residual may be None.
nb::object affine(nb::handle input, nb::handle weight, nb::handle bias, nb::handle residual,
                  gemm_activation activation, Counter &taken) {
    const Array x = Array::packed(input), w = strided(weight);
    if (!x || !w || x.ndim() < 1 || w.ndim() != 2 || x.size() == 0 || x.shape(-1) != w.shape(1))
        return not_implemented();
    Array shift, added;
    if (!bias.is_none()) {
        shift = Array::packed(bias);
        if (!shift || shift.ndim() != 1 || shift.shape(0) != w.shape(0)) return not_implemented();
    }
    const long d = x.shape(-1);
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim());
    shape.back() = w.shape(0);
    if (!residual.is_none()) {
        added = Array::packed(residual);
        if (!added || added.ndim() != x.ndim() ||
            !std::equal(shape.begin(), shape.end(), added.shape()))
            return not_implemented();
    }
    taken++;
    const Result y(x.ndim(), shape.data());
    const gemm_view rows{x.data(), d, 1}, turned{w.data(), stride(w, 1), stride(w, 0)};
    Products p{x.size() / d, w.shape(0), d, rows, turned, y.data()};
    if (shift) p.after.column_bias = shift.data();
    if (added) p.after.residual = added.data(), p.after.residual_step = w.shape(0);
    p.after.activation = activation;
    multiply(p);
    return y.object;
}

nb::object linear(nb::handle input, nb::handle weight, nb::handle bias) {
    if (kind_of(input) == HALF_BFLOAT16) return linear_of_bfloats(input, weight, bias);
    return affine(input, weight, bias, nb::none(), GEMM_PLAIN, linear_taken);
}

nb::object fused_linear(nb::handle input, nb::handle weight, nb::handle bias, nb::handle residual,
                        int activation) {
    if (activation < GEMM_PLAIN || activation > GEMM_SILU) return not_implemented();
    return affine(input, weight, bias, residual, static_cast<gemm_activation>(activation),
                  fused_linear_taken);
}

const Family family([](nb::module_ &m) {
    m.def("fused_linear", &fused_linear, nb::arg("x"), nb::arg("w"), nb::arg("bias").none(),
          nb::arg("residual").none(), nb::arg("activation"));
    m.def("matmul", &matmul, nb::arg("a"), nb::arg("b"));
    m.def("linear", &linear, nb::arg("x"), nb::arg("w"), nb::arg("bias") = nb::none());
});

} // namespace
} // namespace triptych
