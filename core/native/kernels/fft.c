#include "fft_lanes.h"
#include "transpose.h"

/* Small transforms, in place. */
INLINE void radix2(vcomplex *a) {
    vcomplex b = a[1];
    a[1] = minus(a[0], b), a[0] = plus(a[0], b);
}
INLINE void radix4(vcomplex *a) {
    vcomplex s02 = plus(a[0], a[2]), d02 = minus(a[0], a[2]);
    vcomplex s13 = plus(a[1], a[3]), d13 = minus(a[1], a[3]);
    a[0] = plus(s02, s13), a[2] = minus(s02, s13);
    a[1] = minus_i(d02, d13, 1), a[3] = plus_i(d02, d13, 1);
}
/* Of odd lengths: the inputs k and r - k share their roots but for the sign of the sine. */
INLINE void radix_odd(vcomplex *a, const int r, const float *roots) {
    vcomplex sums[FFT_LARGEST_PRIME / 2], differences[FFT_LARGEST_PRIME / 2], total = a[0];
    const vcomplex first = a[0];
    for (int k = 0; k < r / 2; k++) {
        sums[k] = plus(a[k + 1], a[r - 1 - k]), differences[k] = minus(a[k + 1], a[r - 1 - k]);
        total = plus(total, sums[k]);
    }
    a[0] = total;
    for (int j = 1; j <= r / 2; j++) {
        vcomplex even = first, odd = {{0}, {0}};
        for (int k = 0, at = j; k < r / 2; k++, at = at + j < r ? at + j : at + j - r) {
            const float *root = roots + 2 * at;
            even.re += sums[k].re * root[0], even.im += sums[k].im * root[0];
            odd.re += differences[k].re * root[1], odd.im += differences[k].im * root[1];
        }
        a[j] = plus_i(even, odd, 1), a[r - j] = minus_i(even, odd, 1);
    }
}

/* One stage: `count` transforms of length r for each of `step` interleaved sequences. */
INLINE void stage(int r, long count, long step, const float *twiddles, const float *roots,
                  const vcomplex *x, vcomplex *y) {
    vcomplex a[FFT_LARGEST_PRIME];
    for (long p = 0; p < count; p++, twiddles += 2 * (r - 1)) {
        for (long q = 0; q < step; q++) {
            for (int k = 0; k < r; k++) a[k] = x[q + step * (p + count * k)];
            if (r == 2) radix2(a);
            else if (r == 4) radix4(a);
            else radix_odd(a, r, roots);
            y[q + step * r * p] = a[0];
            for (int j = 1; j < r; j++)
                y[q + step * (r * p + j)] = times(a[j], twiddles[2 * j - 2], twiddles[2 * j - 1]);
        }
    }
}

vcomplex *KERNEL(fft_transform)(const fft_plan *plan, vcomplex *x, vcomplex *y) {
    const float *twiddles = plan->twiddles, *roots = plan->roots;
    long length = plan->m, step = 1;
    for (int i = 0; i < plan->num_factors; i++) {
        const int r = plan->factors[i];
        const long count = length / r;
        if (r == 4) stage(4, count, step, twiddles, roots, x, y);
        else if (r == 2) stage(2, count, step, twiddles, roots, x, y);
        else if (r == 3) stage(3, count, step, twiddles, roots, x, y);
        else if (r == 5) stage(5, count, step, twiddles, roots, x, y);
        else if (r == 7) stage(7, count, step, twiddles, roots, x, y);
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
    const long n = plan->n, apart = plan->m == n ? 2 : 1;
    vfloat *rows = (vfloat *)z;
    for (long i = 0; i < n; i += LANES) {
        const long count = n - i < LANES ? n - i : LANES;
        vfloat square[LANES];
        for (long lane = 0; lane < LANES; lane++) {
            const float *from = x + (lane < frames ? lane : frames - 1) * hop + i;
            square[lane] = count == LANES ? load(from) : load_part(from, count, 0);
        }
        transpose(square);
        for (long j = 0; j < count; j++) {
            rows[(i + j) * apart] = window ? square[j] * window[i + j] : square[j];
            if (apart == 2) rows[(i + j) * 2 + 1] = splat(0);
        }
    }
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
        const vcomplex *z = KERNEL(fft_transform)(plan, one, two);
        float *to = y + first * frame_step;
        for (long k = 0; k <= plan->n / 2; k++) {
            vcomplex v = bin_of_real(plan, z, k);
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
