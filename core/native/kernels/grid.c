#include "grid.h"

#include "gather.h"
#include "vector_math.h"

#define CUBIC -0.75f /* Keys 1981, with the slope that torch has */

/* Up to four pixels along one axis: their numbers, weights, and slopes of the weights. */
typedef struct {
    vint at[4];
    vfloat weight[4], slope[4];
} axis_taps;

/* Brought inside; the slope ends at the edges. */
INLINE vfloat clamped(vfloat p, long n, vfloat *slope) {
    const float top = (float)(n - 1);
    *slope = choose((p > 0) & (p < top), *slope, splat(0));
    p = choose(p > 0, p, splat(0));
    return choose(p < top, p, splat(top));
}

/* Mirrored at the edges until it is inside. */
INLINE vfloat mirrored(vfloat p, long n, int align_corners, vfloat *slope) {
    const float low = align_corners ? 0 : -0.5f, span = align_corners ? (float)(n - 1) : (float)n;
    if (span == 0) {
        *slope = splat(0);
        return p * 0;
    }
    const vfloat from = p - low, away = vabs(from), turns = vfloor(away / span);
    const vfloat rest = away - as_rounded(turns * span);
    const vint even = turns - as_rounded(2 * vfloor(turns * 0.5f)) == 0;
    const vfloat turned = choose(even, *slope, -*slope);
    *slope = choose(from == 0, splat(0), with_sign_of(splat(1), from)) * turned;
    return clamped(choose(even, rest + low, (span + low) - rest), n, slope);
}

INLINE vfloat moved(vfloat p, long n, const grid_rule *rule, vfloat *slope) {
    if (rule->padding == GRID_BORDER) return clamped(p, n, slope);
    if (rule->padding == GRID_REFLECTION) return mirrored(p, n, rule->align_corners, slope);
    return p;
}

/* The pixel numbered p, or none if that is outside. */
INLINE void tap(axis_taps *taps, int i, vfloat p, long n, vfloat weight, vfloat slope) {
    const vint inside = (p >= 0) & (p <= (float)(n - 1));
    const vfloat factor = choose(inside, splat(1), splat(0));
    taps->at[i] = whole_of(choose(inside, p, splat(0)));
    taps->weight[i] = weight * factor;
    taps->slope[i] = slope * factor;
}

INLINE vfloat cubic_near(vfloat x) { return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1; }
INLINE vfloat cubic_far(vfloat x) { return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC; }
INLINE vfloat cubic_near_slope(vfloat x) { return (3 * (CUBIC + 2) * x - 2 * (CUBIC + 3)) * x; }
INLINE vfloat cubic_far_slope(vfloat x) { return (3 * CUBIC * x - 10 * CUBIC) * x + 8 * CUBIC; }

INLINE void cubic_taps(axis_taps *taps, vfloat p, long n, const grid_rule *rule, vfloat slope) {
    const vfloat low = vfloor(p), t = p - low, back = 1 - t;
    const vfloat weights[4] = {cubic_far(t + 1), cubic_near(t), cubic_near(back), cubic_far(back + 1)};
    const vfloat slopes[4] = {cubic_far_slope(t + 1), cubic_near_slope(t), -cubic_near_slope(back),
                              -cubic_far_slope(back + 1)};
    for (int i = 0; i < 4; i++) {
        vfloat unused = slope;
        const vfloat place = vrint(moved(low + (float)(i - 1), n, rule, &unused));
        tap(taps, i, place, n, weights[i], slopes[i] * slope);
    }
}

/* Two pixels as neighbours, whichever of them are outside: a pair that is inside altogether, and
   weights for those that are meant. Where both are outside, weights vanish (or are no numbers). */
INLINE void as_pair(axis_taps *taps, vfloat low, long n) {
    const vfloat last = splat((float)(n - 2)), base = choose(low > 0, vmin(low, last), splat(0));
    const vint same = low == base, before = low + 1 == base, after = low == base + 1;
    const vfloat none = splat(0);
    vfloat *const pairs[] = {taps->weight, taps->slope};
    for (int i = 0; i < 2; i++) {
        const vfloat near = pairs[i][0], far = pairs[i][1], odd = near * 0;
        pairs[i][0] = choose(same, near, choose(before, far, none)) + odd;
        pairs[i][1] = choose(same, far, choose(after, near, none)) + odd;
    }
    taps->at[0] = whole_of(base);
    taps->at[1] = taps->at[0] + 1;
}

