#include "fft.h"

#include "vector.h"

typedef struct { vfloat re, im; } vcomplex;

INLINE vcomplex plus(vcomplex a, vcomplex b) { return (vcomplex){a.re + b.re, a.im + b.im}; }
INLINE vcomplex minus(vcomplex a, vcomplex b) { return (vcomplex){a.re - b.re, a.im - b.im}; }
INLINE vcomplex times(vcomplex a, float re, float im) {
    return (vcomplex){a.re * re - a.im * im, a.re * im + a.im * re};
}
/* a - i b and a + i b, with b scaled. */
INLINE vcomplex minus_i(vcomplex a, vcomplex b, float scale) {
    return (vcomplex){a.re + b.im * scale, a.im - b.re * scale};
}
INLINE vcomplex plus_i(vcomplex a, vcomplex b, float scale) {
    return (vcomplex){a.re - b.im * scale, a.im + b.re * scale};
}
INLINE vcomplex scaled_sum(vcomplex a, vcomplex b, float sb, vcomplex c, float sc) {
    return (vcomplex){a.re + b.re * sb + c.re * sc, a.im + b.im * sb + c.im * sc};
}

/* Small transforms, in place. */
INLINE void radix2(vcomplex *a) {
    vcomplex b = a[1];
    a[1] = minus(a[0], b), a[0] = plus(a[0], b);
}
INLINE void radix3(vcomplex *a) {
    const float half_root3 = 0.866025403784438647f;
    vcomplex sum = plus(a[1], a[2]), difference = minus(a[1], a[2]), zero = {{0}, {0}};
    vcomplex middle = scaled_sum(a[0], sum, -0.5f, zero, 0);
    a[0] = plus(a[0], sum);
    a[1] = minus_i(middle, difference, half_root3);
    a[2] = plus_i(middle, difference, half_root3);
}
INLINE void radix4(vcomplex *a) {
    vcomplex s02 = plus(a[0], a[2]), d02 = minus(a[0], a[2]);
    vcomplex s13 = plus(a[1], a[3]), d13 = minus(a[1], a[3]);
    a[0] = plus(s02, s13), a[2] = minus(s02, s13);
    a[1] = minus_i(d02, d13, 1), a[3] = plus_i(d02, d13, 1);
}
INLINE void radix5(vcomplex *a) {
    const float c1 = 0.309016994374947424f, c2 = -0.809016994374947424f;
    const float s1 = 0.951056516295153572f, s2 = 0.587785252292473129f;
    vcomplex s14 = plus(a[1], a[4]), d14 = minus(a[1], a[4]);
    vcomplex s23 = plus(a[2], a[3]), d23 = minus(a[2], a[3]);
    vcomplex m1 = scaled_sum(a[0], s14, c1, s23, c2), m2 = scaled_sum(a[0], s14, c2, s23, c1);
    vcomplex zero = {{0}, {0}};
    vcomplex n1 = scaled_sum(zero, d14, s1, d23, s2), n2 = scaled_sum(zero, d14, s2, d23, -s1);
    a[0] = plus(a[0], plus(s14, s23));
    a[1] = minus_i(m1, n1, 1), a[4] = plus_i(m1, n1, 1);
    a[2] = minus_i(m2, n2, 1), a[3] = plus_i(m2, n2, 1);
}
static void radix_any(vcomplex *a, int r, const float *roots) {
    vcomplex out[FFT_LARGEST_PRIME];
    for (int j = 0; j < r; j++) {
        vcomplex sum = a[0];
        for (int k = 1, at = j; k < r; k++, at = (at + j) % r)
            sum = plus(sum, times(a[k], roots[2 * at], roots[2 * at + 1]));
        out[j] = sum;
    }
    for (int j = 0; j < r; j++) a[j] = out[j];
}

