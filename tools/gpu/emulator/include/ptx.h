// What instructions of PTX do, for code that tools/gpu/ptx translates. See NVIDIA's PTX ISA.
#pragma once
#include "device.h"

#include <cfenv>

// A register holds bits; instructions read them as the type they name.
union Register {
    uint8_t u8; int8_t s8;
    uint16_t u16; int16_t s16;
    uint32_t u32; int32_t s32;
    uint64_t u64; int64_t s64;
    _Float16 f16; float f32; double f64;
    bool pred;
};

namespace ptx {

static char *shared_memory;

template <class T> inline T load(const void *p) {
    T value;
    memcpy(&value, p, sizeof value);
    return value;
}
template <class T> inline void store(void *p, T value) { memcpy(p, &value, sizeof value); }

// .ftz: subnormal float32 numbers count as zero of their sign.
inline float flush(float x) { return std::fabs(x) < 1.17549435e-38f ? std::copysign(0.f, x) : x; }
template <class F> inline F saturate(F x) { return !(x > 0) ? F(0) : x > 1 ? F(1) : x; }

inline float from_bf16(uint16_t bits) { return emulator_bits<float>((uint32_t)bits << 16); }
inline uint16_t to_bf16(float x) { return __nv_bfloat16(x).bits; }

// Arithmetic that rounds another way than to nearest.
template <class T, class F> __attribute__((noinline)) T rounded(int mode, F compute) {
    int before = std::fegetround();
    std::fesetround(mode);
    volatile T result = compute();
    std::fesetround(before);
    return result;
}

// cvt to a whole number: NaN gives 0 and what is out of range the nearest number in it.
template <class I, class F> inline I to_integer(F x) {
    if (x != x) return 0;
    const F low = (F)std::numeric_limits<I>::min(), high = (F)std::numeric_limits<I>::max();
    if (x <= low) return std::numeric_limits<I>::min();
    if (x >= high) return std::numeric_limits<I>::max();
    return (I)x;
}
template <class I> inline I clamp(int64_t x) {
    const int64_t low = std::numeric_limits<I>::min(), high = std::numeric_limits<I>::max();
    return (I)(x < low ? low : x > high ? high : x);
}

// .NaN: NaN wins, where otherwise the number does.
template <class F> inline F max_nan(F a, F b) { return a != a ? a : b != b ? b : std::fmax(a, b); }
template <class F> inline F min_nan(F a, F b) { return a != a ? a : b != b ? b : std::fmin(a, b); }

template <class I> inline I divide(I a, I b) {
    if (b == 0) return (I)-1;
    if (std::is_signed<I>::value && b == (I)-1) return (I)(0 - (uint64_t)a);
    return a / b;
}
template <class I> inline I remainder(I a, I b) {
    if (b == 0) return a;
    if (std::is_signed<I>::value && b == (I)-1) return 0;
    return a % b;
}
template <class I> inline I high(I a, I b) {
    typedef unsigned __int128 Unsigned;
    typedef typename std::conditional<std::is_signed<I>::value, __int128, Unsigned>::type W;
    return (I)((W)a * (W)b >> 8 * sizeof(I));
}
// Shifts by more than the width clear, or fill with the sign.
template <class I> inline I left(I a, uint32_t n) { return n >= 8 * sizeof(I) ? 0 : (I)(a << n); }
template <class I> inline I right(I a, uint32_t n) {
    if (n >= 8 * sizeof(I)) return std::is_signed<I>::value && a < 0 ? (I)-1 : 0;
    return (I)(a >> n);
}
inline uint32_t funnel(uint32_t low, uint32_t top, uint32_t n, bool to_left, bool clamped) {
    n = clamped ? (n > 32 ? 32 : n) : n & 31;
    uint64_t both = (uint64_t)top << 32 | low;
    return to_left ? (uint32_t)(both << n >> 32) : (uint32_t)(both >> n);
}
inline uint32_t permute_bytes(uint32_t a, uint32_t b, uint32_t selector) {
    uint64_t bytes = (uint64_t)b << 32 | a;
    uint32_t out = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t choice = selector >> 4 * i & 15;
        uint8_t byte = (uint8_t)(bytes >> 8 * (choice & 7));
        if (choice & 8) byte = byte & 128 ? 255 : 0;
        out |= (uint32_t)byte << 8 * i;
    }
    return out;
}
// Bit i of the table is the result for a, b, c with 4 a + 2 b + c = i.
inline uint32_t logic3(uint32_t a, uint32_t b, uint32_t c, int table) {
    uint32_t out = 0;
    for (int i = 0; i < 8; i++)
        if (table >> i & 1) out |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    return out;
}
template <class U> inline U mask_of(uint32_t length) {
    return length >= 8 * sizeof(U) ? (U)-1 : (U)(((U)1 << length) - 1);
}
template <class U> inline U extract(U a, uint32_t start, uint32_t length) {
    start &= 255;
    length &= 255;
    return start >= 8 * sizeof(U) ? 0 : (U)(a >> start) & mask_of<U>(length);
}
template <class U> inline U insert(U a, U into, uint32_t start, uint32_t length) {
    start &= 255;
    length &= 255;
    if (!length || start >= 8 * sizeof(U)) return into;
    U mask = mask_of<U>(length) << start;
    return (into & ~mask) | (a << start & mask);
}
inline uint32_t highest_bit(uint64_t x) { return x ? 63 - __builtin_clzll(x) : 0xffffffffu; }

// a + b + carry; the carry that comes out stays in the flag.
inline uint32_t add_carry(uint32_t a, uint32_t b, bool in, bool &flag) {
    uint64_t sum = (uint64_t)a + b + in;
    flag = sum >> 32;
    return (uint32_t)sum;
}
inline uint32_t sub_borrow(uint32_t a, uint32_t b, bool in, bool &flag) {
    uint64_t difference = (uint64_t)a - b - in;
    flag = difference >> 32 & 1;
    return (uint32_t)difference;
}

enum Shuffle { UP, DOWN, BUTTERFLY, INDEX };
inline uint32_t shuffle(Shuffle mode, uint32_t value, uint32_t b, uint32_t c, uint32_t mask,
                        bool *valid) {
    int lane = emulator_lane(), segment = c >> 8 & 31, clamp_at = c & 31;
    int last = (lane & segment) | (clamp_at & ~segment), first = lane & segment, from = lane;
    if (mode == UP) from = lane - (int)b;
    if (mode == DOWN) from = lane + (int)b;
    if (mode == BUTTERFLY) from = lane ^ (int)b;
    if (mode == INDEX) from = first | ((int)b & ~segment);
    bool inside = mode == UP ? from >= last : from <= last;
    if (valid) *valid = inside;
    return emulator_exchange(mask, value, (inside ? from : lane) & 31, true);
}

inline size_t to_line(size_t bytes) { return (bytes + 255) / 128 * 128; }
inline int launch(void (*kernel)(void **), const unsigned *grid, const unsigned *block,
                  unsigned bytes, void **arguments, bool barriers) {
    shared_memory = (char *)aligned_alloc(128, to_line(bytes));
    memset(shared_memory, emulator::POISON, to_line(bytes));
    int failed = emulator::launch(kernel, grid, block, 0, arguments, barriers);
    free(shared_memory);
    return failed;
}

}  // namespace ptx
