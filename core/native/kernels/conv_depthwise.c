/* Convolution in which every output sees one channel, and its weights' gradient. A channel is
   padded into the caller's scratch, which stays in the first cache; see conv_layout in conv.h. Rows
   shorter than a vector are computed across their ends, as in conv_direct.c. */
#include "conv.h"

#include "conv_after.h"
#include "conv_layout.h"
#include "conv_plain.h"
#include "conv_rows.h"

#define AT_ONCE 4 /* vectors of outputs */

/* y[p] = sum over t of w[t] * x[offsets[t] + p] for vectors of positions. */
INLINE void taps_of(const int vectors, const long taps, const float *w, const long *offsets,
                    const float *x, float *y) {
    vfloat sum[AT_ONCE];
    for (int v = 0; v < vectors; v++) sum[v] = splat(0);
    for (long t = 0; t < taps; t++) {
        const vfloat left = splat(w[t]);
        const float *from = x + offsets[t];
        for (int v = 0; v < vectors; v++) sum[v] += left * load(from + v * LANES);
    }
    for (int v = 0; v < vectors; v++) store(y + v * LANES, sum[v]);
}

/* `vectors` of neighbours; the last one may reach back into the one before, to end at `length`. */
INLINE void along(const long taps, const float *w, const long *offsets, const float *x, float *y,
                  long vectors, long length) {
    long v = 0;
    const long whole = length / LANES;
    for (; v + AT_ONCE <= whole; v += AT_ONCE)
        taps_of(AT_ONCE, taps, w, offsets, x + v * LANES, y + v * LANES);
    for (; v < whole; v++) taps_of(1, taps, w, offsets, x + v * LANES, y + v * LANES);
    if (v < vectors) taps_of(1, taps, w, offsets, x + length - LANES, y + length - LANES);
}

INLINE void channel_of(const long taps, const conv_layout *layout, const float *w,
                       const long *offsets, const float *planes, float *strip, float *y) {
    const long rows = layout->y.out, columns = layout->x.out, pitch = layout->pitch;
    const long vectors = (columns + LANES - 1) / LANES;
    if (columns >= LANES) {
        for (long r = 0; r < rows; r++)
            along(taps, w, offsets, planes + r * pitch, y + r * columns, vectors, columns);
        return;
    }
    const long length = ((rows - 1) * pitch + columns + LANES - 1) / LANES * LANES;
    along(taps, w, offsets, planes, strip, length / LANES, length);
    for (long r = 0; r < rows; r++) copy_row(y + r * columns, strip + r * pitch, columns);
}

static void channel(const conv_layout *layout, const float *w, const long *offsets,
                    const float *planes, float *strip, float *y) {
    const long taps = layout->y.kernel * layout->x.kernel;
    if (taps == 9) channel_of(9, layout, w, offsets, planes, strip, y);
    else if (taps == 25) channel_of(25, layout, w, offsets, planes, strip, y);
    else channel_of(taps, layout, w, offsets, planes, strip, y);
}

/* A plane that was just written. */
static void finish_plane(const conv_after *after, long channel, float *y, long count) {
    long i = 0;
    for (; i + LANES <= count; i += LANES)
        store(y + i, after->hardswish ? channel_after(1, after, channel, load(y + i))
                                      : channel_after(0, after, channel, load(y + i)));
    for (; i < count; i++) y[i] = number_after(after, channel, y[i]);
}

static long depthwise_scratch(const conv_layout *layout) {
    const long strip = layout->y.out * layout->pitch + 2 * LANES;
    return layout->plane + layout->slack + strip;
}

/* Channels of all samples, [begin, end) of samples * c; each gives `times` outputs. */
static void depthwise_forward(const conv_layout *layout, const long *offsets, long c, long times,
                              const float *x, const float *w, const conv_after *after, float *y,
                              float *scratch, long begin, long end) {
    const long in = layout->y.in * layout->x.in, out = layout->y.out * layout->x.out;
    const long taps = layout->y.kernel * layout->x.kernel;
    float *strip = scratch + layout->plane + layout->slack;
#ifdef HAS_ROWS
    rows_function *const by_rows = find_rows(layout);
    for (long i = begin * times; by_rows && i < end * times; i++)
        by_rows(layout, w + i % (c * times) * taps, x + i / times * in, after, i % (c * times),
                y + i * out);
    if (by_rows) return;
#endif
    for (long i = begin; i < end; i++) {
        conv_fill(layout, x + i * in, scratch, 1, 1);
        for (long j = 0; j < times; j++) {
            const long number = i % c * times + j;
            float *to = y + (i * times + j) * out;
            channel(layout, w + number * taps, offsets, scratch, strip, to);
            if (after) finish_plane(after, number, to, out);
        }
    }
}

/* sums[t] += sum over p of g[p] * x[offsets[t] + p] for some taps. */
INLINE void products_of(const int taps, const long *offsets, const float *g, const float *x,
                        long length, float *sums) {
    vfloat sum[9];
    for (int t = 0; t < taps; t++) sum[t] = splat(0);
    for (long p = 0; p < length; p += LANES) {
        const vfloat left = load(g + p);
        for (int t = 0; t < taps; t++) sum[t] += left * load(x + offsets[t] + p);
    }
    for (int t = 0; t < taps; t++) sums[t] += lanes_sum(sum[t]);
}

/* The gradient of outputs [begin, end) of c * times, over all samples. What is not finite in x
   reaches all taps of its channel, as the ends of rows are multiplied with zeros. */
static void depthwise_weights(const conv_layout *layout, const long *offsets, long samples, long c,
                              long times, const float *g, const float *x, float *dw, float *scratch,
                              long begin, long end) {
    const long in = layout->y.in * layout->x.in, rows = layout->y.out, columns = layout->x.out;
    const long taps = layout->y.kernel * layout->x.kernel, pitch = layout->pitch;
    const long length = ((rows - 1) * pitch + columns + LANES - 1) / LANES * LANES;
    float *strip = scratch + layout->plane + layout->slack;
    dw += begin * taps;
    for (long i = begin; i < end; i++, dw += taps) {
        for (long t = 0; t < taps; t++) dw[t] = 0;
        for (long s = 0; s < samples; s++) {
            conv_fill(layout, x + (s * c + i / times) * in, scratch, 1, 1);
            const float *from = g + (s * c * times + i) * rows * columns;
            for (long r = 0; r < rows; r++)
                fill_row(strip + r * pitch, pitch, from + r * columns, columns, 1, 0);
            zero(strip + rows * pitch, 2 * LANES);
            long t = 0;
            for (; t + 9 <= taps; t += 9)
                products_of(9, offsets + t, strip, scratch, length, dw + t);
            for (; t + 4 <= taps; t += 4)
                products_of(4, offsets + t, strip, scratch, length, dw + t);
            for (; t < taps; t++) products_of(1, offsets + t, strip, scratch, length, dw + t);
        }
    }
}

const conv_depthwise_kernels KERNEL(conv_depthwise) = {depthwise_scratch, depthwise_forward,
                                                       depthwise_weights};
