/* Elementary functions on vectors of float32.

   Errors are in units in the last place (ulp) against the exact value; checks/check_vector_math.c
   measures them over all exponents.
   The polynomials are minimax fits by Remez exchange, rounded to float32. NaN in gives NaN out, and
   infinities give the limit, or NaN where the textbook formula has 0 times infinity. */
#ifndef TRIPTYCH_VECTOR_MATH_H
#define TRIPTYCH_VECTOR_MATH_H

#include "vector.h"

/* a * b + c, rounded once where FUSED, and else as the compiler likes. */
#if defined(__AVX512F__)
#include <immintrin.h>
#define FUSED 1
INLINE vfloat vfma(vfloat a, vfloat b, vfloat c) { return (vfloat)_mm512_fmadd_ps(a, b, c); }
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define FUSED 1
INLINE vfloat vfma(vfloat a, vfloat b, vfloat c) { return (vfloat)_mm256_fmadd_ps(a, b, c); }
#elif defined(__aarch64__)
#include <arm_neon.h>
#define FUSED 1
INLINE vfloat vfma(vfloat a, vfloat b, vfloat c) { return (vfloat)vfmaq_f32(c, a, b); }
#else
#define FUSED 0
INLINE vfloat vfma(vfloat a, vfloat b, vfloat c) { return a * b + c; }
#endif

/* What rounding the product of two numbers of middling size lost: a * b = product + this. */
INLINE vfloat product_low(vfloat a, vfloat b, vfloat product) {
#if FUSED
    return vfma(a, b, -product);
#else /* halves of 12 bits, whose products are exact (Dekker 1971) */
    vfloat a1 = (vfloat)((vint)a & ~0xfff), b1 = (vfloat)((vint)b & ~0xfff);
    vfloat a2 = a - a1, b2 = b - b1;
    return ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2;
#endif
}

/* a * b - c and c - a * b where that nearly vanishes. */
INLINE vfloat product_less(vfloat a, vfloat b, vfloat c) {
#if FUSED
    return vfma(a, b, -c);
#else
    return (a * b - c) + product_low(a, b, a * b);
#endif
}
INLINE vfloat less_product(vfloat c, vfloat a, vfloat b) {
#if FUSED
    return vfma(-a, b, c);
#else
    return (c - a * b) - product_low(a, b, a * b);
#endif
}

INLINE vfloat vabs(vfloat x) { return (vfloat)((vint)x & 0x7fffffff); }
INLINE vfloat with_sign_of(vfloat x, vfloat sign) {
    return (vfloat)(((vint)x & 0x7fffffff) | ((vint)sign & (int32_t)0x80000000));
}
/* The larger and the smaller of two, and NaN if one of them is: as NumPy's maximum has it. */
INLINE vfloat vmaximum(vfloat a, vfloat b) { return choose(a != a, a, vmax(a, b)); }
INLINE vfloat vminimum(vfloat a, vfloat b) { return choose(a != a, a, vmin(a, b)); }
/* x moved into [low, high]. Bounds come first: vmax and vmin give the second where one is a NaN. */
INLINE vfloat vbetween(float low, float high, vfloat x) {
    return vmin(splat(high), vmax(splat(low), x));
}
INLINE vfloat vhardsigmoid(vfloat x) { return vbetween(0.0f, 6.0f, x + 3.0f) * (1.0f / 6); }

/* Rounding to whole numbers. From 2^23 on all are whole. */
INLINE vfloat vrint(vfloat x) {
    vfloat magic = with_sign_of(splat(8388608.0f), x); /* 2^23: adding it rounds to an integer */
    return choose(vabs(x) < 8388608.0f, with_sign_of((x + magic) - magic, x), x);
}
INLINE vfloat vfloor(vfloat x) {
    vfloat near = vrint(x);
    return with_sign_of(near - choose(near > x, splat(1), splat(0)), x);
}
INLINE vfloat vceil(vfloat x) {
    vfloat near = vrint(x);
    return with_sign_of(near + choose(near < x, splat(1), splat(0)), x);
}
INLINE vfloat vtrunc(vfloat x) { return with_sign_of(vfloor(vabs(x)), x); }

/* A vector as doubles, for the few steps where float32 loses too much. */
typedef float vhalf __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef double vdouble __attribute__((vector_size(VECTOR_BYTES)));
typedef struct { vdouble low, high; } vwide;

