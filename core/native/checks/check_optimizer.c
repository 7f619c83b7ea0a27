#include "check.h"

#include "../kernels/optimizer.c"

static float *copy_of(const float *x, long n) {
    float *y = guarded_floats(n, 1);
    if (n) memcpy(y, x, (size_t)n * sizeof *x);
    return y;
}
static float fraction(void) { return fabsf(random_float(1)); }
static float *positive_floats(long n) {
    float *x = guarded_floats(n, 1);
    for (long i = 0; i < n; i++) x[i] = fabsf(x[i]);
    return x;
}

int main(void) {
    for (int round = 0; round < 400; round++) {
        long n = random_size(300);
        float *p = guarded_floats(n, 1), *g = guarded_floats(n, 1), *b = guarded_floats(n, 1);
        float *v = positive_floats(n);
        float *p2 = copy_of(p, n), *b2 = copy_of(b, n), *v2 = copy_of(v, n);
        float sign = random_bits() % 2 ? 1 : -1, decay = random_bits() % 2 ? fraction() : 0;
        if (round % 2) {
            int with = random_bits() % 3 != 0;
            sgd_options o = {fraction(), fraction(), fraction(), decay, sign, random_bits() % 2};
            sgd(p, g, with ? b : 0, n, &o);
            sgd_plain(p2, g, with ? b2 : 0, n, &o);
        } else {
            adam_options o = {fraction(), fraction(), fraction(), fraction(), decay,
                              sign,       fraction(), fraction(), 1e-3f};
            adam(p, g, b, v, n, &o);
            adam_plain(p2, g, b2, v2, n, &o);
        }
        check_close("parameter", p, p2, n, 2e-5f, 2e-6f);
        check_close("buffer", b, b2, n, 1e-6f, 1e-6f);
        check_close("squares", v, v2, n, 1e-6f, 1e-7f);
        check_done();
    }
    puts("optimizer: 400 steps");
    return 0;
}
