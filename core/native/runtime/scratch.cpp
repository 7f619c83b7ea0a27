#include "scratch.h"

#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace triptych {
namespace {

// Kernels write to many places of a large block by turns, more than a processor keeps the addresses
// of small pages for: Winograd's transforms to 36.
constexpr std::size_t PAGE = 4096, HUGE = std::size_t{2} << 20;

struct Block {
    void *start = nullptr;
    std::size_t bytes = 0;
    ~Block() { std::free(start); }
};

thread_local Block blocks[2];

struct NoMemory : std::bad_alloc {
    const char *what() const noexcept override {
        return "not enough memory for the intermediate results of a kernel";
    }
};

} // namespace

void *scratch(std::size_t bytes, int which) {
    Block &block = blocks[which];
    if (bytes > block.bytes) {
        const std::size_t wanted = bytes + bytes / 2, page = wanted < HUGE / 2 ? PAGE : HUGE;
        const std::size_t room = (wanted + page - 1) / page * page;
        std::free(block.start);
        block.start = nullptr, block.bytes = 0;
        block.start = std::aligned_alloc(page, room);
#ifdef MADV_HUGEPAGE
        if (block.start && page == HUGE) madvise(block.start, room, MADV_HUGEPAGE);
#endif
        if (!block.start) throw NoMemory();
        block.bytes = room;
    }
    return block.start;
}

} // namespace triptych