#if LANES == 16
#define FIRST_LANES 0, 1, 2, 3, 4, 5, 6, 7
#define LAST_LANES 8, 9, 10, 11, 12, 13, 14, 15
#elif LANES == 8
#define FIRST_LANES 0, 1, 2, 3
#define LAST_LANES 4, 5, 6, 7
#else
#define FIRST_LANES 0, 1
#define LAST_LANES 2, 3
#endif
INLINE vwide widen(vfloat x) {
    return (vwide){__builtin_convertvector(__builtin_shufflevector(x, x, FIRST_LANES), vdouble),
                   __builtin_convertvector(__builtin_shufflevector(x, x, LAST_LANES), vdouble)};
}
INLINE vfloat narrow(vdouble low, vdouble high) {
    return __builtin_shufflevector(__builtin_convertvector(low, vhalf),
                                   __builtin_convertvector(high, vhalf), FIRST_LANES, LAST_LANES);
}
#define MAGIC_DOUBLE 6755399441055744.0 /* 1.5 * 2^52 */

/* exp(n log 2 + r) for whole n and |r| <= log(2) / 2, in parts: (high + low) scale1 scale2. The
   power of two comes in two steps, so that results below the smallest normal number are right. */
typedef struct { vfloat high, low, scale1, scale2; } exp_parts;
INLINE exp_parts exp_reduced(vfloat n, vfloat r, vfloat r_low) {
    vfloat p = splat(1.99199043e-4f);
    p = p * r + 1.39471854e-3f;
    p = p * r + 8.33326206e-3f;
    p = p * r + 4.16662544e-2f;
    p = p * r + 1.66666672e-1f;
    p = p * r + 0.5f;
    vfloat sum = 1.0f + r, rest = r * r * p + ((r - (sum - 1.0f)) + r_low);
    vfloat high = sum + rest;
    vint whole = __builtin_convertvector(n, vint);
    vint half = whole >> 1;
    return (exp_parts){high, (sum - high) + rest, (vfloat)((half + 127) << 23),
                       (vfloat)((whole - half + 127) << 23)};
}
/* x = n log 2 + r for |x| <= 160; log 2 in two parts, the first of which has so few bits that n
   times it is exact.
   Source: Cody and Waite 1980, chapter 6. */
INLINE exp_parts exp_split(vfloat x) {
    const vfloat magic = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    vfloat n = (x * 1.44269504f + magic) - magic;
    vfloat above = x - n * 0.693359375f, r = vfma(n, splat(2.12194440e-4f), above);
    return exp_reduced(n, r, vfma(n, splat(2.12194440e-4f), above - r));
}
/* The same for x + low, where low is what rounding x lost. */
INLINE exp_parts exp_split_sum(vfloat x, vfloat low) {
    const vfloat magic = splat(12582912.0f);
    vfloat n = (x * 1.44269504f + magic) - magic;
    vfloat above = x - n * 0.693359375f, near = vfma(n, splat(2.12194440e-4f), above);
    vfloat rest = vfma(n, splat(2.12194440e-4f), above - near) + low, r = near + rest;
    return exp_reduced(n, r, rest - (r - near));
}

/* exp(x) within 1 ulp. */
INLINE vfloat vexp(vfloat x) {
    exp_parts e = exp_split(vmin(vmax(x, splat(-150.0f)), splat(130.0f)));
    return choose(x != x, x, e.high * e.scale1 * e.scale2);
}

/* exp(r) - 1 for |r| <= log(2) / 2. */
INLINE vfloat expm1_reduced(vfloat r) {
    vfloat p = splat(1.99199043e-4f);
    p = p * r + 1.39471854e-3f;
    p = p * r + 8.33326206e-3f;
    p = p * r + 4.16662544e-2f;
    p = p * r + 1.66666672e-1f;
    p = p * r + 0.5f;
    return r + r * r * p;
}
/* exp(x) - 1 within 2 ulp: 2^n (exp(r) - 1) + (2^n - 1), where the second term is exact. */
INLINE vfloat vexpm1(vfloat x) {
    const vfloat magic = splat(12582912.0f);
    vfloat clamped = vmin(vmax(x, splat(-30.0f)), splat(130.0f));
    vfloat n = (clamped * 1.44269504f + magic) - magic;
    vfloat r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
    vfloat p = expm1_reduced(r);
    vint half = __builtin_convertvector(n, vint) - 1; /* 2^127 is the largest power there is */
    vfloat scale = (vfloat)((half + 127) << 23);
    vfloat y = (p * scale + (scale - 0.5f)) * 2.0f;
    y = choose(n == 0.0f, p, y);
    y = choose(x > 88.8f, splat(__builtin_inff()), y);
    return choose((x != x) | (x == 0.0f), x, y);
}

