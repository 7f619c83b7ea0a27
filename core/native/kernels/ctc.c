/* Connectionist temporal classification: the ways to each place of a path of labels with blanks
   between them, summed as logarithms step by step (Graves et al. 2006, section 4.1).

   A row is one step: the blanks' places and the labels' places in two arrays, so that neighbours
   along the path lie at the same or the next index and lanes run along the labels. Blank k stands
   before label k. What a step adds to the logarithms is kept apart, as a double: the largest place
   of a row was 0 before the step, so that float32 loses nothing in long sequences.

   Log 0 is NEVER, which is finite: the difference of two of them is no NaN. */
#include "ctc.h"

#include "exp_below.h"
#include "rows.h"
#include "vector_math.h"

#define NEVER -1e30f

/* log(x) for 1 <= x, or NaN. */
INLINE vfloat log_from_one(vfloat x) {
    vfloat mantissa, exponent;
    split_exponent(x, &mantissa, &exponent);
    return choose(x != x, x, log_reduced(mantissa - 1.0f, exponent));
}
INLINE vfloat log_sum2(vfloat a, vfloat b) {
    const vfloat top = vmax(a, b);
    return top + log_from_one(vexp_below(a - top) + vexp_below(b - top));
}
INLINE vfloat log_sum3(vfloat a, vfloat b, vfloat c) {
    const vfloat top = vmax(vmax(a, b), c);
    return top + log_from_one((vexp_below(a - top) + vexp_below(b - top)) + vexp_below(c - top));
}
INLINE vfloat not_below_never(vfloat x) { return vmax(splat(NEVER), x); } /* keeps NaN */

/* Numbers for `count` labels and the blank after them, in whole vectors, with a vector of log 0 on
   both sides. */
static long room(long count) { return (count + LANES) / LANES * LANES; }
static long row_floats(long count) { return room(count) + 2 * LANES; }

typedef struct {
    float *blanks, *labels;
} ctc_row;

/* The work memory: fixed rows, then the rows of steps. */
typedef struct {
    float *scores; /* of the labels at one step, log 0 behind them */
    float *jump;   /* 0 where the label before may be the step before, else log 0 */
    double *levels; /* of each row: what has been taken off its logarithms */
    float *rows;
    long room, size;
} ctc_work;

static long ctc_work_floats(long count, long rows) {
    return (2 + 2 * rows) * row_floats(count) + (2 * rows + LANES) / LANES * LANES;
}

static void fill(float *x, float value, long count) {
    for (long i = 0; i < count; i++) x[i] = value;
}

static ctc_work divided(const ctc_sample *s, float *work, long rows) {
    const long size = row_floats(s->count);
    ctc_work w = {work + LANES, work + size + LANES, 0, work + 2 * size, room(s->count), size};
    w.levels = (double *)(work + (2 + 2 * rows) * size);
    fill(work, NEVER, 2 * size);
    for (long k = 0; k < s->count; k++) {
        const int open = s->labels[k] != s->blank && (k == 0 || s->labels[k] != s->labels[k - 1]);
        w.jump[k] = open ? 0 : NEVER;
    }
    return w;
}

static ctc_row row_of(const ctc_work *w, long number) {
    float *start = w->rows + 2 * number * w->size + LANES;
    return (ctc_row){start, start + w->size};
}
static void clear(const ctc_work *w, ctc_row row) { fill(row.blanks - LANES, NEVER, 2 * w->size); }

/* The largest number of a row, for the next one to take off; 0 if all are log 0. */
static float top_of(const ctc_work *w, ctc_row row) {
    vfloat top = splat(NEVER);
    for (long k = 0; k < w->room; k += LANES)
        top = vmax(vmax(load(row.blanks + k), load(row.labels + k)), top);
    const float found = lanes_max(top);
    return found > NEVER / 2 ? found : 0;
}

static void pick(const ctc_sample *s, const ctc_work *w, long step) {
    const float *x = s->x + step * s->step;
    for (long k = 0; k < s->count; k++) w->scores[k] = x[s->labels[k]];
}

/* All ways to each place after a step: from the same place, the one before, and from the label
   before to a label that differs. */
