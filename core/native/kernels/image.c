#include "image.h"

#include "bytes.h"

INLINE uint8_t cut(int32_t sum) {
    sum >>= IMAGE_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}
INLINE int32_t half(void) { return 1 << (IMAGE_BITS - 1); }

/* One new pixel from old ones that are `step` bytes apart. */
INLINE uint8_t mixed(const uint8_t *x, long step, const image_axis *axis, long i) {
    const int32_t *weights = axis->weights + i * axis->taps;
    int32_t sum = half();
    for (long t = 0; t < axis->count[i]; t++) sum += weights[t] * x[(axis->first[i] + t) * step];
    return cut(sum);
}

static void columns_plain(const uint8_t *x, long x_step, long rows, const image_axis *axis,
                          uint8_t *y, long y_step) {
    for (long row = 0; row < rows; row++)
        for (long i = 0; i < axis->out; i++)
            y[row * y_step + i] = mixed(x + row * x_step, 1, axis, i);
}

#if defined(__AVX2__)
#if VECTOR_BYTES == 64
typedef __m512i whole;
INLINE whole windows_at(const uint8_t *x, const int32_t *at) {
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(x + at[0])));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(x + at[1])), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(x + at[2])), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(x + at[3])), 3);
}
INLINE whole load_whole(const void *p) { return _mm512_loadu_si512(p); }
INLINE whole picked(whole v, whole picks) { return _mm512_shuffle_epi8(v, picks); }
INLINE vint pairs(whole v, whole weights) { return (vint)_mm512_madd_epi16(v, weights); }
#else
typedef __m256i whole;
INLINE whole windows_at(const uint8_t *x, const int32_t *at) {
    return _mm256_loadu2_m128i((const __m128i *)(x + at[1]), (const __m128i *)(x + at[0]));
}
INLINE whole load_whole(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
INLINE whole picked(whole v, whole picks) { return _mm256_shuffle_epi8(v, picks); }
INLINE vint pairs(whole v, whole weights) { return (vint)_mm256_madd_epi16(v, weights); }
#endif

/* LANES new pixels of each of `rows` rows, which share what the plan says. */
INLINE void columns_group(int rows, const uint8_t *x, long x_step, const image_plan *plan,
                          long group, uint8_t *y, long y_step, long count) {
    vint high[4] = {{0}}, low[4] = {{0}};
    for (long step = plan->steps[group]; step < plan->steps[group + 1]; step++) {
        const int32_t *at = plan->windows + step * (LANES / 4);
        const whole picks = load_whole(plan->picks + step * VECTOR_BYTES);
        const whole by_high = load_whole(plan->high + step * 2 * LANES);
        const whole by_low = load_whole(plan->low + step * 2 * LANES);
        for (int row = 0; row < rows; row++) {
            const whole v = picked(windows_at(x + row * x_step, at), picks);
            high[row] += pairs(v, by_high);
            low[row] += pairs(v, by_low);
        }
    }
    for (int row = 0; row < rows; row++) {
        const vint sum = ((high[row] << IMAGE_LOW_BITS) + low[row] + half()) >> IMAGE_BITS;
        uint8_t *to = y + row * y_step, part[LANES];
        store_bytes(count == LANES ? to : part, sum);
        if (count < LANES)
            for (long i = 0; i < count; i++) to[i] = part[i];
    }
}

static void columns(const uint8_t *x, long x_step, long rows, const image_axis *axis,
                    const image_plan *plan, uint8_t *y, long y_step) {
    if (!plan) {
        columns_plain(x, x_step, rows, axis, y, y_step);
        return;
    }
    long row = 0;
    for (; row < rows; row += 4) {
        const int four = rows - row >= 4;
        for (long i = 0, group = 0; i < axis->out; i += LANES, group++) {
            const long count = axis->out - i < LANES ? axis->out - i : LANES;
            if (four)
                columns_group(4, x + row * x_step, x_step, plan, group, y + row * y_step + i,
                              y_step, count);
            else
                for (long r = row; r < rows; r++)
                    columns_group(1, x + r * x_step, 0, plan, group, y + r * y_step + i, 0, count);
        }
    }
}
enum { PLAN_LANES = LANES };
#else
static void columns(const uint8_t *x, long x_step, long rows, const image_axis *axis,
                    const image_plan *plan, uint8_t *y, long y_step) {
    (void)plan;
    columns_plain(x, x_step, rows, axis, y, y_step);
}
enum { PLAN_LANES = 0 };
#endif

/* `count` vectors of neighbouring columns in one new row. */
INLINE void rows_strip(int count, const uint8_t *x, long x_step, const int32_t *weights, long taps,
                       uint8_t *y) {
    vint sum[4];
    for (int i = 0; i < count; i++) sum[i] = half() - (vint){0};
    for (long t = 0; t < taps; t++, x += x_step)
        for (int i = 0; i < count; i++) sum[i] += wide(x + i * LANES) * weights[t];
    for (int i = 0; i < count; i++) store_bytes(y + i * LANES, sum[i] >> IMAGE_BITS);
}

static void rows(const uint8_t *x, long x_step, long columns, const image_axis *axis, long begin,
                 long end, uint8_t *y, long y_step) {
    for (long row = begin; row < end; row++, y += y_step) {
        const uint8_t *first = x + axis->first[row] * x_step;
        const int32_t *weights = axis->weights + row * axis->taps;
        const long taps = axis->count[row];
        long i = 0;
        for (; i + 4 * LANES <= columns; i += 4 * LANES)
            rows_strip(4, first + i, x_step, weights, taps, y + i);
        for (; i + LANES <= columns; i += LANES)
            rows_strip(1, first + i, x_step, weights, taps, y + i);
        for (; i < columns; i++) y[i] = mixed(x + i, x_step, axis, row);
    }
}

__attribute__((unused)) static void rows_plain(const uint8_t *x, long x_step, long columns,
                                               const image_axis *axis, uint8_t *y, long y_step) {
    for (long row = 0; row < axis->out; row++)
        for (long i = 0; i < columns; i++) y[row * y_step + i] = mixed(x + i, x_step, axis, row);
}

typedef uint8_t v16 __attribute__((vector_size(16)));
typedef uint8_t v16_unaligned __attribute__((vector_size(16), aligned(1), may_alias));
typedef int32_t vint_unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(1), may_alias));

