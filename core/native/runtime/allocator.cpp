#include "allocator.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#define TRIPTYCH_MMAP
#endif

namespace triptych {
namespace {

constexpr std::size_t LINE = 64, SMALLEST_MAPPED = std::size_t{1} << 20, HUGE = std::size_t{2} << 20;
#ifdef TRIPTYCH_MMAP
constexpr bool MAPPED = true;
#else
constexpr bool MAPPED = false;
#endif
constexpr int SMALL_CLASSES = 16, CLASSES = SMALL_CLASSES + 4 * 54;

// In front of the memory of every block.
struct alignas(LINE) Header {
    std::size_t capacity; // bytes behind the header
    int size_class;
    Header *next, *previous;      // blocks of the class that wait
    Header *newer, *older;        // large blocks that wait, by when they came
};
static_assert(sizeof(Header) == LINE);

struct Class {
    int number;
    std::size_t capacity;
};

Class class_of(std::size_t bytes) {
    const std::size_t lines = std::max<std::size_t>(1, (bytes + LINE - 1) / LINE);
    if (lines <= SMALL_CLASSES) return {static_cast<int>(lines) - 1, lines * LINE};
    const int power = std::bit_width(bytes - 1) - 1; // 2^power < bytes <= 2^(power + 1)
    const std::size_t step = std::size_t{1} << (power - 2);
    const std::size_t steps = (bytes - (std::size_t{1} << power) + step - 1) / step; // 1 to 4
    const int number = SMALL_CLASSES + 4 * (power - 10) + static_cast<int>(steps) - 1;
    return {number, (std::size_t{1} << power) + steps * step};
}

constexpr std::size_t MOST = std::size_t{2} << 30; // that waits, unless the user allows more

std::size_t initial_limit() {
#ifdef TRIPTYCH_MMAP
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    if (pages > 0 && size > 0)
        return std::min(static_cast<std::size_t>(pages) / 8 * static_cast<std::size_t>(size), MOST);
#endif
    return MOST / 2;
}

// From and to the system

Header *from_system(std::size_t capacity) {
    const std::size_t bytes = capacity + LINE;
#ifdef TRIPTYCH_MMAP
    if (capacity >= SMALLEST_MAPPED) {
        const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t used = (bytes + page - 1) / page * page;
        const std::size_t spare = capacity >= 2 * HUGE ? HUGE : 0; // to begin where huge pages may
        auto *start = static_cast<char *>(mmap(nullptr, used + spare, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (start == MAP_FAILED) return nullptr;
        if (spare) {
            const std::size_t skip = -reinterpret_cast<std::uintptr_t>(start) % HUGE;
            if (skip) munmap(start, skip);
            start += skip;
            if (spare > skip) munmap(start + used, spare - skip);
#ifdef MADV_HUGEPAGE
            madvise(start, used, MADV_HUGEPAGE);
#endif
        }
        return reinterpret_cast<Header *>(start);
    }
#endif
    return static_cast<Header *>(std::aligned_alloc(LINE, bytes));
}

void to_system(Header *block) {
#ifdef TRIPTYCH_MMAP
    if (block->capacity >= SMALLEST_MAPPED) {
        munmap(block, block->capacity + LINE);
        return;
    }
#endif
    std::free(block);
}

// The blocks that wait. Everything below runs under the lock.

struct Store {
    Header *waiting[CLASSES] = {};
    Header *newest = nullptr, *oldest = nullptr;
    MemoryStats stats{0, 0, 0, initial_limit(), 0, 0};

    std::size_t held() const { return stats.reserved - stats.allocated; }

    Header *take(int number) {
        Header *block = waiting[number];
        if (block) unlink(block);
        return block;
    }

    void put(Header *block) {
        Header *&first = waiting[block->size_class];
        block->next = first, block->previous = nullptr;
        if (first) first->previous = block;
        first = block;
        if (block->size_class < SMALL_CLASSES) return;
        block->older = newest, block->newer = nullptr;
        (newest ? newest->newer : oldest) = block;
        newest = block;
    }

    void unlink(Header *block) {
        (block->previous ? block->previous->next : waiting[block->size_class]) = block->next;
        if (block->next) block->next->previous = block->previous;
        if (block->size_class < SMALL_CLASSES) return;
        (block->newer ? block->newer->older : newest) = block->older;
        (block->older ? block->older->newer : oldest) = block->newer;
    }

    void drop(Header *block) {
        unlink(block);
        stats.reserved -= block->capacity;
        to_system(block);
    }

    void shrink(std::size_t most) {
        while (oldest && held() > most) drop(oldest);
    }

    void count_in(const Header *block, bool fresh) {
        (fresh ? stats.fresh : stats.reused)++;
        if (fresh) stats.reserved += block->capacity;
        stats.allocated += block->capacity;
        stats.max_allocated = std::max(stats.max_allocated, stats.allocated);
    }
};

Store store;
std::atomic_flag locked = ATOMIC_FLAG_INIT;

void lock() {
    while (locked.test_and_set(std::memory_order_acquire)) {
    }
}
void unlock() { locked.clear(std::memory_order_release); }

struct Guard {
    Guard() { lock(); }
    ~Guard() { unlock(); }
};

[[maybe_unused]] const int registered = [] {
#ifdef TRIPTYCH_MMAP
    pthread_atfork(lock, unlock, unlock); // the child must not find the lock taken
#endif
    return 0;
}();

Header *header_of(void *memory) { return static_cast<Header *>(memory) - 1; }

} // namespace

void *allocate(std::size_t bytes, bool zeroed) {
    if (bytes > (std::size_t{1} << 62)) return nullptr;
    const Class wanted = class_of(bytes);
    Header *block;
    {
        const Guard guard;
        block = store.take(wanted.number);
        if (block) store.count_in(block, false);
    }
    const bool fresh = !block;
    if (fresh) {
        block = from_system(wanted.capacity);
        if (!block) { // what waits may be what is missing
            empty_cache();
            block = from_system(wanted.capacity);
        }
        if (!block) return nullptr;
        block->capacity = wanted.capacity;
        block->size_class = wanted.number;
        const Guard guard;
        store.count_in(block, true);
    }
    const bool zeros = MAPPED && fresh && wanted.capacity >= SMALLEST_MAPPED; // by the system
    if (zeroed && !zeros) std::memset(block + 1, 0, bytes);
    return block + 1;
}

void *reallocate(void *memory, std::size_t bytes) {
    if (!memory) return allocate(bytes, false);
    const std::size_t capacity = header_of(memory)->capacity;
    if (bytes <= capacity && bytes > capacity / 2) return memory;
    void *moved = allocate(bytes, false);
    if (!moved) return nullptr;
    std::memcpy(moved, memory, std::min(bytes, capacity));
    release(memory);
    return moved;
}

void release(void *memory) {
    if (!memory) return;
    Header *block = header_of(memory);
    const Guard guard;
    store.stats.allocated -= block->capacity;
    store.put(block);
    store.shrink(store.stats.limit);
}

MemoryStats memory_stats() {
    const Guard guard;
    return store.stats;
}

void reset_peak_memory_stats() {
    const Guard guard;
    store.stats.max_allocated = store.stats.allocated;
}

void set_memory_limit(std::size_t bytes) {
    const Guard guard;
    store.stats.limit = bytes;
    store.shrink(bytes);
}

void empty_cache() {
    const Guard guard;
    for (Header *&first : store.waiting)
        while (first) store.drop(first);
}

} // namespace triptych
