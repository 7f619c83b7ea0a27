#include "cpu.h"

#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace triptych {
namespace {

Set best() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return Set::avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("f16c"))
        return Set::avx2;
#endif
    return Set::baseline;
}

const char *const names[] = {"baseline", "avx2", "avx512"};

Set chosen() {
    const char *asked = std::getenv("TRIPTYCH_NATIVE");
    for (int i = 0; asked && i <= static_cast<int>(best()); i++)
        if (!std::strcmp(asked, names[i])) return static_cast<Set>(i);
    return best();
}

#if defined(__x86_64__)
// Linux gives a process the registers of tiles when it asks for them.
bool may_use_tiles() {
#if defined(__linux__) && defined(SYS_arch_prctl)
    constexpr long request = 0x1023, tile_data = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, request, tile_data) == 0;
#else
    return false;
#endif
}

int found_instructions() {
    unsigned a, b, c, d;
    const char *asked = std::getenv("TRIPTYCH_NATIVE");
    const bool named = asked && !std::strcmp(asked, instruction_set_name());
    if (named || instruction_set() != Set::avx512 || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return 0;
    const auto has = [](unsigned bits, int place) { return (bits >> place & 1) != 0; };
    if (!has(c, 11)) return 0;                                    // AVX512_VNNI
    const bool tiles = has(d, 22) && has(d, 24) && has(d, 25);    // AMX-BF16, AMX-TILE, AMX-INT8
    return tiles && may_use_tiles() ? 2 : 1;
}
#else
int found_instructions() { return 0; }
#endif

} // namespace

int product_instructions() {
    static const int found = found_instructions();
    return found;
}

Set instruction_set() {
    static const Set set = chosen();
    return set;
}

const char *instruction_set_name() { return names[static_cast<int>(instruction_set())]; }

} // namespace triptych