/* Every third of 48 bytes, from byte k on. */
#define FROM_THREE(a, b, c, k)                                                                     \
    __builtin_shufflevector(                                                                       \
        __builtin_shufflevector(a, b, k, 3 + k, 6 + k, 9 + k, 12 + k, 15 + k, 18 + k, 21 + k,      \
                                24 + k, 27 + k, k < 2 ? 30 + k : 0, 0, 0, 0, 0, 0),                \
        c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, k < 2 ? 10 : 16, 17 + k, 20 + k, 23 + k, 26 + k, 29 + k)

static void planes(const uint8_t *x, long step, long count, long channels, uint8_t *y, long plane) {
    long i = 0;
    if (step == 3 && channels == 3)
        for (; i + 16 <= count; i += 16) {
            const v16 a = *(const v16_unaligned *)(x + 3 * i);
            const v16 b = *(const v16_unaligned *)(x + 3 * i + 16);
            const v16 c = *(const v16_unaligned *)(x + 3 * i + 32);
            *(v16_unaligned *)(y + i) = FROM_THREE(a, b, c, 0);
            *(v16_unaligned *)(y + plane + i) = FROM_THREE(a, b, c, 1);
            *(v16_unaligned *)(y + 2 * plane + i) = FROM_THREE(a, b, c, 2);
        }
    else if (step == 4)
        for (; i + LANES <= count; i += LANES) {
            const vint v = *(const vint_unaligned *)(x + 4 * i);
            for (long c = 0; c < channels; c++)
                store_bytes(y + c * plane + i, (v >> (int)(8 * c)) & 255);
        }
    for (; i < count; i++)
        for (long c = 0; c < channels; c++) y[c * plane + i] = x[i * step + c];
}

INLINE vfloat scaled(vfloat x, float scale, float divisor) {
    const vfloat product = as_rounded(x * scale);
    return divisor == 1 ? product : product / divisor;
}
static void normalize(const uint8_t *x, long count, float scale, float divisor, float mean,
                      float deviation, float *y) {
    long i = 0;
    for (; i + LANES <= count; i += LANES) {
        const vfloat v = scaled(__builtin_convertvector(wide(x + i), vfloat), scale, divisor);
        store(y + i, (v - mean) / deviation);
    }
    for (; i < count; i++)
        y[i] = (scaled(splat((float)x[i]), scale, divisor)[0] - mean) / deviation;
}

const image_kernels KERNEL(image) = {columns, rows, planes, normalize, PLAN_LANES};
