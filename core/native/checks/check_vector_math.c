/* The elementary functions against double precision, at 256 numbers of every exponent and sign and
   many more about 0. */
#include "check.h"

#include "../kernels/normal.h"
#include "../kernels/vector_math.h"

typedef struct {
    const char *name;
    vfloat (*fast)(vfloat);
    double (*exact)(double);
    double most; /* allowed error in units in the last place */
    double floor; /* the smallest unit counted, for functions with a zero away from 0 */
} function;

#define BOX(f) static vfloat boxed_##f(vfloat x) { return f(x); }
BOX(vexp) BOX(vexpm1) BOX(vlog) BOX(vlog1p) BOX(vsigmoid) BOX(vsilu) BOX(vsilu_slope)
BOX(vtanh) BOX(verf)
BOX(vgelu) BOX(vgelu_slope) BOX(vgelu_tanh) BOX(vgelu_tanh_slope)
BOX(vrint) BOX(vfloor) BOX(vceil) BOX(vtrunc)

static vfloat any_sin(vfloat x) {
    return fabsf(x[0]) < SIN_MOST ? vsin(x) : splat(sin_huge(x[0], 0));
}
static vfloat any_cos(vfloat x) {
    return fabsf(x[0]) < SIN_MOST ? vcos(x) : splat(sin_huge(x[0], 1));
}
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double silu(double x) { return x / (1 + exp(-x)); }
static double silu_slope(double x) {
    double s = sigmoid(x);
    return s + (fabs(x) < 500 ? x * s * (1 - s) : 0);
}
static double normal(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }
static double gelu(double x) { return x * normal(x); }
static double density(double x) { return exp(-0.5 * x * x) * 0.5 * M_2_SQRTPI * M_SQRT1_2; }
static double gelu_slope(double x) { return normal(x) + (isinf(x) ? 0 : x * density(x)); }
static double gelu_inner(double x) {
    return 2 * sqrt(2 / M_PI) * x * (1 + 0.044715 * x * x);
}
static double gelu_tanh(double x) { return x * sigmoid(gelu_inner(x)); }
static double gelu_tanh_slope(double x) {
    double s = sigmoid(gelu_inner(x));
    double rest = x * s * (1 - s) * 2 * sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
    return s + (fabs(x) < 50 ? rest : 0);
}

static const function functions[] = {
    {"exp", boxed_vexp, exp, 1, 0},
    {"expm1", boxed_vexpm1, expm1, 2, 0},
    {"log", boxed_vlog, log, 1, 0},
    {"log1p", boxed_vlog1p, log1p, 2, 0},
    {"sigmoid", boxed_vsigmoid, sigmoid, 1, 0},
    {"silu", boxed_vsilu, silu, 1, 0},
    {"silu_slope", boxed_vsilu_slope, silu_slope, 2, 6e-8},
    {"tanh", boxed_vtanh, tanh, 2, 0},
    {"erf", boxed_verf, erf, 2, 0},
    {"gelu", boxed_vgelu, gelu, 2, 0},
    {"gelu_slope", boxed_vgelu_slope, gelu_slope, 2, 6e-8},
    {"gelu_tanh", boxed_vgelu_tanh, gelu_tanh, 1, 0},
    {"gelu_tanh_slope", boxed_vgelu_tanh_slope, gelu_tanh_slope, 2, 6e-8},
    {"sin", any_sin, sin, 1.6, 0},
    {"cos", any_cos, cos, 1.6, 0},
    {"rint", boxed_vrint, rint, 0, 0},
    {"floor", boxed_vfloor, floor, 0, 0},
    {"ceil", boxed_vceil, ceil, 0, 0},
    {"trunc", boxed_vtrunc, trunc, 0, 0},
};

/* The distance to the next float32 at the size of y. */
static double unit(double y) {
    int exponent;
    frexp(y, &exponent);
    return ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

static double worst;
static float worst_at;
static void compare(const function *f, float x) {
    float got = f->fast(splat(x))[0];
    double want = f->exact((double)x);
    if (isnan(want) ? isnan(got) : (double)got == want && signbit(got) == signbit(want)) return;
    if (isinf(got) && fabs(want) >= 3.4028235677973366e38) return; /* rounds to infinity */
    double error = fabs((double)got - want) / fmax(unit(want), f->floor);
    if (error > worst) worst = error, worst_at = x;
    if (error <= f->most) return; /* false for NaN */
    printf("%s(%.9g) = %.9g, the exact value is %.17g: %.3g ulp, allowed are %g\n", f->name,
           (double)x, (double)got, want, error, f->most);
    exit(1);
}

int main(void) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        worst = 0;
        for (uint32_t high = 0; high < 1u << 17; high++) { /* sign, exponent, first 8 digits */
            union { uint32_t bits; float x; } u = {high << 15 | (random_bits() & 0x7fff)};
            compare(&functions[i], u.x);
        }
        for (int k = 0; k < 200000; k++) compare(&functions[i], random_float(k % 2 ? 3.0f : 20.0f));
        const float ends[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1.0f, -1.0f};
        for (int k = 0; k < 7; k++) compare(&functions[i], ends[k]);
        printf("%s: %.3f ulp at %.9g\n", functions[i].name, worst, (double)worst_at);
    }
    return 0;
}
