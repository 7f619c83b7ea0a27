/* Whole numbers of bytes are rounded by adding and taking away 1.5 * 2^23, where the last place of
   a float32 is one; limits are kept before, as floats, so that nothing overflows. Results of
   products are computed in squares of vectors, which are transposed where rows of weights lie side
   by side in the result. */
#include "quantize.h"

#include "half_lanes.h"
#include "transpose.h"

typedef uint8_t vbytes __attribute__((vector_size(VECTOR_BYTES / 4)));
typedef uint8_t vbytes_unaligned
    __attribute__((vector_size(VECTOR_BYTES / 4), aligned(1), may_alias));
typedef int32_t vint_unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(1), may_alias));

/* Truncation of words to their last bytes; compilers take many steps for it. */
INLINE vbytes last_bytes(vint x) {
#if defined(__AVX512F__)
    return (vbytes)_mm512_cvtepi32_epi8((__m512i)x);
#else
    return __builtin_convertvector((vbits)x, vbytes);
#endif
}

/* round(x / scale) + zero as whole numbers; NaN gives zero. */
INLINE vint quantized(const byte_scale *q, vfloat x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23 */
    const vfloat low = splat((float)(q->low - q->zero)), high = splat((float)(q->high - q->zero));
    const vfloat ratio = x / q->scale;
    const vfloat near = vmin(vmax(choose(ratio != ratio, splat(0), ratio), low), high);
    return (vint)(near + magic) - 0x4b400000 + q->zero;
}

static void quantize_quantize(const byte_scale *q, const float *x, uint8_t *y, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES)
        *(vbytes_unaligned *)(y + i) = last_bytes(quantized(q, load(x + i)));
    if (i < n) {
        const vint last = quantized(q, load_part(x + i, n - i, 0));
        for (long j = 0; j < n - i; j++) y[i + j] = (uint8_t)last[j];
    }
}

static void quantize_dequantize(const byte_scale *q, const uint8_t *x, float *y, long n) {
    const int32_t sign = q->low < 0 ? 128 : 0; /* x - 128 after xor, for int8 */
    const int32_t zero = q->zero + sign;
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vint bytes = __builtin_convertvector(*(const vbytes_unaligned *)(x + i), vint);
        store(y + i, __builtin_convertvector((bytes ^ sign) - zero, vfloat) * q->scale);
    }
    for (; i < n; i++) y[i] = (float)((x[i] ^ sign) - zero) * q->scale;
}

/* Sums of eight bytes at a time, in the eight words of a vector. */
#if defined(__AVX512F__)
INLINE vint sums_of_eight(vint x) {
    return (vint)_mm512_sad_epu8((__m512i)x, _mm512_setzero_si512());
}
#elif defined(__AVX2__)
INLINE vint sums_of_eight(vint x) {
    return (vint)_mm256_sad_epu8((__m256i)x, _mm256_setzero_si256());
}
#else
INLINE vint sums_of_eight(vint x) {
    const vint pairs = (x & 0x00ff00ff) + ((x >> 8) & 0x00ff00ff);
    return (pairs & 0xffff) + ((pairs >> 16) & 0xffff);
}
#endif

static int32_t quantize_sum_flipped(const uint8_t *x, uint8_t flip, long n) {
    const int32_t mask = (int32_t)(flip * 0x01010101u);
    vint sums = {0};
    long i = 0;
    for (; i + VECTOR_BYTES <= n; i += VECTOR_BYTES)
        sums += sums_of_eight(*(const vint_unaligned *)(const void *)(x + i) ^ mask);
    int32_t sum = 0;
    for (int j = 0; j < LANES; j++) sum += sums[j];
    for (; i < n; i++) sum += x[i] ^ flip;
    return sum;
}

static int32_t quantize_sum_signed(const int8_t *x, long n) {
    return quantize_sum_flipped((const uint8_t *)x, 0x80, n) - 128 * (int32_t)n;
}

/* `count` words, at most LANES, whatever they are. */
INLINE vfloat load_words(const int32_t *p, long count) {
    if (count == LANES) return (vfloat)*(const vint_unaligned *)p;
    return load_part((const float *)(const void *)p, count, 0);
}