/* Places from -1 to 1 along an axis of n. */
INLINE axis_taps taps_along(vfloat place, long n, const grid_rule *rule, int pairs) {
    axis_taps taps;
    const float half = rule->align_corners ? (float)(n - 1) / 2 : (float)n / 2;
    vfloat slope = splat(half), p = as_rounded((place + 1) * half);
    if (!rule->align_corners) p = (as_rounded((place + 1) * (float)n) - 1) * 0.5f;
    if (rule->mode == GRID_BICUBIC) {
        cubic_taps(&taps, p, n, rule, slope);
        return taps;
    }
    p = moved(p, n, rule, &slope);
    if (rule->mode == GRID_NEAREST) {
        tap(&taps, 0, vrint(p), n, splat(1), splat(0));
        return taps;
    }
    const vfloat low = vfloor(p), share = p - low;
    tap(&taps, 0, low, n, 1 - share, -slope);
    tap(&taps, 1, low + 1, n, share, slope);
    if (pairs) as_pair(&taps, low, n);
    return taps;
}

/* x and y of a vector of places; those beyond the last are the middle of the image. */
INLINE void coordinates(const float *grid, long count, vfloat *x, vfloat *y) {
    float part[2 * LANES] = {0};
    if (count < LANES) {
        for (long i = 0; i < 2 * count; i++) part[i] = grid[i];
        grid = part;
    }
    const vfloat low = load(grid), high = load(grid + LANES);
    *x = __builtin_shufflevector(low, high, EVEN_LANES);
    *y = __builtin_shufflevector(low, high, ODD_LANES);
}

static void taps(const grid_rule *rule, const float *grid, long count, int slopes,
                 grid_taps *all) {
    const int each = (int)rule->mode;
    all->count = each * each;
    all->pairs = rule->mode == GRID_BILINEAR && rule->width > 1;
    for (long i = 0; i < count; i += LANES) {
        vfloat px, py;
        coordinates(grid + 2 * i, count - i, &px, &py);
        const axis_taps x = taps_along(px, rule->width, rule, all->pairs);
        const axis_taps y = taps_along(py, rule->height, rule, 0);
        for (int k = 0; k < all->count; k++) {
            const int row = k / each, column = k % each;
            const vint at = y.at[row] * (int32_t)rule->width + x.at[column];
            __builtin_memcpy(all->at[k] + i, &at, sizeof at);
            store(all->weight[k] + i, y.weight[row] * x.weight[column]);
            if (!slopes) continue;
            store(all->by_x[k] + i, y.weight[row] * x.slope[column]);
            store(all->by_y[k] + i, y.slope[row] * x.weight[column]);
        }
    }
}

INLINE vint places_at(const int32_t *p) {
    vint at;
    __builtin_memcpy(&at, p, sizeof at);
    return at;
}

INLINE void put(float *to, vfloat v, long count) {
    if (count >= LANES)
        store(to, v);
    else
        store_part(to, v, count);
}

INLINE void read_taps(int taps_count, const grid_taps *taps, const float *x, long count, float *y) {
    const vint all = (vint){0} - 1;
    for (long i = 0; i < count; i += LANES) {
        vfloat sum = splat(0);
        for (int k = 0; k < taps_count; k++)
            sum += gather(x, places_at(taps->at[k] + i), all) * load(taps->weight[k] + i);
        put(y + i, sum, count - i);
    }
}

INLINE void read_pairs(const grid_taps *taps, const float *x, long count, float *y) {
    for (long i = 0; i < count; i += LANES) {
        vfloat sum = splat(0);
        for (int k = 0; k < 4; k += 2) {
            vfloat left = sum, right = sum;
            gather_two(x, places_at(taps->at[k] + i), &left, &right);
            sum += left * load(taps->weight[k] + i);
            sum += right * load(taps->weight[k + 1] + i);
        }
        put(y + i, sum, count - i);
    }
}

