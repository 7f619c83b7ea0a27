/* Picking and adding along one axis.

   What adds is split by places to add at, not by what is added: each place belongs to one thread,
   which meets its numbers in their order, so that sums do not depend on threads. */
#include "picking.h"

#include "rows.h"

#define AHEAD 4
#define PREFETCHED 512 /* numbers of a row */
#define COLUMNS 64 /* of a unit, where an axis is not the last */

INLINE long place_of(long long index, long length) {
    return (long)(index < 0 ? index + length : index);
}

static int in_range(const long long *index, long count, long length) {
    long long low = 0, high = -1;
    for (long k = 0; k < count; k++) {
        low = index[k] < low ? index[k] : low;
        high = index[k] > high ? index[k] : high;
    }
    return low >= -length && high < length;
}

static void take(const picking_axis *axis, const float *x, const long long *index, float *y,
                 long begin, long end) {
    const long inner = axis->inner;
    for (long row = begin; row < end; row++) {
        const long o = row / axis->count, place = place_of(index[row % axis->count], axis->length);
        const float *from = x + (o * axis->length + place) * inner;
        float *to = y + row * inner;
        if (inner == 1) *to = *from;
        else
            for (long i = 0; i < inner; i += LANES)
                store_some(to + i, load_some(from + i, inner - i, 0), inner - i);
    }
}

/* Rows to add to lie anywhere: they are asked for before their turn. */
INLINE void prefetch_row(const float *x, long row, long inner) {
    for (long i = 0; i < inner && i < PREFETCHED; i += 16) __builtin_prefetch(x + row * inner + i);
}

static void add(const picking_axis *axis, const float *g, const long long *index, float *x,
                long begin, long end) {
    const long inner = axis->inner, length = axis->length;
    for (long start = begin; start < end;) {
        const long o = start / length, stop = end < (o + 1) * length ? end : (o + 1) * length;
        for (long k = 0; k < axis->count; k++) {
            const long row = o * length + place_of(index[k], length);
            if (k + AHEAD < axis->count) {
                const long ahead = o * length + place_of(index[k + AHEAD], length);
                if (ahead >= start && ahead < stop) prefetch_row(x, ahead, inner);
            }
            if (row < start || row >= stop) continue;
            const float *from = g + (o * axis->count + k) * inner;
            float *to = x + row * inner;
            if (inner == 1) *to += *from;
            else
                for (long i = 0; i < inner; i += LANES) {
                    const vfloat sum = load_some(to + i, inner - i, 0) +
                                       load_some(from + i, inner - i, 0);
                    store_some(to + i, sum, inner - i);
                }
        }
        start = stop;
    }
}

static long columns_of(const picking_axis *axis) {
    return axis->inner < COLUMNS ? axis->inner : COLUMNS;
}
static long blocks_of(const picking_axis *axis) {
    const long columns = columns_of(axis);
    return columns ? (axis->inner + columns - 1) / columns : 0;
}
static long picking_units(const picking_axis *axis) { return axis->outer * blocks_of(axis); }

/* Columns [i, stop) of the o-th matrix. */
typedef struct {
    long o, i, stop;
} picking_part;

static picking_part part_of(const picking_axis *axis, long unit) {
    const long columns = columns_of(axis), i = unit % blocks_of(axis) * columns;
    const long stop = i + columns < axis->inner ? i + columns : axis->inner;
    return (picking_part){unit / blocks_of(axis), i, stop};
}

/* y[k] = x[index[k]] for a row: its own loop, since most gather along the last axis. */
static void gather_row(const float *x, long length, const long long *index, float *y, long count) {
    long k = 0;
#if defined(__AVX512F__)
    const __m512i top = _mm512_set1_epi64(length);
    for (; k + 8 <= count; k += 8) {
        __m512i at = _mm512_loadu_si512(index + k);
        at = _mm512_mask_add_epi64(at, _mm512_movepi64_mask(at), at, top);
        _mm256_storeu_ps(y + k, _mm512_i64gather_ps(at, x, 4));
    }
#endif
    for (; k < count; k++) y[k] = x[place_of(index[k], length)];
}

