#include "bindings/fft_plan.h"

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <numbers>
#include <vector>

namespace triptych {
namespace {

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

} // namespace

const fft_plan *fft_plan_for(long n) {
    static std::mutex mutex;
    static auto *plans = new std::map<long, std::unique_ptr<Plan>>;
    const std::lock_guard lock(mutex);
    auto found = plans->find(n);
    if (found == plans->end()) found = plans->emplace(n, make_plan(n)).first;
    return found->second ? &found->second->plan : nullptr;
}

} // namespace triptych
