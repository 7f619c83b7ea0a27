/* A small interpreter whose instructions work on tiles of some thousand numbers: it walks over the
   arrays once, all that is in between stays in the first cache, and what an instruction costs to
   find is shared by a whole tile. One operation alone is a program of one step. */
#include "elementwise.h"

#include "half_lanes.h"
#include "half_math.h"
#include "normal.h"

typedef void loop(const float *a, const float *b, const float *c, float *y, long n);

/* Asks the memory for what comes AHEAD numbers later. Where a number takes long to compute, a
   processor sees too little of what comes to keep the memory busy by itself. */
#define AHEAD 256
INLINE void ask_if(const float *x, int wanted) {
    if (wanted) __builtin_prefetch((const void *)((uintptr_t)x + AHEAD * sizeof *x));
}

/* Loops for an expression of vectors a, b, c: a quick one, or one that takes long. */
#define LOOP(name, inputs, expression) ANY_LOOP(name, inputs, 0, expression)
#define LONG_LOOP(name, inputs, expression) ANY_LOOP(name, inputs, 1, expression)
#define ANY_LOOP(name, inputs, long_one, expression)                                               \
    INLINE vfloat of_##name(vfloat a, vfloat b, vfloat c) {                                        \
        (void)a, (void)b, (void)c;                                                                 \
        return (vfloat)(expression);                                                               \
    }                                                                                              \
    static void loop_##name(const float *pa, const float *pb, const float *pc, float *y, long n) { \
        const vfloat none = {0};                                                                   \
        long i = 0;                                                                                \
        for (; i + LANES <= n; i += LANES) {                                                       \
            ask_if(pa + i, long_one), ask_if(y + i, long_one);                                   \
            if (inputs > 1) ask_if(pb + i, long_one);                                             \
            store(y + i, of_##name(load(pa + i), inputs > 1 ? load(pb + i) : none,                 \
                                   inputs > 2 ? load(pc + i) : none));                             \
        }                                                                                          \
        if (i < n)                                                                                 \
            store_part(y + i,                                                                      \
                       of_##name(load_part(pa + i, n - i, 1.0f),                                   \
                                 inputs > 1 ? load_part(pb + i, n - i, 1.0f) : none,               \
                                 inputs > 2 ? load_part(pc + i, n - i, 1.0f) : none),              \
                       n - i);                                                                     \
    }

LOOP(abs, 1, vabs(a))
LOOP(ceil, 1, vceil(a))
LONG_LOOP(erf, 1, verf(a))
LOOP(exp, 1, vexp(a))
LOOP(expm1, 1, vexpm1(a))
LOOP(floor, 1, vfloor(a))
LONG_LOOP(gelu, 1, vgelu(a))
LONG_LOOP(gelu_tanh, 1, vgelu_tanh(a))
LOOP(hardsigmoid, 1, vhardsigmoid(a))
LOOP(hardswish, 1, a * vhardsigmoid(a))
LOOP(log, 1, vlog(a))
LONG_LOOP(log1p, 1, vlog1p(a))
LOOP(neg, 1, -a)
LOOP(reciprocal, 1, 1.0f / a)
LOOP(relu, 1, vmaximum(a, splat(0.0f)))
LOOP(relu6, 1, vbetween(0.0f, 6.0f, a))
LOOP(round, 1, vrint(a))
LONG_LOOP(sigmoid, 1, vsigmoid(a))
LOOP(sign, 1, choose(a > 0.0f, splat(1.0f), choose(a < 0.0f, splat(-1.0f), a)))
LONG_LOOP(silu, 1, vsilu(a))
LOOP(square, 1, a * a)
LONG_LOOP(tanh, 1, vtanh(a))
LOOP(trunc, 1, vtrunc(a))
LOOP(add, 2, a + b)
LOOP(sub, 2, a - b)
LOOP(mul, 2, a * b)
LOOP(div, 2, a / b)
LOOP(maximum, 2, vmaximum(a, b))
LOOP(minimum, 2, vminimum(a, b))
/* Gradients: a is that of the result, b the input or, for relu, relu6, sigmoid and tanh, the
   result. */
LONG_LOOP(gelu_dx, 2, a * vgelu_slope(b))
LONG_LOOP(gelu_tanh_dx, 2, a * vgelu_tanh_slope(b))
LOOP(hardsigmoid_dx, 2, choose(vabs(b) < 3.0f, a * (1.0f / 6), splat(0.0f)))
LOOP(hardswish_dx, 2,
     a * (vhardsigmoid(b) + choose(vabs(b) < 3.0f, b * (1.0f / 6), splat(0.0f))))