/* log(m) for a mantissa in [sqrt(1/2), sqrt(2)), plus e log 2. */
INLINE vfloat log_reduced(vfloat f, vfloat e) {
    vfloat p = splat(6.92105964e-2f);
    p = p * f - 1.17807038e-1f;
    p = p * f + 1.18651278e-1f;
    p = p * f - 1.23855509e-1f;
    p = p * f + 1.42200217e-1f;
    p = p * f - 1.66692168e-1f;
    p = p * f + 2.00021461e-1f;
    p = p * f - 2.49999866e-1f;
    p = p * f + 3.33333105e-1f;
    vfloat square = f * f;
    vfloat rest = f * square * p + e * -2.12194440e-4f;
    return (rest - 0.5f * square + f) + e * 0.693359375f;
}
INLINE void split_exponent(vfloat x, vfloat *mantissa, vfloat *exponent) {
    typedef uint32_t vbits __attribute__((vector_size(VECTOR_BYTES)));
    vint bits = (vint)((vbits)x - 0x3f3504f3u); /* sqrt(1/2) */
    vint e = bits >> 23;
    *exponent = __builtin_convertvector(e, vfloat);
    *mantissa = (vfloat)((bits & 0x7fffff) + 0x3f3504f3);
}
/* What logarithms have at the borders of their domain. */
INLINE vfloat log_ends(vfloat x, vfloat y) {
    y = choose(x == 0.0f, splat(-__builtin_inff()), y);
    y = choose(x < 0.0f, splat(__builtin_nanf("")), y);
    return choose((x == __builtin_inff()) | (x != x), x, y);
}
INLINE vfloat tiny_scaled(vfloat x, vfloat *power) {
    vint tiny = x < 1.17549435e-38f; /* below the smallest normal number */
    *power = choose(tiny, splat(-23.0f), splat(0.0f));
    return choose(tiny, x * 8388608.0f, x);
}
/* log(x) within 1 ulp.
   Source: the same as exp, chapter 5. */
INLINE vfloat vlog(vfloat x) {
    vfloat power, m, e;
    split_exponent(tiny_scaled(x, &power), &m, &e);
    return log_ends(x, log_reduced(m - 1.0f, e + power));
}
/* log(1 + x) within 2 ulp: what rounding 1 + x loses comes back as the first term of a series. */
INLINE vfloat vlog1p(vfloat x) {
    vfloat u = 1.0f + x, m, e;
    vfloat lost = choose(u > 2.0f, 1.0f - (u - x), x - (u - 1.0f));
    split_exponent(u, &m, &e);
    vfloat scale = (vfloat)((127 - __builtin_convertvector(e, vint)) << 23);
    lost = choose(u < 67108864.0f, lost * scale, splat(0.0f));
    vfloat y = log_reduced((m - 1.0f) + lost, e);
    y = choose(vabs(x) < 1e-4f, x - 0.5f * x * x, y);
    y = log_ends(u, y);
    return choose(x == 0.0f, x, y);
}

/* factor / (1 + exp(-x)), given the parts of exp(-|x|); numerator and denominator carry what
   rounding lost. */
INLINE vfloat sigmoid_times(vfloat x, exp_parts e, vfloat factor) {
    vint negative = x < 0.0f;
    vfloat small = e.high * e.scale1 * e.scale2;
    vfloat below = 1.0f + small;
    vfloat below_low = (small - (below - 1.0f)) + e.low * e.scale1 * e.scale2;
    vfloat product = factor * e.high;
    vfloat above = choose(negative, product, factor);
    vfloat above_low = product_low(factor, e.high, product) + factor * e.low;
    above_low = choose(negative, above_low, splat(0.0f));
    vfloat inverse = 1.0f / below, y = above * inverse;
    y = y + (less_product(above, y, below) + (above_low - y * below_low)) * inverse;
    y = choose(negative, y * e.scale1 * e.scale2, y);
    return choose(x > 30.0f, factor, choose(x != x, x, y));
}
/* 1 / (1 + exp(-x)) within 1 ulp. */
INLINE vfloat vsigmoid(vfloat x) {
    return sigmoid_times(x, exp_split(vmax(-vabs(x), splat(-150.0f))), splat(1.0f));
}
/* A factor x for functions that vanish at -200 and below, but are 0 * infinity at -infinity. */
INLINE vfloat vanishing_factor(vfloat x) {
    return choose(x == -__builtin_inff(), splat(__builtin_nanf("")), vmax(x, splat(-200.0f)));
}
/* x / (1 + exp(-x)) within 1 ulp. */
INLINE vfloat vsilu(vfloat x) {
    return sigmoid_times(x, exp_split(vmax(-vabs(x), splat(-150.0f))), vanishing_factor(x));
}
/* Its derivative, s + x s (1 - s); near its zero at -1.28 within 1e-7. */
INLINE vfloat vsilu_slope(vfloat x) {
    vfloat rest = vsigmoid(-vabs(x)), s = choose(x < 0.0f, rest, 1.0f - rest);
    return choose(vabs(x) < 100.0f, s + x * rest * (1.0f - rest), s);
}

