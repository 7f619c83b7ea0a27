// Runs the threads of a block as fibers: a thread runs until it waits at a barrier or ends.
//
// A thread waits for its block or for its warp. In which order threads take their turns is chosen
// by GPU_THREAD_ORDER: "forward", "reverse", or a number that seeds a fresh order for every turn. A
// kernel that lacks a barrier gives other results in another order.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>

struct uint3 { unsigned x, y, z; };
struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
static const int warpSize = 32;

namespace emulator {

// Saves the registers that a call preserves on the stack of the running fiber, and takes up those
// of another. One copy per process would do; weak, as every kernel brings its own.
extern "C" void emulator_switch(void **save, void *load);
#if defined(__x86_64__)
asm(R"(
.text
.weak emulator_switch
.type emulator_switch,@function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");
const int SAVED = 6;  // registers below the return address
#elif defined(__aarch64__)
asm(R"(
.text
.weak emulator_switch
.type emulator_switch,%function
emulator_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
)");
#else
#error "the emulator switches fibers on x86-64 and AArch64 only"
#endif

enum State { READY, AT_BLOCK, AT_WARP, DONE };

struct Fiber {
    void *stack;
    State state;
    unsigned mask;  // the lanes of its warp that it waits for
    uint3 index;
};

const size_t STACK = 64 << 10;
const int MOST_THREADS = 1024;
static Fiber *fibers;
static char *stacks;
static void *scheduler_stack;
static int running;
static void (*body)(void **);
static void **body_arguments;
static uint64_t exchanged[MOST_THREADS];  // what lanes of a warp hand each other

inline void wait(State state, unsigned mask) {
    fibers[running].state = state;
    fibers[running].mask = mask;
    emulator_switch(&fibers[running].stack, scheduler_stack);
    threadIdx = fibers[running].index;
}

inline void enter() {
    threadIdx = fibers[running].index;
    body(body_arguments);
    fibers[running].state = DONE;
    emulator_switch(&fibers[running].stack, scheduler_stack);
    abort();  // a fiber that is done is never resumed
}

inline void make_fiber(int thread, uint3 index) {
    void **top = (void **)(stacks + (thread + 1) * STACK - 64);
#if defined(__x86_64__)
    *--top = nullptr;  // so that the stack is aligned as after a call
    *--top = (void *)enter;
    for (int i = 0; i < SAVED; i++) *--top = nullptr;
#else
    top -= 20;
    memset(top, 0, 160);
    top[11] = (void *)enter;  // x30
#endif
    fibers[thread] = {top, READY, 0, index};
}

// The order in which threads take turns: position i runs thread i * step + shift, mod count.
struct Order {
    int count;
    bool reverse;
    uint64_t seed;
    unsigned step = 1, shift = 0;

    explicit Order(int count) : count(count) {
        const char *choice = getenv("GPU_THREAD_ORDER");
        reverse = choice && !strcmp(choice, "reverse");
        seed = choice ? strtoull(choice, nullptr, 10) : 0;
    }
    unsigned draw() {  // Knuth's linear congruential generator for 64 bits
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        return (unsigned)(seed >> 33);
    }
    void next_turn() {
        if (!seed || count < 2) return;
        shift = draw() % count;
        do step = 1 + draw() % (count - 1);
        while (common_divisor(step, count) != 1);
    }
    static unsigned common_divisor(unsigned a, unsigned b) {
        while (b) {
            unsigned rest = a % b;
            a = b;
            b = rest;
        }
        return a;
    }
    int thread(int i) const {
        if (reverse) return count - 1 - i;
        return (int)(((uint64_t)i * step + shift) % count);
    }
};

// Lets go the warps whose waiting lanes have all arrived; whether there were any.
inline bool release_warps(int count) {
    bool released = false;
    for (int first = 0; first < count; first += 32) {
        unsigned wanted = 0, arrived = 0, alive = 0;
        for (int lane = 0; lane < 32 && first + lane < count; lane++) {
            const Fiber &f = fibers[first + lane];
            if (f.state != DONE) alive |= 1u << lane;
            if (f.state != AT_WARP) continue;
            arrived |= 1u << lane;
            wanted |= f.mask;
        }
        if (!arrived || (wanted & alive & ~arrived)) continue;
        for (int lane = 0; lane < 32 && first + lane < count; lane++)
            if (arrived >> lane & 1) fibers[first + lane].state = READY;
        released = true;
    }
    return released;
}

// Lets go a block whose threads all wait at its barrier or are done; whether it did.
inline bool release_block(int count) {
    int waiting = 0, done = 0;
    for (int i = 0; i < count; i++) {
        waiting += fibers[i].state == AT_BLOCK;
        done += fibers[i].state == DONE;
    }
    if (!waiting || waiting + done < count) return false;
    for (int i = 0; i < count; i++)
        if (fibers[i].state == AT_BLOCK) fibers[i].state = READY;
    return true;
}

// Runs a block to its end: 0, or 1 where threads wait for each other at different barriers.
inline int run_block(int count) {
    Order order(count);
    for (;;) {
        order.next_turn();
        for (int i = 0; i < count; i++) {
            running = order.thread(i);
            if (fibers[running].state == READY)
                emulator_switch(&scheduler_stack, fibers[running].stack);
        }
        bool all_done = true;
        for (int i = 0; i < count; i++) all_done = all_done && fibers[i].state == DONE;
        if (all_done) return 0;
        if (!release_warps(count) && !release_block(count)) return 1;
    }
}

}  // namespace emulator
