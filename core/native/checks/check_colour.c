#include "check.h"

#include "../kernels/colour.c"

static void check_planes(int bytes) {
    const long count = random_size(200), plane = count + random_between(0, 9);
    const long size = count ? 2 * plane + count : 0;
    const float most = bytes ? 255 : 1, factor = random_float(1) + 1, offset = random_float(most);
    const float rest = 1 - factor;
    const size_t item = bytes ? 1 : 4;
    void *x = guarded(size, item), *y = guarded(size, item), *one = guarded(count, item);
    float *values = guarded(size, 4), *got = guarded(size, 4), *want = guarded(size, 4);
    for (long i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)random_bits();
        values[i] = bytes ? (float)byte : (float)byte / 200;
        if (bytes) ((uint8_t *)x)[i] = byte;
        else ((float *)x)[i] = values[i];
    }
    const colour_kernels *k = &KERNEL(colour);
#define READ(from, n)                                                                              \
    for (long i = 0; i < (n); i++) got[i] = bytes ? ((uint8_t *)from)[i] : ((float *)from)[i]
    k->scale[bytes](x, size, factor, offset, most, y);
    READ(y, size);
    for (long i = 0; i < size; i++) {
        want[i] = scale_plain(values[i], factor, offset, most);
        if (bytes) want[i] = (float)(int)want[i];
    }
    check_close("scale", got, want, size, 0, 0);
    k->luma[bytes](x, plane, count, one);
    READ(one, count);
    double sum = 0;
    for (long i = 0; i < count; i++)
        sum += want[i] = luma_plain(values[i], values[plane + i], values[2 * plane + i], bytes);
    check_close("luma", got, want, count, 0, 0);
    const double total = k->luma_sum[bytes](x, plane, count);
    if (fabs(total - sum) > 1e-5 * (1 + sum)) printf("luma_sum: %g, %g\n", total, sum), exit(1);
    memset(y, 0, (size_t)size * item);
    k->saturate[bytes](x, plane, count, factor, rest, most, y);
    READ(y, size);
    for (long i = 0; i < size; i++) {
        if (i % (plane ? plane : 1) >= count) continue;
        const long p = i % plane;
        const float grey = luma_plain(values[p], values[plane + p], values[2 * plane + p], bytes);
        const volatile float part = grey * rest;
        float v = scale_plain(values[i], factor, part, most);
        if (bytes) v = (float)(int)v;
        check_close("saturate", got + i, &v, 1, 0, 0);
    }
    check_done();
}

static void check_normal(void) {
    const long count = random_size(100), half = count + random_between(0, 3);
    float *u = guarded(count, 4), *v = guarded(count, 4), *y = guarded(count ? half + count : 0, 4);
    for (long i = 0; i < count; i++)
        u[i] = (float)(random_bits() >> 8) / 16777216.0f, v[i] = (float)(random_bits() >> 8) / 16777216.0f;
    if (count) u[0] = 0;
    normal(u, v, count, 0.5f, half, y);
    for (long i = 0; i < count; i++) {
        const double r = 0.5 * sqrt(-2 * log1p(-(double)u[i])), angle = 6.283185307179586 * v[i];
        const float want[2] = {(float)(r * cos(angle)), (float)(r * sin(angle))};
        check_close("cosine", y + i, want, 1, 1e-5f, 3e-6f);
        check_close("sine", y + half + i, want + 1, 1, 1e-5f, 3e-6f);
    }
    check_done();
}

int main(void) {
    for (int round = 0; round < 600; round++) {
        check_planes(0);
        check_planes(1);
        check_normal();
    }
    puts("colour: 1800 shapes");
    return 0;
}
