#include "check.h"

#include "../kernels/image.c"

static uint8_t *guarded_bytes(long count) {
    uint8_t *x = guarded(count, 1);
    for (long i = 0; i < count; i++) x[i] = (uint8_t)random_bits();
    return x;
}
static void same_bytes(const char *what, const uint8_t *got, const uint8_t *want, long count) {
    for (long i = 0; i < count; i++)
        if (got[i] != want[i]) {
            printf("%s: byte %ld of %ld is %d, the plain twin has %d\n", what, i, count, got[i],
                   want[i]);
            exit(1);
        }
}

static image_axis random_axis(long in, long out, long taps) {
    int32_t *first = guarded(out, 4), *count = guarded(out, 4), *weights = guarded(out * taps, 4);
    for (long i = 0; i < out; i++) {
        count[i] = (int32_t)random_between(1, taps < in ? taps : in);
        first[i] = (int32_t)random_between(0, in - count[i]);
        for (long t = 0; t < taps; t++) /* sums stay within 32 bits */
            weights[i * taps + t] = (int32_t)(random_float(1.9f) * (1 << IMAGE_BITS) / (float)taps);
    }
    return (image_axis){in, out, taps, first, count, weights};
}

/* A plan with a step for each pair of old pixels, every window at the first of them. */
static image_plan simple_plan(const image_axis *axis, long lanes) {
    const long groups = (axis->out + lanes - 1) / lanes, most = groups * axis->taps * 4;
    int32_t *steps = guarded(groups + 1, 4), *windows = guarded(most * (lanes / 4), 4);
    uint8_t *picks = guarded(most * 4 * lanes, 1);
    int16_t *high = guarded(most * 2 * lanes, 2), *low = guarded(most * 2 * lanes, 2);
    memset(picks, 0x80, (size_t)(most * 4 * lanes));
    long step = 0;
    for (long group = 0; group < groups; group++) {
        steps[group] = (int32_t)step;
        for (long t = 0; t < axis->taps; t++)
            for (long j = 0; j < 4; j++, step++) /* one of four pixels in each window at a time */
                for (long part = 0; part < lanes; part += 4) {
                    const long i = group * lanes + part + j;
                    if (i >= axis->out || t >= axis->count[i]) continue;
                    const long at = axis->first[i] + t, end = axis->in - IMAGE_WINDOW;
                    const long window = at < end ? at : end;
                    const int32_t weight = axis->weights[i * axis->taps + t];
                    const long place = step * 2 * lanes + 2 * (part + j) + random_between(0, 1);
                    windows[step * (lanes / 4) + part / 4] = (int32_t)window;
                    picks[2 * place] = (uint8_t)(at - window);
                    high[place] = (int16_t)(weight >> IMAGE_LOW_BITS);
                    low[place] = (int16_t)(weight & ((1 << IMAGE_LOW_BITS) - 1));
                }
    }
    steps[groups] = (int32_t)step;
    return (image_plan){steps, windows, picks, high, low};
}

static void check_columns(void) {
    const long in = random_size(90) + 1, out = random_size(70) + 1, count = random_size(11);
    const long x_step = in + random_between(0, 5), y_step = out + random_between(0, 5);
    const image_axis axis = random_axis(in, out, random_between(1, 9));
    const uint8_t *x = guarded_bytes(count ? (count - 1) * x_step + in : 0);
    const long size = count ? (count - 1) * y_step + out : 0;
    uint8_t *got = guarded_bytes(size), *want = guarded(size, 1);
    memcpy(want, got, (size_t)size);
    const int fast = PLAN_LANES > 0 && in >= IMAGE_WINDOW;
    const image_plan plan = fast ? simple_plan(&axis, PLAN_LANES) : (image_plan){0};
    columns(x, x_step, count, &axis, fast ? &plan : 0, got, y_step);
    columns_plain(x, x_step, count, &axis, want, y_step);
    same_bytes("columns", got, want, size);
    check_done();
}

static void check_rows(void) {
    const long in = random_size(40) + 1, out = random_size(30), count = random_size(200);
    const long x_step = count + random_between(0, 5);
    const image_axis axis = random_axis(in, out, random_between(1, 9));
    const uint8_t *x = guarded_bytes((in - 1) * x_step + count);
    uint8_t *got = guarded_bytes(out * count), *want = guarded_bytes(out * count);
    const long middle = random_between(0, out);
    rows(x, x_step, count, &axis, 0, middle, got, count);
    rows(x, x_step, count, &axis, middle, out, got + middle * count, count);
    rows_plain(x, x_step, count, &axis, want, count);
    same_bytes("rows", got, want, out * count);
    check_done();
}

static void check_planes(void) {
    const long step = random_between(1, 4), channels = random_between(1, step);
    const long count = random_size(300), plane = count + random_between(0, 3);
    const uint8_t *x = guarded_bytes(count * step);
    const long size = (channels - 1) * plane + count;
    uint8_t *got = guarded_bytes(size), *want = guarded(size, 1);
    memcpy(want, got, (size_t)size);
    planes(x, step, count, channels, got, plane);
    for (long c = 0; c < channels; c++)
        for (long i = 0; i < count; i++) want[c * plane + i] = x[i * step + c];
    same_bytes("planes", got, want, size);
    check_done();
}

static void check_normalize(void) {
    const long count = random_size(300);
    const float scale = random_bits() % 2 ? 1.0f : 1.0f / 255, divisor = scale == 1 ? 255.0f : 1.0f;
    const float mean = random_float(1), deviation = random_float(0.4f) + 0.5f;
    const uint8_t *x = guarded_bytes(count);
    float *got = guarded_floats(count, 1), *want = guarded_floats(count, 1);
    normalize(x, count, scale, divisor, mean, deviation, got);
    for (long i = 0; i < count; i++) {
        const volatile float product = (float)x[i] * scale, quotient = product / divisor;
        want[i] = (quotient - mean) / deviation;
    }
    check_close("normalize", got, want, count, 0, 0);
    check_done();
}

int main(void) {
    for (int round = 0; round < 300; round++) {
        check_columns();
        check_rows();
        check_planes();
        check_normalize();
    }
    puts("image: 1200 shapes");
    return 0;
}