static void advance(const ctc_sample *s, const ctc_work *w, long step, ctc_row from, float drop,
                    ctc_row to) {
    const vfloat shift = splat(drop), blank = not_below_never(splat(s->x[step * s->step + s->blank]));
    pick(s, w, step);
    for (long k = 0; k < w->room; k += LANES) {
        const vfloat blanks = load(from.blanks + k), labels = load(from.labels + k);
        const vfloat before = load(from.labels + k - 1);
        const vfloat score = not_below_never(load(w->scores + k)) - shift;
        const vfloat reached = log_sum3(labels, blanks, before + load(w->jump + k));
        store(to.blanks + k, not_below_never(log_sum2(blanks, before) + (blank - shift)));
        store(to.labels + k, not_below_never(reached + score));
    }
}

/* All ways from each place to the end, before a step; `ahead` is a row to work in. */
static void retreat(const ctc_sample *s, const ctc_work *w, long step, ctc_row from, float drop,
                    ctc_row ahead, ctc_row to) {
    const vfloat shift = splat(drop), blank = not_below_never(splat(s->x[step * s->step + s->blank]));
    pick(s, w, step);
    for (long k = 0; k < w->room; k += LANES) {
        const vfloat score = not_below_never(load(w->scores + k)) - shift;
        store(ahead.blanks + k, load(from.blanks + k) + (blank - shift));
        store(ahead.labels + k, load(from.labels + k) + score);
    }
    for (long k = 0; k < w->room; k += LANES) {
        const vfloat blanks = load(ahead.blanks + k), labels = load(ahead.labels + k);
        const vfloat after = load(ahead.labels + k + 1) + load(w->jump + k + 1);
        const vfloat left = log_sum3(labels, load(ahead.blanks + k + 1), after);
        store(to.blanks + k, not_below_never(log_sum2(blanks, labels)));
        store(to.labels + k, not_below_never(left));
    }
}

/* Forward through all steps. The row before step t is number t % rows, and levels[t % rows] is what
   its numbers lack. */
static void all_ways(const ctc_sample *s, const ctc_work *w, long rows) {
    for (long i = 0; i < rows; i++) clear(w, row_of(w, i));
    row_of(w, 0).blanks[0] = 0;
    w->levels[0] = 0;
    for (long t = 0; t < s->steps; t++) {
        const ctc_row from = row_of(w, t % rows);
        const float top = top_of(w, from);
        advance(s, w, t, from, top, row_of(w, (t + 1) % rows));
        w->levels[(t + 1) % rows] = w->levels[t % rows] + top;
    }
}

static double loss_of(const ctc_sample *s, const ctc_work *w, long rows) {
    if (s->steps == 0) return s->count ? __builtin_inf() : 0;
    const ctc_row last = row_of(w, s->steps % rows);
    const float label = s->count ? last.labels[s->count - 1] : NEVER;
    const float found = log_sum2(splat(last.blanks[s->count]), splat(label))[0];
    return found < NEVER / 2 ? __builtin_inf() : -(w->levels[s->steps % rows] + found);
}

static float ctc_forward(const ctc_sample *s, float *work) {
    const ctc_work w = divided(s, work, 2);
    all_ways(s, &w, 2);
    return (float)loss_of(s, &w, 2);
}

/* The gradient at one step: less the probability of each class at it, plus exp(x). `scale`: the
   logarithm that makes the rows' sums probabilities. */
static void slope_of_step(const ctc_sample *s, const ctc_work *w, ctc_row to, ctc_row from,
                          float scale, float slope, int logits, const float *x, float *dx) {
    vfloat total = {0};
    for (long j = 0; j < s->classes; j += LANES) {
        const vfloat p = logits ? vexp(load_some(x + j, s->classes - j, 0)) * slope : splat(0);
        store_some(dx + j, p, s->classes - j);
    }
    for (long k = 0; k < w->room; k += LANES) {
        total += vexp_below(load(to.blanks + k) + load(from.blanks + k) + scale);
        store(w->scores + k, vexp_below(load(to.labels + k) + load(from.labels + k) + scale));
    }
    for (long k = 0; k < s->count; k++) dx[s->labels[k]] -= w->scores[k] * slope;
    dx[s->blank] -= lanes_sum(total) * slope;
    fill(w->scores + s->count, NEVER, w->room - s->count);
}

