#include "bands.h"

#include "vector.h"

#define FRAMES 256 /* at a time: neighbouring bands see the same bins, which are still near */
#define AT_ONCE 4  /* vectors of frames */
#define AHEAD 8    /* bins between the one in use and the one that the memory is asked for */

static long ranges_of(const float *bands, long count, long bins, bands_range *ranges) {
    long all = 0;
    for (long m = 0; m < count; m++, bands += bins) {
        long begin = 0, end = bins;
        while (begin < end && bands[begin] == 0) begin++;
        while (end > begin && bands[end - 1] == 0) end--;
        ranges[m] = (bands_range){begin, end};
        all += end - begin;
    }
    return all;
}

/* Some vectors of frames of one band: w and x are at the first of `count` bins. */
INLINE void sum_of(const int vectors, const float *w, const float *x, long count, long frames,
                   float *y) {
    vfloat sum[AT_ONCE];
    for (int v = 0; v < vectors; v++) sum[v] = splat(0);
    for (long f = 0; f < count; f++, x += frames) {
        const vfloat weight = splat(w[f]);
        for (int v = 0; v < vectors; v++) {
            ask_for(x + v * LANES, AHEAD * frames);
            sum[v] += weight * load(x + v * LANES);
        }
    }
    for (int v = 0; v < vectors; v++) store(y + v * LANES, sum[v]);
}

/* Fewer frames than a vector has lanes. */
static void sum_of_part(const float *w, const float *x, long count, long frames, float *y,
                        long part) {
    vfloat sum = splat(0);
    for (long f = 0; f < count; f++, x += frames) sum += splat(w[f]) * load_part(x, part, 0);
    store_part(y, sum, part);
}

static void sums_of(const float *bands, const bands_range *ranges, long count, long bins,
                    const float *x, float *y, long frames, long begin, long end) {
    for (long m = 0; m < count; m++) {
        const long first = ranges[m].begin, length = ranges[m].end - first;
        const float *w = bands + m * bins + first, *from = x + first * frames;
        float *to = y + m * frames;
        long t = begin;
        for (; t + AT_ONCE * LANES <= end; t += AT_ONCE * LANES)
            sum_of(AT_ONCE, w, from + t, length, frames, to + t);
        for (; t + LANES <= end; t += LANES) sum_of(1, w, from + t, length, frames, to + t);
        if (t < end) sum_of_part(w, from + t, length, frames, to + t, end - t);
    }
}

const bands_kernels KERNEL(bands) = {ranges_of, sums_of, FRAMES};
