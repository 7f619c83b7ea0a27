/* Sums in pairs: halves are summed on their own down to blocks, so that the error grows with the
   logarithm of the count. The order depends on the count alone.
   Source: Higham 1993, The accuracy of floating point summation, section 3. */
#include "reduce.h"

#include "vector_math.h"

#define BLOCK (LANES * 64L)

static float sum_block(const float *x, long n) {
    vfloat a = {0}, b = {0}, c = {0}, d = {0};
    long i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        a += load(x + i), b += load(x + i + LANES);
        c += load(x + i + 2 * LANES), d += load(x + i + 3 * LANES);
    }
    for (; i + LANES <= n; i += LANES) a += load(x + i);
    if (i < n) b += load_part(x + i, n - i, 0.0f);
    return lanes_sum((a + b) + (c + d));
}
static float sum(const float *x, long n) {
    if (n <= BLOCK) return sum_block(x, n);
    long half = (n / 2 + BLOCK - 1) / BLOCK * BLOCK;
    return sum(x, half) + sum(x + half, n - half);
}

/* Bit i is set where lane i is. */
INLINE uint32_t lane_bits(vint condition) {
#if defined(__AVX512F__)
    return _mm512_movepi32_mask((__m512i)condition);
#elif defined(__AVX2__)
    return (uint32_t)_mm256_movemask_ps((__m256)condition);
#else
    uint32_t bits = 0;
    for (int lane = 0; lane < LANES; lane++) bits |= (uint32_t)(condition[lane] & 1) << lane;
    return bits;
#endif
}

/* vmax gives its second argument where one is NaN, so NaN never gets into the running extremes; it
   is noted on its own. */
#define EXTREME(name, better, compare)                                                             \
    static float name(const float *x, long n) {                                                    \
        vfloat a = splat(x[0]), b = a, c = a, d = a;                                               \
        vint nan = a != a;                                                                         \
        long i = 0;                                                                                \
        for (; i + 4 * LANES <= n; i += 4 * LANES) {                                               \
            vfloat x0 = load(x + i), x1 = load(x + i + LANES);                                     \
            vfloat x2 = load(x + i + 2 * LANES), x3 = load(x + i + 3 * LANES);                     \
            a = better(x0, a), b = better(x1, b), c = better(x2, c), d = better(x3, d);            \
            nan |= (x0 != x0) | (x1 != x1) | (x2 != x2) | (x3 != x3);                              \
        }                                                                                          \
        for (; i < n; i += LANES) {                                                                \
            vfloat v = i + LANES <= n ? load(x + i) : load_part(x + i, n - i, x[0]);               \
            a = better(v, a), nan |= v != v;                                                       \
        }                                                                                          \
        if (lane_bits(nan)) return __builtin_nanf("");                                             \
        union { vfloat v; float lane[LANES]; } u = {better(better(a, b), better(c, d))};           \
        for (int half = LANES / 2; half; half /= 2)                                                \
            for (int k = 0; k < half; k++)                                                         \
                u.lane[k] = u.lane[k] compare u.lane[k + half] ? u.lane[k] : u.lane[k + half];     \
        return u.lane[0];                                                                          \
    }
EXTREME(maximum, vmax, >)
EXTREME(minimum, vmin, <)

/* The first place that holds a number, or a NaN if it is one. */
static long place_of(const float *x, long n, float value) {
    int is_nan = value != value;
    long i = 0;
    for (; !is_nan && i + 4 * LANES <= n; i += 4 * LANES) { /* passes over what holds none */
        vint found = (load(x + i) == value) | (load(x + i + LANES) == value) |
                     (load(x + i + 2 * LANES) == value) | (load(x + i + 3 * LANES) == value);
        if (lane_bits(found)) break;
    }
    for (; i < n; i += LANES) {
        vfloat v = i + LANES <= n ? load(x + i) : load_part(x + i, n - i, value);
        uint32_t hits = lane_bits(is_nan ? v != v : v == value);
        if (hits) return i + __builtin_ctz(hits);
    }
    return 0;
}
static long argmax(const float *x, long n) { return place_of(x, n, maximum(x, n)); }
static long argmin(const float *x, long n) { return place_of(x, n, minimum(x, n)); }

/* Columns: eight rows are summed in pairs, 64 of them into a tile that stays in the first cache,
   and the tiles in turn. */
#define TILE 1024L
INLINE vfloat column(const float *x, long left) {
    return left >= LANES ? load(x) : load_part(x, left, 0.0f);
}
static void add_eight(const float *x, long stride, float *y, long n) {
    for (long j = 0; j < n; j += LANES, x += LANES, y += LANES) {
        long left = n - j;
        vfloat a = column(x, left) + column(x + stride, left);
        vfloat b = column(x + 2 * stride, left) + column(x + 3 * stride, left);
        vfloat c = column(x + 4 * stride, left) + column(x + 5 * stride, left);
        vfloat d = column(x + 6 * stride, left) + column(x + 7 * stride, left);
        vfloat sum = column(y, left) + ((a + b) + (c + d));
        if (left >= LANES) store(y, sum);
        else store_part(y, sum, left);
    }
}
static void add_row(const float *restrict x, float *restrict y, long n) {
    for (long j = 0; j < n; j++) y[j] += x[j];
}
static void sum_columns(const float *x, long rows, long stride, float *y, long n) {
    float tile[TILE];
    for (; n > 0; n -= TILE, x += TILE, y += TILE) {
        long width = n < TILE ? n : TILE;
        for (long j = 0; j < width; j++) y[j] = 0.0f;
        for (long i = 0; i < rows;) {
            long end = i + 64 < rows ? i + 64 : rows;
            for (long j = 0; j < width; j++) tile[j] = 0.0f;
            for (; i + 8 <= end; i += 8) add_eight(x + i * stride, stride, tile, width);
            for (; i < end; i++) add_row(x + i * stride, tile, width);
            add_row(tile, y, width);
        }
    }
}

/* The plain twins, which the checks compare with. */
__attribute__((unused)) static double sum_plain(const float *x, long n, long stride) {
    double total = 0;
    for (long i = 0; i < n; i++) total += x[i * stride];
    return total;
}
__attribute__((unused)) static long argmax_plain(const float *x, long n, float sign) {
    long best = 0;
    for (long i = 1; i < n && x[best] == x[best]; i++)
        if (x[i] != x[i] || sign * x[i] > sign * x[best]) best = i;
    return best;
}

const reduce_kernels KERNEL(reduce) = {sum, maximum, minimum, argmax, argmin, sum_columns};
