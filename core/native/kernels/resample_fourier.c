#include "resample_fourier.h"

#include "fft_lanes.h"
#include "transpose.h"

/* Samples beyond this would overflow in a transform; infinities and NaN would reach a whole block. */
static const float LARGEST = 1e30f;

/* Blocks into lanes, neighbours as re and im of one number, with zeros where samples end. Gives 0
   if a sample is too large, infinite or NaN. */
static int load_blocks(const fourier_block *blocks, long n, vcomplex *z) {
    vint large = {0};
    vfloat *rows = (vfloat *)z;
    for (long i = 0; i < n; i += LANES) {
        vfloat square[LANES];
        for (long lane = 0; lane < LANES; lane++) {
            const long rest = blocks[lane].samples - i;
            if (rest >= LANES) square[lane] = load(blocks[lane].x + i);
            else square[lane] = rest > 0 ? load_part(blocks[lane].x + i, rest, 0) : splat(0);
            large |= ~((vfloat)((vint)square[lane] & INT32_MAX) <= splat(LARGEST));
        }
        transpose(square);
        const long own = n - i < LANES ? n - i : LANES;
        for (long row = 0; row < own; row++) rows[i + row] = square[row];
    }
    int found = 0;
    for (long lane = 0; lane < LANES; lane++) found |= large[lane];
    return !found;
}

/* The bin k of the output. */
INLINE vcomplex mixed(const fourier_bank *bank, const vcomplex *z, long k) {
    vcomplex sum = {{0}, {0}};
    for (long t = bank->ends[k]; t < bank->ends[k + 1]; t++) {
        const vcomplex v = bin_of_real(bank->forward, z, bank->sources[t]);
        const float *gain = bank->gains + 4 * t;
        sum.re += v.re * gain[0] + v.im * gain[1];
        sum.im += v.re * gain[2] + v.im * gain[3];
    }
    return sum;
}

/* The spectra of the output's neighbours as numbers, with re and im exchanged: the transform of that
   is the inverse one, exchanged. */
static void filter(const fourier_bank *bank, const vcomplex *z, vcomplex *y) {
    const long m = bank->inverse->m;
    const float *roots = bank->inverse->halves;
    for (long k = 0; 2 * k <= m; k++) {
        const vcomplex a = mixed(bank, z, k), b = conjugate(mixed(bank, z, m - k));
        const vcomplex even = plus(a, b), odd = times(minus(a, b), roots[2 * k], -roots[2 * k + 1]);
        const vcomplex low = plus_i(even, odd, 1);
        const vcomplex high = plus_i(conjugate(even), conjugate(odd), 1);
        y[k] = (vcomplex){low.im, low.re};
        if (k) y[m - k] = (vcomplex){high.im, high.re};
    }
}

static void store_outputs(const fourier_block *blocks, long longest, const vcomplex *z) {
    for (long i = 0; i < longest; i += LANES) {
        vfloat square[LANES];
        for (long j = 0; j < LANES / 2; j++)
            square[2 * j] = z[i / 2 + j].im, square[2 * j + 1] = z[i / 2 + j].re;
        transpose(square);
        for (long lane = 0; lane < LANES; lane++) {
            const long rest = blocks[lane].wanted - i;
            if (rest >= LANES) store(blocks[lane].y + i, square[lane]);
            else if (rest > 0) store_part(blocks[lane].y + i, square[lane], rest);
        }
    }
}

static int run(const fourier_bank *bank, const fourier_block *blocks, float *work) {
    const long m = bank->forward->m, n = bank->inverse->m;
    vcomplex *one = (vcomplex *)work, *two = one + FOURIER_NUMBERS(m, n);
    long longest = 0;
    for (long lane = 0; lane < LANES; lane++)
        if (blocks[lane].wanted > longest) longest = blocks[lane].wanted;
    if (!load_blocks(blocks, bank->forward->n, one)) return 0;
    const vcomplex *z = KERNEL(fft_transform)(bank->forward, one, two);
    vcomplex *y = z == one ? two : one;
    filter(bank, z, y);
    store_outputs(blocks, longest, KERNEL(fft_transform)(bank->inverse, y, z == one ? one : two));
    return 1;
}

const fourier_kernels KERNEL(fourier) = {run, LANES};
