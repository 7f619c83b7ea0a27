// Memory for the intermediate results of one call.
#pragma once

#include <cstddef>

namespace triptych {

// At least `bytes` of memory on a cache line's border, which stays the calling thread's until its
// next call of scratch() for the same block; what was in it is undefined. Block 1 is for the pieces
// of work whose caller uses block 0. Throws std::bad_alloc.
void *scratch(std::size_t bytes, int block = 0);

inline float *scratch_floats(std::size_t count, int block = 0) {
    return static_cast<float *>(scratch(count * sizeof(float), block));
}

} // namespace triptych
