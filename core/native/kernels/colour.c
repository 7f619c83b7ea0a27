#include "colour.h"

#include "bytes.h"
#include "vector_math.h"

/* LANES numbers of bytes or floats from place i on, `count` of which are there. */
INLINE vfloat taken(int bytes, const void *x, long i, long count) {
    if (bytes) return floats_of(wide_part((const uint8_t *)x + i, count));
    const float *p = (const float *)x + i;
    return count >= LANES ? load(p) : load_part(p, count, 0);
}
INLINE void put(int bytes, void *y, long i, vfloat v, long count) {
    if (bytes)
        store_bytes_part((uint8_t *)y + i, whole_of(v), count);
    else if (count >= LANES)
        store((float *)y + i, v);
    else
        store_part((float *)y + i, v, count);
}
INLINE vfloat cut(vfloat v, float most) { return vminimum(vmaximum(v, splat(0)), splat(most)); }

INLINE void scale(int bytes, const void *x, long count, float factor, float offset, float most,
                  void *y) {
    for (long i = 0; i < count; i += LANES) {
        const vfloat v = as_rounded(taken(bytes, x, i, count - i) * factor) + offset;
        put(bytes, y, i, cut(v, most), count - i);
    }
}

INLINE vfloat luma_at(int bytes, const void *x, long plane, long i, long count) {
    const vfloat red = taken(bytes, x, i, count), green = taken(bytes, x, plane + i, count);
    const vfloat blue = taken(bytes, x, 2 * plane + i, count);
    const vfloat sum = as_rounded(red * 0.2989f) + as_rounded(green * 0.587f);
    const vfloat light = sum + as_rounded(blue * 0.114f);
    return bytes ? floats_of(whole_of(light)) : light;
}

INLINE void luma(int bytes, const void *x, long plane, long count, void *y) {
    for (long i = 0; i < count; i += LANES)
        put(bytes, y, i, luma_at(bytes, x, plane, i, count - i), count - i);
}

INLINE double luma_sum(int bytes, const void *x, long plane, long count) {
    double total = 0;
    for (long from = 0; from < count; from += 1024) { /* short sums of float32 */
        vfloat sum = splat(0);
        const long end = count - from < 1024 ? count : from + 1024;
        for (long i = from; i < end; i += LANES) sum += luma_at(bytes, x, plane, i, end - i);
        total += lanes_sum(sum);
    }
    return total;
}

INLINE void saturate(int bytes, const void *x, long plane, long count, float factor, float rest,
                     float most, void *y) {
    for (long i = 0; i < count; i += LANES) {
        const vfloat grey = as_rounded(luma_at(bytes, x, plane, i, count - i) * rest);
        for (long c = 0; c < 3; c++) {
            const vfloat v = as_rounded(taken(bytes, x, c * plane + i, count - i) * factor) + grey;
            put(bytes, y, c * plane + i, cut(v, most), count - i);
        }
    }
}

/* Box and Muller 1958. */
static void normal(const float *radius, const float *turn, long count, float sigma, long half,
                   float *y) {
    for (long i = 0; i < count; i += LANES) {
        const long rest = count - i;
        const vfloat u = taken(0, radius, i, rest);
        vfloat r = as_rounded(vlog(1 - u) * (-2 * sigma * sigma));
        for (int lane = 0; lane < LANES; lane++) r[lane] = __builtin_sqrtf(r[lane]);
        const vfloat angle = as_rounded(taken(0, turn, i, rest) * 6.283185307179586f);
        put(0, y, i, vcos(angle) * r, rest);
        put(0, y, half + i, vsin(angle) * r, rest);
    }
}

#define FOR_BOTH(name, result, arguments, ...)                                                     \
    static result name##_of_floats arguments { return name(0, __VA_ARGS__); }                      \
    static result name##_of_bytes arguments { return name(1, __VA_ARGS__); }
FOR_BOTH(scale, void, (const void *x, long count, float factor, float offset, float most, void *y),
         x, count, factor, offset, most, y)
FOR_BOTH(luma, void, (const void *x, long plane, long count, void *y), x, plane, count, y)
FOR_BOTH(luma_sum, double, (const void *x, long plane, long count), x, plane, count)
FOR_BOTH(saturate, void,
         (const void *x, long plane, long count, float factor, float rest, float most, void *y), x,
         plane, count, factor, rest, most, y)

/* The plain twins. */
__attribute__((unused)) static float scale_plain(float x, float factor, float add, float most) {
    const volatile float product = x * factor, sum = product + add;
    return sum < 0 ? 0 : sum > most ? most : sum;
}
__attribute__((unused)) static float luma_plain(float red, float green, float blue, int whole) {
    const volatile float a = red * 0.2989f, b = green * 0.587f, c = blue * 0.114f, ab = a + b;
    const volatile float sum = ab + c;
    return whole ? (float)(int)sum : sum;
}

const colour_kernels KERNEL(colour) = {{scale_of_floats, scale_of_bytes},
                                       {luma_of_floats, luma_of_bytes},
                                       {luma_sum_of_floats, luma_sum_of_bytes},
                                       {saturate_of_floats, saturate_of_bytes},
                                       normal};
