/* Depthwise convolution by kernels of 3x3 and 5x5 with stride 1 or 2, from the image where it lies.
   A vector is LANES neighbours in a row of the output, and ROWS of these rows are summed at once:
   a row of the image is loaded once per tap for all that see it, with masks in place of padding. */
#ifndef TRIPTYCH_CONV_ROWS_H
#define TRIPTYCH_CONV_ROWS_H

#include "conv.h"

#include "conv_after.h"
#include "conv_layout.h"

#if defined(__AVX512F__) || defined(__AVX2__)
#define HAS_ROWS 1
#define ROWS 7

/* The vector at p, zeros where the mask is not set; nothing is read there. */
#if defined(__AVX512F__)
typedef __mmask16 row_mask;
INLINE row_mask lanes_between(long begin, long end) {
    return (row_mask)(((1u << end) - 1) & ~((1u << begin) - 1));
}
INLINE vfloat load_masked(const float *p, row_mask mask) {
    return (vfloat)_mm512_maskz_loadu_ps(mask, p);
}
#else
typedef vint row_mask;
INLINE row_mask lanes_between(long begin, long end) {
    return first_lanes(end) & ~first_lanes(begin);
}
INLINE vfloat load_masked(const float *p, row_mask mask) {
    return (vfloat)_mm256_maskload_ps(p, (__m256i)mask);
}
#endif

/* Lanes of [start, start + LANES) that are in [0, length). */
INLINE row_mask lanes_inside(long start, long length) {
    const long begin = least(LANES, most(0, -start));
    return lanes_between(begin, most(begin, least(LANES, length - start)));
}

#define ODD_(step, lane) (2 * (lane) + 1)
INLINE vfloat odds(vfloat a, vfloat b) { return __builtin_shufflevector(a, b, EACH_(ODD_, 0)); }

/* What a column of vectors sees of each row: `first` is where its first lane's first tap is. */
typedef struct {
    long first;
    row_mask masks[6]; /* of vectors to load: one per tap, or with stride 2 two per pair of taps */
} row_view;

INLINE row_view view_of(const int kernel, const int stride, const conv_axis *x, long column) {
    row_view view;
    view.first = column * stride - x->before;
    for (int i = 0; i < (stride == 1 ? kernel : kernel + 1); i++)
        view.masks[i] = lanes_inside(
            view.first + (stride == 1 ? i : i / 2 * 2 + i % 2 * LANES), x->in);
    return view;
}

INLINE void load_taps(const int kernel, const int stride, const float *row, const row_view *view,
                      vfloat *taps) {
    row += view->first;
    if (stride == 1)
        for (int i = 0; i < kernel; i++) taps[i] = load_masked(row + i, view->masks[i]);
    else
        for (int i = 0; i < kernel; i += 2) {
            const vfloat low = load_masked(row + i, view->masks[i]);
            const vfloat high = load_masked(row + i + LANES, view->masks[i + 1]);
            taps[i] = evens(low, high);
            if (i + 1 < kernel) taps[i + 1] = odds(low, high);
        }
}

/* y[r] for `rows` rows of outputs whose first sees the image from row `top` on. */
INLINE void rows_of(const int kernel, const int stride, const int rows, const conv_layout *layout,
                    const float *w, const float *x, long top, const row_view *view,
                    const conv_after *after, long channel, float *y, long count) {
    vfloat sum[ROWS], taps[6];
    for (int r = 0; r < rows; r++) {
        sum[r] = splat(0);
        __builtin_prefetch(y + r * layout->x.out, 1, 3);
    }
#pragma GCC unroll 20
    for (int i = 0; i < (rows - 1) * stride + kernel; i++) {
        if (top + i < 0 || top + i >= layout->y.in) continue;
        load_taps(kernel, stride, x + (top + i) * layout->x.in, view, taps);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            const int k = i - r * stride;
            if (k < 0 || k >= kernel) continue;
#pragma GCC unroll 5
            for (int j = 0; j < kernel; j++) sum[r] += splat(w[k * kernel + j]) * taps[j];
        }
    }
    if (after && after->hardswish)
        for (int r = 0; r < rows; r++) sum[r] = channel_after(1, after, channel, sum[r]);
    else if (after)
        for (int r = 0; r < rows; r++) sum[r] = channel_after(0, after, channel, sum[r]);
    for (int r = 0; r < rows; r++, y += layout->x.out) {
        if (count < LANES) store_part(y, sum[r], count);
        else store(y, sum[r]);
    }
}

INLINE void channel_by_rows(const int kernel, const int stride, const conv_layout *layout,
                            const float *w, const float *x, const conv_after *after, long channel,
                            float *y) {
    const long rows = layout->y.out, columns = layout->x.out, before = layout->y.before;
    for (long j = 0; j < columns; j += LANES) {
        const row_view view = view_of(kernel, stride, &layout->x, j);
        const long count = least(LANES, columns - j);
        if (rows < ROWS)
            for (long r = 0; r < rows; r++)
                rows_of(kernel, stride, 1, layout, w, x, r * stride - before, &view, after, channel,
                        y + r * columns + j, count);
        else
            for (long next = 0; next < rows; next += ROWS) {
                const long r = least(next, rows - ROWS); /* the last ones may come again */
                rows_of(kernel, stride, ROWS, layout, w, x, r * stride - before, &view, after,
                        channel, y + r * columns + j, count);
            }
    }
}

#define BY_ROWS(kernel, stride)                                                                    \
    static void by_rows_##kernel##_##stride(const conv_layout *layout, const float *w,             \
                                            const float *x, const conv_after *after,               \
                                            long channel, float *y) {                              \
        channel_by_rows(kernel, stride, layout, w, x, after, channel, y);                          \
    }
BY_ROWS(3, 1)
BY_ROWS(3, 2)
BY_ROWS(5, 1)
BY_ROWS(5, 2)

typedef void rows_function(const conv_layout *, const float *, const float *, const conv_after *,
                           long, float *);

/* The function for a layout, or null. */
static rows_function *find_rows(const conv_layout *layout) {
    static rows_function *const functions[2][2] = {{by_rows_3_1, by_rows_3_2},
                                                   {by_rows_5_1, by_rows_5_2}};
    const conv_axis *y = &layout->y, *x = &layout->x;
    const int same = y->kernel == x->kernel && y->stride == x->stride;
    if (!same || y->dilation != 1 || x->dilation != 1 || x->stride > 2) return 0;
    if (x->kernel != 3 && x->kernel != 5) return 0;
    return functions[x->kernel == 5][x->stride - 1];
}
#endif

#endif
