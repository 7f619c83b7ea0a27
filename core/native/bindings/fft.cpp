#include "kernels/fft.h"

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <numbers>
#include <vector>

#include "bindings/array.h"
#include "bindings/families.h"
#include "runtime/scratch.h"

namespace triptych {
namespace {

Counter taken_stft("stft"), taken_power("stft_power"), taken_rfft("rfft");

struct Plan {
    fft_plan plan{};
    std::vector<float> twiddles, roots, halves;
};

void add_root(std::vector<float> &to, long number, long length) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(number % length) / length;
    to.push_back(static_cast<float>(std::cos(angle)));
    to.push_back(static_cast<float>(std::sin(angle)));
}

// Null when the length has a prime factor that is too large.
std::unique_ptr<Plan> make_plan(long n) {
    auto made = std::make_unique<Plan>();
    fft_plan &plan = made->plan;
    plan.n = n;
    plan.m = n % 2 ? n : n / 2;
    long rest = plan.m;
    for (const long r : {4L, 2L, 3L, 5L})
        for (; rest % r == 0; rest /= r) plan.factors[plan.num_factors++] = static_cast<int>(r);
    for (long r = 7; rest > 1; r += 2)
        for (; rest % r == 0; rest /= r) {
            if (r > FFT_LARGEST_PRIME) return nullptr;
            plan.factors[plan.num_factors++] = static_cast<int>(r);
        }
    for (long i = 0, length = plan.m; i < plan.num_factors; i++) {
        const long r = plan.factors[i];
        for (long p = 0; p < length / r; p++)
            for (long j = 1; j < r; j++) add_root(made->twiddles, p * j, length);
        for (long j = 0; j < r; j++) add_root(made->roots, j, r);
        length /= r;
    }
    for (long k = 0; k <= n / 2; k++) add_root(made->halves, k, n);
    plan.twiddles = made->twiddles.data();
    plan.roots = made->roots.data();
    plan.halves = made->halves.data();
    return made;
}

// Plans are few and small: they stay.
const Plan *plan_for(long n) {
    static std::mutex mutex;
    static auto *plans = new std::map<long, std::unique_ptr<Plan>>;
    const std::lock_guard lock(mutex);
    auto found = plans->find(n);
    if (found == plans->end()) found = plans->emplace(n, make_plan(n)).first;
    return found->second.get();
}

constexpr long LONGEST = 1 << 16; // beyond it the work memory of a thread outgrows the caches

struct Frames {
    const float *x;
    long signals, samples, frames, hop, n;
    const float *window;
    int power;
    float *y;
    long signal_step, frame_step, bin_step;
};

void run(const Plan &plan, const Frames &f) {
    const auto &kernels = TRIPTYCH_PICK(fft);
    const long lanes = kernels.lanes, groups = (f.frames + lanes - 1) / lanes;
    const Unlocked unlocked(f.signals * f.frames * f.n);
    parallel(f.signals * groups, 1 + SMALL / (f.n * lanes), [&](long begin, long end) {
        float *work = scratch_floats(FFT_WORK(plan.plan.m));
        for (long at = begin; at < end;) {
            const long signal = at / groups, group = at % groups;
            const long last = std::min(groups, group + end - at);
            const long first = group * lanes, count = std::min(f.frames, last * lanes) - first;
            kernels.spectra(&plan.plan, f.x + signal * f.samples + first * f.hop, count, f.hop,
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
    const Plan *plan = plan_for(n);
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
    const Plan *plan = n < 2 || n > LONGEST || rows < 8 ? nullptr : plan_for(n);
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
