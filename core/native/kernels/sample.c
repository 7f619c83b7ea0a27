#include "sample.h"

#include "gather.h"
#include "vector_math.h"

/* From -1 and 1 at the edges to pixels, 0 being the middle of the first of n; at most one outside. */
INLINE vfloat in_pixels(vfloat place, long n) {
    const vfloat pixels = (as_rounded((place + 1) * (float)n) - 1) * 0.5f;
    return vmin(vmax(pixels, splat(-1)), splat((float)n));
}

INLINE vfloat product(float a, vfloat x) { return as_rounded(splat(a) * x); }

static void places(const sample_map *map, long row, long columns, long height, long width, float *x,
                   float *y) {
    const vfloat v = splat((float)row) - map->center_y;
    const vfloat bv = product(map->b, v), ev = product(map->e, v), hv = product(map->h, v);
    vfloat column = splat(0);
    for (int i = 0; i < LANES; i++) column[i] = (float)i;
    for (long i = 0; i < columns; i += LANES, column += LANES) {
        vfloat px, py;
        if (map->kind == SAMPLE_GIVEN) {
            const long at = row * columns + i, count = columns - i;
            const int whole = count >= LANES;
            px = whole ? load(map->x + at) : load_part(map->x + at, count, 0);
            py = whole ? load(map->y + at) : load_part(map->y + at, count, 0);
        } else {
            const vfloat u = column - map->center_x;
            px = product(map->a, u) + bv + map->c;
            py = product(map->d, u) + ev + map->f;
            if (map->kind == SAMPLE_PROJECTIVE) {
                const vfloat below = product(map->g, u) + hv + 1;
                px = px / map->half_width / below - 1;
                py = py / map->half_height / below - 1;
            }
        }
        store(x + i, in_pixels(px, width));
        store(y + i, in_pixels(py, height));
    }
}

/* The two pixels on either side of places along an axis of n. */
typedef struct {
    vint first, near, far;           /* near and far: brought inside */
    vint near_inside, far_inside;    /* all ones or none */
    vfloat part, share;              /* of the far pixel; of both, those inside */
} sides;

INLINE sides sides_of(vfloat place, long n) {
    const vfloat left = vmin(vfloor(place), splat((float)(n - 1)));
    sides s;
    s.part = place - left;
    s.first = whole_of(left);
    s.near_inside = s.first >= 0;
    s.far_inside = s.first + 1 < (int32_t)n;
    s.near = s.first & s.near_inside;
    s.far = either(s.far_inside, s.first + 1, s.near);
    s.share = choose(s.near_inside, splat(1), s.part) - choose(s.far_inside, splat(0), s.part);
    return s;
}

/* Where a vector of new pixels lies in the old planes. */
typedef struct {
    sides across, down;
    vint upper, lower;          /* place of the near column in both rows */
    vfloat weights[4], share;   /* upper left, upper right, lower left, lower right */
} corners;

INLINE corners corners_of(vfloat x, vfloat y, const sample_image *image) {
    corners c;
    c.across = sides_of(x, image->width);
    c.down = sides_of(y, image->height);
    c.upper = c.down.near * (int32_t)image->width + c.across.near;
    c.lower = c.down.far * (int32_t)image->width + c.across.near;
    const vfloat left = 1 - c.across.part, top = 1 - c.down.part;
    c.weights[0] = as_rounded(left * top);
    c.weights[1] = as_rounded(c.across.part * top);
    c.weights[2] = as_rounded(left * c.down.part);
    c.weights[3] = as_rounded(c.across.part * c.down.part);
    c.share = as_rounded(c.across.share * c.down.share);
    return c;
}

INLINE vfloat mixed(const corners *c, const vfloat pixels[4], const float *fill) {
    vfloat sum = as_rounded(pixels[0] * c->weights[0]);
    for (int i = 1; i < 4; i++) sum = as_rounded(pixels[i] * c->weights[i]) + sum;
    return fill ? as_rounded((sum - *fill) * c->share) + *fill : sum;
}

INLINE void corner_bytes(const uint8_t *plane, const corners *c, long size, vfloat pixels[4]) {
    const vint rows[2] = {gather_pairs(plane, c->upper, size), gather_pairs(plane, c->lower, size)};
    const vint inside[2] = {c->down.near_inside, c->down.far_inside};
    for (int i = 0; i < 2; i++) {
        const vint left = rows[i] & 255, next = (rows[i] >> 8) & 255;
        const vint right = either(c->across.near_inside, next, left); /* before the first is nothing */
        pixels[2 * i] = floats_of(left & c->across.near_inside & inside[i]);
        pixels[2 * i + 1] = floats_of(right & c->across.far_inside & inside[i]);
    }
}

