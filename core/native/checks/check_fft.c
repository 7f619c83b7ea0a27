#include "check_fft_plan.h"

#include "../kernels/fft.c"

static fft_tables tables;

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
        const fft_plan plan = plan_for(n, &tables);
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
