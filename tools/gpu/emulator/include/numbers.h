// 16-bit floats as CUDA and HIP spell them. They round once, to nearest even, from float.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

struct __half_raw { unsigned short x; };

struct __half {
    _Float16 value;
    __half() = default;
    __half(float f) : value((_Float16)f) {}
    __half(const __half_raw &raw) { memcpy(&value, &raw, 2); }
    template <class N> explicit __half(N n) : value((_Float16)(float)n) {}
    operator float() const { return (float)value; }
    operator __half_raw() const {
        __half_raw raw;
        memcpy(&raw, &value, 2);
        return raw;
    }
};
typedef __half half;

struct __nv_bfloat16 {
    unsigned short bits;
    __nv_bfloat16() = default;
    __nv_bfloat16(float f) {
        uint32_t u;
        memcpy(&u, &f, 4);
        bits = f != f ? 0x7fff : (unsigned short)((u + 0x7fff + (u >> 16 & 1)) >> 16);
    }
    template <class N> explicit __nv_bfloat16(N n) : __nv_bfloat16((float)n) {}
    operator float() const {
        uint32_t u = (uint32_t)bits << 16;
        float f;
        memcpy(&f, &u, 4);
        return f;
    }
};
typedef __nv_bfloat16 __hip_bfloat16;

static inline float __half2float(__half h) { return h; }
static inline __half __float2half(float f) { return f; }
static inline __half __float2half_rn(float f) { return f; }
static inline float __bfloat162float(__nv_bfloat16 b) { return b; }
static inline __nv_bfloat16 __float2bfloat16(float f) { return f; }
static inline __nv_bfloat16 __float2bfloat16_rn(float f) { return f; }
static inline unsigned short __half_as_ushort(__half h) { return ((__half_raw)h).x; }
static inline __half __ushort_as_half(unsigned short bits) { return __half_raw{bits}; }
static inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 b) { return b.bits; }
static inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
    __nv_bfloat16 b;
    b.bits = bits;
    return b;
}
static inline bool __hisnan(__half h) { return std::isnan((float)h); }
static inline int __hisinf(__half h) { return std::isinf((float)h); }
static inline bool __heq(__half a, __half b) { return (float)a == (float)b; }
static inline bool __hisnan(__nv_bfloat16 b) { return std::isnan((float)b); }
static inline int __hisinf(__nv_bfloat16 b) { return std::isinf((float)b); }