LOOP(relu_dx, 2, choose(b > 0.0f, a, splat(0.0f)))
LOOP(relu6_dx, 2, choose((b > 0.0f) & (b < 6.0f), a, splat(0.0f)))
LOOP(sigmoid_dx, 2, a * (b * (1.0f - b)))
LONG_LOOP(silu_dx, 2, a * vsilu_slope(b))
LOOP(tanh_dx, 2, a * (1.0f - b * b))
LOOP(eq, 2, a == b)
LOOP(ne, 2, a != b)
LOOP(lt, 2, a < b)
LOOP(le, 2, a <= b)
LOOP(gt, 2, a > b)
LOOP(ge, 2, a >= b)
LOOP(isnan, 1, a != a)
LOOP(isinf, 1, vabs(a) == __builtin_inff())
LOOP(isfinite, 1, vabs(a) < __builtin_inff())
LOOP(logical_not, 1, ~(vint)a)
LOOP(logical_and, 2, (vint)a & (vint)b)
LOOP(logical_or, 2, (vint)a | (vint)b)
LOOP(logical_xor, 2, (vint)a ^ (vint)b)
LOOP(where, 3, choose((vint)a, b, c))
LOOP(from_mask, 1, (vint)a & (vint)splat(1.0f))

/* Square roots have no vector spelling; compilers find the instruction. */
static void loop_sqrt(const float *a, const float *b, const float *c, float *y, long n) {
    (void)b, (void)c;
    for (long i = 0; i < n; i++) y[i] = __builtin_sqrtf(a[i]);
}
static void loop_rsqrt(const float *a, const float *b, const float *c, float *y, long n) {
    (void)b, (void)c;
    for (long i = 0; i < n; i++) y[i] = 1.0f / __builtin_sqrtf(a[i]);
}

/* Large arguments of sine and cosine are rare: tiles that have one are computed one by one. */
static int has_large(const float *x, long n) {
    vint found = {0};
    long i = 0;
    for (; i + LANES <= n; i += LANES) found |= vabs(load(x + i)) >= SIN_MOST;
    int any = 0;
    for (; i < n; i++) any |= x[i] >= SIN_MOST || x[i] <= -SIN_MOST;
    for (int lane = 0; lane < LANES; lane++) any |= found[lane];
    return any;
}
LOOP(sin_small, 1, vsin(a))
LOOP(cos_small, 1, vcos(a))
static float sin_of_any(float x, int quarter) {
    if (x >= SIN_MOST || x <= -SIN_MOST) return sin_huge(x, quarter);
    return (quarter ? vcos(splat(x)) : vsin(splat(x)))[0];
}
static void loop_sin(const float *a, const float *b, const float *c, float *y, long n) {
    if (!has_large(a, n)) loop_sin_small(a, b, c, y, n);
    else for (long i = 0; i < n; i++) y[i] = sin_of_any(a[i], 0);
}
static void loop_cos(const float *a, const float *b, const float *c, float *y, long n) {
    if (!has_large(a, n)) loop_cos_small(a, b, c, y, n);
    else for (long i = 0; i < n; i++) y[i] = sin_of_any(a[i], 1);
}

static loop *const loops[] = {
#define OP(name, kinds) loop_##name,
    ELEMENTWISE_OPS(OP)
#undef OP
};

/* The same from halves to halves, without a tile in between. */
typedef void map(half_kind kind, const uint16_t *x, uint16_t *y, long n);
#define MAP(name, function)                                                                        \
    static void map_##name(half_kind kind, const uint16_t *x, uint16_t *y, long n) {               \
        if (kind == HALF_FLOAT16) map_halves(function, HALF_FLOAT16, x, y, n);                     \
        else map_halves(function, HALF_BFLOAT16, x, y, n);                                         \
    }
MAP(exp, half_exp)
MAP(gelu, half_gelu)
MAP(sigmoid, half_sigmoid)
MAP(silu, half_silu)
static map *const maps[ELEMENTWISE_COUNT] = {
    [ELEMENTWISE_exp] = map_exp,
    [ELEMENTWISE_gelu] = map_gelu,
    [ELEMENTWISE_sigmoid] = map_sigmoid,
    [ELEMENTWISE_silu] = map_silu,
};
/* What a program of one such operation does, or null. */
static map *map_of(const chain_program *p) {
    const int one = p->num_steps == 1 && p->num_inputs == 1 && p->num_outputs == 1;
    return one && p->inputs[0].half && p->inputs[0].half == p->outputs[0].half
               ? maps[p->steps[0].op]
               : 0;
}

static void fill(float *y, float value, long n) {
    vfloat v = splat(value);
    long i = 0;
    for (; i + LANES <= n; i += LANES) store(y + i, v);
    for (; i < n; i++) y[i] = value;
}
static const float *fill_tile(float *tile, float value) {
    for (long i = 0; i < CHAIN_TILE; i += LANES) store(tile + i, splat(value));
    return tile;
}
static void copy(float *y, const float *x, long n) {
    long i = 0;
    for (; i + LANES <= n; i += LANES) store(y + i, load(x + i));
    for (; i < n; i++) y[i] = x[i];
}
static void bytes_to_mask(const unsigned char *x, float *y, long n) {
    int32_t *bits = (int32_t *)(void *)y;
    for (long i = 0; i < n; i++) bits[i] = x[i] ? -1 : 0;
}
static void mask_to_bytes(const float *x, unsigned char *y, long n) {
    const int32_t *bits = (const int32_t *)(const void *)x;
    for (long i = 0; i < n; i++) y[i] = (unsigned char)(bits[i] & 1);
}