static void read_(const grid_taps *taps, const float *x, long channels, long size, long count,
                  float *y, long plane) {
    for (long c = 0; c < channels; c++, x += size, y += plane) { /* a plane may fit the cache */
        if (taps->pairs) read_pairs(taps, x, count, y);
        else if (taps->count == 1) read_taps(1, taps, x, count, y);
        else if (taps->count == 4) read_taps(4, taps, x, count, y);
        else read_taps(16, taps, x, count, y);
    }
}

__attribute__((unused)) static void read_plain(const grid_taps *taps, const float *x, long channels,
                                               long size, long count, float *y, long plane) {
    for (long c = 0; c < channels; c++)
        for (long i = 0; i < count; i++) {
            float sum = 0;
            for (int k = 0; k < taps->count; k++)
                sum += x[c * size + taps->at[k][i]] * taps->weight[k][i];
            y[c * plane + i] = sum;
        }
}

/* Places may share pixels, so they take turns. */
INLINE void spread_taps(int taps_count, const grid_taps *taps, const float *g, long plane,
                        long channels, long size, long count, float *dx) {
    for (long c = 0; c < channels; c++, g += plane, dx += size) {
        float part[GRID_MOST][GRID_BLOCK];
        for (int k = 0; k < taps_count; k++)
            for (long i = 0; i < count; i++) part[k][i] = g[i] * taps->weight[k][i];
        for (long i = 0; i < count; i++)
            for (int k = 0; k < taps_count; k++) dx[taps->at[k][i]] += part[k][i];
    }
}

static void spread(const grid_taps *taps, const float *g, long plane, long channels, long size,
                   long count, float *dx) {
    if (taps->count == 4)
        spread_taps(4, taps, g, plane, channels, size, count, dx);
    else if (taps->count == 1)
        spread_taps(1, taps, g, plane, channels, size, count, dx);
    else
        spread_taps(taps->count, taps, g, plane, channels, size, count, dx);
}

/* Sums over the channels of gradients times pixels. */
INLINE void slope_sums(const grid_taps *taps, long i, const float *x, const float *g, long plane,
                       long channels, long size, long rest, vfloat *sums) {
    const vint all = (vint){0} - 1;
    for (int k = 0; k < taps->count; k++) sums[k] = splat(0);
    for (long c = 0; c < channels; c++, x += size, g += plane) {
        const vfloat v = rest >= LANES ? load(g + i) : load_part(g + i, rest, 0);
        if (taps->pairs)
            for (int k = 0; k < 4; k += 2) {
                vfloat left = v, right = v;
                gather_two(x, places_at(taps->at[k] + i), &left, &right);
                sums[k] += left * v;
                sums[k + 1] += right * v;
            }
        else
            for (int k = 0; k < taps->count; k++)
                sums[k] += gather(x, places_at(taps->at[k] + i), all) * v;
    }
}

static void slope(const grid_taps *taps, const float *x, const float *g, long plane, long channels,
                  long size, long count, float *dgrid) {
    for (long i = 0; i < count; i += LANES) {
        vfloat sums[GRID_MOST], by_x = splat(0), by_y = splat(0);
        slope_sums(taps, i, x, g, plane, channels, size, count - i, sums);
        for (int k = 0; k < taps->count; k++) {
            by_x += sums[k] * load(taps->by_x[k] + i);
            by_y += sums[k] * load(taps->by_y[k] + i);
        }
        for (long j = 0; j < LANES && i + j < count; j++) {
            dgrid[2 * (i + j)] = by_x[j];
            dgrid[2 * (i + j) + 1] = by_y[j];
        }
    }
}

__attribute__((unused)) static void slope_plain(const grid_taps *taps, const float *x,
                                                const float *g, long plane, long channels,
                                                long size, long count, float *dgrid) {
    for (long i = 0; i < count; i++) {
        dgrid[2 * i] = dgrid[2 * i + 1] = 0;
        for (int k = 0; k < taps->count; k++)
            for (long c = 0; c < channels; c++) {
                const float product = x[c * size + taps->at[k][i]] * g[c * plane + i];
                dgrid[2 * i] += product * taps->by_x[k][i];
                dgrid[2 * i + 1] += product * taps->by_y[k][i];
            }
    }
}

const grid_kernels KERNEL(grid) = {taps, read_, spread, slope};
