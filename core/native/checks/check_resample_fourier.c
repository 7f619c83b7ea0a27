#include "check_fft_plan.h"

#include "../kernels/fft.c"
#include "../kernels/resample_fourier.c"

enum { MOST_SAMPLES = 160, MOST_TERMS = 3 };

/* By sums in place of transforms, in float64. */
static void run_plain(const fourier_bank *bank, const fourier_block *block, float *y) {
    const long n = bank->forward->n, m = bank->inverse->n;
    double re[MOST_SAMPLES / 2 + 1], im[MOST_SAMPLES / 2 + 1];
    for (long k = 0; k <= m / 2; k++) {
        re[k] = im[k] = 0;
        for (long t = bank->ends[k]; t < bank->ends[k + 1]; t++) {
            const float *gain = bank->gains + 4 * t;
            double a = 0, b = 0;
            for (long j = 0; j < n && j < block->samples; j++) {
                const double angle = -2 * M_PI * (double)(j * bank->sources[t] % n) / (double)n;
                a += (double)block->x[j] * cos(angle), b += (double)block->x[j] * sin(angle);
            }
            re[k] += a * (double)gain[0] + b * (double)gain[1];
            im[k] += a * (double)gain[2] + b * (double)gain[3];
        }
    }
    for (long i = 0; i < m; i++) {
        double sum = 0;
        for (long k = 0; k <= m / 2; k++) {
            const double angle = 2 * M_PI * (double)(i * k % m) / (double)m;
            sum += (k == 0 || 2 * k == m ? 1 : 2) * (re[k] * cos(angle) - im[k] * sin(angle));
        }
        y[i] = (float)sum;
    }
}

static void check_run(void) {
    static fft_tables of_input, of_output;
    const long n = 2 * random_between(1, MOST_SAMPLES / 2), m = 2 * random_between(1, MOST_SAMPLES / 2);
    const fft_plan forward = plan_for(n, &of_input), inverse = plan_for(m, &of_output);
    if (!forward.n || !inverse.n) return;
    const long bins = m / 2 + 1;
    long *ends = guarded(bins + 1, sizeof *ends);
    ends[0] = 0;
    for (long k = 0; k < bins; k++) ends[k + 1] = ends[k] + random_between(0, MOST_TERMS);
    long *sources = guarded(ends[bins], sizeof *sources);
    float *gains = guarded_floats(4 * ends[bins], 1);
    for (long k = 0; k < bins; k++)
        for (long t = ends[k]; t < ends[k + 1]; t++) {
            sources[t] = random_between(0, n / 2);
            if (k == 0 || 2 * k == m) gains[4 * t + 2] = gains[4 * t + 3] = 0; /* real bins */
        }
    const fourier_bank bank = {&forward, &inverse, ends, sources, gains};
    fourier_block blocks[LANES] = {{0}};
    const long used = random_between(1, LANES);
    for (long lane = 0; lane < used; lane++) {
        blocks[lane].samples = random_bits() % 2 ? n : random_between(0, n);
        blocks[lane].wanted = random_bits() % 2 ? m : random_between(0, m);
        blocks[lane].x = guarded_floats(blocks[lane].samples, 1);
        blocks[lane].y = guarded_floats(blocks[lane].wanted, 1);
    }
    float *work = guarded_floats(FOURIER_WORK(forward.m, inverse.m), 1);
    if (!run(&bank, blocks, work)) puts("samples of about 1 were refused"), exit(1);
    for (long lane = 0; lane < used; lane++) {
        float want[MOST_SAMPLES];
        run_plain(&bank, &blocks[lane], want);
        check_close("run", blocks[lane].y, want, blocks[lane].wanted, 1e-4f, 3e-3f);
    }
    static const float refused[] = {INFINITY, -INFINITY, NAN, 2e30f};
    fourier_block *one = &blocks[random_between(0, used - 1)];
    if (one->samples) {
        ((float *)one->x)[random_between(0, one->samples - 1)] = refused[random_bits() % 4];
        if (run(&bank, blocks, work)) puts("a sample that is too large was taken"), exit(1);
    }
    check_done();
}

int main(void) {
    for (int round = 0; round < 1000; round++) check_run();
    puts("resample_fourier: 1000 sets of blocks");
    return 0;
}
