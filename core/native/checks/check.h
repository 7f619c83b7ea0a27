/* What the checks of the kernels share: random sizes, memory that ends where a page begins which
   may not be touched, and a comparison with the plain twin.

   A check includes the source of its kernels and is built with the address and undefined behaviour
   sanitizers, once per instruction set; tests/core/native/test_checks.py does both. */
#ifndef TRIPTYCH_CHECK_H
#define TRIPTYCH_CHECK_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t check_state = 0x9E3779B97F4A7C15u;
static uint32_t random_bits(void) {
    check_state ^= check_state << 13, check_state ^= check_state >> 7;
    return (uint32_t)((check_state ^= check_state << 17) >> 32);
}
/* Both ends included. */
static long random_between(long low, long high) { return low + random_bits() % (high - low + 1); }
static float random_float(float scale) {
    return scale * ((float)random_bits() / 2147483648.0f - 1.0f);
}
/* Sizes that break kernels: 0, 1, odd, prime, around powers of two. */
static long random_size(long most) {
    static const long hard[] = {0, 1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 31, 32, 33, 61, 63, 64, 65, 127, 129};
    long n = random_bits() % 2 ? hard[random_bits() % (sizeof hard / sizeof *hard)]
                               : random_between(0, most);
    return n < most ? n : most;
}

/* What lies before a block faults under the address sanitizer, but for up to 7 bytes. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define FORBID(start, bytes) ASAN_POISON_MEMORY_REGION(start, bytes)
#define ALLOW(start, bytes) ASAN_UNPOISON_MEMORY_REGION(start, bytes)
#else
#define FORBID(start, bytes) ((void)0)
#define ALLOW(start, bytes) ((void)0)
#endif

/* `count` items of `size` bytes whose end is the end of a page; the pages after and before fault.
   Never freed one by one: check_done() gives all back. */
static struct { void *start; size_t bytes; } check_blocks[64];
static int check_used;
static void *guarded(long count, size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (size_t)count * size;
    size_t room = (bytes + page - 1) / page * page;
    char *all = mmap(0, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *start = all + page;
    if (all == MAP_FAILED || check_used == 64 ||
        (room && mprotect(start, room, PROT_READ | PROT_WRITE)))
        perror("guarded"), exit(2);
    FORBID(start, room - bytes);
    check_blocks[check_used].start = all;
    check_blocks[check_used++].bytes = room + 2 * page;
    return start + room - bytes;
}
static float *guarded_floats(long count, float scale) {
    float *x = guarded(count, sizeof *x);
    for (long i = 0; i < count; i++) x[i] = random_float(scale);
    return x;
}
static void check_done(void) {
    while (check_used) {
        check_used--;
        ALLOW(check_blocks[check_used].start, check_blocks[check_used].bytes);
        munmap(check_blocks[check_used].start, check_blocks[check_used].bytes);
    }
}

/* Ends the check unless |got - want| <= absolute + relative * |want| everywhere; equal infinities
   and NaN in both are close. */
static void check_close(const char *what, const float *got, const float *want, long count,
                        float relative, float absolute) {
    for (long i = 0; i < count; i++) {
        float difference = fabsf(got[i] - want[i]);
        if (got[i] == want[i] || (isnan(got[i]) && isnan(want[i]))) continue;
        if (difference <= absolute + relative * fabsf(want[i])) continue;
        printf("%s: item %ld of %ld is %.9g, the plain twin has %.9g\n", what, i, count, got[i], want[i]);
        exit(1);
    }
}

#endif
