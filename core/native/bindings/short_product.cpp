#include "bindings/short_product.h"

#include "runtime/scratch.h"

#include <algorithm>
#include <vector>

namespace triptych {
namespace {

constexpr long CHUNK = 16; // panels that a block of rows is multiplied with at a time

constexpr long round_up(long size, long multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

// Memory of one call: packed columns for all, and a part for each thread.
struct Plan {
    const ShortProduct &p;
    const short_gemm_kernels &kernels = TRIPTYCH_PICK(short_gemm);
    const short_depth depth = kernels.depth(p.k, p.size);
    const long panels = round_up(p.m, SHORT_COLUMNS) / SHORT_COLUMNS;
    const long panel = 4 * depth.groups * SHORT_COLUMNS;
    const long blocks = round_up(p.n, SHORT_ROWS) / SHORT_ROWS;
    const long chunks = round_up(panels, CHUNK) / CHUNK;
    const long row = CHUNK * SHORT_COLUMNS;        // numbers of a row of products
    const long products = 4 * SHORT_ROWS * row;    // bytes
    const long offsets = 4 * SHORT_ROWS;
    const long each = products + offsets + round_up(kernels.scratch_bytes(&depth), 64);
    const int threads = num_threads();
    const int way = p.size == 1 ? product_instructions() : bfloat16_instructions();
    const bool few = p.m <= SHORT_FEW && !p.turned && way && kernels.multiply_few;
    const long of_x = few ? p.m * 4 * depth.groups : panels * panel;
    uint8_t *const packed =
        static_cast<uint8_t *>(scratch(static_cast<std::size_t>(of_x + threads * each)));

    uint8_t *own(int worker) const { return packed + of_x + worker * each; }

    void pack() const {
        if (few) {
            uint8_t *to = packed;
            for (long j = 0; j < p.m; j++, to += 4 * depth.groups) {
                const uint8_t *from = p.x + j * p.x_step;
                std::fill(std::transform(from, from + depth.bytes, to,
                                         [&](uint8_t byte) { return byte ^ p.flip; }),
                          to + 4 * depth.groups, 0);
            }
            return;
        }
        parallel(panels, 4 * SMALL / panel + 1, [&](long begin, long end) {
            for (long j = begin; j < end; j++) {
                const long first = j * SHORT_COLUMNS;
                const long count = std::min<long>(SHORT_COLUMNS, p.m - first);
                uint8_t *to = packed + j * panel;
                if (p.turned)
                    kernels.pack_turned(&depth, reinterpret_cast<const uint16_t *>(p.x) + first,
                                        p.x_step / 2, count, to);
                else kernels.pack(&depth, p.x + first * p.x_step, p.x_step, count, p.flip, to);
            }
        });
    }

    // Rows from i on, by a chunk of panels.
    void block(long i, long first, uint8_t *memory, const int32_t *sums) const {
        const long rows = std::min<long>(SHORT_ROWS, p.n - i);
        const long count = std::min(CHUNK, panels - first), column = first * SHORT_COLUMNS;
        auto *c = reinterpret_cast<int32_t *>(memory);
        auto *offset = reinterpret_cast<int32_t *>(memory + products);
        const uint8_t *w = p.w + i * p.w_step, *x = packed + first * panel;
        void *spare = memory + products + offsets;
        if (few)
            kernels.multiply_few(p.size, &depth, w, p.w_step, rows, packed, p.m, c, row);
        else if (p.size == 2)
            kernels.multiply_bfloat16(static_cast<short_way>(way), &depth,
                                      reinterpret_cast<const uint16_t *>(w), p.w_step, rows, x,
                                      count, reinterpret_cast<float *>(c), row, spare);
        else
            kernels.multiply(static_cast<short_way>(way), &depth,
                             reinterpret_cast<const int8_t *>(w), p.w_step, rows, x, count, c, row,
                             spare);
        if (p.size == 1) set_offsets(offset, w, rows);
        finish(i, column, rows, std::min(count * SHORT_COLUMNS, p.m - column), c, offset, sums);
    }

    void set_offsets(int32_t *offset, const uint8_t *w, long rows) const {
        for (long i = 0; i < rows; i++)
            offset[i] = p.x_zero ? p.x_zero * TRIPTYCH_PICK(quantize).sum_signed(
                                       reinterpret_cast<const int8_t *>(w + i * p.w_step), p.k)
                                 : 0;
    }

    void finish(long i, long column, long rows, long columns, const int32_t *c,
                const int32_t *offset, const int32_t *sums) const {
        static constexpr long sizes[] = {4, 1, 2, 4};
        product_finish f = p.finish;
        f.offset = offset;
        if (f.weight_zero) f.weight_zero += i, f.column_sum = sums + column;
        if (f.factor) f.factor += i;
        if (f.row_bias) f.row_bias += i;
        if (f.column_bias) f.column_bias += column;
        f.y = static_cast<char *>(f.y) +
              sizes[f.result] * (i * f.row_step + column * f.column_step);
        TRIPTYCH_PICK(quantize).finish(&f, c, row, rows, columns);
    }
};

// Of each row of x, less what all its numbers would sum to if they were zero.
std::vector<int32_t> sums_of(const ShortProduct &p) {
    std::vector<int32_t> sums(p.finish.weight_zero ? p.m : 0);
    for (std::size_t i = 0; i < sums.size(); i++)
        sums[i] = TRIPTYCH_PICK(quantize).sum_flipped(p.x + i * p.x_step, p.flip, p.k) -
                  static_cast<int32_t>(p.k) * p.x_zero;
    return sums;
}

} // namespace

void multiply(const ShortProduct &p) {
    const Plan plan{p};
    const std::vector<int32_t> sums = sums_of(p);
    plan.pack();
    const long pieces = plan.blocks * plan.chunks;
    run_pieces(pieces, [&](long piece, int worker) {
        plan.block(piece / plan.chunks * SHORT_ROWS, piece % plan.chunks * CHUNK, plan.own(worker),
                   sums.data());
    }, plan.threads);
}

} // namespace triptych
