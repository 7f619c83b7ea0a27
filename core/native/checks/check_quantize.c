#include "check.h"

#include "../kernels/quantize.c"

#include "../kernels/half.c"

static byte_scale random_scale(void) {
    const int is_signed = random_bits() % 2, narrow = random_bits() % 4 == 0;
    byte_scale q = {0.01f + 0.05f * (float)random_between(0, 20), 0, is_signed ? -128 : 0,
                    is_signed ? 127 : 255};
    if (narrow) q.low++;
    q.zero = (int32_t)random_between(q.low, q.high);
    return q;
}

static void check_conversions(long n) {
    const byte_scale q = random_scale();
    float *x = guarded_floats(n, 200 * q.scale), *back = guarded_floats(n, 1);
    uint8_t *y = guarded(n, 1);
    for (long i = 0; i < n; i++) {
        if (i % 5 == 0) x[i] = q.scale * ((float)random_between(-9, 9) / 2); /* halves */
        if (i % 31 == 7) x[i] = random_bits() % 2 ? NAN : random_bits() % 2 ? INFINITY : -1e30f;
    }
    quantize_quantize(&q, x, y, n), quantize_dequantize(&q, y, back, n);
    int32_t sum = 0, flipped = 0;
    for (long i = 0; i < n; i++) {
        const int32_t want = quantized_plain(&q, x[i]), got = q.low < 0 ? (int8_t)y[i] : y[i];
        if (got != want || back[i] != (float)(want - q.zero) * q.scale)
            printf("%.9g is %d and %g, wanted %d\n", x[i], got, back[i], want), exit(1);
        sum += (int8_t)y[i], flipped += y[i] ^ 0x80;
    }
    if (sum != quantize_sum_signed((int8_t *)y, n) || flipped != quantize_sum_flipped(y, 0x80, n))
        puts("sums"), exit(1);
    check_done();
}

static int32_t *random_ints(long count, long size) {
    int32_t *x = guarded(count, sizeof *x);
    for (long i = 0; i < count; i++) x[i] = (int32_t)random_between(-size, size);
    return x;
}

static void one_result(const product_finish *f, float want, long at) {
    if (f->result == PRODUCT_FLOATS) {
        check_close("result", (float *)f->y + at, &want, 1, 1e-6f, 1e-5f);
        return;
    }
    double got, unit = 1, wanted = want;
    if (f->result == PRODUCT_BFLOATS) {
        got = half_value(HALF_BFLOAT16, ((uint16_t *)f->y)[at]);
        unit = fabs(wanted) * 0x1p-8 + 1e-5;
    } else {
        got = f->bytes.low < 0 ? ((int8_t *)f->y)[at] : ((uint8_t *)f->y)[at];
        const double ratio = want / f->bytes.scale + f->bytes.zero;
        wanted = fmin(fmax(ratio, f->bytes.low), f->bytes.high), unit = 0.501;
    }
    if (fabs(got - wanted) <= unit) return;
    printf("result %ld of kind %d is %g, wanted %g\n", at, f->result, got, wanted), exit(1);
}

static void check_finish(long rows, long columns) {
    const long turned = random_bits() % 2, gap = random_size(5), c_step = columns + gap;
    const int zeros = random_bits() % 2;
    product_finish f = {random_ints(rows, 9999), zeros ? random_ints(rows, 9) : 0,
                        zeros ? random_ints(columns, 999) : 0, guarded_floats(rows, 1e-3f),
                        random_bits() % 2 ? guarded_floats(rows, 1) : 0,
                        random_bits() % 2 ? guarded_floats(columns, 1) : 0, random_bits() % 2,
                        random_bits() % 2, (product_result)(random_bits() % 4), random_scale(), 0,
                        turned ? 1 : columns + gap, turned ? rows + gap : 1};
    const long last = (rows - 1) * f.row_step + (columns - 1) * f.column_step;
    const long used = rows && columns ? last + 1 : 0;
    const size_t sizes[] = {4, 1, 2, 4};
    if (f.result == PRODUCT_INTS) f.floats = 0;
    f.y = guarded(used, sizes[f.result]);
    const long count = rows && columns ? (rows - 1) * c_step + columns : 0;
    int32_t *c = f.floats ? (int32_t *)guarded_floats(count, 5) : random_ints(count, 99999);
    quantize_finish(&f, c, c_step, rows, columns);
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) {
            const long at = i * f.row_step + j * f.column_step;
            const int32_t whole = c[i * c_step + j];
            if (f.result != PRODUCT_INTS) one_result(&f, result_plain(&f, whole, i, j), at);
            else if (((int32_t *)f.y)[at] != whole_plain(&f, whole, i, j))
                printf("sum %ld differs\n", at), exit(1);
        }
    check_done();
}

int main(void) {
    for (int round = 0; round < 400; round++) check_conversions(random_size(500));
    for (int round = 0; round < 400; round++) check_finish(random_size(40), random_size(70));
    puts("quantize: 400 arrays, 400 blocks of products");
    return 0;
}