/* tanh(x) within 2 ulp: -e / (e + 2) for e = exp(-2 |x|) - 1. */
INLINE vfloat vtanh(vfloat x) {
    const vfloat magic = splat(12582912.0f);
    vfloat z = vmax(-2.0f * vabs(x), splat(-19.0f));
    vfloat n = (z * 1.44269504f + magic) - magic;
    vfloat r = (z - n * 0.693359375f) + n * 2.12194440e-4f;
    vfloat scale = (vfloat)((__builtin_convertvector(n, vint) + 127) << 23);
    vfloat e = expm1_reduced(r) * scale + (scale - 1.0f);
    vfloat below = e + 2.0f, lost = e - (below - 2.0f);
    vfloat inverse = 1.0f / below, y = e * inverse;
    y = y + (less_product(e, y, below) - y * lost) * inverse;
    return choose(x != x, x, with_sign_of(y, x));
}

/* erf(x) within 2 ulp: x p(x^2) below 1, 1 - exp(-q(x)) above. */
INLINE vfloat verf(vfloat x) {
    vfloat t = vabs(x), s = x * x;
    vfloat p = splat(-9.68014137e-6f);
    p = p * s + 1.12705464e-4f;
    p = p * s - 8.48471187e-4f;
    p = p * s + 5.22107491e-3f;
    p = p * s - 2.68654451e-2f;
    p = p * s + 1.12837829e-1f;
    p = p * s - 3.76126379e-1f;
    p = p * s + 1.28379166e-1f;
    vfloat z = vmin(t, splat(4.0f));
    vfloat q = splat(1.89851453e-5f);
    q = q * z - 4.06797946e-4f;
    q = q * z + 4.02090047e-3f;
    q = q * z - 2.46818792e-2f;
    q = q * z + 1.07540458e-1f;
    q = q * z + 6.340729e-1f;
    q = q * z + 1.1291312f;
    q = q * z - 9.03134496e-5f;
    vfloat large = with_sign_of(1.0f - vexp(-q), x);
    return choose((t < 1.0f) | (x != x), x + x * p, large);
}

/* sigmoid(z) * factor for z = 2 sqrt(2 / pi) (x + 0.044715 x^3); tanh's form of gelu is that for
   factor x, within 2 ulp. z in two parts.
   Source: Hendrycks and Gimpel 2016, section 2. */
INLINE vfloat gelu_tanh_times(vfloat x, vfloat factor) {
    const float linear = 1.59576917f, linear_low = -4.53406803e-8f; /* 2 sqrt(2 / pi) */
    const float cubic = 0.0713548139f, cubic_low = 2.3988324e-9f;       /* 0.044715 of it */
    vfloat t = vmin(vabs(x), splat(12.5f)), square = t * t, term = square * cubic;
    vfloat term_low = product_low(square, splat(cubic), term) + cubic * product_low(t, t, square) +
                      square * cubic_low + linear_low;
    vfloat sum = term + linear, shift = sum - term;
    vfloat sum_low = (linear - shift) + (term - (sum - shift)) + term_low;
    vfloat z = t * sum;
    exp_parts e = exp_split_sum(-z, -product_low(t, sum, z) - t * sum_low);
    return sigmoid_times(x, e, factor);
}
INLINE vfloat vgelu_tanh(vfloat x) { return gelu_tanh_times(x, vanishing_factor(x)); }
/* Its derivative; near its zero at -0.75 within 1e-7. */
INLINE vfloat vgelu_tanh_slope(vfloat x) {
    vfloat rest = gelu_tanh_times(-vabs(x), splat(1.0f)), s = choose(x < 0.0f, rest, 1.0f - rest);
    vfloat inner = 1.59576917f + 0.214064449f * x * x;
    return choose(vabs(x) < 20.0f, s + x * rest * (1.0f - rest) * inner, s);
}