/* One stage: `count` transforms of length r for each of `step` interleaved sequences. */
INLINE void stage(int r, long count, long step, const float *twiddles, const float *roots,
                  const vcomplex *x, vcomplex *y) {
    vcomplex a[FFT_LARGEST_PRIME];
    for (long p = 0; p < count; p++, twiddles += 2 * (r - 1)) {
        for (long q = 0; q < step; q++) {
            for (int k = 0; k < r; k++) a[k] = x[q + step * (p + count * k)];
            if (r == 2) radix2(a);
            else if (r == 3) radix3(a);
            else if (r == 4) radix4(a);
            else if (r == 5) radix5(a);
            else radix_any(a, r, roots);
            y[q + step * r * p] = a[0];
            for (int j = 1; j < r; j++)
                y[q + step * (r * p + j)] = times(a[j], twiddles[2 * j - 2], twiddles[2 * j - 1]);
        }
    }
}

/* Gives the array of the two that the result is in. */
static vcomplex *transform(const fft_plan *plan, vcomplex *x, vcomplex *y) {
    const float *twiddles = plan->twiddles, *roots = plan->roots;
    long length = plan->m, step = 1;
    for (int i = 0; i < plan->num_factors; i++) {
        const int r = plan->factors[i];
        const long count = length / r;
        if (r == 4) stage(4, count, step, twiddles, roots, x, y);
        else if (r == 2) stage(2, count, step, twiddles, roots, x, y);
        else if (r == 3) stage(3, count, step, twiddles, roots, x, y);
        else if (r == 5) stage(5, count, step, twiddles, roots, x, y);
        else stage(r, count, step, twiddles, roots, x, y);
        twiddles += 2 * count * (r - 1), roots += 2 * r;
        length = count, step *= r;
        vcomplex *swap = x;
        x = y, y = swap;
    }
    return x;
}

/* Frames into lanes; lanes without a frame repeat the last one. Even lengths: neighbours become re
   and im of one number. */
static void gather(const fft_plan *plan, const float *x, long frames, long hop, const float *window,
                   vcomplex *z) {
    float *to = (float *)z;
    const int even = plan->m != plan->n;
    for (long lane = 0; lane < LANES; lane++) {
        const float *from = x + (lane < frames ? lane : frames - 1) * hop;
        for (long j = 0; j < plan->n; j++) {
            long place = even ? j : 2 * j;
            to[place * LANES + lane] = window ? from[j] * window[j] : from[j];
            if (!even) to[(place + 1) * LANES + lane] = 0;
        }
    }
}

/* The bin k of the real signal: of even lengths from those of its half. */
INLINE vcomplex bin(const fft_plan *plan, const vcomplex *z, long k) {
    if (plan->m == plan->n) return z[k];
    vcomplex a = z[k == plan->m ? 0 : k], b = z[k == 0 ? 0 : plan->m - k];
    vcomplex even = {(a.re + b.re) * 0.5f, (a.im - b.im) * 0.5f};
    vcomplex odd = {(a.im + b.im) * 0.5f, (b.re - a.re) * 0.5f};
    return plus(even, times(odd, plan->halves[2 * k], plan->halves[2 * k + 1]));
}

static void scatter(vfloat v, float *y, long step, long count) {
    if (step == 1 && count == LANES) {
        store(y, v);
        return;
    }
    union { vfloat v; float x[LANES]; } u = {v};
    for (long lane = 0; lane < count; lane++) y[lane * step] = u.x[lane];
}

static void spectra(const fft_plan *plan, const float *x, long frames, long hop, const float *window,
                    int power, float *y, long frame_step, long bin_step, float *work) {
    vcomplex *one = (vcomplex *)work, *two = one + plan->m;
    for (long first = 0; first < frames; first += LANES) {
        const long count = frames - first < LANES ? frames - first : LANES;
        gather(plan, x + first * hop, count, hop, window, one);
        const vcomplex *z = transform(plan, one, two);
        float *to = y + first * frame_step;
        for (long k = 0; k <= plan->n / 2; k++) {
            vcomplex v = bin(plan, z, k);
            if (power) {
                scatter(v.re * v.re + v.im * v.im, to + k * bin_step, frame_step, count);
            } else {
                scatter(v.re, to + k * bin_step, frame_step, count);
                scatter(v.im, to + k * bin_step + 1, frame_step, count);
            }
        }
    }
}

const fft_kernels KERNEL(fft) = {spectra, LANES};