INLINE void corner_floats(const float *plane, const corners *c, vfloat pixels[4]) {
    const vint at[2] = {c->upper, c->lower}, step = c->across.far - c->across.near;
    const vint inside[2] = {c->down.near_inside, c->down.far_inside};
    for (int i = 0; i < 2; i++) {
        pixels[2 * i] = gather(plane, at[i], c->across.near_inside & inside[i]);
        pixels[2 * i + 1] = gather(plane, at[i] + step, c->across.far_inside & inside[i]);
    }
}

/* The nearest pixels: their place, and whether there is one. */
INLINE vint nearest(vfloat x, vfloat y, const sample_image *image, vint *inside) {
    const vint column = whole_of(vrint(x)), row = whole_of(vrint(y));
    *inside = (column >= 0) & (column < (int32_t)image->width) & (row >= 0) &
              (row < (int32_t)image->height);
    return (row * (int32_t)image->width + column) & *inside;
}

static void bytes(const sample_image *image, int bilinear, const float *x, const float *y,
                  long columns, uint8_t *out, long plane) {
    const long size = image->height * image->width;
    for (long i = 0; i < columns; i += LANES) {
        const uint8_t *from = image->planes;
        uint8_t *to = out + i;
        if (bilinear) {
            const corners c = corners_of(load(x + i), load(y + i), image);
            for (long channel = 0; channel < image->channels; channel++, from += size, to += plane) {
                vfloat pixels[4];
                corner_bytes(from, &c, size, pixels);
                const vfloat sum = mixed(&c, pixels, image->fill ? image->fill + channel : 0);
                store_bytes_part(to, whole_of(vrint(sum)), columns - i);
            }
        } else {
            vint inside;
            const vint at = nearest(load(x + i), load(y + i), image, &inside);
            for (long channel = 0; channel < image->channels; channel++, from += size, to += plane) {
                const vint outside = whole_of(vrint(splat(image->fill ? image->fill[channel] : 0)));
                const vint v = gather_pairs(from, at, size) & 255;
                store_bytes_part(to, either(inside, v, outside), columns - i);
            }
        }
    }
}

INLINE void put(float *to, vfloat v, long count) {
    if (count >= LANES)
        store(to, v);
    else
        store_part(to, v, count);
}

static void floats(const sample_image *image, int bilinear, const float *x, const float *y,
                   long columns, float *out, long plane) {
    const long size = image->height * image->width;
    for (long i = 0; i < columns; i += LANES) {
        const float *from = image->planes;
        float *to = out + i;
        if (bilinear) {
            const corners c = corners_of(load(x + i), load(y + i), image);
            for (long channel = 0; channel < image->channels; channel++, from += size, to += plane) {
                vfloat pixels[4];
                corner_floats(from, &c, pixels);
                put(to, mixed(&c, pixels, image->fill ? image->fill + channel : 0), columns - i);
            }
        } else {
            vint inside;
            const vint at = nearest(load(x + i), load(y + i), image, &inside);
            for (long channel = 0; channel < image->channels; channel++, from += size, to += plane) {
                const vfloat outside = splat(image->fill ? image->fill[channel] : 0);
                put(to, choose(inside, gather(from, at, inside), outside), columns - i);
            }
        }
    }
}

/* The plain twin: one new pixel of a plane of floats, in the same steps. */
__attribute__((unused)) static float sample_plain(const float *plane, long height, long width,
                                                  int bilinear, float x, float y,
                                                  const float *fill) {
    if (!bilinear) {
        const long column = (long)__builtin_rintf(x), row = (long)__builtin_rintf(y);
        const int inside = column >= 0 && column < width && row >= 0 && row < height;
        return inside ? plane[row * width + column] : fill ? *fill : 0;
    }
    float left = __builtin_floorf(x), top = __builtin_floorf(y);
    left = left < (float)(width - 1) ? left : (float)(width - 1);
    top = top < (float)(height - 1) ? top : (float)(height - 1);
    const volatile float part_x[2] = {1 - (x - left), x - left};
    const volatile float part_y[2] = {1 - (y - top), y - top};
    volatile float sum = 0, share_x = 0, share_y = 0;
    for (long i = 0; i < 2; i++)
        for (long j = 0; j < 2; j++) {
            const long row = (long)top + i, column = (long)left + j;
            const int inside = row >= 0 && row < height && column >= 0 && column < width;
            const volatile float weight = part_x[j] * part_y[i];
            const volatile float term = inside ? plane[row * width + column] * weight : 0;
            sum = sum + term;
        }
    if (!fill) return sum;
    share_x = (left < 0 ? part_x[1] : 1) - (left + 1 >= (float)width ? part_x[1] : 0);
    share_y = (top < 0 ? part_y[1] : 1) - (top + 1 >= (float)height ? part_y[1] : 0);
    const volatile float share = share_x * share_y, moved = (sum - *fill) * share;
    return moved + *fill;
}

const sample_kernels KERNEL(sample) = {places, bytes, floats};
