#include "check.h"

#include "../kernels/half.c"

static int same_half(half_kind kind, uint16_t a, uint16_t b) {
    return a == b || (isnan(half_value(kind, a)) && isnan(half_value(kind, b)));
}

static void every_half(half_kind kind) {
    const long n = 65536;
    uint16_t *x = guarded(n, sizeof *x), *back = guarded(n, sizeof *x);
    float *y = guarded(n, sizeof *y);
    for (long i = 0; i < n; i++) x[i] = (uint16_t)i;
    half_widen(kind, x, y, n);
    half_narrow(kind, y, back, n);
    for (long i = 0; i < n; i++) {
        const double want = half_value(kind, x[i]);
        if ((y[i] == want && !signbit(y[i]) == !signbit(want)) || (isnan(y[i]) && isnan(want)))
            if (same_half(kind, back[i], x[i])) continue;
        printf("half %ld of kind %d is %g, back %d, wanted %g\n", i, kind, y[i], back[i], want);
        exit(1);
    }
    check_done();
}

/* Halves, numbers in the middle of two, their neighbours, and any bits. */
static float hard_number(half_kind kind) {
    uint32_t bits = random_bits();
    float x;
    if (bits % 4) {
        const double low = half_value(kind, (uint16_t)(bits >> 16));
        const double next = half_value(kind, (uint16_t)((bits >> 16) + 1));
        x = (float)(bits % 4 == 1 ? low : (low + next) / 2);
        memcpy(&bits, &x, 4);
        bits += (uint32_t)random_between(-1, 1);
    }
    memcpy(&x, &bits, 4);
    return x;
}

static void rounded(half_kind kind, long n) {
    float *x = guarded(n, sizeof *x);
    uint16_t *y = guarded(n, sizeof *y);
    for (long i = 0; i < n; i++) x[i] = hard_number(kind);
    half_narrow(kind, x, y, n);
    for (long i = 0; i < n; i++) {
        const uint16_t want = half_nearest(kind, x[i]);
        if (same_half(kind, y[i], want)) continue;
        printf("%.9g is rounded to %04x of kind %d, wanted %04x\n", x[i], y[i], kind, want);
        exit(1);
    }
    check_done();
}

int main(void) {
    for (int kind = HALF_FLOAT16; kind <= HALF_BFLOAT16; kind++) {
        every_half(kind);
        for (int round = 0; round < 400; round++) rounded(kind, random_size(1000));
    }
    puts("half: all halves, 800 arrays of float32");
    return 0;
}
