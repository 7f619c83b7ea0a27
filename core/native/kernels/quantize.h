/* int8 and uint8 for float32: q = round(x / scale) + zero, and back; and what products of them mean.
 */
#ifndef TRIPTYCH_QUANTIZE_H
#define TRIPTYCH_QUANTIZE_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Bytes: whole numbers from low to high, -128 to 127 or 0 to 255 or fewer. */
typedef struct {
    float scale;
    int32_t zero, low, high;
} byte_scale;

typedef enum { PRODUCT_FLOATS, PRODUCT_BYTES, PRODUCT_BFLOATS, PRODUCT_INTS } product_result;

/* How a block of products c, a row for each row of weights and a column for each of the other
   operand, becomes results: in whole numbers
       s = c - offset[row] - weight_zero[row] column_sum[column],
   (int32, with PRODUCT_INTS the result), then f = s factor[row] + bias[row], relu where asked for,
   and for bytes q = round(f / scale) + zero. With `floats`, c is float32 and f = c + bias[row] or bias[column]. */
typedef struct {
    const int32_t *offset;                   /* (rows,) */
    const int32_t *weight_zero, *column_sum; /* (rows,), (columns,), or both null */
    const float *factor, *row_bias, *column_bias; /* biases may be null */
    int floats, relu;
    product_result result;
    byte_scale bytes;
    void *y;
    long row_step, column_step; /* of y, in numbers; one of them is 1 */
} product_finish;

typedef struct {
    /* n numbers; halves go to the even one, NaN to zero's byte, all others into low..high. */
    void (*quantize)(const byte_scale *q, const float *x, uint8_t *y, long n);
    void (*dequantize)(const byte_scale *q, const uint8_t *x, float *y, long n);
    /* The sum of n int8, or of n bytes after xor with flip taken as uint8. */
    int32_t (*sum_signed)(const int8_t *x, long n);
    int32_t (*sum_flipped)(const uint8_t *x, uint8_t flip, long n);
    void (*finish)(const product_finish *f, const int32_t *c, long c_step, long rows, long columns);
} quantize_kernels;

extern const quantize_kernels quantize_baseline, quantize_avx2, quantize_avx512;

#ifdef __cplusplus
}
#endif
#endif
