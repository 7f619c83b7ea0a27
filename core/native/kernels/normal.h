/* The normal distribution function Phi and gelu, x Phi(x), on vectors of float32.

   Phi(-t) = M(t) exp(-t^2 / 2), where M, Mills' ratio, is u p(u) with u = 1 / (1 + t / 4) and a
   polynomial p, fitted to it on 0 to 14.5 within 1e-8 (least squares, reweighted until the
   relative error is even; then coefficient by coefficient rounded to float32). What rounding loses
   is carried along in second parts, so that no doubles are needed. Where 32 numbers can be looked up
   at once, most of gelu is a table of polynomials instead, which take a third of the time.
   Source: Abramowitz and Stegun 1964, 26.2.17, for the form; Hendrycks and Gimpel 2016. */
#ifndef TRIPTYCH_NORMAL_H
#define TRIPTYCH_NORMAL_H

#include "vector_math.h"

#if defined(__AVX512F__)
#include "normal_table.h"
#endif

/* M(t), high + low, for 0 <= t <= 18. */
typedef struct { vfloat high, low; } two_parts;
INLINE two_parts mills(vfloat t) {
    const vfloat quarter = t * 0.25f, sum = quarter + 1.0f, sum_low = quarter - (sum - 1.0f);
    const vfloat u = 1.0f / sum, u_low = u * (less_product(splat(1.0f), sum, u) - u * sum_low);
    vfloat p = splat(0.0168923996f);
    p = p * u - 0.0645371377f;
    p = p * u + 0.0558794029f;
    p = p * u + 0.0226109978f;
    p = p * u + 0.0177346282f;
    p = p * u + 0.0838512778f;
    p = p * u + 0.0730127841f;
    p = p * u + 0.0952878669f;
    /* The last two steps with what they lose; their constants are multiples of 2^-25, so that
       differences from the sums are exact. */
    const vfloat second = splat(0.0995214581f), first = splat(0.0997463167f);
    const vfloat sum2 = p * u + second, low2 = product_less(p, u, sum2 - second) - 3.3222598e-09f;
    const vfloat whole = sum2 * u + first, low1 = product_less(sum2, u, whole - first) + 1.34661828e-08f;
    const vfloat whole_low = low2 * u + low1;
    const vfloat high = whole * u;
    const vfloat slope = whole * (1.0f + 2.2f * u); /* of u p(u), near enough for u_low */
    return (two_parts){high, product_low(whole, u, high) + (whole_low * u + slope * u_low)};
}
/* exp(-t^2 / 2), in parts. */
INLINE exp_parts bell(vfloat t) {
    const vfloat square = t * t;
    return exp_split_sum(-0.5f * square, -0.5f * product_low(t, t, square));
}
/* Phi(-t), in parts: (high + low) scale1 scale2. */
INLINE exp_parts normal_tail(vfloat t, exp_parts e) {
    const two_parts ratio = mills(t);
    const vfloat high = ratio.high * e.high;
    const vfloat low = product_low(ratio.high, e.high, high) + (ratio.high * e.low + ratio.low * e.high);
    return (exp_parts){high, low, e.scale1, e.scale2};
}
INLINE vfloat at_most_18(vfloat x) { return vmin(vabs(x), splat(17.8f)); }

/* x Phi(x) within 2 ulp (gelu). */
INLINE vfloat gelu_anywhere(vfloat x) {
    const vfloat t = at_most_18(x);
    const exp_parts tail = normal_tail(t, bell(t));
    const vfloat below = vfma(-t, tail.high, -t * tail.low) * tail.scale1 * tail.scale2;
    const vfloat scale = tail.scale1 * tail.scale2, missing = tail.high * scale;
    const vfloat above = 1.0f - missing, lost = ((1.0f - above) - missing) - tail.low * scale;
    const vfloat y = choose(x < 0.0f, below, vfma(x, above, t * lost));
    return choose(x == -__builtin_inff(), splat(__builtin_nanf("")), y);
}
#if defined(__AVX512F__)
/* One of 32 numbers for each lane; bits of the index beyond five do not count. */
INLINE vfloat looked_up(const float table[32], vint index) {
    return (vfloat)_mm512_permutex2var_ps((__m512)load(table), (__m512i)index,
                                          (__m512)load(table + 16));
}
/* Phi(-t) for t whose square is below 31.5: the range is the square rounded to a whole number. */
INLINE vfloat table_tail(vfloat t, vfloat square) {
    const vint range = (vint)(square + 8388608.0f); /* 2^23: adding it rounds to an integer */
    const vfloat d = t - looked_up(normal_centres, range);
    vfloat p = looked_up(normal_coefficients[NORMAL_DEGREE], range);
    for (int i = NORMAL_DEGREE - 1; i >= 0; i--)
        p = vfma(p, d, looked_up(normal_coefficients[i], range));
    return p;
}
/* x Phi(x) within 2 ulp, as above (1.7 at most, seen over numbers of all sizes up to 15). Numbers
   beyond the table are rare: they do not take part in the loop that is in a hurry, and a
   number's result does not depend on its neighbours. */
static __attribute__((noinline, unused)) vfloat gelu_far(vfloat x) { return gelu_anywhere(x); }
INLINE vfloat vgelu(vfloat x) {
    const vfloat t = vabs(x), square = t * t;
    const __mmask16 near = _mm512_cmp_ps_mask((__m512)square, _mm512_set1_ps(31.5f), _CMP_LT_OQ);
    const vfloat y = vfma(-t, table_tail(t, square), vmax(splat(0.0f), x));
    if (__builtin_expect(near == 0xffff, 1)) return y;
    return (vfloat)_mm512_mask_blend_ps(near, (__m512)gelu_far(x), (__m512)y);
}
#else
INLINE vfloat vgelu(vfloat x) { return gelu_anywhere(x); }
#endif
/* Its derivative, Phi(x) + x phi(x); near its zero at -0.75 within 1e-7. */
INLINE vfloat vgelu_slope(vfloat x) {
    const vfloat t = at_most_18(x);
    const exp_parts e = bell(t), parts = normal_tail(t, e);
    const vfloat scale = parts.scale1 * parts.scale2, tail = parts.high * scale;
    const vfloat rest = t * (0.398942280f * (e.high * scale)); /* 1 / sqrt(2 pi) */
    const vfloat low = parts.low * scale, above = 1.0f - tail, lost = (1.0f - above) - tail - low;
    const vfloat y = choose(x < 0.0f, (tail - rest) + low, above + (rest + lost));
    return choose(x != x, x, y);
}

#endif
