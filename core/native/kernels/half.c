/* Whole arrays of halves to float32 and back. */
#include "half.h"

#include "half_lanes.h"

static void half_widen(half_kind kind, const uint16_t *x, float *y, long n) {
    if (kind == HALF_FLOAT16) widen_all(HALF_FLOAT16, x, y, n);
    else widen_all(HALF_BFLOAT16, x, y, n);
}

static void half_narrow(half_kind kind, const float *x, uint16_t *y, long n) {
    if (kind == HALF_FLOAT16) narrow_all(HALF_FLOAT16, x, y, n);
    else narrow_all(HALF_BFLOAT16, x, y, n);
}

/* The plain twins, which the checks compare with: by the value, not by the bits. */
__attribute__((unused)) static double half_value(half_kind kind, uint16_t bits) {
    const int digits = kind == HALF_FLOAT16 ? 10 : 7, most = kind == HALF_FLOAT16 ? 31 : 255;
    const int exponent = (bits & 0x7fff) >> digits, lowest = -(most / 2 - 1) - digits;
    double x = bits & ((1 << digits) - 1);
    if (exponent == most) return x ? __builtin_nan("") : bits >> 15 ? -1.0 / 0.0 : 1.0 / 0.0;
    if (exponent) x += 1 << digits;
    x = __builtin_ldexp(x, lowest + (exponent ? exponent - 1 : 0));
    return bits >> 15 ? -x : x;
}

/* By bisection over the positive halves, which are in the order of their bits. */
__attribute__((unused)) static uint16_t half_nearest(half_kind kind, float x) {
    const uint16_t infinite = kind == HALF_FLOAT16 ? 0x7c00 : 0x7f80;
    const uint16_t sign = __builtin_signbit(x) ? 0x8000 : 0;
    const double size = __builtin_fabs((double)x);
    if (x != x) return (uint16_t)(sign | infinite | 1);
    uint16_t low = 0, high = infinite; /* value(low) <= size, and below value(high) */
    if (size == half_value(kind, infinite)) return sign | infinite;
    while (high - low > 1) {
        const uint16_t middle = (uint16_t)((low + high) / 2);
        if (half_value(kind, middle) <= size) low = middle;
        else high = middle;
    }
    /* Infinity counts as the number that would come next. */
    const double step = half_value(kind, low) - half_value(kind, low ? low - 1 : 0);
    const double above = high == infinite ? half_value(kind, low) + step : half_value(kind, high);
    const double down = size - half_value(kind, low), up = above - size;
    return (uint16_t)(sign | (down < up || (down == up && low % 2 == 0) ? low : high));
}

const half_kernels KERNEL(half) = {half_widen, half_narrow};
