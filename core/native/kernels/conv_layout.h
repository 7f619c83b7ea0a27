/* The copy of an image in which taps are offsets; see conv_layout in conv.h. */
#ifndef TRIPTYCH_CONV_LAYOUT_H
#define TRIPTYCH_CONV_LAYOUT_H

#include "conv.h"
#include "conv_tile.h"
#include "conv_transpose.h"

INLINE long least(long a, long b) { return a < b ? a : b; }
INLINE long most(long a, long b) { return a > b ? a : b; }
INLINE long ceil_div(long a, long b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); } /* b > 0 */

static inline void conv_plan(conv_layout *layout, const conv_axis *y, const conv_axis *x) {
    const long span_y = (y->kernel - 1) * y->dilation, span_x = (x->kernel - 1) * x->dilation;
    layout->y = *y, layout->x = *x;
    layout->phases_y = least(y->stride, span_y + 1);
    layout->phases_x = least(x->stride, span_x + 1);
    layout->rows = y->out + span_y / y->stride;
    layout->pitch = x->out + span_x / x->stride;
    if (x->stride == 1) { /* zeros after one row are zeros before the next */
        const long after = layout->pitch - x->before - x->in;
        layout->pitch -= most(0, least(span_x, least(x->before, after)));
    }
    layout->plane = layout->phases_y * layout->phases_x * layout->rows * layout->pitch;
    layout->slack = layout->pitch + TILE_WIDTH;
}

static inline void conv_offsets(const conv_layout *layout, long *offsets) {
    const conv_axis *y = &layout->y, *x = &layout->x;
    for (long i = 0; i < y->kernel; i++)
        for (long j = 0; j < x->kernel; j++) {
            const long down = i * y->dilation, right = j * x->dilation;
            const long phase = down % y->stride * layout->phases_x + right % x->stride;
            *offsets++ = (phase * layout->rows + down / y->stride) * layout->pitch +
                         right / x->stride;
        }
}

INLINE void zero(float *to, long count) {
    long i = 0;
    for (; i + LANES <= count; i += LANES) store(to + i, splat(0));
    for (; i < count; i++) to[i] = 0;
}

/* to[i] = from[i * step]; to and from do not overlap. */
INLINE void copy_every(float *restrict to, const float *restrict from, long count,
                       const long step) {
    long i = 0;
    if (step == 2) /* nothing is read after the last number that is copied */
        for (; i + LANES < count; i += LANES)
            store(to + i, evens(load(from + 2 * i), load(from + 2 * i + LANES)));
    for (; i < count; i++) to[i] = from[i * step];
}

/* One row of one phase: to[q] = x[q * stride + first], zero where that is outside of the row. */
static inline void fill_row(float *to, long count, const float *x, long length, long stride,
                            long first) {
    const long begin = least(count, most(0, ceil_div(-first, stride)));
    const long end = most(begin, least(count, ceil_div(length - first, stride)));
    const float *from = x + begin * stride + first;
    zero(to, begin);
    if (stride == 1) copy_row(to + begin, from, end - begin);
    else if (stride == 2) copy_every(to + begin, from, end - begin, 2);
    else copy_every(to + begin, from, end - begin, stride);
    zero(to + end, count - end);
}

static inline void conv_fill(const conv_layout *layout, const float *x, float *planes, long count,
                        int last) {
    const conv_axis *along_y = &layout->y, *along_x = &layout->x;
    float *to = planes;
    for (long c = 0; c < count; c++, x += along_y->in * along_x->in)
        for (long a = 0; a < layout->phases_y; a++)
            for (long b = 0; b < layout->phases_x; b++)
                for (long r = 0; r < layout->rows; r++, to += layout->pitch) {
                    const long row = r * along_y->stride + a - along_y->before;
                    if (row < 0 || row >= along_y->in) zero(to, layout->pitch);
                    else
                        fill_row(to, layout->pitch, x + row * along_x->in, along_x->in,
                                 along_x->stride, b - along_x->before);
                }
    if (last) zero(to, layout->slack);
}

#endif
