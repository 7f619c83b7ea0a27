// Layer, RMS, group and batch normalisation, and their gradients.
//
// Gradients of weights and biases are summed in two stages, over pieces whose number depends on the
// shape alone: they do not depend on the number of threads.
#include "kernels/norm.h"

#include "bindings/families.h"
#include "bindings/halves.h"
#include "runtime/scratch.h"

#include <array>
#include <cmath>
#include <cstring>
#include <vector>

namespace triptych {
namespace {

Counter layer_norm_taken("layer_norm"), layer_norm_grad_taken("layer_norm_grad");
Counter rms_norm_taken("rms_norm"), rms_norm_grad_taken("rms_norm_grad");
Counter group_norm_taken("group_norm"), group_norm_grad_taken("group_norm_grad");
Counter batch_norm_taken("batch_norm"), batch_norm_grad_taken("batch_norm_grad");
Counter batch_norm_eval_taken("batch_norm_eval");

const norm_kernels &kernels() { return TRIPTYCH_PICK(norm); }

// Calls body(begin, end) over ranges of `count` equal parts of `size` numbers, without the GIL.
template <class Body> void over(long count, long size, Body &&body) {
    const Unlocked unlocked(size);
    parallel(count, SMALL * count / size + 1, body);
}

// An optional vector: false if it is there and does not fit.
bool vector_of(nb::handle value, long size, const float *&data) {
    data = nullptr;
    if (value.is_none()) return true;
    const Array a = Array::packed(value);
    if (!a || a.size() != size) return false;
    data = a.data();
    return true;
}

Result zero() {
    Result found(0, nullptr);
    *found.data() = 0;
    return found;
}

// Rows: the last `dims` axes together.

struct Rows {
    norm_row row{};
    long count = 0;

    Rows(const Array &x, long dims, double eps, bool centred) {
        row.length = 1;
        for (int i = x.ndim() - static_cast<int>(dims); i < x.ndim(); i++) row.length *= x.shape(i);
        row.centred = centred;
        row.eps = eps;
        count = row.length ? x.size() / row.length : 0;
    }
};

// An optional vector of halves, as float32 in *memory.
bool vector_of_halves(nb::handle value, half_kind half, long size, std::vector<float> &memory,
                      const float *&data) {
    data = nullptr;
    if (value.is_none()) return true;
    const Array a = Array::packed(value, type_of(half));
    if (!a || a.size() != size) return false;
    memory.resize(size);
    TRIPTYCH_PICK(half).widen(half, a.data<uint16_t>(), memory.data(), size);
    data = memory.data();
    return true;
}

// Rows of halves, of which each thread converts a few at a time.
template <bool centred>
nb::object rows_of_halves(half_kind half, nb::handle input, nb::handle weight, nb::handle bias,
                          long dims, double eps) {
    const Array x = Array::packed(input, type_of(half));
    if (!x || x.size() == 0 || dims < 1 || dims > x.ndim()) return not_implemented();
    Rows rows(x, dims, eps, centred);
    const long length = rows.row.length, most = rows_at_once(length);
    std::vector<float> wide_weight, wide_bias;
    if (!vector_of_halves(weight, half, length, wide_weight, rows.row.weight) ||
        !vector_of_halves(bias, half, length, wide_bias, rows.row.bias))
        return not_implemented();
    (centred ? layer_norm_taken : rms_norm_taken)++;
    const Result y = Result::like(x, type_of(half));
    over(rows.count, x.size(), [&](long begin, long end) {
        const auto compute = [&](float *memory, long count) {
            kernels().rows(&rows.row, memory, memory, count);
        };
        through_rows(half, x.data<uint16_t>() + begin * length, y.data<uint16_t>() + begin * length,
                     end - begin, length, scratch_floats(most * length), most, compute);
    });
    return y.object;
}

template <bool centred>
nb::object rows_forward(nb::handle input, nb::handle weight, nb::handle bias, long dims,
                        double eps) {
    if (const half_kind half = kind_of(input))
        return rows_of_halves<centred>(half, input, weight, bias, dims, eps);
    const Array x = Array::packed(input);
    if (!x || x.size() == 0 || dims < 1 || dims > x.ndim()) return not_implemented();
    Rows rows(x, dims, eps, centred);
    if (!vector_of(weight, rows.row.length, rows.row.weight) ||
        !vector_of(bias, rows.row.length, rows.row.bias))
        return not_implemented();
    (centred ? layer_norm_taken : rms_norm_taken)++;
    const Result y = Result::like(x);
    over(rows.count, x.size(), [&](long begin, long end) {
        const long at = begin * rows.row.length;
        kernels().rows(&rows.row, x.data() + at, y.data() + at, end - begin);
    });
    return y.object;
}

// dx, and the sums over all rows for weight and bias.
void rows_backward(const Rows &rows, const float *g, const float *x, float *dx, float *dw,
                   float *db) {
    const long length = rows.row.length, size = rows.count * length;
    const long most = dw ? std::max(1L, std::min(64L, (1L << 20) / length)) : 64L;
    const long pieces = std::max(1L, std::min(most, std::min(rows.count / 8, size / SMALL)));
    float *sums = dw ? scratch_floats(static_cast<std::size_t>(2 * pieces * length)) : nullptr;
    if (sums) std::memset(sums, 0, sizeof(float) * 2 * pieces * length);
    const Unlocked unlocked(size);
    run_pieces(pieces, [&](long piece, int) {
        const long begin = rows.count * piece / pieces, end = rows.count * (piece + 1) / pieces;
        const long at = begin * length;
        float *own = sums ? sums + 2 * piece * length : nullptr;
        kernels().rows_backward(&rows.row, g + at, x + at, dx + at, own, own ? own + length : own,
                                end - begin);
    });
    if (!sums) return;
    for (long piece = 1; piece < pieces; piece++)
        for (long i = 0; i < 2 * length; i++) sums[i] += sums[2 * piece * length + i];
    std::memcpy(dw, sums, sizeof(float) * length);
    std::memcpy(db, sums + length, sizeof(float) * length);
}

template <bool centred>
nb::object rows_grad(nb::handle gradient, nb::handle input, nb::handle weight, long dims,
                     double eps) {
    const Array g = Array::packed(gradient), x = Array::packed(input);
    if (!g || !x || !g.same_shape(x) || x.size() == 0 || dims < 1 || dims > x.ndim())
        return not_implemented();
    Rows rows(x, dims, eps, centred);
    if (!vector_of(weight, rows.row.length, rows.row.weight)) return not_implemented();
    (centred ? layer_norm_grad_taken : rms_norm_grad_taken)++;
    const bool affine = rows.row.weight != nullptr;
    const npy_intp *last = x.shape() + x.ndim() - dims;
    const Result dx = Result::like(x);
    const Result dw = affine ? Result(static_cast<int>(dims), last) : zero();
    const Result db = affine ? Result(static_cast<int>(dims), last) : zero();
    rows_backward(rows, g.data(), x.data(), dx.data(), affine ? dw.data() : nullptr, db.data());
    if (centred) return nb::make_tuple(dx.object, dw.object, db.object);
    return nb::make_tuple(dx.object, dw.object);
}

// Channels: axis 1 of (n, c, ...).

struct Channels {
    long n = 0, c = 0, space = 0, size = 0;

