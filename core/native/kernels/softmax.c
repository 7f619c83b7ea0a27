#include "softmax.h"

#include "vector_math.h"

static float largest(const float *x, long length) {
    vfloat top = splat(-__builtin_inff());
    long i = 0;
    for (; i + LANES <= length; i += LANES) top = vmax(load(x + i), top);
    if (i < length) top = vmax(load_part(x + i, length - i, -__builtin_inff()), top);
    return lanes_max(top);
}

static void softmax_rows(const float *x, float *y, long rows, long length) {
    for (long row = 0; row < rows; row++, x += length, y += length) {
        vfloat top = splat(largest(x, length)), total = {0};
        long i = 0;
        for (; i + LANES <= length; i += LANES) {
            vfloat e = vexp(load(x + i) - top);
            store(y + i, e);
            total += e;
        }
        if (i < length) {
            vfloat e = vexp(load_part(x + i, length - i, -__builtin_inff()) - top);
            store_part(y + i, e, length - i);
            total += e;
        }
        vfloat scale = splat(1.0f / lanes_sum(total));
        for (i = 0; i + LANES <= length; i += LANES) store(y + i, load(y + i) * scale);
        for (; i < length; i++) y[i] *= scale[0];
    }
}

/* The plain twin, which the checks compare with. */
__attribute__((unused)) static void softmax_plain(const float *x, float *y, long rows, long length) {
    for (long row = 0; row < rows; row++, x += length, y += length) {
        float top = -__builtin_inff();
        double total = 0;
        for (long i = 0; i < length; i++) top = x[i] > top ? x[i] : top;
        for (long i = 0; i < length; i++) total += __builtin_exp((double)(x[i] - top));
        for (long i = 0; i < length; i++)
            y[i] = (float)(__builtin_exp((double)(x[i] - top)) / total);
    }
}

const softmax_kernels KERNEL(softmax) = {softmax_rows};
