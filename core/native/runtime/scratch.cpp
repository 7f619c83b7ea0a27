#include "scratch.h"

#include <cstdlib>
#include <new>

namespace triptych {
namespace {

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
        const std::size_t room = (bytes + bytes / 2 + 4095) / 4096 * 4096;
        std::free(block.start);
        block.start = nullptr, block.bytes = 0;
        block.start = std::aligned_alloc(4096, room);
        if (!block.start) throw std::bad_alloc();
        block.bytes = room;
    }
    return block.start;
}

} // namespace triptych