    explicit Channels(const Array &x) {
        if (!x || x.ndim() < 2 || x.size() == 0) return;
        n = x.shape(0), c = x.shape(1), size = x.size(), space = size / n / c;
    }
    explicit operator bool() const { return size > 0; }
    // A channel of all samples, and of one.
    norm_span all() const { return {n, space, c * space}; }
    norm_span one() const { return {1, space, space}; }
};

float inverse_root(double var, double eps) { return static_cast<float>(1 / std::sqrt(var + eps)); }

// (c,) on their own are too scattered for this walk.
bool walks_planes(const Channels &x) { return x && x.space >= 4; }

nb::object batch_norm(nb::handle input, nb::handle weight, nb::handle bias, double eps) {
    const Array x = Array::packed(input);
    const Channels of(x);
    const float *w, *b;
    if (!walks_planes(of) || !vector_of(weight, of.c, w) || !vector_of(bias, of.c, b))
        return not_implemented();
    batch_norm_taken++;
    const Result y = Result::like(x), mean({of.c}), var({of.c});
    const norm_span span = of.all();
    over(of.c, of.size, [&](long begin, long end) {
        for (long c = begin; c < end; c++) {
            double level, spread;
            const float *from = x.data() + c * of.space;
            kernels().moments(&span, from, 1, &level, &spread);
            mean.data()[c] = static_cast<float>(level);
            var.data()[c] = static_cast<float>(spread);
            kernels().apply(&span, from, y.data() + c * of.space, mean.data()[c],
                            inverse_root(spread, eps) * (w ? w[c] : 1), b ? b[c] : 0);
        }
    });
    return nb::make_tuple(y.object, mean.object, var.object);
}

struct BatchGrad {
    Channels of;
    const float *g, *of_mean, *of_var, *x, *mean, *var, *w;
    float *dx, *dw, *db;
    double eps;

