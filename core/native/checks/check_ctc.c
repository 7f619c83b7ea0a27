#include "check.h"

#include "../kernels/ctc.c"

/* Log probabilities of steps that lie `gap` numbers apart. */
static float *log_probabilities(ctc_sample *s, long gap, float scale) {
    s->step = s->classes + gap;
    const long size = s->steps ? (s->steps - 1) * s->step + s->classes : 0;
    float *x = guarded_floats(size, scale);
    for (long t = 0; t < s->steps; t++) {
        double sum = 0;
        for (long c = 0; c < s->classes; c++) sum += exp(x[t * s->step + c]);
        for (long c = 0; c < s->classes; c++) x[t * s->step + c] -= (float)log(sum);
    }
    return x;
}

static long long *random_labels(const ctc_sample *s) {
    long long *labels = guarded(s->count, sizeof *labels);
    for (long k = 0; k < s->count; k++) labels[k] = random_between(0, s->classes - 1);
    return labels;
}

static void *work_of(long count, long rows) {
    const size_t bytes = (size_t)ctc_work_floats(count, rows) * sizeof(float);
    return guarded((long)((bytes + 63) / 64 * 64), 1); /* whole lines are used */
}

static void one(int round) {
    ctc_sample s = {.steps = random_size(90), .classes = random_between(1, 40)};
    s.count = random_size(round % 3 ? s.steps / 2 + 1 : 40);
    s.blank = random_between(0, s.classes - 1);
    s.x = log_probabilities(&s, random_size(9), round % 4 ? 3.0f : 30.0f);
    s.labels = random_labels(&s);
    const long size = s.steps ? (s.steps - 1) * s.step + s.classes : 0;
    double *alpha = guarded(s.steps * (2 * s.count + 1), sizeof *alpha);
    double *beta = guarded(s.steps * (2 * s.count + 1), sizeof *beta);
    const double loss = ctc_plain(&s, alpha, beta);
    const float want = (float)loss, got = ctc_forward(&s, work_of(s.count, 2));
    check_close("ctc", &got, &want, 1, 2e-6f, 5e-5f);
    float *dx = guarded_floats(size, 1), *dx_want = guarded_floats(size, 1);
    memcpy(dx_want, dx, (size_t)size * sizeof *dx); /* gaps are not touched */
    const float slope = random_float(2);
    ctc_backward(&s, slope, round % 2, dx, work_of(s.count, s.steps + 4));
    ctc_plain_dx(&s, loss, alpha, beta, slope, round % 2, dx_want);
    /* The likeliest places are far from the path where steps are sharp: float32 ends there. */
    check_close("ctc_dx", dx, dx_want, size, 0, round % 4 ? 5e-5f : 2e-3f);
    check_done();
}

int main(void) {
    for (int round = 0; round < 1500; round++) one(round);
    puts("ctc: 1500 samples");
    return 0;
}
