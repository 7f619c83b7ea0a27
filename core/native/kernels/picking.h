/* Picking and adding along one axis by int64 indices, over packed float32. */
#ifndef TRIPTYCH_PICKING_H
#define TRIPTYCH_PICKING_H
#ifdef __cplusplus
extern "C" {
#endif

/* x (outer, length, inner); indices in [-length, length), negative ones count from the end. */
typedef struct {
    long outer, length, inner;
    long count; /* of indices along the axis */
} picking_axis;

typedef struct {
    /* 1 if all `count` indices are in range. */
    int (*in_range)(const long long *index, long count, long length);

    /* With one index for a whole row of `inner` numbers, index (count,). */
    /* y (outer, count, inner): y[o, k] = x[o, index[k]] for rows [begin, end) of outer * count. */
    void (*take)(const picking_axis *axis, const float *x, const long long *index, float *y,
                 long begin, long end);
    /* x[o, index[k]] += g[o, k] in the order of k, for rows [begin, end) of outer * length of x. */
    void (*add)(const picking_axis *axis, const float *g, const long long *index, float *x,
                long begin, long end);

    /* With an index for each number, index and y (outer, count, inner): units of work, each one o
       or some columns of it, and y[o, k, i] = x[o, index[o, k, i], i] for some of them. Gives 0,
       with y half done, if an index is out of range; so does scatter. */
    long (*units)(const picking_axis *axis);
    int (*gather)(const picking_axis *axis, const float *x, const long long *index, float *y,
                   long begin, long end);
    /* x = start, or zeros if it is null, then x[o, index[o, k, i], i] = or += y[o, k, i] in the
       order of k. */
    int (*scatter)(const picking_axis *axis, const float *start, const float *y,
                   const long long *index, int add, float *x, long begin, long end);
} picking_kernels;

extern const picking_kernels picking_baseline, picking_avx2, picking_avx512;

#ifdef __cplusplus
}
#endif
#endif
