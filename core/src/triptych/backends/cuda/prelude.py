"""CUDA C that stands before every family's own: element types, and sums over a block's threads.

Reductions go by a fixed tree, so results do not depend on the order in which threads run.
"""

# What expressions of single operations need; CuPy's own headers bring the element types there.
ARITHMETIC = r"""
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7fc00000)
#endif

// The type to compute in: float for 16-bit floats, which are rounded once at the end.
template <class T> struct Wide { typedef T type; };

template <class C> __device__ C logistic(C x) { return C(1) / (C(1) + exp(-x)); }
template <class C> __device__ C normal_cdf(C x) {
    return C(0.5) * (C(1) + erf(x * C(0.70710678118654752)));
}
template <class C> __device__ C normal_density(C x) {
    return C(0.39894228040143268) * exp(C(-0.5) * x * x);
}
// The tanh approximation of gelu (Hendrycks and Gimpel 2016, section 2) is x / 2 (1 + tanh(inner)).
template <class C> __device__ C gelu_tanh_inner(C x) {
    return C(0.79788456080286536) * x * (C(1) + C(0.044715) * x * x);
}
template <class C> __device__ C gelu_tanh_slope(C x) {
    C t = tanh(gelu_tanh_inner(x));
    C inner_slope = C(0.79788456080286536) * (C(1) + C(3 * 0.044715) * x * x);
    return C(0.5) * (C(1) + t + x * (C(1) - t * t) * inner_slope);
}
// Division rounded down. fmod is exact, where a - floor(a / b) * b loses what large quotients need.
template <class C> __device__ C floored_rest(C a, C b) {
    C rest = fmod(a, b);
    if (rest == C(0)) return copysign(C(0), b);
    return (b < C(0)) != (rest < C(0)) ? rest + b : rest;
}
template <class C> __device__ C floored_quotient(C a, C b) {
    if (b == C(0)) return a / b;
    C rest = fmod(a, b), whole = (a - rest) / b;
    if (rest != C(0) && (b < C(0)) != (rest < C(0))) whole -= C(1);
    return whole == C(0) ? copysign(C(0), a / b) : rint(whole);
}
"""

PRELUDE = (
    r"""
#include <cuda_fp16.h>
#include <cuda_bf16.h>
"""
    + ARITHMETIC
    + r"""
template <> struct Wide<__half> { typedef float type; };
template <> struct Wide<__nv_bfloat16> { typedef float type; };

__device__ __forceinline__ float larger(float a, float b) { return fmaxf(a, b); }
__device__ __forceinline__ double larger(double a, double b) { return fmax(a, b); }

struct Sum {
    template <class C> static __device__ C start() { return C(0); }
    template <class C> static __device__ C join(C a, C b) { return a + b; }
};
struct Max {
    template <class C> static __device__ C start() { return C(-INFINITY); }
    template <class C> static __device__ C join(C a, C b) { return larger(a, b); }
};

// What the 32 threads of a warp hold, joined; every thread gets the result.
template <class Op, class C> __device__ C warp_reduce(C value) {
    for (int step = 16; step > 0; step /= 2)
        value = Op::join(value, __shfl_xor_sync(0xffffffffu, value, step));
    return value;
}

// The same for blockDim.x threads, a multiple of 32, of which every one must call. Blocks of one
// warp in x need no barrier, so whole rows of threads may have returned from them.
template <class Op, class C> __device__ C block_reduce(C value) {
    __shared__ C partial[32];
    value = warp_reduce<Op>(value);
    if (blockDim.x == 32) return value;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = blockDim.x / 32;
    __syncthreads();  // partial may still be read by an earlier call
    if (lane == 0) partial[warp] = value;
    __syncthreads();
    value = lane < warps ? partial[lane] : Op::template start<C>();
    return warp_reduce<Op>(value);
}
"""
)
