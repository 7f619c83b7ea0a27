// Functions of the device language: barriers, exchange within a warp, bits, fast math, atomics.
#pragma once
#include "scheduler.h"

#include <climits>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

static inline int emulator_thread() {
    return (int)(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z));
}
static inline int emulator_lane() { return emulator_thread() & 31; }

// ---- barriers
static inline void __syncthreads() { emulator::wait(emulator::AT_BLOCK, 0); }
static inline void __syncwarp(unsigned mask = 0xffffffffu) {
    emulator::wait(emulator::AT_WARP, mask);
}
static inline void __threadfence() {}
static inline void __threadfence_block() {}
static inline void __threadfence_system() {}
static inline int __syncthreads_count(int predicate) {
    static int count;
    if (emulator_thread() == 0) count = 0;
    __syncthreads();
    count += predicate != 0;
    __syncthreads();
    int found = count;
    __syncthreads();
    return found;
}
static inline int __syncthreads_or(int p) { return __syncthreads_count(p) > 0; }
static inline int __syncthreads_and(int p) { return __syncthreads_count(!p) == 0; }

// ---- exchange within a warp: every lane lays down a value and takes that of lane `source`
template <class T>
static inline T emulator_exchange(unsigned mask, T value, int source, bool inside) {
    static_assert(sizeof(T) <= 8, "a lane hands over at most 8 bytes");
    int thread = emulator_thread();
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    emulator::exchanged[thread] = bits;
    __syncwarp(mask);
    if (inside) bits = emulator::exchanged[(thread & ~31) + source];
    __syncwarp(mask);
    T result;
    memcpy(&result, &bits, sizeof(T));
    return result;
}
template <class T>
static inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
    int lane = emulator_lane();
    return emulator_exchange(mask, value, (lane & ~(width - 1)) | (source & (width - 1)), true);
}
template <class T>
static inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    int lane = emulator_lane();
    bool inside = (lane & (width - 1)) + (int)delta < width;
    return emulator_exchange(mask, value, lane + (int)delta, inside);
}
template <class T>
static inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    int lane = emulator_lane();
    bool inside = (lane & (width - 1)) >= (int)delta;
    return emulator_exchange(mask, value, lane - (int)delta, inside);
}
template <class T>
static inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
    int lane = emulator_lane();
    bool inside = ((lane ^ bits) & ~(width - 1)) <= (lane & ~(width - 1));
    return emulator_exchange(mask, value, (lane ^ bits) & 31, inside);
}
static inline unsigned __ballot_sync(unsigned mask, int predicate) {
    int first = emulator_thread() & ~31, count = (int)(blockDim.x * blockDim.y * blockDim.z);
    emulator::exchanged[emulator_thread()] = predicate != 0;
    __syncwarp(mask);
    unsigned votes = 0;
    for (int lane = 0; lane < 32 && first + lane < count; lane++)
        if ((mask >> lane & 1) && emulator::exchanged[first + lane]) votes |= 1u << lane;
    __syncwarp(mask);
    return votes;
}
static inline int __any_sync(unsigned mask, int p) { return __ballot_sync(mask, p) != 0; }
static inline int __all_sync(unsigned mask, int p) { return __ballot_sync(mask, !p) == 0; }

// ---- bits
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
static inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __ffsll(long long x) { return __builtin_ffsll(x); }
static inline unsigned __brev(unsigned x) {
    unsigned r = 0;
    for (int i = 0; i < 32; i++) r |= (x >> i & 1u) << (31 - i);
    return r;
}
static inline unsigned __umulhi(unsigned a, unsigned b) {
    return (unsigned)((uint64_t)a * b >> 32);
}
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
static inline int __dp4a(int a, int b, int c) {
    for (int i = 0; i < 4; i++) c += (int)(int8_t)(a >> 8 * i) * (int)(int8_t)(b >> 8 * i);
    return c;
}
template <class To, class From> static inline To emulator_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "bits of one size");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
static inline float __int_as_float(int x) { return emulator_bits<float>(x); }
static inline int __float_as_int(float x) { return emulator_bits<int>(x); }
static inline float __uint_as_float(unsigned x) { return emulator_bits<float>(x); }
static inline unsigned __float_as_uint(float x) { return emulator_bits<unsigned>(x); }
static inline double __longlong_as_double(long long x) { return emulator_bits<double>(x); }
static inline long long __double_as_longlong(double x) { return emulator_bits<long long>(x); }
static inline double __hiloint2double(int high, int low) {
    return emulator_bits<double>(((long long)high << 32) | (unsigned)low);
}
static inline int __double2hiint(double x) { return (int)(emulator_bits<long long>(x) >> 32); }
static inline int __double2loint(double x) { return (int)emulator_bits<long long>(x); }
template <class T> static inline T __ldg(const T *p) { return *p; }

