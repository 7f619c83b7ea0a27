/* Pooling, a row of windows at a time: first the rows that the windows see are put together, then
   neighbours in the row that is left, and then every stride-th is taken. Where positions are
   wanted, windows are walked tap by tap, so that the first of equal numbers is found. */
#include "pool.h"

#include "rows.h"
#include "vector_math.h"

#define LOWEST (-__builtin_inff())

INLINE long least(long a, long b) { return a < b ? a : b; }
/* The length of an axis with all that windows see outside of it. */
INLINE long seen(const pool_axis *a) {
    return (a->out - 1) * a->stride + (a->size - 1) * a->dilation + 1;
}
INLINE long padded(long n) { return (n + LANES - 1) / LANES * LANES + LANES; }

/* A row with what windows see before and after it. */
INLINE long room_of(const pool_axis *x) {
    const long inner = x->in + x->before;
    return padded(seen(x) > inner ? seen(x) : inner);
}

/* Two rows; one row per tap, maxima, their places, and where taps are. */
static long pool_scratch(const pool_axis *y, const pool_axis *x) {
    (void)y;
    return 2 * room_of(x) + (x->size + 4) * padded(x->out);
}

/* The taps of a window along an axis that are inside: from `first` up to `end`. */
typedef struct {
    long first, end;
} taps;

static taps inside(const pool_axis *a, long place) {
    const long start = place * a->stride - a->before;
    taps found = {0, a->size};
    if (start < 0) found.first = (-start + a->dilation - 1) / a->dilation;
    if (start + (a->size - 1) * a->dilation >= a->in)
        found.end = (a->in - 1 - start) / a->dilation + 1;
    return found;
}

static void every(const float *from, float *to, long count, long stride) {
    if (stride == 1)
        for (long j = 0; j < count; j++) to[j] = from[j];
    else if (stride == 2)
        for (long j = 0; j < count; j++) to[j] = from[2 * j];
    else
        for (long j = 0; j < count; j++) to[j] = from[j * stride];
}

static void pool_largest(const pool_axis *y, const pool_axis *x, const float *from, float *best,
                         long planes, float *scratch) {
    const long room = room_of(x);
    float *row = scratch, *joined = scratch + room;
    for (long i = 0; i < room; i++) row[i] = LOWEST;
    for (long p = 0; p < planes; p++, from += y->in * x->in)
        for (long i = 0; i < y->out; i++, best += x->out) {
            const taps rows = inside(y, i);
            const float *at = from + (i * y->stride - y->before + rows.first * y->dilation) * x->in;
            for (long j = 0; j < x->in; j += LANES) {
                vfloat v = load_some(at + j, x->in - j, LOWEST);
                for (long k = 1; k < rows.end - rows.first; k++)
                    v = vmaximum(v, load_some(at + k * y->dilation * x->in + j, x->in - j, LOWEST));
                store_some(row + x->before + j, v, x->in - j);
            }
            const long places = (x->out - 1) * x->stride + 1;
            for (long j = 0; j < places; j += LANES) {
                vfloat v = load(row + j);
                for (long k = 1; k < x->size; k++) v = vmaximum(v, load(row + j + k * x->dilation));
                store(joined + j, v);
            }
            every(joined, best, x->out, x->stride);
        }
}

/* Positions */

/* One row of the plane seen through each tap: (x.size, step), LOWEST outside. */
static void spread(const pool_axis *x, const float *row, float *views, long step) {
    for (long k = 0; k < x->size; k++, views += step) {
        const long start = k * x->dilation - x->before;
        long j = 0;
        for (; j < x->out && j * x->stride + start < 0; j++) views[j] = LOWEST;
        long end = x->in - 1 - start < 0 ? 0 : (x->in - 1 - start) / x->stride + 1;
        end = least(end, x->out);
        if (end > j) every(row + j * x->stride + start, views + j, end - j, x->stride);
        for (j = end > j ? end : j; j < step; j++) views[j] = LOWEST;
    }
}

/* One row of windows; first: where the first tap of each that is inside is in its row, and, after
   `step` of these, where the first tap of all is. */
static void row_at(const pool_axis *y, const pool_axis *x, const float *plane, long i, float *best,
                   int64_t *places, const int32_t *first, float *views, long step) {
    float *top = views + x->size * step;
    int32_t *place = (int32_t *)(top + step);
    const taps rows = inside(y, i);
    for (long r = rows.first; r < rows.end; r++) {
        const long row = i * y->stride - y->before + r * y->dilation, at = row * x->in;
        spread(x, plane + at, views, step);
        for (long j = 0; j < step; j += LANES) {
            vfloat now = r == rows.first ? splat(LOWEST) : load(top + j);
            vint here = (vint)(r == rows.first ? load((const float *)first + j)
                                               : load((const float *)place + j));
            const vint start = (vint)load((const float *)first + step + j);
            if (r == rows.first) here += (int32_t)at;
            for (long k = 0; k < x->size; k++) {
                const vfloat v = load(views + k * step + j);
                const vint wins = (v > now) | ((v != v) & (now == now));
                const vint own = start + (int32_t)(at + k * x->dilation);
                now = choose(wins, v, now);
                here = (wins & own) | (~wins & here);
            }
            store(top + j, now);
            store((float *)place + j, (vfloat)here);
        }
    }
    for (long j = 0; j < x->out; j++) best[j] = top[j], places[j] = place[j];
}

static void pool_largest_at(const pool_axis *y, const pool_axis *x, const float *from, float *best,
                            int64_t *places, long planes, float *scratch) {
    const long step = padded(x->out);
    int32_t *first = (int32_t *)scratch, *start = first + step;
    for (long j = 0; j < step; j++) {
        start[j] = (int32_t)(j * x->stride - x->before);
        first[j] = j < x->out ? start[j] + (int32_t)(inside(x, j).first * x->dilation) : 0;
    }
    for (long p = 0; p < planes; p++, from += y->in * x->in)
        for (long i = 0; i < y->out; i++, best += x->out, places += x->out)
            row_at(y, x, from, i, best, places, first, scratch + 2 * step, step);
}

/* The plain twin: the largest of one window, and its place. */
__attribute__((unused)) static void window_plain(const pool_axis *y, const pool_axis *x,
                                                 const float *plane, long i, long j, float *best,
                                                 int64_t *place) {
    *best = LOWEST, *place = -1;
    for (long r = 0; r < y->size; r++)
        for (long k = 0; k < x->size; k++) {
            const long row = i * y->stride - y->before + r * y->dilation;
            const long column = j * x->stride - x->before + k * x->dilation;
            if (row < 0 || row >= y->in || column < 0 || column >= x->in) continue;
            const float v = plane[row * x->in + column];
            const int wins = *place < 0 || v > *best || (v != v && *best == *best);
            if (wins) *best = v, *place = row * x->in + column;
        }
}

const pool_kernels KERNEL(pool) = {pool_scratch, pool_largest, pool_largest_at};