static void ctc_backward(const ctc_sample *s, float slope, int logits, float *dx, float *work) {
    const long rows = s->steps + 1;
    const ctc_work w = divided(s, work, rows + 3);
    all_ways(s, &w, rows);
    const double loss = loss_of(s, &w, rows);
    if (loss == __builtin_inf()) {
        for (long t = 0; t < s->steps; t++) fill(dx + t * s->step, 0, s->classes);
        return;
    }
    ctc_row from = row_of(&w, rows), to = row_of(&w, rows + 1);
    const ctc_row ahead = row_of(&w, rows + 2);
    clear(&w, from), clear(&w, to), clear(&w, ahead);
    from.blanks[s->count] = 0;
    if (s->count) from.labels[s->count - 1] = 0;
    double level = 0;
    for (long t = s->steps - 1; t >= 0; t--) {
        const float scale = (float)(w.levels[t + 1] + level + loss);
        slope_of_step(s, &w, row_of(&w, t + 1), from, scale, slope, logits, s->x + t * s->step,
                      dx + t * s->step);
        const float top = top_of(&w, from);
        retreat(s, &w, t, from, top, ahead, to);
        level += top;
        const ctc_row swap = from;
        from = to, to = swap;
    }
}

/* The plain twin: in doubles and over the path as it is. p = 2 s + 1 places. */
static double plain_log_sum(double a, double b) {
    const double top = a > b ? a : b, low = a > b ? b : a;
    return low == -__builtin_inf() ? top : top + __builtin_log1p(__builtin_exp(low - top));
}
static long plain_class(const ctc_sample *s, long place) {
    return place % 2 ? (long)s->labels[place / 2] : s->blank;
}
static int plain_open(const ctc_sample *s, long place) { /* from two places before */
    const long own = plain_class(s, place);
    return place > 1 && own != s->blank && own != plain_class(s, place - 2);
}

/* alpha and beta: (steps, p) ways to and from a place after each step. The loss. */
__attribute__((unused)) static double ctc_plain(const ctc_sample *s, double *alpha, double *beta) {
    const long places = 2 * s->count + 1;
    for (long t = 0; t < s->steps; t++)
        for (long p = 0; p < places; p++) {
            const double *before = alpha + (t - 1) * places;
            double ways = t == 0 && p < 2 ? 0 : -__builtin_inf();
            for (long back = 0; t && back < 3 && back <= p; back++)
                if (back < 2 || plain_open(s, p)) ways = plain_log_sum(ways, before[p - back]);
            alpha[t * places + p] = ways + s->x[t * s->step + plain_class(s, p)];
        }
    for (long t = s->steps - 1; t >= 0; t--)
        for (long p = 0; p < places; p++) {
            double ways = t == s->steps - 1 && p >= places - 2 ? 0 : -__builtin_inf();
            for (long on = 0; t < s->steps - 1 && on < 3 && p + on < places; on++)
                if (on < 2 || plain_open(s, p + on))
                    ways = plain_log_sum(ways, beta[(t + 1) * places + p + on] +
                                                   s->x[(t + 1) * s->step + plain_class(s, p + on)]);
            beta[t * places + p] = ways;
        }
    double found = -__builtin_inf();
    for (long p = 0; s->steps && p < places; p++)
        found = plain_log_sum(found, alpha[p] + beta[p]);
    return s->steps || s->count ? -found : 0;
}

__attribute__((unused)) static void ctc_plain_dx(const ctc_sample *s, double loss,
                                                 const double *alpha, const double *beta,
                                                 float slope, int logits, float *dx) {
    const long places = 2 * s->count + 1;
    for (long t = 0; t < s->steps; t++)
        for (long c = 0; c < s->classes; c++) {
            double found = logits ? __builtin_exp(s->x[t * s->step + c]) : 0;
            for (long p = 0; p < places; p++)
                if (plain_class(s, p) == c)
                    found -= __builtin_exp(alpha[t * places + p] + beta[t * places + p] + loss);
            dx[t * s->step + c] = loss == __builtin_inf() ? 0 : (float)(found * slope);
        }
}

const ctc_kernels KERNEL(ctc) = {ctc_forward, ctc_backward, ctc_work_floats};