    void channel(long c) const {
        const norm_span span = of.all();
        const long at = c * of.space;
        const double count = static_cast<double>(of.n * of.space);
        const double rstd = 1 / std::sqrt(var[c] + eps), scale = rstd * (w ? w[c] : 1);
        double plain, tilted;
        kernels().sums(&span, g + at, x + at, mean[c], &plain, &tilted);
        const double of_x = (2 * of_var[c] - scale * rstd * rstd * tilted) / count;
        const double constant = (of_mean[c] - scale * plain) / count;
        kernels().combine(&span, g + at, x + at, dx + at, mean[c], static_cast<float>(scale),
                          static_cast<float>(of_x), static_cast<float>(constant));
        if (dw) dw[c] = static_cast<float>(tilted * rstd), db[c] = static_cast<float>(plain);
    }
};

nb::object batch_norm_grad(nb::handle gradient, nb::handle of_mean, nb::handle of_var,
                           nb::handle input, nb::handle mean, nb::handle var, nb::handle weight,
                           double eps) {
    const Array g = Array::packed(gradient), x = Array::packed(input);
    const Channels of(x);
    BatchGrad grad{of, nullptr, nullptr, nullptr, nullptr, nullptr,
                   nullptr, nullptr, nullptr, nullptr, nullptr, eps};
    if (!walks_planes(of) || !g || !g.same_shape(x) || of_mean.is_none() || of_var.is_none() ||
        mean.is_none() || var.is_none() || !vector_of(of_mean, of.c, grad.of_mean) ||
        !vector_of(of_var, of.c, grad.of_var) || !vector_of(mean, of.c, grad.mean) ||
        !vector_of(var, of.c, grad.var) || !vector_of(weight, of.c, grad.w))
        return not_implemented();
    batch_norm_grad_taken++;
    const Result dx = Result::like(x);
    const Result dw = grad.w ? Result({of.c}) : zero(), db = grad.w ? Result({of.c}) : zero();
    grad.g = g.data(), grad.x = x.data(), grad.dx = dx.data();
    if (grad.w) grad.dw = dw.data(), grad.db = db.data();
    over(of.c, of.size, [&](long begin, long end) {
        for (long c = begin; c < end; c++) grad.channel(c);
    });
    return nb::make_tuple(dx.object, dw.object, db.object);
}

nb::object batch_norm_eval(nb::handle input, nb::handle mean, nb::handle var, nb::handle weight,
                           nb::handle bias, double eps) {
    const Array x = Array::packed(input);
    const Channels of(x);
    const float *m, *v, *w, *b;
    if (!walks_planes(of) || mean.is_none() || var.is_none() || !vector_of(mean, of.c, m) ||
        !vector_of(var, of.c, v) || !vector_of(weight, of.c, w) || !vector_of(bias, of.c, b))
        return not_implemented();
    batch_norm_eval_taken++;
    const Result y = Result::like(x);
    const norm_span span = of.all();
    over(of.c, of.size, [&](long begin, long end) {
        for (long c = begin; c < end; c++) {
            const float scale = inverse_root(v[c], eps) * (w ? w[c] : 1);
            const long at = c * of.space;
            kernels().apply(&span, x.data() + at, y.data() + at, m[c], scale, b ? b[c] : 0);
        }
    });
    return y.object;
}

// Groups of channels of one sample.

struct Groups {
    Channels of;
    long groups, each;
    double eps;
    const float *w = nullptr, *b = nullptr;

    Groups(const Channels &of, long groups, double eps)
        : of(of), groups(groups), each(groups > 0 ? of.c / groups : 0), eps(eps) {}
    bool fits() const { return of && groups > 0 && of.c % groups == 0; }
    long units() const { return of.n * groups; }
    long length() const { return each * of.space; }

