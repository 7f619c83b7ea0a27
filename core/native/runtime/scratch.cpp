#include "scratch.h"

#include <cstdlib>
#include <new>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#endif

namespace triptych {
namespace {

constexpr std::size_t HUGE = std::size_t{2} << 20;

struct Block {
    void *start = nullptr;
    std::size_t bytes = 0;
    ~Block() { std::free(start); }
};

thread_local Block blocks[2];

} // namespace

void *scratch(std::size_t bytes, int which) {
    Block &block = blocks[which];
    if (bytes > block.bytes) {
        const std::size_t page = bytes < HUGE ? 4096 : HUGE;
        const std::size_t room = (bytes + bytes / 2 + page - 1) / page * page;
        std::free(block.start);
        block.start = nullptr, block.bytes = 0;
        block.start = std::aligned_alloc(page, room);
        if (!block.start) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
        if (page == HUGE) madvise(block.start, room, MADV_HUGEPAGE); // fewer misses of addresses
#endif
        block.bytes = room;
    }
    return block.start;
}

} // namespace triptych
