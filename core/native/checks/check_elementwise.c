/* Every operation, over arrays of all layouts, against one number at a time; and random programs
   against the same programs run by a plain interpreter. */
#include "check.h"

#include "../kernels/elementwise.c"
#include "../kernels/half.c"

static const char *const names[] = {
#define OP(name, kinds) #name,
    ELEMENTWISE_OPS(OP)
#undef OP
};
static const char *const kinds[] = {
#define OP(name, kinds) kinds,
    ELEMENTWISE_OPS(OP)
#undef OP
};

/* The plain twin: no tiles, no vectors of memory, the index of every number from its definition. */
static float number_at(const chain_input *x, long i) {
    const float *data = x->data;
    union { int32_t bits; float x; } truth;
    if (x->half) return (float)half_value(x->half, ((const uint16_t *)x->data)[i]);
    if (x->source == CHAIN_FULL) return data[i];
    if (x->source == CHAIN_SPREAD) return data[i / x->inner % x->count];
    truth.bits = ((const unsigned char *)x->data)[i] ? -1 : 0;
    return truth.x;
}
static void plain_run(const chain_program *p, long begin, long end) {
    float at[CHAIN_REGISTERS];
    for (long i = begin; i < end; i++) {
        for (int k = 0; k < p->num_inputs; k++) at[k] = number_at(&p->inputs[k], i);
        for (int k = 0; k < p->num_steps; k++) {
            chain_step s = p->steps[k];
            loops[s.op](&at[s.a], &at[s.b], &at[s.c], &at[s.y], 1);
        }
        for (int k = 0; k < p->num_outputs; k++) {
            union { float x; int32_t bits; } y = {at[p->num_inputs + k]};
            if (p->outputs[k].mask) ((unsigned char *)p->outputs[k].data)[i] = y.bits & 1;
            else if (p->outputs[k].half)
                ((uint16_t *)p->outputs[k].data)[i] = half_nearest(p->outputs[k].half, y.x);
            else ((float *)p->outputs[k].data)[i] = y.x;
        }
    }
}

static half_kind random_half(void) { return (half_kind)random_between(HALF_NONE, HALF_BFLOAT16); }
static void *guarded_halves(half_kind kind, long n, float scale) {
    uint16_t *x = guarded(n, sizeof *x);
    for (long i = 0; i < n; i++) x[i] = half_nearest(kind, random_float(scale));
    return x;
}

static chain_input random_input(char kind, long n) {
    chain_input x = {CHAIN_FULL, 0, 0, 0, HALF_NONE};
    long most = n > 0 ? n : 1;
    if (kind == 'm') {
        unsigned char *bytes = guarded(n, 1);
        for (long i = 0; i < n; i++) bytes[i] = random_bits() % 2;
        x.source = CHAIN_MASK, x.data = bytes;
    } else if (random_bits() % 2) {
        x.half = random_half();
        x.data = x.half ? guarded_halves(x.half, n, 3) : (void *)guarded_floats(n, 3);
    } else {
        x.source = CHAIN_SPREAD;
        x.inner = random_bits() % 2 ? 1 : random_between(1, most);
        x.count = random_bits() % 3 ? random_between(1, most) : 1;
        x.data = guarded_floats(x.count, 3);
    }
    return x;
}

static chain_output output_of(int mask, half_kind half, long n) {
    void *data = mask   ? guarded(n, 1)
                 : half ? guarded_halves(half, n, 1)
                        : (void *)guarded_floats(n, 1);
    return (chain_output){data, mask, half};
}

static void compare_halves(const char *what, half_kind kind, const uint16_t *got,
                           const uint16_t *want, long n) {
    for (long i = 0; i < n; i++) {
        const double a = half_value(kind, got[i]), b = half_value(kind, want[i]);
        if (got[i] != want[i] && !(isnan(a) && isnan(b)))
            printf("%s: half %ld is %g, wanted %g\n", what, i, a, b), exit(1);
    }
}

/* A program of one operation or of several that read what came before. */
static chain_program random_program(int one, long n, chain_input *in, chain_output *out,
                                    chain_step *steps) {
    chain_program p = {0, 1, 0, 0, in, out, steps};
    int op = one;
    if (one < 0) op = (int)(random_bits() % ELEMENTWISE_where);
    p.num_inputs = 3, p.num_registers = 4;
    for (int k = 0; k < 3; k++) {
        char kind = k < (int)strlen(kinds[op]) - 1 ? kinds[op][k] : 'f';
        in[k] = random_input(kind, n);
    }
    if (one < 0) { /* last comes one operation on what others left in register 4 and after */
        while (kinds[op][0] == 'm' || kinds[op][strlen(kinds[op]) - 1] == 'm')
            op = (int)(random_bits() % ELEMENTWISE_eq);
        for (int k = 0; k < 3; k++) in[k] = random_input('f', n);
        for (p.num_steps = 0; p.num_steps < 5; p.num_steps++, p.num_registers++) {
            unsigned char last = (unsigned char)(p.num_registers - 1);
            unsigned char a = p.num_steps ? last : 0;
            steps[p.num_steps] = (chain_step){(unsigned char)(random_bits() % ELEMENTWISE_eq),
                                              (unsigned char)p.num_registers, a, 1, 2};
        }
    }
    unsigned char a = one < 0 ? (unsigned char)(p.num_registers - 1) : 0;
    steps[p.num_steps++] = (chain_step){(unsigned char)op, 3, a, 1, 2};
    int mask = kinds[op][strlen(kinds[op]) - 1] == 'm';
    out[0] = output_of(mask, mask ? HALF_NONE : random_half(), n);
    return p;
}

