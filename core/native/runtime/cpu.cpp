#include "cpu.h"

#include <cstdlib>
#include <cstring>

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

} // namespace

Set instruction_set() {
    static const Set set = chosen();
    return set;
}

const char *instruction_set_name() { return names[static_cast<int>(instruction_set())]; }

} // namespace triptych
