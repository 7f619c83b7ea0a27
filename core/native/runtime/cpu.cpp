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

struct Instructions {
    int bytes = 0, bfloats = 0;
};

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

Instructions found_instructions() {
    unsigned a, b, c, d, more;
    const char *asked = std::getenv("TRIPTYCH_NATIVE");
    const bool named = asked && !std::strcmp(asked, instruction_set_name());
    if (named || instruction_set() != Set::avx512 || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return {};
    const auto has = [](unsigned bits, int place) { return (bits >> place & 1) != 0; };
    const bool tiles = has(d, 22) && has(d, 24) && has(d, 25); // AMX-BF16, AMX-TILE, AMX-INT8
    const bool vnni = has(c, 11);                              // AVX512_VNNI
    const int best = vnni && tiles && may_use_tiles() ? 2 : 1;
    const bool bf16 = a >= 1 && __get_cpuid_count(7, 1, &more, &b, &c, &d) && has(more, 5);
    return {vnni ? best : 0, bf16 ? best : 0};
}
#else
Instructions found_instructions() { return {}; }
#endif

const Instructions &instructions() {
    static const Instructions found = found_instructions();
    return found;
}

} // namespace

int product_instructions() { return instructions().bytes; }
int bfloat16_instructions() { return instructions().bfloats; }

Set instruction_set() {
    static const Set set = chosen();
    return set;
}

const char *instruction_set_name() { return names[static_cast<int>(instruction_set())]; }

} // namespace triptych
