/* Normalisation. The variance of a block that stays in the cache is taken in two passes, as the sum
   of squares of what is left without the mean; blocks are put together in double precision, so that
   memory is read once, and large means cost no digits.
   Source: Chan, Golub and LeVeque 1983, eq. 2.1. */
#include "norm.h"

#include "rows.h"

#define BLOCK 4096 /* numbers: 16 KB, half of the smallest first-level cache in use */

/* A span as blocks: several short planes, or a part of a long one. */
#define EACH_BLOCK(span)                                                                           \
    const long together = (span)->length < BLOCK ? BLOCK / ((span)->length + !(span)->length) : 1; \
    for (long plane = 0; plane < (span)->planes; plane += together)                                \
        for (long from = 0; from < (span)->length; from += BLOCK)

#define BLOCK_OF(span)                                                                             \
    (norm_span) {                                                                                  \
        together < (span)->planes - plane ? together : (span)->planes - plane,                     \
            BLOCK < (span)->length - from ? BLOCK : (span)->length - from, (span)->step            \
    }

static float block_sum(const norm_span *block, const float *x) {
    vfloat sum[2] = {{0}, {0}};
    for (long p = 0; p < block->planes; p++, x += block->step) {
        long i = 0;
        for (; i + 2 * LANES <= block->length; i += 2 * LANES)
            sum[0] += load(x + i), sum[1] += load(x + i + LANES);
        for (; i < block->length; i += LANES) sum[0] += load_some(x + i, block->length - i, 0);
    }
    return lanes_sum(sum[0] + sum[1]);
}

static float block_squares(const norm_span *block, const float *x, float mean) {
    vfloat sum[2] = {{0}, {0}};
    for (long p = 0; p < block->planes; p++, x += block->step) {
        long i = 0;
        for (; i + 2 * LANES <= block->length; i += 2 * LANES) {
            const vfloat a = load(x + i) - mean, b = load(x + i + LANES) - mean;
            sum[0] += a * a, sum[1] += b * b;
        }
        for (; i < block->length; i += LANES) {
            const vfloat a = load_some(x + i, block->length - i, mean) - mean;
            sum[0] += a * a;
        }
    }
    return lanes_sum(sum[0] + sum[1]);
}

static void norm_moments(const norm_span *span, const float *x, int centred, double *mean,
                         double *var) {
    double count = 0, level = 0, squares = 0;
    EACH_BLOCK(span) {
        const norm_span block = BLOCK_OF(span);
        const float *at = x + plane * span->step + from;
        const double size = (double)(block.planes * block.length);
        const float own = centred ? (float)(block_sum(&block, at) / size) : 0;
        const double delta = own - level, share = size / (count + size);
        squares += block_squares(&block, at, own) + (centred ? delta * delta * count * share : 0);
        level += centred ? delta * share : 0;
        count += size;
    }
    *mean = level, *var = squares / count;
}

static void norm_apply(const norm_span *span, const float *x, float *y, float mean, float scale,
                       float shift) {
    const long length = span->length;
    for (long p = 0; p < span->planes; p++, x += span->step, y += span->step)
        for (long i = 0; i < length; i += LANES)
            store_some(y + i, (load_some(x + i, length - i, 0) - mean) * scale + shift, length - i);
}

static void norm_sums(const norm_span *span, const float *g, const float *x, float mean,
                      double *plain, double *tilted) {
    *plain = *tilted = 0;
    EACH_BLOCK(span) {
        const norm_span block = BLOCK_OF(span);
        const long at = plane * span->step + from;
        vfloat sum = {0}, dot = {0};
        for (long p = 0; p < block.planes; p++) {
            const float *up = g + at + p * block.step, *in = x + at + p * block.step;
            for (long i = 0; i < block.length; i += LANES) {
                const vfloat v = load_some(up + i, block.length - i, 0);
                sum += v;
                dot += v * (load_some(in + i, block.length - i, mean) - mean);
            }
        }
        *plain += lanes_sum(sum), *tilted += lanes_sum(dot);
    }
}

static void norm_combine(const norm_span *span, const float *g, const float *x, float *dx,
                         float mean, float of_g, float of_x, float constant) {
    const long length = span->length, step = span->step;
    for (long p = 0; p < span->planes; p++, g += step, x += step, dx += step)
        for (long i = 0; i < length; i += LANES) {
            const vfloat centred = load_some(x + i, length - i, 0) - mean;
            const vfloat v = load_some(g + i, length - i, 0) * of_g + constant;
            store_some(dx + i, v + centred * of_x, length - i);
        }
}

/* Rows */

static void row_moments(const norm_row *row, const float *x, float *mean, float *scale) {
    const norm_span span = {1, row->length, row->length};
    double level, var;
    norm_moments(&span, x, row->centred, &level, &var);
    *mean = (float)level, *scale = (float)(1 / __builtin_sqrt(var + row->eps));
}

