#include "boxes.h"

#include "transpose.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* The larger and the smaller, b if one of them is NaN: one instruction each. */
#if VECTOR_BYTES == 64
INLINE vfloat larger(vfloat a, vfloat b) { return (vfloat)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE vfloat lesser(vfloat a, vfloat b) { return (vfloat)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE int any(vint a) { return _mm512_movepi32_mask((__m512i)a) != 0; }
#elif VECTOR_BYTES == 32
INLINE vfloat larger(vfloat a, vfloat b) { return (vfloat)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE vfloat lesser(vfloat a, vfloat b) { return (vfloat)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE int any(vint a) { return _mm256_movemask_ps((__m256)a) != 0; }
#elif defined(__SSE2__)
INLINE vfloat larger(vfloat a, vfloat b) { return (vfloat)_mm_max_ps((__m128)a, (__m128)b); }
INLINE vfloat lesser(vfloat a, vfloat b) { return (vfloat)_mm_min_ps((__m128)a, (__m128)b); }
INLINE int any(vint a) { return _mm_movemask_ps((__m128)a) != 0; }
#else
INLINE vfloat larger(vfloat a, vfloat b) { return vmax(a, b); }
INLINE vfloat lesser(vfloat a, vfloat b) { return vmin(a, b); }
INLINE int any(vint a) {
    int32_t all = 0;
    for (int i = 0; i < LANES; i++) all |= a[i];
    return all != 0;
}
#endif

/* A product that the next operation may not take apart again: its rounding decides about a box. */
INLINE vfloat as_rounded(vfloat x) {
#if defined(__SSE2__)
    __asm__("" : "+x"(x));
#elif defined(__aarch64__)
    __asm__("" : "+w"(x));
#endif
    return x;
}

/* Suppression, by blocks of the best boxes that are left: first within the block, then all others
   against what stays of it, so that a vector of the others is loaded once per block. */

typedef struct { float *x1, *y1, *x2, *y2, *area; } corners;

typedef struct { vfloat x1, y1, x2, y2, area; } vbox;

INLINE vbox boxes_at(corners c, long i) {
    return (vbox){load(c.x1 + i), load(c.y1 + i), load(c.x2 + i), load(c.y2 + i), load(c.area + i)};
}

/* Lanes of b whose overlap with the box at i of c is above the limit. A division takes longer than
   all the rest, so it is left out where `low`, a little below the limit, is not reached. */
INLINE vint overlapped(corners c, long i, vbox b, vfloat limit, vfloat low) {
    const vfloat width = lesser(splat(c.x2[i]), b.x2) - larger(splat(c.x1[i]), b.x1);
    const vfloat height = lesser(splat(c.y2[i]), b.y2) - larger(splat(c.y1[i]), b.y1);
    const vfloat inter = as_rounded(larger(width, splat(0)) * larger(height, splat(0)));
    const vfloat both = (splat(c.area[i]) + b.area) - inter;
    const vint near = inter > low * both;
    return any(near) ? near & (inter / both > limit) : near;
}

/* Moves the boxes without a mark to `to`, in order; gives how many. */
INLINE long moved(vint mark, long count, corners from, int32_t *place, long at, corners to,
                  int32_t *new_place, long end) {
    if (count == LANES && !any(mark)) { /* all stay; what is read lies before what is written */
        const vbox b = boxes_at(from, at);
        store(to.x1 + end, b.x1), store(to.y1 + end, b.y1), store(to.x2 + end, b.x2);
        store(to.y2 + end, b.y2), store(to.area + end, b.area);
        store((float *)new_place + end, load((const float *)place + at));
        return LANES;
    }
    long stay = end;
    for (long i = 0; i < count; i++) {
        to.x1[stay] = from.x1[at + i], to.y1[stay] = from.y1[at + i], to.x2[stay] = from.x2[at + i];
        to.y2[stay] = from.y2[at + i], to.area[stay] = from.area[at + i];
        new_place[stay] = place[at + i];
        stay += !mark[i];
    }
    return stay - end;
}

static long nms(const float *boxes, long n, float threshold, int64_t *kept, float *work) {
    const long step = n + 32;
    const corners all = {work, work + step, work + 2 * step, work + 3 * step, work + 4 * step};
    int32_t *place = (int32_t *)(work + 5 * step);
    float *good = work + 6 * step;
    const corners best = {good, good + NMS_BLOCK, good + 2 * NMS_BLOCK, good + 3 * NMS_BLOCK,
                          good + 4 * NMS_BLOCK};
    const vfloat limit = splat(threshold), low = splat(threshold * (1 - 1e-6f));
    for (long i = 0; i < n + LANES; i++) {
        const float *b = boxes + 4 * (i < n ? i : 0);
        const int is = i < n;
        all.x1[i] = is ? b[0] : 0, all.y1[i] = is ? b[1] : 0;
        all.x2[i] = is ? b[2] : 0, all.y2[i] = is ? b[3] : 0;
        all.area[i] = is ? (b[2] - b[0]) * (b[3] - b[1]) : 0;
        place[i] = (int32_t)i;
    }
    long count = 0, left = n;
    while (left) {
        const long head = left < NMS_BLOCK ? left : NMS_BLOCK;
        vint dropped[NMS_BLOCK / LANES] = {0};
        long survivors = 0;
        for (long i = 0; i < head; i++) {
            if (dropped[i / LANES][i % LANES]) continue;
            best.x1[survivors] = all.x1[i], best.y1[survivors] = all.y1[i];
            best.x2[survivors] = all.x2[i], best.y2[survivors] = all.y2[i];
            best.area[survivors++] = all.area[i];
            kept[count++] = place[i];
            for (long j = i / LANES; j < (head + LANES - 1) / LANES; j++)
                dropped[j] |= overlapped(all, i, boxes_at(all, j * LANES), limit, low);
        }
        long end = 0;
        for (long at = head; at < left; at += LANES) {
            const vbox b = boxes_at(all, at);
            vint mark = {0};
            for (long i = 0; i < survivors; i++) mark |= overlapped(best, i, b, limit, low);
            const long some = left - at < LANES ? left - at : LANES;
            end += moved(mark, some, all, place, at, all, place, end);
        }
        left = end;
    }
    return count;
}

__attribute__((unused)) static long nms_plain(const float *boxes, long n, float limit,
                                              int64_t *kept) {
    long count = 0;
    for (long i = 0; i < n; i++) {
        const float *a = boxes + 4 * i, area = (a[2] - a[0]) * (a[3] - a[1]);
        int good = 1;
        for (long k = 0; k < count && good; k++) {
            const float *b = boxes + 4 * kept[k], other = (b[2] - b[0]) * (b[3] - b[1]);
            const float width = (a[2] < b[2] ? a[2] : b[2]) - (a[0] > b[0] ? a[0] : b[0]);
            const float height = (a[3] < b[3] ? a[3] : b[3]) - (a[1] > b[1] ? a[1] : b[1]);
            const volatile float inter = (width > 0 ? width : 0) * (height > 0 ? height : 0);
            good = !(inter / ((other + area) - inter) > limit);
        }
        if (good) kept[count++] = i;
    }
    return count;
}

/* Regions. The channels of a map become the lanes of vectors, and then each region is two small
   products over the window that it touches: columns to bins, and rows to bins. */

/* (channels, count) with `plane` floats from one channel to the next, to (count, LANES). */
static void to_lanes(const float *map, long plane, long count, long channels, float *lanes) {
    long i = 0;
    for (; channels == LANES && i + LANES <= count; i += LANES) {
        vfloat square[LANES];
        UNROLLED for (int c = 0; c < LANES; c++) square[c] = load(map + c * plane + i);
        transpose(square);
        UNROLLED for (int p = 0; p < LANES; p++) store(lanes + (i + p) * LANES, square[p]);
    }
    for (; i < count; i++) {
        float *v = lanes + i * LANES;
        for (long c = 0; c < channels; c++) v[c] = map[c * plane + i];
        for (long c = channels; c < LANES; c++) v[c] = 0;
    }
}
/* The way back; adds to what is there when `add` is set. */
INLINE void from_lanes(const float *lanes, long count, long channels, float *map, long plane,
                       int add) {
    long i = 0;
    for (; channels == LANES && i + LANES <= count; i += LANES) {
        vfloat square[LANES];
        UNROLLED for (int p = 0; p < LANES; p++) square[p] = load(lanes + (i + p) * LANES);
        transpose(square);
        UNROLLED for (int c = 0; c < LANES; c++) {
            float *to = map + c * plane + i;
            store(to, add ? load(to) + square[c] : square[c]);
        }
    }
    for (; i < count; i++)
        for (long c = 0; c < channels; c++) {
            float *to = map + c * plane + i;
            *to = add ? *to + lanes[i * LANES + c] : lanes[i * LANES + c];
        }
}

typedef struct {
    const float *weights;
    const int32_t *ranges;
    long bins, width;
    int64_t first;
} window;

INLINE window window_of(const roi_axis *axis, int64_t r) {
    return (window){axis->weights + r * axis->bins * axis->width, axis->ranges + 2 * r * axis->bins,
                    axis->bins, axis->width, axis->first[r]};
}
/* From the first place that counts for any bin up to the last; nothing if there is none. */
INLINE void reach(window w, long *from, long *to) {
    *from = w.width, *to = 0;
    for (long b = 0; b < w.bins; b++) {
        const long start = w.ranges[2 * b], stop = w.ranges[2 * b + 1];
        if (start >= stop) continue;
        *from = start < *from ? start : *from;
        *to = stop > *to ? stop : *to;
    }
}
INLINE int counts(window w, long bin, long place) {
    return place >= w.ranges[2 * bin] && place < w.ranges[2 * bin + 1] &&
           w.weights[bin * w.width + place] != 0;
}
INLINE int counts_at_all(window w, long place) {
    for (long bin = 0; bin < w.bins; bin++)
        if (counts(w, bin, place)) return 1;
    return 0;
}

static void pool(const float *map, long plane, long top, long rows, long columns, long channels,
                 const int64_t *of, long k, const roi_axis *across, const roi_axis *along,
                 float *pooled, long region_step, float *maps, float *bins) {
    const long down = across->bins, right = along->bins;
    float *strip = bins + down * right * LANES;
    to_lanes(map + top * columns, plane, rows * columns, channels, maps);
    for (long at = 0; at < k; at++) {
        const window y = window_of(across, of[at]), x = window_of(along, of[at]);
        long from, to;
        reach(y, &from, &to);
        for (long i = 0; i < down * right; i++) store(bins + i * LANES, splat(0));
        for (long row = from; row < to; row++) {
            if (!counts_at_all(y, row)) continue;
            const float *pixels = maps + ((y.first - top + row) * columns + x.first) * LANES;
            for (long b = 0; b < right; b++) {
                vfloat sum = {0};
                for (long p = x.ranges[2 * b]; p < x.ranges[2 * b + 1]; p++)
                    sum += load(pixels + p * LANES) * x.weights[b * x.width + p];
                store(strip + b * LANES, sum);
            }
            for (long a = 0; a < down; a++) {
                if (!counts(y, a, row)) continue;
                const vfloat weight = splat(y.weights[a * y.width + row]);
                float *to_bin = bins + a * right * LANES;
                for (long b = 0; b < right; b++)
                    store(to_bin + b * LANES,
                          load(to_bin + b * LANES) + load(strip + b * LANES) * weight);
            }
        }
        from_lanes(bins, down * right, channels, pooled + of[at] * region_step, down * right, 0);
    }
}

static void spread(float *map, long plane, long top, long rows, long columns, long channels,
                   const int64_t *of, long k, const roi_axis *across, const roi_axis *along,
                   const float *pooled, long region_step, float *maps, float *bins) {
    const long down = across->bins, right = along->bins;
    float *strip = bins + down * right * LANES;
    for (long i = 0; i < rows * columns; i++) store(maps + i * LANES, splat(0));
    for (long at = 0; at < k; at++) {
        const window y = window_of(across, of[at]), x = window_of(along, of[at]);
        to_lanes(pooled + of[at] * region_step, down * right, down * right, channels, bins);
        long from, to;
        reach(y, &from, &to);
        for (long row = from; row < to; row++) {
            if (!counts_at_all(y, row)) continue;
            float *pixels = maps + ((y.first - top + row) * columns + x.first) * LANES;
            for (long b = 0; b < right; b++) store(strip + b * LANES, splat(0));
            for (long a = 0; a < down; a++) {
                if (!counts(y, a, row)) continue;
                const vfloat weight = splat(y.weights[a * y.width + row]);
                for (long b = 0; b < right; b++)
                    store(strip + b * LANES, load(strip + b * LANES) +
                                                 load(bins + (a * right + b) * LANES) * weight);
            }
            for (long b = 0; b < right; b++) {
                const vfloat value = load(strip + b * LANES);
                for (long p = x.ranges[2 * b]; p < x.ranges[2 * b + 1]; p++)
                    store(pixels + p * LANES,
                          load(pixels + p * LANES) + value * x.weights[b * x.width + p]);
            }
        }
    }
    from_lanes(maps, rows * columns, channels, map + top * columns, plane, 1);
}

__attribute__((unused)) static float pool_plain(const float *map, long columns, window y, window x,
                                                long a, long b) {
    double sum = 0;
    for (long i = 0; i < y.width; i++)
        for (long j = 0; j < x.width; j++)
            if (y.weights[a * y.width + i] != 0 && x.weights[b * x.width + j] != 0)
                sum += (double)y.weights[a * y.width + i] * x.weights[b * x.width + j] *
                       map[(y.first + i) * columns + x.first + j];
    return (float)sum;
}

const boxes_kernels KERNEL(boxes) = {nms, pool, spread, LANES};
