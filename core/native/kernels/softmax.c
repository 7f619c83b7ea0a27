/* Softmax and log-softmax: the largest number of a row is taken off before exp, so that nothing
   overflows. A row along the last axis is walked in vectors; along another axis, each lane has a
   row of its own, and a block of neighbouring columns is walked down together. */
#include "softmax.h"

#include "exp_below.h"
#include "rows.h"
#include "vector_math.h"

#define WIDE 4 /* vectors of columns in a block */

/* Along the last axis */

static float largest(const float *x, long length) {
    vfloat top[4];
    for (int j = 0; j < 4; j++) top[j] = splat(-__builtin_inff());
    long i = 0;
    for (; i + 4 * LANES <= length; i += 4 * LANES)
        for (int j = 0; j < 4; j++) top[j] = vmax(load(x + i + j * LANES), top[j]);
    for (; i < length; i += LANES)
        top[0] = vmax(load_some(x + i, length - i, -__builtin_inff()), top[0]);
    return lanes_max(vmax(vmax(top[0], top[1]), vmax(top[2], top[3])));
}

static void softmax_row(const float *x, float *y, long length) {
    const vfloat top = splat(largest(x, length));
    vfloat total = {0};
    for (long i = 0; i < length; i += LANES) {
        const vfloat e = vexp_below(load_some(x + i, length - i, -__builtin_inff()) - top);
        store_some(y + i, e, length - i);
        total += e;
    }
    const vfloat scale = splat(1.0f / lanes_sum(total));
    for (long i = 0; i < length; i += LANES)
        store_some(y + i, load_some(y + i, length - i, 0) * scale, length - i);
}

static void log_softmax_row(const float *x, float *y, long length) {
    const vfloat top = splat(largest(x, length));
    vfloat total = {0};
    for (long i = 0; i < length; i += LANES)
        total += vexp_below(load_some(x + i, length - i, -__builtin_inff()) - top);
    const vfloat level = vlog(splat(lanes_sum(total)));
    for (long i = 0; i < length; i += LANES)
        store_some(y + i, (load_some(x + i, length - i, 0) - top) - level, length - i);
}

static void softmax_row_dx(const float *g, const float *y, float *dx, long length) {
    vfloat total = {0};
    for (long i = 0; i < length; i += LANES)
        total += load_some(g + i, length - i, 0) * load_some(y + i, length - i, 0);
    const vfloat level = splat(lanes_sum(total));
    for (long i = 0; i < length; i += LANES) {
        const vfloat tilt = load_some(g + i, length - i, 0) - level;
        store_some(dx + i, load_some(y + i, length - i, 0) * tilt, length - i);
    }
}

static void log_softmax_row_dx(const float *g, const float *y, float *dx, long length) {
    vfloat total = {0};
    for (long i = 0; i < length; i += LANES) total += load_some(g + i, length - i, 0);
    const vfloat level = splat(lanes_sum(total));
    for (long i = 0; i < length; i += LANES) {
        const vfloat e = vexp(load_some(y + i, length - i, 0));
        store_some(dx + i, load_some(g + i, length - i, 0) - e * level, length - i);
    }
}

/* Along another axis: `vectors` whole vectors of columns. */

INLINE void columns(int vectors, const softmax_axis *axis, const float *x, float *y) {
    const long length = axis->length, step = axis->inner;
    vfloat top[WIDE], total[WIDE];
    for (int j = 0; j < vectors; j++) top[j] = splat(-__builtin_inff()), total[j] = splat(0);
    for (long i = 0; i < length; i++)
        for (int j = 0; j < vectors; j++) top[j] = vmax(load(x + i * step + j * LANES), top[j]);
    for (long i = 0; i < length; i++)
        for (int j = 0; j < vectors; j++) {
            const vfloat e = vexp_below(load(x + i * step + j * LANES) - top[j]);
            if (!axis->log) store(y + i * step + j * LANES, e);
            total[j] += e;
        }
    for (int j = 0; j < vectors; j++) total[j] = axis->log ? vlog(total[j]) : 1.0f / total[j];
    for (long i = 0; i < length; i++)
        for (int j = 0; j < vectors; j++) {
            const float *from = x + i * step + j * LANES;
            float *to = y + i * step + j * LANES;
            store(to, axis->log ? (load(from) - top[j]) - total[j] : load(to) * total[j]);
        }
}

INLINE void columns_dx(int vectors, const softmax_axis *axis, const float *g, const float *y,
                       float *dx) {
    const long length = axis->length, step = axis->inner;
    vfloat total[WIDE];
    for (int j = 0; j < vectors; j++) total[j] = splat(0);
    for (long i = 0; i < length; i++)
        for (int j = 0; j < vectors; j++) {
            const vfloat up = load(g + i * step + j * LANES);
            total[j] += axis->log ? up : up * load(y + i * step + j * LANES);
        }
    for (long i = 0; i < length; i++)
        for (int j = 0; j < vectors; j++) {
            const long at = i * step + j * LANES;
            const vfloat up = load(g + at), out = load(y + at);
            store(dx + at, axis->log ? up - vexp(out) * total[j] : out * (up - total[j]));
        }
}

