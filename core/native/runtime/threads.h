// A pool of threads for kernels.
//
// Work is cut into pieces whose borders depend on the amount of work and the number of threads
// alone, and each piece is computed in one go: results do not depend on which thread took which.
#pragma once

#include <algorithm>
#include <functional>

namespace triptych {

int num_threads();
void set_num_threads(int count);

// Calls body(piece, worker) for all pieces in [0, pieces); worker numbers the threads that take
// part, below `threads`: who has set scratch memory aside for each passes the number it was for, as
// num_threads() may change meanwhile. Runs on the calling thread alone when the pool is busy with
// another call, or inside a body. What a body throws is thrown here once all threads have stopped;
// pieces that none had taken are left out then.
void run_pieces(long pieces, const std::function<void(long piece, int worker)> &body,
                int threads = num_threads());

// Calls body(begin, end) over ranges that make up [0, count), none shorter than grain but the last.
template <class Body> void parallel(long count, long grain, Body &&body) {
    if (count <= 0) return;
    const long threads = num_threads();
    const long most = std::max(1L, count / std::max(1L, grain));
    const long pieces = threads == 1 ? 1 : std::min(most, 4 * threads);
    if (pieces == 1) return body(0L, count);
    run_pieces(pieces, [&](long piece, int) {
        body(count * piece / pieces, count * (piece + 1) / pieces);
    });
}

} // namespace triptych
