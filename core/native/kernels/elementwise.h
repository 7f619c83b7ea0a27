/* Elementwise operations on float32, and chains of them in one pass over memory.

   Truth values are masks between operations: float32 lanes with all bits set or none; in arrays
   they are bytes, 1 or 0. */
#ifndef TRIPTYCH_ELEMENTWISE_H
#define TRIPTYCH_ELEMENTWISE_H
#include "half.h"
#ifdef __cplusplus
extern "C" {
#endif

/* OP(name, kinds of the inputs and of the result: f float32, m mask). */
#define ELEMENTWISE_OPS(OP)                                                                        \
    OP(abs, "ff") OP(ceil, "ff") OP(cos, "ff") OP(erf, "ff") OP(exp, "ff") OP(expm1, "ff")         \
    OP(floor, "ff") OP(gelu, "ff") OP(gelu_tanh, "ff") OP(log, "ff") OP(log1p, "ff")               \
    OP(hardsigmoid, "ff") OP(hardswish, "ff") OP(neg, "ff") OP(reciprocal, "ff")                   \
    OP(relu, "ff") OP(relu6, "ff") OP(round, "ff") OP(rsqrt, "ff")                                 \
    OP(sigmoid, "ff") OP(sign, "ff") OP(silu, "ff") OP(sin, "ff") OP(sqrt, "ff")                   \
    OP(square, "ff") OP(tanh, "ff") OP(trunc, "ff")                                                \
    OP(add, "fff") OP(sub, "fff") OP(mul, "fff") OP(div, "fff")                                    \
    OP(maximum, "fff") OP(minimum, "fff")                                                          \
    OP(gelu_dx, "fff") OP(gelu_tanh_dx, "fff") OP(hardsigmoid_dx, "fff")                           \
    OP(hardswish_dx, "fff") OP(relu_dx, "fff") OP(relu6_dx, "fff") OP(sigmoid_dx, "fff")           \
    OP(silu_dx, "fff") OP(tanh_dx, "fff")                                                          \
    OP(eq, "ffm") OP(ne, "ffm") OP(lt, "ffm") OP(le, "ffm") OP(gt, "ffm") OP(ge, "ffm")            \
    OP(isnan, "fm") OP(isinf, "fm") OP(isfinite, "fm")                                             \
    OP(logical_not, "mm") OP(logical_and, "mmm") OP(logical_or, "mmm") OP(logical_xor, "mmm")      \
    OP(where, "mfff") OP(from_mask, "mf")

enum elementwise_op {
#define OP(name, kinds) ELEMENTWISE_##name,
    ELEMENTWISE_OPS(OP)
#undef OP
        ELEMENTWISE_COUNT
};

#define CHAIN_TILE 1024  /* numbers computed at a time: several such tiles fit the first cache */
#define CHAIN_REGISTERS 128 /* at most */

/* Where an input comes from. */
enum chain_source {
    CHAIN_FULL,   /* float32, as many as the result has */
    CHAIN_MASK,   /* bytes, as many */
    CHAIN_SPREAD, /* count float32, each of which stands for `inner` in a row; then it repeats.
                     One number for all: count 1, and inner as large as can be */
};
typedef struct {
    enum chain_source source;
    const void *data;
    long inner, count;
    half_kind half; /* of full inputs: HALF_NONE for float32 */
} chain_input;
typedef struct {
    void *data;
    int mask; /* whether it is bytes */
    half_kind half;
} chain_output;
typedef struct {
    unsigned char op, y, a, b, c;
} chain_step;
/* Registers are numbered: first the inputs, then the outputs, then others. */
typedef struct {
    int num_inputs, num_outputs, num_steps, num_registers;
    const chain_input *inputs;
    const chain_output *outputs;
    const chain_step *steps;
} chain_program;

typedef struct {
    /* Computes the results [begin, end) of the program. scratch: CHAIN_TILE float32 for each
       register. An output may be the memory of a full input if there is one step. */
    void (*run)(const chain_program *program, long begin, long end, float *scratch);
} elementwise_kernels;

extern const elementwise_kernels elementwise_baseline, elementwise_avx2, elementwise_avx512;

#ifdef __cplusplus
}
#endif
#endif
