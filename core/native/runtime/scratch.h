// Memory for the intermediate results of one call.
#pragma once

#include <cstddef>

namespace triptych {

// At least `bytes` of memory on a cache line's border, which stays the calling thread's until its
// next call of scratch(); what was in it is undefined. Throws std::bad_alloc.
void *scratch(std::size_t bytes);

inline float *scratch_floats(std::size_t count) {
    return static_cast<float *>(scratch(count * sizeof(float)));
}

} // namespace triptych