/* Fewer columns than lanes: one at a time. */
static void column(const softmax_axis *axis, const float *x, float *y) {
    const long length = axis->length, step = axis->inner;
    float top = -__builtin_inff(), total = 0;
    for (long i = 0; i < length; i++) top = x[i * step] > top ? x[i * step] : top;
    for (long i = 0; i < length; i++) {
        const float e = vexp_below(splat(x[i * step] - top))[0];
        if (!axis->log) y[i * step] = e;
        total += e;
    }
    const float last = axis->log ? vlog(splat(total))[0] : 1.0f / total;
    for (long i = 0; i < length; i++)
        y[i * step] = axis->log ? (x[i * step] - top) - last : y[i * step] * last;
}

static void column_dx(const softmax_axis *axis, const float *g, const float *y, float *dx) {
    const long length = axis->length, step = axis->inner;
    float total = 0;
    for (long i = 0; i < length; i++) total += axis->log ? g[i * step] : g[i * step] * y[i * step];
    for (long i = 0; i < length; i++) {
        const float up = g[i * step], out = y[i * step];
        dx[i * step] = axis->log ? up - vexp(splat(out))[0] * total : out * (up - total);
    }
}

static long blocks_of(const softmax_axis *axis) {
    return (axis->inner + WIDE * LANES - 1) / (WIDE * LANES);
}

static long softmax_units(const softmax_axis *axis) {
    return axis->inner == 1 ? axis->outer : axis->outer * blocks_of(axis);
}

/* The last vector of a block with an edge overlaps the one before: it computes some columns again,
   from numbers that are still there. */
#define EACH_VECTOR(whole, single, one)                                                            \
    const long size = axis->inner, blocks = blocks_of(axis);                                       \
    for (long unit = begin; unit < end; unit++) {                                                  \
        const long at = unit / blocks * axis->length * size;                                       \
        long j = unit % blocks * WIDE * LANES;                                                     \
        const long stop = j + WIDE * LANES < size ? j + WIDE * LANES : size;                       \
        if (stop - j == WIDE * LANES) {                                                            \
            whole;                                                                                 \
            continue;                                                                              \
        }                                                                                          \
        for (; j + LANES <= stop; j += LANES) single;                                              \
        if (j < stop && size >= LANES) {                                                           \
            j = size - LANES;                                                                      \
            single;                                                                                \
        } else                                                                                     \
            for (; j < stop; j++) one;                                                             \
    }

static void softmax_forward(const softmax_axis *axis, const float *x, float *y, long begin,
                            long end) {
    const long length = axis->length;
    if (axis->inner == 1) {
        for (long row = begin; row < end; row++)
            (axis->log ? log_softmax_row : softmax_row)(x + row * length, y + row * length, length);
        return;
    }
    EACH_VECTOR(columns(WIDE, axis, x + at + j, y + at + j),
                columns(1, axis, x + at + j, y + at + j),
                column(axis, x + at + j, y + at + j))
}

static void softmax_backward(const softmax_axis *axis, const float *g, const float *y, float *dx,
                             long begin, long end) {
    const long length = axis->length;
    if (axis->inner == 1) {
        for (long at = begin * length; at < end * length; at += length)
            (axis->log ? log_softmax_row_dx : softmax_row_dx)(g + at, y + at, dx + at, length);
        return;
    }
    EACH_VECTOR(columns_dx(WIDE, axis, g + at + j, y + at + j, dx + at + j),
                columns_dx(1, axis, g + at + j, y + at + j, dx + at + j),
                column_dx(axis, g + at + j, y + at + j, dx + at + j))
}

/* The plain twins, which the checks compare with. */
__attribute__((unused)) static void softmax_plain(const softmax_axis *axis, const float *x,
                                                  float *y) {
    for (long row = 0; row < axis->outer * axis->inner; row++) {
        const long step = axis->inner, at = row / step * axis->length * step + row % step;
        float top = -__builtin_inff();
        double total = 0;
        for (long i = 0; i < axis->length; i++)
            top = x[at + i * step] > top ? x[at + i * step] : top;
        for (long i = 0; i < axis->length; i++)
            total += __builtin_exp((double)(x[at + i * step] - top));
        for (long i = 0; i < axis->length; i++) {
            const double shifted = x[at + i * step] - top;
            y[at + i * step] = (float)(axis->log ? shifted - __builtin_log(total)
                                                 : __builtin_exp(shifted) / total);
        }
    }
}

__attribute__((unused)) static void softmax_dx_plain(const softmax_axis *axis, const float *g,
                                                     const float *y, float *dx) {
    for (long row = 0; row < axis->outer * axis->inner; row++) {
        const long step = axis->inner, at = row / step * axis->length * step + row % step;
        double total = 0;
        for (long i = 0; i < axis->length; i++)
            total += g[at + i * step] * (axis->log ? 1.0 : y[at + i * step]);
        for (long i = at; i < at + axis->length * step; i += step)
            dx[i] = (float)(axis->log ? g[i] - __builtin_exp(y[i]) * total : y[i] * (g[i] - total));
    }
}

const softmax_kernels KERNEL(softmax) = {softmax_units, softmax_forward, softmax_backward};
