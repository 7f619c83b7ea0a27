#include "iir.h"

#include "vector.h"

#define DLANES (VECTOR_BYTES / 8)
typedef double vdouble __attribute__((vector_size(VECTOR_BYTES)));
typedef double vdouble_unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
typedef float vhalf __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef float vhalf_unaligned __attribute__((vector_size(VECTOR_BYTES / 2), aligned(4), may_alias));

INLINE vdouble load_wide(const float *p) {
    return __builtin_convertvector(*(const vhalf_unaligned *)p, vdouble);
}

/* Rows of the table: DLANES answers to a single one among the inputs of a block, then taps - 1
   answers to each of the outputs before the block, the latest first. */
static void prepare(const double *a, int taps, double *table) {
    for (int row = 0; row < DLANES + taps - 1; row++, table += DLANES) {
        for (int n = 0; n < DLANES; n++) {
            double y = n == row;
            for (int k = 1; k < taps; k++) {
                const int before = n - k; /* negative: an output before the block */
                if (before >= 0) y -= a[k] * table[before];
                else if (row - DLANES == -before - 1) y -= a[k];
            }
            table[n] = y;
        }
    }
}

static int all_finite(const float *x, long length) {
    vfloat sum = {0};
    long i = 0;
    for (; i + LANES <= length; i += LANES) {
        vfloat v = load(x + i);
        sum += v - v; /* zero, or not a number from now on */
    }
    float rest = lanes_sum(sum);
    for (; i < length; i++) rest += x[i] - x[i];
    return rest == 0;
}

/* Sample by sample, from `first` on. */
static void filter_plain_from(long first, const float *x, float *y, long length, const double *b,
                              const double *a, int taps, double *recent) {
    for (long n = first; n < length; n++) {
        double sum = 0;
        for (int k = 0; k < taps && k <= n; k++) sum += b[k] * (double)x[n - k];
        for (int k = 1; k < taps; k++) sum -= a[k] * recent[k - 1];
        for (int k = taps - 2; k > 0; k--) recent[k] = recent[k - 1];
        recent[0] = sum;
        y[n] = (float)sum;
    }
}

/* The plain twin. */
static void filter_plain(const float *x, float *y, long length, const double *b, const double *a,
                         int taps) {
    double recent[IIR_MOST_TAPS] = {0}; /* outputs before this one, the latest first */
    filter_plain_from(0, x, y, length, b, a, taps, recent);
}

static void filter(const float *x, float *y, long length, const double *b, const double *a, int taps,
                   const double *table) {
    if (!all_finite(x, length)) { /* in a block, one that is not would spoil those before it */
        filter_plain(x, y, length, b, a, taps);
        return;
    }
    double recent[IIR_MOST_TAPS] = {0};
    const long head = length < IIR_MOST_TAPS ? length : IIR_MOST_TAPS;
    filter_plain_from(0, x, y, head, b, a, taps, recent);
    union { vdouble v; double x[DLANES]; } in, out;
    long n = head;
    for (; n + DLANES <= length; n += DLANES) {
        vdouble fed = {0};
        for (int k = 0; k < taps; k++) fed += load_wide(x + n - k) * b[k];
        in.v = fed;
        const double *row = table;
        vdouble one = {0}, two = {0};
        for (int j = 0; j < DLANES; j += 2, row += 2 * DLANES) {
            one += *(const vdouble_unaligned *)row * in.x[j];
            two += *(const vdouble_unaligned *)(row + DLANES) * in.x[j + 1];
        }
        vdouble sum = one + two;
        for (int k = 0; k < taps - 1; k++, row += DLANES)
            sum += *(const vdouble_unaligned *)row * recent[k];
        out.v = sum;
        *(vhalf_unaligned *)(y + n) = __builtin_convertvector(sum, vhalf);
        const int kept = taps - 1 - DLANES; /* outputs of earlier blocks that still count */
        for (int k = kept - 1; k >= 0; k--) recent[DLANES + k] = recent[k];
        for (int k = 0; k < DLANES && k < taps - 1; k++) recent[k] = out.x[DLANES - 1 - k];
    }
    filter_plain_from(n, x, y, length, b, a, taps, recent);
}

const iir_kernels KERNEL(iir) = {prepare, filter, LANES};