static void compare(int one, long n) {
    chain_input in[3];
    chain_output out[1];
    chain_step steps[8];
    chain_program p = random_program(one, n, in, out, steps), plain = p;
    chain_output wanted = output_of(out[0].mask, out[0].half, n);
    plain.outputs = &wanted;
    float *scratch = guarded_floats((long)p.num_registers * CHAIN_TILE, 1);
    long middle = random_between(0, n);
    run(&p, 0, middle, scratch), run(&p, middle, n, scratch);
    plain_run(&plain, 0, n);
    const char *what = one < 0 ? "program" : names[one];
    if (out[0].half) compare_halves(what, out[0].half, out[0].data, wanted.data, n);
    else if (!out[0].mask) check_close(what, out[0].data, wanted.data, n, 0, 0);
    else if (n && memcmp(out[0].data, wanted.data, (size_t)n))
        printf("%s differs\n", what), exit(1);
    check_done();
}

static void check_large_angles(void) {
    float x[40], y[40];
    for (int i = 0; i < 40; i++) x[i] = i % 7 ? random_float(1e30f) : random_float(10);
    loop_sin(x, x, x, y, 40);
    for (int i = 0; i < 40; i++)
        if (fabs((double)y[i] - sin((double)x[i])) > 2e-7) puts("sin of a large angle"), exit(1);
}

/* Whether the result for x is right, or the next to it. */
static int near_half(half_kind kind, uint16_t got, float want, double relative) {
    const double value = half_value(kind, got), unit = kind == HALF_FLOAT16 ? 0x1p-11 : 0x1p-8;
    if (isnan(value) || isnan(want)) return isnan(value) && isnan(want);
    if (got == half_nearest(kind, want)) return 1;
    const double smallest = kind == HALF_FLOAT16 ? 0x1p-25 : 1e-36;
    return fabs(value - want) <= (unit + relative) * fabs(want) + smallest;
}

/* Maps of halves, for each half, against functions of float32. */
static void check_maps(half_kind kind) {
    const long n = 65536;
    uint16_t *x = guarded(n, sizeof *x), *y = guarded(n, sizeof *y);
    for (long i = 0; i < n; i++) x[i] = (uint16_t)i;
    for (int op = 0; op < ELEMENTWISE_COUNT; op++) {
        if (!maps[op]) continue;
        maps[op](kind, x, y, n);
        for (long i = 0; i < n; i++) {
            const float number = (float)half_value(kind, x[i]);
            const int far = op == ELEMENTWISE_gelu && number < -5.9f;
            float want;
            loops[op](&number, &number, &number, &want, 1);
            if (near_half(kind, y[i], want, far ? 0x1p-11 : 0x1p-16)) continue;
            printf("%s of %.9g is %.9g, wanted %.9g\n", names[op], number,
                   half_value(kind, y[i]), want);
            exit(1);
        }
    }
    check_done();
}

/* The numbers of an array are computed like one alone. */
static void check_short_map(half_kind kind, int op, long n) {
    uint16_t *x = guarded_halves(kind, n, 4);
    uint16_t *got = guarded(n, sizeof *got), *want = guarded(n, sizeof *want);
    maps[op](kind, x, got, n);
    for (long i = 0; i < n; i++) maps[op](kind, x + i, want + i, 1);
    compare_halves(names[op], kind, got, want, n);
    check_done();
}

int main(void) {
    for (int round = 0; round < 500; round++)
        if (maps[round % ELEMENTWISE_COUNT])
            check_short_map(1 + round / 7 % 2, round % ELEMENTWISE_COUNT, random_size(200));
    check_maps(HALF_FLOAT16), check_maps(HALF_BFLOAT16);
    for (int op = 0; op < ELEMENTWISE_COUNT; op++)
        for (int round = 0; round < 8; round++)
            compare(op, round < 6 ? random_size(200) : random_between(1000, 5000));
    for (int round = 0; round < 60; round++) compare(-1, random_between(0, 5000));
    check_large_angles();
    printf("elementwise: %d operations in 8 sizes, 60 programs\n", ELEMENTWISE_COUNT);
    return 0;
}