    void moments(const float *x, float &mean, float &rstd) const {
        const norm_span span{1, length(), length()};
        double level, var;
        kernels().moments(&span, x, 1, &level, &var);
        mean = static_cast<float>(level), rstd = inverse_root(var, eps);
    }
    void forward(const float *x, float *y, long unit) const {
        const norm_span span = of.one();
        const long first = unit % groups * each;
        float mean, rstd;
        moments(x, mean, rstd);
        for (long i = 0; i < each; i++, x += of.space, y += of.space) {
            const long c = first + i;
            kernels().apply(&span, x, y, mean, rstd * (w ? w[c] : 1), b ? b[c] : 0);
        }
    }
    // of_w, of_b: (n, c) the sums of each sample.
    void backward(const float *g, const float *x, float *dx, float *of_w, float *of_b,
                  long unit) const {
        const norm_span span = of.one();
        const long first = unit % groups * each;
        float mean, rstd;
        moments(x, mean, rstd);
        double level = 0, tilt = 0;
        for (long i = 0; i < each; i++) {
            double plain, tilted;
            kernels().sums(&span, g + i * of.space, x + i * of.space, mean, &plain, &tilted);
            const double weight = w ? w[first + i] : 1;
            level += weight * plain, tilt += weight * tilted * rstd;
            of_w[unit * each + i] = static_cast<float>(tilted * rstd);
            of_b[unit * each + i] = static_cast<float>(plain);
        }
        const double count = static_cast<double>(length());
        const float of_x = static_cast<float>(-tilt / count * rstd * rstd);
        const float constant = static_cast<float>(-level / count * rstd);
        for (long i = 0; i < each; i++) {
            const long at = i * of.space;
            kernels().combine(&span, g + at, x + at, dx + at, mean, rstd * (w ? w[first + i] : 1),
                              of_x, constant);
        }
    }
};

nb::object group_norm(nb::handle input, nb::handle weight, nb::handle bias, long groups,
                      double eps) {
    const Array x = Array::packed(input);
    Groups all(Channels(x), groups, eps);
    if (!all.fits() || !vector_of(weight, all.of.c, all.w) || !vector_of(bias, all.of.c, all.b))
        return not_implemented();
    group_norm_taken++;
    const Result y = Result::like(x);
    over(all.units(), all.of.size, [&](long begin, long end) {
        for (long unit = begin; unit < end; unit++) {
            const long at = unit * all.length();
            all.forward(x.data() + at, y.data() + at, unit);
        }
    });
    return y.object;
}

nb::object group_norm_grad(nb::handle gradient, nb::handle input, nb::handle weight, long groups,
                           double eps) {
    const Array g = Array::packed(gradient), x = Array::packed(input);
    Groups all(Channels(x), groups, eps);
    if (!all.fits() || !g || !g.same_shape(x) || !vector_of(weight, all.of.c, all.w))
        return not_implemented();
    group_norm_grad_taken++;
    const long c = all.of.c, sums = all.of.n * c;
    const Result dx = Result::like(x);
    const Result dw = all.w ? Result({c}) : zero(), db = all.w ? Result({c}) : zero();
    float *of_w = scratch_floats(static_cast<std::size_t>(2 * sums)), *of_b = of_w + sums;
    over(all.units(), all.of.size, [&](long begin, long end) {
        for (long unit = begin; unit < end; unit++) {
            const long at = unit * all.length();
            all.backward(g.data() + at, x.data() + at, dx.data() + at, of_w, of_b, unit);
        }
    });
    for (long i = 0; all.w && i < sums; i++) {
        dw.data()[i % c] = (i < c ? 0 : dw.data()[i % c]) + of_w[i];
        db.data()[i % c] = (i < c ? 0 : db.data()[i % c]) + of_b[i];
    }
    return nb::make_tuple(dx.object, dw.object, db.object);
}

nb::object rms_norm(nb::handle x, nb::handle weight, long dims, double eps) {
    return rows_forward<false>(x, weight, nb::none(), dims, eps);
}

const Family family([](nb::module_ &m) {
    const auto none = [](const char *name) { return nb::arg(name) = nb::none(); };
    const auto kw = nb::kw_only();
    m.def("layer_norm", &rows_forward<true>, nb::arg("x"), none("weight"), none("bias"), kw,
          nb::arg("dims"), nb::arg("eps"));
    m.def("layer_norm_grad", &rows_grad<true>, nb::arg("g"), nb::arg("x"), none("weight"), kw,
          nb::arg("dims"), nb::arg("eps"));
    m.def("rms_norm", &rms_norm, nb::arg("x"), none("weight"), kw, nb::arg("dims"), nb::arg("eps"));
    m.def("rms_norm_grad", &rows_grad<false>, nb::arg("g"), nb::arg("x"), none("weight"), kw,
          nb::arg("dims"), nb::arg("eps"));
    m.def("group_norm", &group_norm, nb::arg("x"), none("weight"), none("bias"), kw,
          nb::arg("groups"), nb::arg("eps"));
    m.def("group_norm_grad", &group_norm_grad, nb::arg("g"), nb::arg("x"), none("weight"), kw,
          nb::arg("groups"), nb::arg("eps"));
    m.def("batch_norm", &batch_norm, nb::arg("x"), none("weight"), none("bias"), kw,
          nb::arg("eps"));
    m.def("batch_norm_grad", &batch_norm_grad, nb::arg("g"), nb::arg("of_mean"), nb::arg("of_var"),
          nb::arg("x"), nb::arg("mean"), nb::arg("var"), none("weight"), kw, nb::arg("eps"));
    m.def("batch_norm_eval", &batch_norm_eval, nb::arg("x"), nb::arg("mean"), nb::arg("var"),
          none("weight"), none("bias"), kw, nb::arg("eps"));
});

} // namespace
} // namespace triptych
