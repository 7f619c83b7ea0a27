// Memory of arrays: on borders of 64 bytes, and kept when it is given back.
//
// Fresh memory costs a page fault for each page, several times as long as computing what goes in;
// so blocks wait for the next array of about their size. Blocks of one class are all the same size:
// multiples of 64 bytes below 1 KB, four to each power of two above. Of large blocks at most `limit`
// bytes are held, and those go first that have waited longest.
#pragma once

#include <cstddef>

namespace triptych {

struct MemoryStats {
    std::size_t allocated;      // bytes of blocks in use
    std::size_t reserved;       // those, and bytes of blocks that wait
    std::size_t max_allocated;  // the most that was ever in use
    std::size_t limit;          // bytes that may wait
    std::size_t reused, fresh;  // blocks handed out: that had waited, that came from the system
};

void *allocate(std::size_t bytes, bool zeroed); // null when the system has no more
void *reallocate(void *memory, std::size_t bytes);
void release(void *memory);

MemoryStats memory_stats();
void reset_peak_memory_stats();
void set_memory_limit(std::size_t bytes);
void empty_cache();

} // namespace triptych