// ---- mathematics beside C's
static inline float __expf(float x) { return expf(x); }
static inline float __logf(float x) { return logf(x); }
static inline float __sinf(float x) { return sinf(x); }
static inline float __cosf(float x) { return cosf(x); }
static inline float __powf(float a, float b) { return powf(a, b); }
static inline float __fdividef(float a, float b) { return a / b; }
static inline float __frcp_rn(float x) { return 1 / x; }
static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
static inline float rsqrt(float x) { return 1 / sqrtf(x); }
static inline double rsqrt(double x) { return 1 / std::sqrt(x); }
static inline double normcdf(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }
static inline float normcdff(float x) { return (float)normcdf((double)x); }
static inline double sinpi(double x) { return std::sin(M_PI * x); }
static inline double cospi(double x) { return std::cos(M_PI * x); }
// CuPy calls frexpf on HIP, for double too.
static inline double frexpf(double x, int *exponent) { return std::frexp(x, exponent); }
static inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
static inline int __float2int_rn(float x) { return (int)lrintf(x); }
static inline int __float2int_rz(float x) { return (int)x; }
static inline int __float2int_rd(float x) { return (int)floorf(x); }
using std::abs, std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh;
using std::cbrt, std::ceil, std::copysign, std::cos, std::cosh, std::erf, std::erfc, std::exp;
using std::exp2, std::expm1, std::fabs, std::floor, std::fma, std::fmax, std::fmin, std::fmod;
using std::frexp, std::hypot, std::isfinite, std::isinf, std::isnan, std::ldexp, std::lgamma;
using std::log, std::log10, std::log1p, std::log2, std::nextafter, std::pow, std::rint, std::round;
using std::signbit, std::sin, std::sinh, std::sqrt, std::tan, std::tanh, std::tgamma, std::trunc;

// CUDA's min and max: of two numbers of one type, or of the type they share.
template <class A, class B, class C = typename std::common_type<A, B>::type>
static inline C min(A a, B b) {
    if constexpr (std::is_floating_point<C>::value) return std::fmin((C)a, (C)b);
    return (C)b < (C)a ? (C)b : (C)a;
}
template <class A, class B, class C = typename std::common_type<A, B>::type>
static inline C max(A a, B b) {
    if constexpr (std::is_floating_point<C>::value) return std::fmax((C)a, (C)b);
    return (C)a < (C)b ? (C)b : (C)a;
}

// ---- atomics: one thread runs at a time, so reading and writing is enough. Only the overloads
// that CUDA has are here: a kernel that compiles here must compile there.
#define EMULATOR_ATOMIC(name, T, result)               \
    static inline T name(T *memory, T value) {         \
        T old = *memory;                               \
        *memory = (result);                            \
        return old;                                    \
    }
#define EMULATOR_COMPARE(T)                                      \
    static inline T atomicCAS(T *memory, T wanted, T value) {    \
        T old = *memory;                                         \
        if (old == wanted) *memory = value;                      \
        return old;                                              \
    }
EMULATOR_ATOMIC(atomicAdd, int, old + value)
EMULATOR_ATOMIC(atomicAdd, unsigned, old + value)
EMULATOR_ATOMIC(atomicAdd, unsigned long long, old + value)
EMULATOR_ATOMIC(atomicAdd, float, old + value)
EMULATOR_ATOMIC(atomicAdd, double, old + value)
EMULATOR_ATOMIC(atomicSub, int, old - value)
EMULATOR_ATOMIC(atomicSub, unsigned, old - value)
EMULATOR_ATOMIC(atomicExch, int, value)
EMULATOR_ATOMIC(atomicExch, unsigned, value)
EMULATOR_ATOMIC(atomicExch, unsigned long long, value)
EMULATOR_ATOMIC(atomicExch, float, value)
EMULATOR_ATOMIC(atomicMax, int, value > old ? value : old)
EMULATOR_ATOMIC(atomicMax, unsigned, value > old ? value : old)
EMULATOR_ATOMIC(atomicMax, long long, value > old ? value : old)
EMULATOR_ATOMIC(atomicMax, unsigned long long, value > old ? value : old)
EMULATOR_ATOMIC(atomicMin, int, value < old ? value : old)
EMULATOR_ATOMIC(atomicMin, unsigned, value < old ? value : old)
EMULATOR_ATOMIC(atomicMin, long long, value < old ? value : old)
EMULATOR_ATOMIC(atomicMin, unsigned long long, value < old ? value : old)
EMULATOR_ATOMIC(atomicAnd, int, old & value)
EMULATOR_ATOMIC(atomicAnd, unsigned, old & value)
EMULATOR_ATOMIC(atomicAnd, unsigned long long, old & value)
EMULATOR_ATOMIC(atomicOr, int, old | value)
EMULATOR_ATOMIC(atomicOr, unsigned, old | value)
EMULATOR_ATOMIC(atomicOr, unsigned long long, old | value)
EMULATOR_ATOMIC(atomicXor, int, old ^ value)
EMULATOR_ATOMIC(atomicXor, unsigned, old ^ value)
EMULATOR_ATOMIC(atomicXor, unsigned long long, old ^ value)
EMULATOR_COMPARE(int)
EMULATOR_COMPARE(unsigned)
EMULATOR_COMPARE(unsigned long long)
EMULATOR_COMPARE(unsigned short)
