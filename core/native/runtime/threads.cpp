#include "threads.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace triptych {
namespace {

// How long a thread looks out for the next call before it sleeps: waking it takes some 50 us,
// longer than many a call. Layers of a network follow each other in less, Python's part included.
constexpr auto SPIN = std::chrono::microseconds(400);
constexpr int LOOKS = 100; // before it offers its processor to others, again and again

int processors() {
#if defined(__linux__)
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) return std::max(1, CPU_COUNT(&mask));
#endif
    return std::max(1u, std::thread::hardware_concurrency());
}

int initial_threads() {
    const char *asked = std::getenv("OMP_NUM_THREADS");
    const long number = asked ? std::strtol(asked, nullptr, 10) : 0;
    return number > 0 ? static_cast<int>(std::min(number, 1024L)) : processors();
}

inline void pause_a_moment() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Waits while value is old: awake for a while, then asleep.
template <class T> void wait_while(const std::atomic<T> &value, T old) {
    for (int look = 0; look < LOOKS; look++) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause_a_moment();
    }
    const auto end = std::chrono::steady_clock::now() + SPIN;
    while (value.load(std::memory_order_acquire) == old) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() > end) value.wait(old, std::memory_order_acquire);
    }
}

// One call of run_pieces: threads take the next piece until none is left or one has failed.
struct Call {
    const std::function<void(long, int)> *body = nullptr;
    long pieces = 0;
    std::atomic<long> next{0};
    std::atomic<bool> failed{false};
    std::exception_ptr failure; // of the first that failed

    void work(int worker) noexcept {
        try {
            for (long piece; (piece = next.fetch_add(1, std::memory_order_relaxed)) < pieces;)
                (*body)(piece, worker);
        } catch (...) {
            next.store(pieces, std::memory_order_relaxed);
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    }
};

class Pool {
  public:
    // Fewer threads where the system gives no more: those there are take all pieces.
    explicit Pool(int helpers) : asked_(helpers) {
        try {
            threads_.reserve(helpers);
            for (int i = 0; i < helpers; i++) threads_.emplace_back([this, i] { serve(i + 1); });
        } catch (const std::system_error &) {
        } catch (const std::bad_alloc &) {
        }
    }

    ~Pool() {
        stop_ = true;
        announce();
        for (auto &thread : threads_) thread.join();
    }

    int asked() const { return asked_; }

    void run(long pieces, const std::function<void(long, int)> &body) {
        call_.body = &body;
        call_.pieces = pieces;
        call_.next.store(0, std::memory_order_relaxed);
        call_.failed = false;
        open_ = true;
        announce();
        call_.work(0);
        open_ = false; // who comes from now on finds it closed; wait for those who came before
        while (const int left = inside_) wait_while(inside_, left);
        if (call_.failed) std::rethrow_exception(std::exchange(call_.failure, nullptr));
    }

  private:
    void announce() {
        turn_.fetch_add(1, std::memory_order_release);
        turn_.notify_all();
    }

    void serve(int worker) {
        for (unsigned seen = 0;;) {
            wait_while(turn_, seen);
            seen = turn_.load(std::memory_order_acquire);
            if (stop_) return;
            inside_++;
            if (open_) call_.work(worker);
            if (--inside_ == 0) inside_.notify_all();
        }
    }

    Call call_;
    std::atomic<unsigned> turn_{0};
    std::atomic<int> inside_{0};
    std::atomic<bool> open_{false}, stop_{false};
    const int asked_;
    std::vector<std::thread> threads_;
};

// Never destroyed: threads must not be joined while the process ends.
struct Shared {
    std::atomic<bool> in_use{false};
    Pool *pool = nullptr; // made at the first call that needs it
    std::atomic<int> wanted{initial_threads()};
};

Shared *shared = new Shared;

// After a fork the child has the calling thread alone: it starts with a pool of its own.
void after_fork() {
    const int wanted = shared->wanted;
    shared = new Shared;
    shared->wanted = wanted;
}

[[maybe_unused]] const int registered = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, after_fork);
#endif
    return 0;
}();

} // namespace

int num_threads() { return shared->wanted; }

void set_num_threads(int count) { shared->wanted = std::max(1, count); }

void run_pieces(long pieces, const std::function<void(long, int)> &body, int threads) {
    const int helpers = threads - 1;
    if (pieces < 2 || helpers < 1 || shared->in_use.exchange(true)) {
        for (long piece = 0; piece < pieces; piece++) body(piece, 0);
        return;
    }
    const struct Leave {
        ~Leave() { shared->in_use = false; }
    } leave;
    if (!shared->pool || shared->pool->asked() != helpers) {
        delete std::exchange(shared->pool, nullptr);
        shared->pool = new Pool(helpers);
    }
    shared->pool->run(pieces, body);
}

} // namespace triptych
