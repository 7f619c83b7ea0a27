// The device language as C++17 for the host: included before a kernel's own source.
//
// A grid runs block after block in one thread of the host, so __shared__ is a static variable.
#pragma once
#include <cassert>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "scheduler.h"
#include "intrinsics.h"
#include "numbers.h"

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __shared__ static
#define __launch_bounds__(...)
#define __noinline__ __attribute__((noinline))
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))

struct char4 { signed char x, y, z, w; };
struct uchar4 { unsigned char x, y, z, w; };
struct int2 { int x, y; };
struct int3 { int x, y, z; };
struct int4 { int x, y, z, w; };
struct uint2 { unsigned x, y; };
struct uint4 { unsigned x, y, z, w; };
struct float2 { float x, y; };
struct float3 { float x, y, z; };
struct float4 { float x, y, z, w; };
struct double2 { double x, y; };
static inline int2 make_int2(int x, int y) { return {x, y}; }
static inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline double2 make_double2(double x, double y) { return {x, y}; }

static char *emulator_dynamic;  // what `extern __shared__` names

namespace emulator {

const unsigned char POISON = 0xCB;  // shared memory is not zero on a GPU

template <class... A, size_t... I>
void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*(typename std::decay<A>::type *)arguments[I]...);
}
template <class... A> void call(void (*kernel)(A...), void **arguments) {
    call(kernel, arguments, std::index_sequence_for<A...>{});
}

inline uint3 unravel(int thread) {
    unsigned t = (unsigned)thread;
    return {t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y};
}

// Threads that never wait need no fibers.
inline int run_without_barriers(int count) {
    Order order(count);
    order.next_turn();
    for (int i = 0; i < count; i++) {
        threadIdx = unravel(order.thread(i));
        body(body_arguments);
    }
    return 0;
}

inline int run_with_barriers(int count) {
    if (!fibers) {
        fibers = (Fiber *)calloc(MOST_THREADS, sizeof(Fiber));
        stacks = (char *)aligned_alloc(64, MOST_THREADS * STACK);
    }
    for (int i = 0; i < count; i++) make_fiber(i, unravel(i));
    return run_block(count);
}

// Runs a grid: 0, or 1 where threads of a block waited at different barriers.
inline int launch(void (*kernel)(void **), const unsigned *grid, const unsigned *block,
                  unsigned shared, void **arguments, bool barriers) {
    gridDim = dim3(grid[0], grid[1], grid[2]);
    blockDim = dim3(block[0], block[1], block[2]);
    body = kernel;
    body_arguments = arguments;
    size_t bytes = (shared + 255) / 128 * 128;
    emulator_dynamic = (char *)aligned_alloc(128, bytes);
    int count = (int)(block[0] * block[1] * block[2]), failed = 0;
    for (unsigned z = 0; z < grid[2]; z++)
        for (unsigned y = 0; y < grid[1]; y++)
            for (unsigned x = 0; x < grid[0] && !failed; x++) {
                blockIdx = {x, y, z};
                memset(emulator_dynamic, POISON, bytes);
                failed = barriers ? run_with_barriers(count) : run_without_barriers(count);
            }
    free(emulator_dynamic);
    return failed;
}

// ---- what a kernel takes, as text: "*float32 const *float32 int64"
template <class T> struct Name { static const char *text() { return "other"; } };
#define EMULATOR_NAME(T, name) \
    template <> struct Name<T> { static const char *text() { return name; } };
EMULATOR_NAME(bool, "bool")
EMULATOR_NAME(char, "int8")
EMULATOR_NAME(signed char, "int8")
EMULATOR_NAME(unsigned char, "uint8")
EMULATOR_NAME(short, "int16")
EMULATOR_NAME(unsigned short, "uint16")
EMULATOR_NAME(int, "int32")
EMULATOR_NAME(unsigned, "uint32")
EMULATOR_NAME(long, "int64")
EMULATOR_NAME(long long, "int64")
EMULATOR_NAME(unsigned long, "uint64")
EMULATOR_NAME(unsigned long long, "uint64")
EMULATOR_NAME(float, "float32")
EMULATOR_NAME(double, "float64")
EMULATOR_NAME(__half, "float16")
EMULATOR_NAME(__nv_bfloat16, "bfloat16")

template <class T> struct Argument {
    static void write(char *&to) { to += sprintf(to, "%s ", Name<T>::text()); }
};
template <class T> struct Argument<T *> {
    static void write(char *&to) { to += sprintf(to, "*%s ", Name<T>::text()); }
};
template <class T> struct Argument<const T *> {
    static void write(char *&to) { to += sprintf(to, "const*%s ", Name<T>::text()); }
};
template <class... A> void describe(void (*)(A...), char *to) {
    *to = 0;
    (Argument<typename std::decay<A>::type>::write(to), ...);
}

}  // namespace emulator
