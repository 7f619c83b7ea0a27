#include "bins.h"

#include "gather.h"

/* Where one is larger than the other, or the first NaN. */
INLINE vint exceeds_in(vfloat v, vfloat best) { return (v > best) | ((v != v) & (best == best)); }

/* Columns [left, right) and some more: the largest of rows [top, bottom), and the first row that
   has it. The plane ends at `end`. */
static void column_maxima(const float *map, const float *end, long width, long top, long bottom,
                          long left, long right, float *best, float *at) {
    for (long x = left; x < right; x += LANES) {
        const float *from = map + top * width + x;
        vfloat most = splat(0), row = splat((float)top);
        for (long y = top; y < bottom; y++, from += width) {
            const vfloat v = end - from >= LANES ? load(from) : load_part(from, end - from, 0);
            const vint more = y == top ? (vint){0} - 1 : exceeds_in(v, most);
            most = choose(more, v, most);
            row = choose(more, splat((float)y), row);
        }
        store(best + x, most);
        store(at + x, row);
    }
}

INLINE int any_lane(vint v) {
#if VECTOR_BYTES == 64
    return _mm512_test_epi32_mask((__m512i)v, (__m512i)v) != 0;
#elif VECTOR_BYTES == 32
    return !_mm256_testz_si256((__m256i)v, (__m256i)v);
#else
    return (v[0] | v[1] | v[2] | v[3]) != 0;
#endif
}

INLINE int64_t inside(int64_t place, long size) {
    return place < 0 ? 0 : place < size ? place : size - 1;
}
/* Of an empty bin along an axis. */
INLINE int64_t edge_of(const bin_edges *axis, long bin, long size) {
    const int64_t first = inside(axis->first[bin], size), last = inside(axis->stop[bin] - 1, size);
    return first < last ? first : last;
}

/* The first largest of columns [first, stop) in each lane, as a column. */
INLINE vint column_of(vint first, vint stop, const float *best, const float *at, vfloat *row) {
    const vint inside = first < stop;
    vint found = first & inside;
    vfloat most = gather(best, found, inside);
    *row = gather(at, found, inside);
    vint x = first + 1, active = x < stop;
    while (any_lane(active)) {
        const vfloat v = gather(best, x, active), y = gather(at, x, active);
        const vint equal = (v == most) | ((v != v) & (most != most));
        const vint more = active & (exceeds_in(v, most) | (equal & (y < *row)));
        most = choose(more, v, most);
        *row = choose(more, y, *row);
        found = either(more, x, found);
        x += 1;
        active = x < stop;
    }
    return found;
}

/* Bins [from, from + count) of the columns, in lanes. */
typedef struct {
    long from, count, left, right;
    vint first, stop;
} some_columns;

static some_columns columns_from(const bin_edges *columns, long from) {
    const long count = columns->bins - from < LANES ? columns->bins - from : LANES;
    some_columns some = {from, count, columns->first[from], 0, {0}, {0}};
    for (long j = 0; j < count; j++) {
        const int64_t first = columns->first[from + j], stop = columns->stop[from + j];
        some.first[j] = (int32_t)first;
        some.stop[j] = (int32_t)stop;
        some.left = first < some.left ? first : some.left;
        some.right = stop > some.right ? stop : some.right;
    }
    return some;
}

static void largest(const float *map, long height, long width, const bin_edges *rows,
                    const bin_edges *columns, int64_t base, float *best, float *at,
                    int64_t *places) {
    const float *const end = map + height * width;
    for (long from = 0; from < columns->bins; from += LANES) {
        const some_columns some = columns_from(columns, from);
        for (long i = 0; i < rows->bins; i++) {
            const int64_t top = rows->first[i], bottom = rows->stop[i];
            int64_t *to = places + i * columns->bins + from;
            vfloat row = splat(0);
            vint column = {0};
            if (bottom > top) {
                column_maxima(map, end, width, top, bottom, some.left, some.right, best, at);
                column = column_of(some.first, some.stop, best, at, &row);
            }
            const vint place = whole_of(row) * (int32_t)width + column;
            for (long j = 0; j < some.count; j++) {
                const int empty = bottom <= top || some.stop[j] <= some.first[j];
                to[j] = base + (empty ? edge_of(rows, i, height) * width +
                                            edge_of(columns, from + j, width)
                                      : place[j]);
            }
        }
    }
}

__attribute__((unused)) static int exceeds(float v, float best) {
    return v > best || (v != v && best == best);
}
__attribute__((unused)) static int64_t largest_plain(const float *map, long width, long top,
                                                     long bottom, long left, long right) {
    int64_t found = top * width + left;
    for (long y = top; y < bottom; y++)
        for (long x = left; x < right; x++)
            if (exceeds(map[y * width + x], map[found]))
                found = y * width + x;
    return found;
}

const bins_kernels KERNEL(bins) = {largest};