/* The results of one row for a vector of columns. Sums wrap around as unsigned numbers. */
INLINE vfloat results(const product_finish *f, const int32_t *c, long row, long column,
                      long count) {
    vfloat x = load_words(c, count);
    if (!f->floats) {
        vbits whole = (vbits)x - (uint32_t)f->offset[row];
        if (f->weight_zero && f->weight_zero[row])
            whole -= (uint32_t)f->weight_zero[row] * (vbits)load_words(f->column_sum + column, count);
        if (f->result == PRODUCT_INTS) return (vfloat)whole;
        x = __builtin_convertvector((vint)whole, vfloat) * f->factor[row];
    }
    if (f->row_bias) x += f->row_bias[row];
    if (f->column_bias)
        x += count < LANES ? load_part(f->column_bias + column, count, 0)
                           : load(f->column_bias + column);
    return f->relu ? choose(x < 0, splat(0), x) : x;
}

/* `count` results to where they lie side by side. */
INLINE void write_results(const product_finish *f, vfloat x, long at, long count) {
    if (f->result == PRODUCT_FLOATS || f->result == PRODUCT_INTS) {
        float *y = (float *)f->y + at;
        if (count == LANES) store(y, x);
        else store_part(y, x, count);
    } else if (f->result == PRODUCT_BFLOATS) {
        store_some_halves((uint16_t *)f->y + at, narrow_bfloat16(x), count);
    } else {
        const vbytes bytes = last_bytes(quantized(&f->bytes, x));
        if (count == LANES) *(vbytes_unaligned *)((uint8_t *)f->y + at) = bytes;
        else for (long i = 0; i < count; i++) ((uint8_t *)f->y)[at + i] = bytes[i];
    }
}

static void finish_square(const product_finish *f, const int32_t *c, long c_step, long row,
                          long column, long rows, long columns) {
    vfloat x[LANES];
    const long start = row * f->row_step + column * f->column_step;
    for (long i = 0; i < LANES; i++)
        x[i] = i < rows ? results(f, c + i * c_step, row + i, column, columns) : splat(0);
    if (f->column_step == 1) {
        for (long i = 0; i < rows; i++) write_results(f, x[i], start + i * f->row_step, columns);
        return;
    }
    transpose(x);
    for (long j = 0; j < columns; j++) write_results(f, x[j], start + j * f->column_step, rows);
}

static void quantize_finish(const product_finish *f, const int32_t *c, long c_step, long rows,
                            long columns) {
    for (long i = 0; i < rows; i += LANES)
        for (long j = 0; j < columns; j += LANES)
            finish_square(f, c + i * c_step + j, c_step, i, j, rows - i < LANES ? rows - i : LANES,
                          columns - j < LANES ? columns - j : LANES);
}

/* The plain twins, which the checks compare with. */
__attribute__((unused)) static int32_t quantized_plain(const byte_scale *q, float x) {
    const double ratio = x / q->scale;
    if (ratio != ratio) return q->zero;
    double whole = __builtin_floor(ratio);
    const double rest = ratio - whole;
    if (rest > 0.5 || (rest == 0.5 && __builtin_fmod(whole, 2) != 0)) whole += 1;
    whole += q->zero;
    return whole < q->low ? q->low : whole > q->high ? q->high : (int32_t)whole;
}

__attribute__((unused)) static int32_t whole_plain(const product_finish *f, int32_t c, long row,
                                                   long column) {
    c -= f->offset[row];
    return f->weight_zero ? c - f->weight_zero[row] * f->column_sum[column] : c;
}

__attribute__((unused)) static float result_plain(const product_finish *f, int32_t c, long row,
                                                  long column) {
    union { int32_t word; float x; } u = {c};
    double x = u.x;
    if (!f->floats) x = (double)(float)whole_plain(f, c, row, column) * f->factor[row];
    if (f->row_bias) x += f->row_bias[row];
    if (f->column_bias) x += f->column_bias[column];
    return (float)(f->relu && x < 0 ? 0 : x);
}

const quantize_kernels KERNEL(quantize) = {quantize_quantize, quantize_dequantize,
                                           quantize_sum_signed, quantize_sum_flipped,
                                           quantize_finish};