static int gather(const picking_axis *axis, const float *x, const long long *index, float *y,
                  long begin, long end) {
    const long inner = axis->inner, length = axis->length, count = axis->count;
    for (long unit = begin; unit < end; unit++) {
        const picking_part part = part_of(axis, unit);
        const float *from = x + part.o * length * inner;
        if (inner == 1) {
            if (!in_range(index + unit * count, count, length)) return 0;
            gather_row(from, length, index + unit * count, y + unit * count, count);
            continue;
        }
        for (long k = 0; k < count; k++) {
            const long at = (part.o * count + k) * inner;
            if (!in_range(index + at + part.i, part.stop - part.i, length)) return 0;
            for (long i = part.i; i < part.stop; i++)
                y[at + i] = from[place_of(index[at + i], length) * inner + i];
        }
    }
    return 1;
}

static void scatter_row(const float *y, const long long *index, long count, long length, int add,
                        float *x) {
    if (add)
        for (long k = 0; k < count; k++) x[place_of(index[k], length)] += y[k];
    else
        for (long k = 0; k < count; k++) x[place_of(index[k], length)] = y[k];
}

/* The columns of a part as they are at first. */
static void begin_part(const picking_axis *axis, picking_part part, const float *start, float *x) {
    const long inner = axis->inner, width = part.stop - part.i;
    long at = part.o * axis->length * inner + part.i, rows = axis->length, columns = width;
    if (width == inner) columns = rows * inner, rows = 1;
    for (long row = 0; row < rows; row++, at += inner)
        for (long i = 0; i < columns; i += LANES) {
            const vfloat first = start ? load_some(start + at + i, columns - i, 0) : splat(0);
            store_some(x + at + i, first, columns - i);
        }
}

static int scatter(const picking_axis *axis, const float *start, const float *y,
                   const long long *index, int add, float *x, long begin, long end) {
    const long inner = axis->inner, length = axis->length, count = axis->count;
    for (long unit = begin; unit < end; unit++) {
        const picking_part part = part_of(axis, unit);
        float *to = x + part.o * length * inner;
        begin_part(axis, part, start, x);
        if (inner == 1) {
            if (!in_range(index + unit * count, count, length)) return 0;
            scatter_row(y + unit * count, index + unit * count, count, length, add, to);
            continue;
        }
        for (long k = 0; k < count; k++) {
            const long at = (part.o * count + k) * inner;
            if (!in_range(index + at + part.i, part.stop - part.i, length)) return 0;
            for (long i = part.i; i < part.stop; i++) {
                float *one = to + place_of(index[at + i], length) * inner + i;
                *one = add ? *one + y[at + i] : y[at + i];
            }
        }
    }
    return 1;
}

/* The plain twin of all: one number after the other; index of step k and column i of matrix o at
   (o * o_step + k * k_step + i * i_step). y to x where `back`, else x to y. */
__attribute__((unused)) static void pick_plain(const picking_axis *axis, float *x,
                                               const long long *index, long o_step, long k_step,
                                               long i_step, float *y, int back, int sum) {
    for (long o = 0; o < axis->outer; o++)
        for (long k = 0; k < axis->count; k++)
            for (long i = 0; i < axis->inner; i++) {
                long place = (long)index[o * o_step + k * k_step + i * i_step];
                if (place < 0) place += axis->length;
                float *in_x = x + (o * axis->length + place) * axis->inner + i;
                float *in_y = y + (o * axis->count + k) * axis->inner + i;
                if (!back) *in_y = *in_x;
                else *in_x = sum ? *in_x + *in_y : *in_y;
            }
}

const picking_kernels KERNEL(picking) = {in_range, take, add, picking_units, gather, scatter};
