#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"
#include "bindings/fft_plan.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter taken_stft("stft"), taken_power("stft_power"), taken_rfft("rfft");

constexpr long LONGEST = 1 << 16; // beyond it the work memory of a thread outgrows the caches

struct Frames {
    const float *x;
    long signals, samples, frames, hop, n;
    const float *window;
    int power;
    float *y;
    long signal_step, frame_step, bin_step;
};

void run(const fft_plan &plan, const Frames &f) {
    const auto &kernels = TRIPTYCH_PICK(fft);
    const long lanes = kernels.lanes, groups = (f.frames + lanes - 1) / lanes;
    const Unlocked unlocked(f.signals * f.frames * f.n);
    parallel(f.signals * groups, 1 + SMALL / (f.n * lanes), [&](long begin, long end) {
        float *work = scratch_floats(FFT_WORK(plan.m));
        for (long at = begin; at < end;) {
            const long signal = at / groups, group = at % groups;
            const long last = std::min(groups, group + end - at);
            const long first = group * lanes, count = std::min(f.frames, last * lanes) - first;
            kernels.spectra(&plan, f.x + signal * f.samples + first * f.hop, count, f.hop,
                            f.window, f.power, f.y + signal * f.signal_step + first * f.frame_step,
                            f.frame_step, f.bin_step, work);
            at += last - group;
        }
    });
}

// x (..., t), window (n,) to (..., n / 2 + 1, frames), complex or power.
nb::object framed(nb::handle signal, nb::handle weights, long hop, bool power) {
    const Array x = Array::packed(signal), window = Array::packed(weights);
    if (!x || !window || x.ndim() < 1 || window.ndim() != 1 || hop < 1) return not_implemented();
    const long n = window.size(), samples = x.shape(-1);
    if (n < 2 || n > LONGEST || samples < n || x.size() == 0) return not_implemented();
    const fft_plan *plan = fft_plan_for(n);
    if (!plan) return not_implemented();
    (power ? taken_power : taken_stft)++;
    const long frames = (samples - n) / hop + 1, bins = n / 2 + 1;
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim() - 1);
    shape.insert(shape.end(), {bins, frames});
    const Result y(x.ndim() + 1, shape.data(), power ? NPY_FLOAT32 : NPY_COMPLEX64);
    const long width = power ? 1 : 2;
    run(*plan, {x.data(), x.size() / samples, samples, frames, hop, n, window.data(), power,
                static_cast<float *>(PyArray_DATA(y.array.object)), width * bins * frames, width,
                width * frames});
    return y.object;
}

nb::object stft(nb::handle x, nb::handle window, long hop) { return framed(x, window, hop, false); }
nb::object stft_power(nb::handle x, nb::handle window, long hop) {
    return framed(x, window, hop, true);
}

// x (..., n) along its last axis to (..., n / 2 + 1).
nb::object rfft_last(nb::handle signal, long axis) {
    const Array x = Array::packed(signal);
    if (!x || x.ndim() < 1 || (axis != -1 && axis != x.ndim() - 1) || x.size() == 0)
        return not_implemented();
    const long n = x.shape(-1), rows = x.size() / n;
    const fft_plan *plan = n < 2 || n > LONGEST || rows < 8 ? nullptr : fft_plan_for(n);
    if (!plan) return not_implemented();
    taken_rfft++;
    std::vector<npy_intp> shape(x.shape(), x.shape() + x.ndim());
    shape.back() = n / 2 + 1;
    const Result y(x.ndim(), shape.data(), NPY_COMPLEX64);
    run(*plan, {x.data(), 1, x.size(), rows, n, n, nullptr, 0,
                static_cast<float *>(PyArray_DATA(y.array.object)), 0, 2 * (n / 2 + 1), 2});
    return y.object;
}

const Family family([](nb::module_ &m) {
    m.def("stft", &stft, nb::arg("x"), nb::arg("window"), nb::kw_only(), nb::arg("step"));
    m.def("stft_power", &stft_power, nb::arg("x"), nb::arg("window"), nb::kw_only(), nb::arg("step"));
    m.def("rfft", &rfft_last, nb::arg("x"), nb::kw_only(), nb::arg("axis"));
});

} // namespace
} // namespace triptych
