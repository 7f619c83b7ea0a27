#include "check.h"

#include "../kernels/boxes.c"

static void check_nms(long n, float limit, int wild) {
    float *boxes = guarded(4 * n, sizeof *boxes);
    for (long i = 0; i < n; i++) {
        float *b = boxes + 4 * i;
        b[0] = random_float(50), b[1] = random_float(50);
        b[2] = b[0] + random_float(20) + 18, b[3] = b[1] + random_float(20) + 18;
        if (i && random_bits() % 8 == 0) memcpy(b, b - 4, 4 * sizeof *b); /* the same box again */
        if (wild && random_bits() % 16 == 0) b[random_bits() % 4] = NAN;
        if (wild && random_bits() % 16 == 0) b[random_bits() % 4] = INFINITY;
    }
    int64_t *got = guarded(n, sizeof *got), *want = guarded(n, sizeof *want);
    float *work = guarded(NMS_WORK(n), sizeof *work);
    const long count = nms(boxes, n, limit, got, work);
    if (count != nms_plain(boxes, n, limit, want) || memcmp(got, want, 8 * (size_t)count)) {
        printf("nms: of %ld boxes others are kept than by the plain twin\n", n);
        exit(1);
    }
    check_done();
}

/* Windows at random places, with weights that are often zero. */
static roi_axis random_axis(long k, long size, long bins, long width) {
    int64_t *first = guarded(k, sizeof *first);
    float *weights = guarded_floats(k * bins * width, 1);
    int32_t *ranges = guarded(2 * k * bins, sizeof *ranges);
    for (long r = 0; r < k; r++) {
        const long reach = random_between(0, width < size ? width : size);
        first[r] = random_between(0, size - reach);
        for (long b = 0; b < bins; b++) {
            float *row = weights + (r * bins + b) * width;
            const long from = random_between(0, reach), to = random_between(from, reach);
            for (long i = 0; i < width; i++)
                if (i < from || i >= to || random_bits() % 4 == 0) row[i] = 0;
            ranges[2 * (r * bins + b)] = (int32_t)from;
            ranges[2 * (r * bins + b) + 1] = (int32_t)to;
        }
    }
    return (roi_axis){first, weights, ranges, bins, width};
}

static void check_regions(void) {
    const long rows = random_size(20) + 1, columns = random_size(40) + 1, k = random_size(7);
    const long channels = random_between(1, LANES), plane = rows * columns + random_between(0, 3);
    const roi_axis y = random_axis(k, rows, random_between(1, 8), random_between(1, 12));
    const roi_axis x = random_axis(k, columns, random_between(1, 8), random_between(1, 12));
    const long count = y.bins * x.bins, size = plane * (channels - 1) + rows * columns;
    float *map = guarded_floats(size, 1), *gradient = guarded_floats(size, 1);
    float *pooled = guarded_floats(k * channels * count, 1);
    float *lanes = guarded(rows * columns * LANES, sizeof *lanes);
    float *bins = guarded((y.bins + 1) * x.bins * LANES, sizeof *bins);
    int64_t *of = guarded(k, sizeof *of);
    for (long r = 0; r < k; r++) of[r] = k - 1 - r;
    double dot = 0, adjoint = 0; /* <pool(map), g> = <map, spread(g)> */
    float *g = guarded_floats(k * channels * count, 1), *before = guarded(size, sizeof *before);
    memcpy(before, gradient, (size_t)size * sizeof *before);
    pool(map, plane, 0, rows, columns, channels, of, k, &y, &x, pooled, channels * count, lanes,
         bins);
    for (long r = 0; r < k; r++)
        for (long c = 0; c < channels; c++)
            for (long i = 0; i < count; i++) {
                const float want = pool_plain(map + c * plane, columns, window_of(&y, r),
                                              window_of(&x, r), i / x.bins, i % x.bins);
                const long at = (r * channels + c) * count + i;
                check_close("pool", pooled + at, &want, 1, 1e-5f, 1e-5f);
                dot += (double)pooled[at] * g[at];
            }
    spread(gradient, plane, 0, rows, columns, channels, of, k, &y, &x, g, channels * count, lanes,
           bins);
    for (long i = 0; i < size; i++) adjoint += (double)map[i] * (gradient[i] - before[i]);
    if (fabs(dot - adjoint) > 1e-4 * (1 + fabs(dot))) {
        printf("spread: %.9g is not %.9g, so it is not the adjoint of pool\n", adjoint, dot);
        exit(1);
    }
    check_done();
}

int main(void) {
    const float limits[] = {0, 0.1f, 0.5f, 0.9f, 1};
    for (int round = 0; round < 200; round++)
        check_nms(random_size(400), limits[round % 5], round % 3 == 0);
    check_nms(3000, 0.3f, 0);
    for (int round = 0; round < 200; round++) check_regions();
    puts("boxes: 201 suppressions, 200 sets of regions");
    return 0;
}