static void norm_rows(const norm_row *row, const float *x, float *y, long count) {
    const long length = row->length;
    for (long r = 0; r < count; r++, x += length, y += length) {
        float mean, scale;
        row_moments(row, x, &mean, &scale);
        for (long i = 0; i < length; i += LANES) {
            vfloat v = (load_some(x + i, length - i, 0) - mean) * scale;
            if (row->weight) v *= load_some(row->weight + i, length - i, 0);
            if (row->bias) v += load_some(row->bias + i, length - i, 0);
            store_some(y + i, v, length - i);
        }
    }
}

/* The part of a row's gradients that sums: those of weight and bias, and over the row. */
static void row_gathered(const norm_row *row, const float *g, const float *x, float mean,
                         float scale, float *dw, float *db, double *plain, double *tilted) {
    *plain = *tilted = 0;
    for (long from = 0; from < row->length; from += BLOCK) {
        const long end = from + BLOCK < row->length ? from + BLOCK : row->length;
        vfloat sum = {0}, dot = {0};
        for (long i = from; i < end; i += LANES) {
            const long left = end - i;
            const vfloat y = (load_some(x + i, left, mean) - mean) * scale;
            vfloat v = load_some(g + i, left, 0);
            if (dw) store_some(dw + i, load_some(dw + i, left, 0) + v * y, left);
            if (db) store_some(db + i, load_some(db + i, left, 0) + v, left);
            if (row->weight) v *= load_some(row->weight + i, left, 0);
            sum += v, dot += v * y;
        }
        *plain += lanes_sum(sum), *tilted += lanes_sum(dot);
    }
}

static void norm_rows_backward(const norm_row *row, const float *g, const float *x, float *dx,
                               float *dw, float *db, long count) {
    const long length = row->length;
    for (long r = 0; r < count; r++, g += length, x += length, dx += length) {
        float mean, scale;
        double plain, tilted;
        row_moments(row, x, &mean, &scale);
        row_gathered(row, g, x, mean, scale, dw, db, &plain, &tilted);
        const float level = row->centred ? (float)(plain / (double)length) : 0;
        const float tilt = (float)(tilted / (double)length) * scale;
        for (long i = 0; i < length; i += LANES) {
            const long left = length - i;
            vfloat v = load_some(g + i, left, 0);
            if (row->weight) v *= load_some(row->weight + i, left, 0);
            v = (v - level) - (load_some(x + i, left, 0) - mean) * tilt;
            store_some(dx + i, v * scale, left);
        }
    }
}

/* The plain twins. */

__attribute__((unused)) static void norm_moments_plain(const norm_span *span, const float *x,
                                                       int centred, double *mean, double *var) {
    const double count = (double)(span->planes * span->length);
    double sum = 0, squares = 0;
    for (long p = 0; p < span->planes; p++)
        for (long i = 0; i < span->length; i++) sum += x[p * span->step + i];
    *mean = centred ? sum / count : 0;
    for (long p = 0; p < span->planes; p++)
        for (long i = 0; i < span->length; i++) {
            const double v = x[p * span->step + i] - *mean;
            squares += v * v;
        }
    *var = squares / count;
}

__attribute__((unused)) static void norm_rows_plain(const norm_row *row, const float *x, float *y,
                                                    long count) {
    const norm_span span = {1, row->length, row->length};
    for (long r = 0; r < count; r++, x += row->length) {
        double mean, var;
        norm_moments_plain(&span, x, row->centred, &mean, &var);
        for (long i = 0; i < row->length; i++) {
            const double v = (x[i] - mean) / __builtin_sqrt(var + row->eps);
            *y++ = (float)(v * (row->weight ? row->weight[i] : 1) + (row->bias ? row->bias[i] : 0));
        }
    }
}

__attribute__((unused)) static void norm_rows_backward_plain(const norm_row *row, const float *g,
                                                             const float *x, float *dx, float *dw,
                                                             float *db, long count) {
    const long length = row->length;
    const norm_span span = {1, length, length};
    for (long r = 0; r < count; r++, g += length, x += length) {
        double mean, var, plain = 0, tilted = 0;
        norm_moments_plain(&span, x, row->centred, &mean, &var);
        const double scale = 1 / __builtin_sqrt(var + row->eps);
        for (long i = 0; i < length; i++) {
            const double y = (x[i] - mean) * scale, v = g[i] * (row->weight ? row->weight[i] : 1);
            if (dw) dw[i] += (float)(g[i] * y);
            if (db) db[i] += g[i];
            plain += row->centred ? v : 0, tilted += v * y;
        }
        for (long i = 0; i < length; i++) {
            const double y = (x[i] - mean) * scale, v = g[i] * (row->weight ? row->weight[i] : 1);
            *dx++ = (float)(scale * (v - plain / (double)length - y * tilted / (double)length));
        }
    }
}

const norm_kernels KERNEL(norm) = {norm_moments, norm_apply, norm_sums,
                                   norm_combine, norm_rows,  norm_rows_backward};