/* sin and cos within 1.5 ulp for |x| < SIN_MOST. */
INLINE vfloat sin_polynomial(vfloat r, vfloat s) {
    vfloat p = splat(2.71827594e-6f);
    p = p * s - 1.98393318e-4f;
    p = p * s + 8.33332911e-3f;
    p = p * s - 1.66666672e-1f;
    return r + r * (s * p);
}
INLINE vfloat cos_polynomial(vfloat s) {
    vfloat p = splat(-2.72111379e-7f);
    p = p * s + 2.4799534e-5f;
    p = p * s - 1.38888834e-3f;
    p = p * s + 4.16666679e-2f;
    return 1.0f - (0.5f * s - s * s * p);
}
/* The sine of r + quarter pi / 2. */
INLINE vfloat sin_reduced(vfloat r, vint quarter) {
    vfloat s = r * r;
    vfloat y = choose((quarter & 1) != 0, cos_polynomial(s), sin_polynomial(r, s));
    return (vfloat)((vint)y ^ ((quarter & 2) << 30));
}
#define SIN_MOST 1048576.0f /* 2^20 */
/* x = n pi / 2 + r. pi / 2 in three parts, where products are exact in a fused operation; else in
   doubles and two parts, the first of 28 bits. */
INLINE vfloat sin_shifted(vfloat x, int quarter) {
#if FUSED
    const vfloat magic = splat(12582912.0f);
    vfloat n = (x * 0.636619772f + magic) - magic;
    vfloat r = vfma(n, splat(-1.57079637f), x);
    r = vfma(n, splat(4.37113883e-8f), r);
    r = vfma(n, splat(1.71512451e-15f), r);
    return sin_reduced(r, __builtin_convertvector(n, vint) + quarter);
#else
    const double high = 1.570796325802803, low = 9.920935796805404e-10;
    vwide w = widen(x);
    vdouble n1 = (w.low * 0.6366197723675814 + MAGIC_DOUBLE) - MAGIC_DOUBLE;
    vdouble n2 = (w.high * 0.6366197723675814 + MAGIC_DOUBLE) - MAGIC_DOUBLE;
    vfloat r = narrow((w.low - n1 * high) - n1 * low, (w.high - n2 * high) - n2 * low);
    return sin_reduced(r, __builtin_convertvector(narrow(n1, n2), vint) + quarter);
#endif
}
INLINE vfloat vsin(vfloat x) { return choose(x == 0.0f, x, sin_shifted(x, 0)); }
INLINE vfloat vcos(vfloat x) { return sin_shifted(x, 1); }

/* The same for one |x| >= 2^20, by whole numbers: x is a whole number m times a power of two, and
   of m times the digits of 2 / pi only those count that stand for less than four quarters.
   Source: Payne and Hanek 1983. */
static __attribute__((unused)) float sin_huge(float x, int quarter) {
    static const uint32_t digits[] = {0, 0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0,
                                      0xDB629599, 0x3C439041, 0xFE5163AB}; /* of 2 / pi */
    union { float x; uint32_t bits; } u = {x};
    int exponent = (int)(u.bits >> 23 & 255) - 150; /* -3 at least */
    if (exponent > 104) return x - x; /* infinite or NaN */
    uint64_t m = (u.bits & 0x7fffff) | 0x800000;
    int word = (exponent + 30) / 32, shift = (exponent + 30) % 32;
    uint32_t window[3];
    for (int i = 0; i < 3; i++) {
        uint64_t two = (uint64_t)digits[word + i] << 32 | digits[word + i + 1];
        window[i] = (uint32_t)(two >> (32 - shift));
    }
    uint64_t product = ((m * window[0]) << 32) + m * window[1] + (m * window[2] >> 32);
    int n = (int)((product + ((uint64_t)1 << 61)) >> 62);
    float r = (float)((double)(int64_t)(product << 2) * 8.515303950216386e-20); /* pi / 2 / 2^64 */
    if (u.bits >> 31) r = -r, n = -n;
    return sin_reduced(splat(r), (vint){0} + (n + quarter))[0];
}

#endif
