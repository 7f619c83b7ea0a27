#include "check.h"

#include "../kernels/fft.c"

static float tables[3][1 << 16];

static long add_root(float *to, long at, long number, long length) {
    const double angle = -2 * M_PI * (double)(number % length) / (double)length;
    to[at] = (float)cos(angle), to[at + 1] = (float)sin(angle);
    return at + 2;
}

static fft_plan plan_for(long n) {
    static const int primes[] = {4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61};
    fft_plan plan = {.n = n, .m = n % 2 ? n : n / 2,
                     .twiddles = tables[0], .roots = tables[1], .halves = tables[2]};
    long rest = plan.m, at[3] = {0};
    for (size_t i = 0; i < sizeof primes / sizeof *primes; i++)
        for (; rest % primes[i] == 0; rest /= primes[i]) plan.factors[plan.num_factors++] = primes[i];
    if (rest > 1) plan.n = 0; /* a larger prime: not for this kernel */
    long length = plan.m;
    for (int i = 0; i < plan.num_factors; i++) {
        const long r = plan.factors[i];
        for (long p = 0; p < length / r; p++)
            for (long j = 1; j < r; j++) at[0] = add_root(tables[0], at[0], p * j, length);
        for (long j = 0; j < r; j++) at[1] = add_root(tables[1], at[1], j, r);
        length /= r;
    }
    for (long k = 0; k <= n / 2; k++) at[2] = add_root(tables[2], at[2], k, n);
    return plan;
}

static void plain(long n, const float *x, long frames, long hop, const float *window, int power,
                  float *y) {
    for (long f = 0; f < frames; f++)
        for (long k = 0; k <= n / 2; k++) {
            double re = 0, im = 0;
            for (long j = 0; j < n; j++) {
                const double v = (double)(window ? x[f * hop + j] * window[j] : x[f * hop + j]);
                const double angle = -2 * M_PI * (double)(j * k % n) / (double)n;
                re += v * cos(angle), im += v * sin(angle);
            }
            if (power) y[k * frames + f] = (float)(re * re + im * im);
            else y[2 * (k * frames + f)] = (float)re, y[2 * (k * frames + f) + 1] = (float)im;
        }
}

int main(void) {
    int done = 0;
    for (int round = 0; round < 300; round++) {
        const long n = random_between(2, round % 10 ? 64 : 500);
        const long frames = random_between(1, 40), hop = random_between(1, n + 3);
        const fft_plan plan = plan_for(n);
        if (!plan.n) continue;
        const int power = round % 2;
        const long bins = n / 2 + 1, size = (2 - power) * frames * bins;
        float *x = guarded_floats((frames - 1) * hop + n, 1);
        float *window = round % 3 ? guarded_floats(n, 1) : NULL;
        float *got = guarded_floats(size, 1), *want = guarded_floats(size, 1);
        float *work = aligned_alloc(64, (FFT_WORK(plan.m) * sizeof(float) + 63) / 64 * 64);
        spectra(&plan, x, frames, hop, window, power, got, 2 - power, (2 - power) * frames, work);
        free(work);
        plain(n, x, frames, hop, window, power, want);
        check_close("spectra", got, want, size, 1e-5f, power ? 1e-4f : 1e-5f);
        check_done();
        done++;
    }
    printf("fft: %d shapes\n", done);
    return 0;
}
