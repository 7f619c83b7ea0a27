#include "check.h"

#include "../kernels/gemm.c"
#include "../kernels/gemm_small.c"

static long below(long size) { return size ? random_between(0, 2 * size) : 0; }

/* A view of (rows, columns): as it lies, transposed, a part of a larger array, every second number,
   backwards, or one row again and again. */
static gemm_view random_view(long rows, long columns, float scale) {
    const int kind = (int)random_between(0, 7);
    const long gap = kind == 2 || kind == 3 ? random_between(1, 40) : 0, every = kind == 4 ? 2 : 1;
    long row = columns * every + gap, column = every;
    if (kind == 1 || kind == 3 || kind == 7) row = 1, column = rows + gap;
    if (kind == 6) row = 0;
    const long count = rows && columns ? (rows - 1) * row + (columns - 1) * column + 1 : 0;
    const float *data = guarded_floats(count, scale);
    if (kind == 5 && count) return (gemm_view){data + (rows - 1) * row, -row, column};
    return (gemm_view){data, row, column};
}

static float *maybe_floats(long count) { return random_bits() % 2 ? guarded_floats(count, 1) : 0; }

static void check_multiply(long m, long n, long k) {
    const gemm_view a = random_view(m, k, 1), b = random_view(k, n, 1);
    const long c_step = n + (random_bits() % 2 ? random_between(0, 20) : 0);
    const long count = m && n ? (m - 1) * c_step + n : 0;
    float *got = guarded_floats(count, 1), *want = guarded_floats(count, 1);
    memcpy(want, got, (size_t)count * sizeof *got);
    gemm_after after = {maybe_floats(n), maybe_floats(m), maybe_floats(count), c_step,
                        (gemm_activation)random_between(0, 3)};
    const int add = random_bits() % 2;
    float *scratch = guarded((scratch_floats(m, n, k) + 15) / 16 * 16, sizeof *scratch);
    multiply(m, n, k, a, b, got, c_step, add, &after, scratch);
    multiply_plain(m, n, k, a, b, want, c_step, add, &after);
    check_close("multiply", got, want, count, 1e-5f, 1e-5f * (1 + k / 8));
    check_done();
}

static void check_pack(void) {
    const long width = random_size(GEMM_COLUMNS), k = random_size(70);
    const long step = up(width, LANES) + LANES * random_between(0, 1);
    const gemm_view from = random_view(width, k, 1);
    float *got = guarded(k * step, sizeof *got);
    KERNEL(gemm_pack)(got, step, width, k, from.data, from.row, from.column);
    for (long p = 0; p < k; p++)
        for (long i = 0; i < step; i++) {
            const float want = i < width ? from.data[i * from.row + p * from.column] : 0;
            check_close("pack", got + p * step + i, &want, 1, 0, 0);
        }
    check_done();
}

/* A tile reads what it may and nothing else, and leaves what lies between rows of the result. */
static void check_tile(void) {
    const long rows = random_between(1, GEMM_ROWS), columns = random_between(1, GEMM_COLUMNS);
    const long k = random_size(40), a_step = rows + below(5), c_step = columns + below(9);
    const long read = up(columns, LANES), b_step = read + below(9);
    const float *a = guarded_floats(k ? (k - 1) * a_step + rows : 0, 1);
    const float *b = guarded_floats(k ? (k - 1) * b_step + read : 0, 1);
    const long count = (rows - 1) * c_step + columns;
    float *got = guarded_floats(count, 1), *want = guarded_floats(count, 1);
    memcpy(want, got, (size_t)count * sizeof *got);
    const int add = random_bits() % 2;
    KERNEL(gemm_tile)(rows, columns, k, a, a_step, b, b_step, got, c_step, add);
    multiply_plain(rows, columns, k, (gemm_view){a, 1, a_step}, (gemm_view){b, b_step, 1}, want,
                   c_step, add, 0);
    check_close("tile", got, want, count, 1e-5f, 1e-5f);
    check_done();
}

int main(void) {
    for (int round = 0; round < 300; round++) {
        check_multiply(random_size(70), random_size(70), random_size(70));
        check_pack();
        check_tile();
    }
    for (int round = 0; round < 60; round++)
        check_multiply(random_size(9), random_size(300), random_size(1200));
    for (int round = 0; round < 20; round++) /* more than a block in each direction */
        check_multiply(random_size(150), random_size(GEMM_DEPTH), random_size(3 * GEMM_DEPTH));
    check_multiply(37, 2 * BLOCK_FLOATS / GEMM_DEPTH + 5, GEMM_DEPTH + 1);
    check_multiply(5, 3 * 1024 + 7, 2100);
    puts("gemm: 980 shapes");
    return 0;
}