/* The numbers from `begin` on of an input that repeats row by row: a place in the row itself, or in
   `tile`, which holds the row from number *held on, again and again. */
static const float *rows(const chain_input *x, long begin, long n, float *tile, long *held) {
    const float *row = x->data;
    long k = begin % x->count;
    if (n <= x->count - k) return row + k;
    if (*held == k) return tile;
    *held = k;
    for (long done = 0; done < CHAIN_TILE; k = 0) {
        long part = x->count - k < CHAIN_TILE - done ? x->count - k : CHAIN_TILE - done;
        copy(tile + done, row + k, part);
        done += part;
    }
    return tile;
}
/* The same for an input each number of which stands for several; *held: the one that fills it. */
static const float *columns(const chain_input *x, long begin, long n, float *tile, long *held) {
    const float *column = x->data;
    long k = begin / x->inner % x->count, left = x->inner - begin % x->inner;
    if (left >= n && *held == k) return tile;
    *held = left >= n ? k : -1;
    if (left >= n) return fill_tile(tile, column[k]);
    for (long done = 0; done < n; left = x->inner, k = k + 1 == x->count ? 0 : k + 1) {
        long part = left < n - done ? left : n - done;
        fill(tile + done, column[k], part);
        done += part;
    }
    return tile;
}
static const float *spread(const chain_input *x, long begin, long n, float *tile, long *held) {
    return x->inner == 1 ? rows(x, begin, n, tile, held) : columns(x, begin, n, tile, held);
}

static void widen_tile(const chain_input *x, long begin, long n, float *tile) {
    const uint16_t *from = (const uint16_t *)x->data + begin;
    if (x->half == HALF_FLOAT16) widen_all(HALF_FLOAT16, from, tile, n);
    else widen_all(HALF_BFLOAT16, from, tile, n);
}
static void narrow_tile(const chain_output *y, long begin, long n, const float *tile) {
    uint16_t *to = (uint16_t *)y->data + begin;
    if (y->half == HALF_FLOAT16) narrow_all(HALF_FLOAT16, tile, to, n);
    else narrow_all(HALF_BFLOAT16, tile, to, n);
}

/* Numbers at a time: such that rows of a spread input begin at the same place in all tiles. */
static long tile_of(const chain_program *p) {
    for (int i = 0; i < p->num_inputs; i++) {
        const chain_input *x = &p->inputs[i];
        if (x->source == CHAIN_SPREAD && x->inner == 1 && x->count < CHAIN_TILE)
            return CHAIN_TILE / x->count * x->count;
    }
    return CHAIN_TILE;
}

static void run(const chain_program *p, long begin, long end, float *scratch) {
    const float *at[CHAIN_REGISTERS];
    long held[CHAIN_REGISTERS], tile = tile_of(p);
    if (map_of(p)) {
        const uint16_t *x = p->inputs[0].data;
        uint16_t *y = p->outputs[0].data;
        map_of(p)(p->inputs[0].half, x + begin, y + begin, end - begin);
        return;
    }
    for (int i = 0; i < p->num_registers; i++) at[i] = scratch + i * CHAIN_TILE, held[i] = -1;
    for (; begin < end; begin += tile) {
        long n = end - begin < tile ? end - begin : tile;
        for (int i = 0; i < p->num_inputs; i++) {
            const chain_input *x = &p->inputs[i];
            float *own = scratch + i * CHAIN_TILE;
            if (x->half) widen_tile(x, begin, n, own);
            else if (x->source == CHAIN_FULL) at[i] = (const float *)x->data + begin;
            else if (x->source == CHAIN_SPREAD) at[i] = spread(x, begin, n, own, &held[i]);
            else bytes_to_mask((const unsigned char *)x->data + begin, own, n);
        }
        for (int i = 0; i < p->num_outputs; i++)
            if (!p->outputs[i].mask && !p->outputs[i].half)
                at[p->num_inputs + i] = (float *)p->outputs[i].data + begin;
        for (int i = 0; i < p->num_steps; i++) {
            chain_step s = p->steps[i];
            loops[s.op](at[s.a], at[s.b], at[s.c], (float *)(uintptr_t)at[s.y], n);
        }
        for (int i = 0; i < p->num_outputs; i++) {
            const float *tile = at[p->num_inputs + i];
            unsigned char *bytes = p->outputs[i].data;
            if (p->outputs[i].mask) mask_to_bytes(tile, bytes + begin, n);
            else if (p->outputs[i].half) narrow_tile(&p->outputs[i], begin, n, tile);
        }
    }
}

const elementwise_kernels KERNEL(elementwise) = {run};
