/* Attention in blocks that stay in the cache: a block of queries meets the keys block by block,
   with a running maximum and sum for each query (the online softmax). The scores of a block are
   never written to memory beyond the cache.

   Forward the scores are computed turned around, keys by queries: then each lane has a query of its
   own, maxima and sums are taken without a step across lanes, and the weights are already the left
   operand of their product with the values. Backward, where most sums go over queries, they are
   queries by keys, and one of three operands is transposed.

   Source: Milakov and Gimelshein 2018, algorithm 3; Dao et al. 2022, algorithms 1 and 4. */
#include "attention.h"

#include "exp_below.h"
#include "gemm_block.h"
#include "rows.h"
#include "vector_math.h"

#define QUERIES 64 /* in a block */
#define KEYS 256   /* in a block: its scores are 64 KB */
#define LEAST_ (-__builtin_inff())

INLINE long least(long a, long b) { return a < b ? a : b; }
INLINE long whole(long n, long multiple) { return (n + multiple - 1) / multiple * multiple; }

/* Operands */

/* Rows are dealt out evenly over tiles: tile t of n rows starts at row n * t / tiles. */
INLINE long tiles_of(long n) { return (n + GEMM_ROWS - 1) / GEMM_ROWS; }

/* (n, terms) as the left operand: a panel for each tile of rows. */
static void pack_left(float *to, long n, long terms, const float *from, long row, long column) {
    const long tiles = tiles_of(n);
    for (long t = 0; t < tiles; t++, to += terms * GEMM_A_STEP) {
        const long begin = n * t / tiles, end = n * (t + 1) / tiles;
        KERNEL(gemm_pack)(to, GEMM_A_STEP, end - begin, terms, from + begin * row, row, column);
    }
}

/* (terms, n) as the right operand: panels of GEMM_COLUMNS columns. */
static void pack_right(float *to, long n, long terms, const float *from, long row, long column) {
    for (long j = 0; j < n; j += GEMM_COLUMNS, to += terms * GEMM_COLUMNS)
        KERNEL(gemm_pack)(to, GEMM_COLUMNS, least(n - j, GEMM_COLUMNS), terms, from + j * column,
                          column, row);
}

/* c (n, columns) = or += left right, both packed. */
static void multiply_packed(long n, long columns, long terms, const float *left, const float *right,
                            float *c, long c_step, int add) {
    const long tiles = tiles_of(n);
    for (long t = 0; t < tiles; t++, left += terms * GEMM_A_STEP) {
        const long begin = n * t / tiles, end = n * (t + 1) / tiles;
        KERNEL(gemm_strip)(end - begin, columns, terms, left, GEMM_A_STEP, right,
                           c + begin * c_step, c_step, add);
    }
}

/* The same with the left operand (terms, n), as it lies. */
static void multiply_turned(long n, long columns, long terms, const float *left, long left_step,
                            const float *right, float *c, long c_step, int add) {
    const long tiles = tiles_of(n);
    for (long t = 0; t < tiles; t++) {
        const long begin = n * t / tiles, end = n * (t + 1) / tiles;
        KERNEL(gemm_strip)(end - begin, columns, terms, left + begin, left_step, right,
                           c + begin * c_step, c_step, add);
    }
}

static void multiply_by(float *x, long count, float scale) {
    for (long i = 0; i < count; i += LANES)
        store_some(x + i, load_some(x + i, count - i, 0) * scale, count - i);
}

static void zero_out(attention_result x, long rows, long columns) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) x.data[i * x.row + j] = 0;
}

/* Masks */

/* A block of scores: queries from `query` on, keys from `key` on, with these steps between them. */
typedef struct {
    long query, queries, key, keys;
    float *scores;
    long query_step, key_step;
} score_block;

/* Walks a mask with the numbers of the block that lie side by side in the inner loop. */
#define EACH_SCORE(block, ...)                                                                     \
    if ((block)->query_step == 1)                                                                  \
        for (long k = 0; k < (block)->keys; k++)                                                   \
            for (long q = 0; q < (block)->queries; q++) __VA_ARGS__                                \
    else                                                                                           \
        for (long q = 0; q < (block)->queries; q++)                                                \
            for (long k = 0; k < (block)->keys; k++) __VA_ARGS__

static void apply_mask(const attention_head *head, const score_block *block) {
    const long start = block->query * head->mask_row + block->key * head->mask_column;
    const long row = head->mask_row, column = head->mask_column;
    float *scores = block->scores;
    if (head->kind == ATTENTION_FLOATS) {
        const float *mask = (const float *)head->mask + start;
        EACH_SCORE(block, {
            scores[q * block->query_step + k * block->key_step] += mask[q * row + k * column];
        })
    } else if (head->kind == ATTENTION_BYTES) {
        const unsigned char *mask = (const unsigned char *)head->mask + start;
        EACH_SCORE(block, {
            float *score = scores + q * block->query_step + k * block->key_step;
            *score = mask[q * row + k * column] ? *score : LEAST_;
        })
    }
}

/* The keys that some query before `query` + `queries` may see. */
static long seen_keys(const attention_head *head, long query, long queries) {
    const long last = query + queries + head->ahead;
    return !head->causal || last > head->s ? head->s : last < 0 ? 0 : last;
}

static void apply_causal(const attention_head *head, const score_block *block) {
    if (!head->causal || block->key + block->keys - 1 <= block->query + head->ahead) return;
    EACH_SCORE(block, {
        if (block->key + k > block->query + q + head->ahead)
            block->scores[q * block->query_step + k * block->key_step] = LEAST_;
    })
}

/* Forward */

typedef struct {
    float *keys, *values; /* packed, block after block */
    float *queries;       /* packed, a block */
    float *scores;        /* (KEYS, QUERIES) */
    float *top, *total, *decay;
} forward_memory;

INLINE long key_blocks(const attention_head *head) { return (head->s + KEYS - 1) / KEYS; }
INLINE long left_floats(long n, long terms) { return tiles_of(n) * terms * GEMM_A_STEP; }

static long lay_out_forward(const attention_head *head, float *at, forward_memory *memory) {
    float *const start = at;
    const long most = least(head->s, KEYS);
    memory->keys = at, at += key_blocks(head) * left_floats(most, head->e);
    memory->values = at, at += head->s * whole(head->f, GEMM_COLUMNS);
    memory->queries = at, at += head->e * whole(QUERIES, GEMM_COLUMNS);
    memory->scores = at, at += most * QUERIES;
    memory->top = at, at += QUERIES;
    memory->total = at, at += QUERIES;
    memory->decay = at, at += QUERIES;
    return at - start;
}

static long forward_floats(const attention_head *head) {
    static float nowhere[1];
    forward_memory memory;
    return lay_out_forward(head, nowhere, &memory);
}

static void pack_keys_and_values(const attention_head *head, const forward_memory *memory) {
    const attention_matrix k = head->k, v = head->v;
    const long step = left_floats(least(head->s, KEYS), head->e);
    for (long from = 0; from < head->s; from += KEYS) {
        const long keys = least(head->s - from, KEYS);
        pack_left(memory->keys + from / KEYS * step, keys, head->e, k.data + from * k.row, k.row,
                  k.column);
        pack_right(memory->values + from * whole(head->f, GEMM_COLUMNS), head->f, keys,
                   v.data + from * v.row, v.row, v.column);
    }
}

/* Scores of a block to weights, exp(score - top); each lane has a query. */
static void weigh(const forward_memory *memory, long keys, long vectors) {
    for (long v = 0; v < vectors * LANES; v += LANES) {
        float *scores = memory->scores + v;
        const vfloat before = load(memory->top + v);
        vfloat top = before, other = before;
        long k = 0;
        for (; k + 2 <= keys; k += 2) {
            top = vmax(load(scores + k * QUERIES), top);
            other = vmax(load(scores + (k + 1) * QUERIES), other);
        }
        if (k < keys) top = vmax(load(scores + k * QUERIES), top);
        top = vmax(other, top);
        const vfloat safe = choose(top == LEAST_, (vfloat){0}, top);
        const vfloat decay = vexp_below(before - safe);
        vfloat total = load(memory->total + v) * decay;
        for (k = 0; k < keys; k++) {
            const vfloat weight = vexp_below(load(scores + k * QUERIES) - safe);
            store(scores + k * QUERIES, weight);
            total += weight;
        }
        store(memory->top + v, top);
        store(memory->total + v, total);
        store(memory->decay + v, decay);
    }
}

static void forward_block(const attention_head *head, const forward_memory *memory,
                          attention_result out, long query, long queries) {
    const long e = head->e, f = head->f, vectors = (queries + LANES - 1) / LANES;
    const long step = left_floats(least(head->s, KEYS), e), seen = seen_keys(head, query, queries);
    for (long i = 0; i < QUERIES; i++) memory->top[i] = LEAST_, memory->total[i] = 0;
    pack_right(memory->queries, queries, e, head->q.data + query * head->q.row, head->q.column,
               head->q.row);
    multiply_by(memory->queries, e * whole(queries, GEMM_COLUMNS), head->scale);
    if (seen == 0) zero_out(out, queries, f);
    for (long from = 0; from < seen; from += KEYS) {
        const long keys = least(head->s - from, KEYS);
        multiply_packed(keys, vectors * LANES, e, memory->keys + from / KEYS * step,
                        memory->queries, memory->scores, QUERIES, 0);
        const score_block block = {query, queries, from, keys, memory->scores, 1, QUERIES};
        apply_mask(head, &block);
        apply_causal(head, &block);
        weigh(memory, keys, vectors);
        for (long i = 0; from && i < queries; i++)
            multiply_by(out.data + i * out.row, f, memory->decay[i]);
        multiply_turned(queries, f, keys, memory->scores, QUERIES,
                        memory->values + from * whole(f, GEMM_COLUMNS), out.data, out.row, from > 0);
    }
}

static void attention_forward(const attention_head *head, attention_result out, float *level,
                              long begin, long end, float *scratch) {
    forward_memory memory;
    lay_out_forward(head, scratch, &memory);
    pack_keys_and_values(head, &memory);
    for (long query = begin; query < end; query += QUERIES) {
        const long queries = least(end - query, QUERIES);
        const attention_result here = {out.data + query * out.row, out.row};
        forward_block(head, &memory, here, query, queries);
        for (long i = 0; i < queries; i++) {
            const float total = memory.total[i], top = memory.top[i];
            multiply_by(here.data + i * here.row, head->f, total == 0 ? 1 : 1 / total);
            memory.decay[i] = top == LEAST_ ? 0 : top;
        }
        for (long i = 0; i < queries; i += LANES) {
            const vfloat total = load(memory.total + i);
            const vfloat found = vlog(total) + load(memory.decay + i);
            store_some(level + query + i, choose(total == 0, splat(__builtin_inff()), found),
                       queries - i);
        }
    }
}

/* Backward */

typedef struct {
    float *keys_right, *keys_rows, *values_right; /* of all keys, block after block */
    float *queries_left, *queries_rows, *g_left, *g_rows, *tilt; /* of a block of queries */
    float *weights, *of_scores; /* (QUERIES, KEYS) */
    float *turned;              /* (KEYS, QUERIES) */
} backward_memory;

static long lay_out_backward(const attention_head *head, float *at, backward_memory *memory) {
    float *const start = at;
    const long e = head->e, f = head->f, padded = whole(head->s, GEMM_COLUMNS);
    memory->keys_right = at, at += padded * e;
    memory->keys_rows = at, at += head->s * whole(e, GEMM_COLUMNS);
    memory->values_right = at, at += padded * f;
    memory->queries_left = at, at += left_floats(QUERIES, e);
    memory->g_left = at, at += left_floats(QUERIES, f);
    memory->queries_rows = at, at += QUERIES * whole(e, GEMM_COLUMNS);
    memory->g_rows = at, at += QUERIES * whole(f, GEMM_COLUMNS);
    memory->tilt = at, at += QUERIES;
    memory->weights = at, at += QUERIES * KEYS;
    memory->of_scores = at, at += QUERIES * KEYS;
    memory->turned = at, at += KEYS * QUERIES;
    return at - start;
}

static long backward_floats(const attention_head *head) {
    static float nowhere[1];
    backward_memory memory;
    return lay_out_backward(head, nowhere, &memory);
}

static void pack_for_backward(const attention_head *head, const backward_memory *memory) {
    const attention_matrix k = head->k, v = head->v;
    for (long from = 0; from < head->s; from += KEYS) {
        const long keys = least(head->s - from, KEYS);
        const float *k_here = k.data + from * k.row, *v_here = v.data + from * v.row;
        pack_right(memory->keys_right + from * head->e, keys, head->e, k_here, k.column, k.row);
        float *rows = memory->keys_rows + from * whole(head->e, GEMM_COLUMNS);
        pack_right(rows, head->e, keys, k_here, k.row, k.column);
        multiply_by(rows, keys * whole(head->e, GEMM_COLUMNS), head->scale);
        pack_right(memory->values_right + from * head->f, keys, head->f, v_here, v.column, v.row);
    }
}

static void pack_queries(const attention_head *head, attention_matrix g, attention_matrix out,
                         const float *h, const backward_memory *memory, long query, long queries) {
    const long e = head->e, f = head->f;
    const float *q_here = head->q.data + query * head->q.row, *g_here = g.data + query * g.row;
    pack_left(memory->queries_left, queries, e, q_here, head->q.row, head->q.column);
    pack_right(memory->queries_rows, e, queries, q_here, head->q.row, head->q.column);
    multiply_by(memory->queries_left, left_floats(queries, e), head->scale);
    multiply_by(memory->queries_rows, queries * whole(e, GEMM_COLUMNS), head->scale);
    pack_left(memory->g_left, queries, f, g_here, g.row, g.column);
    pack_right(memory->g_rows, f, queries, g_here, g.row, g.column);
    for (long i = query; i < query + queries; i++) {
        float sum = 0;
        for (long j = 0; j < f; j++)
            sum += g.data[i * g.row + j * g.column] * out.data[i * out.row + j * out.column];
        memory->tilt[i - query] = sum - h[i];
    }
}

/* Scores to weights, and gradients of the weights to those of the scores. */
static void weigh_backward(const backward_memory *memory, const float *level, long queries,
                           long keys) {
    for (long i = 0; i < queries; i++) {
        float *weights = memory->weights + i * KEYS, *of_scores = memory->of_scores + i * KEYS;
        for (long k = 0; k < keys; k += LANES) {
            const vfloat weight = vexp_below(load(weights + k) - level[i]);
            store(weights + k, weight);
            store(of_scores + k, weight * (load(of_scores + k) - memory->tilt[i]));
        }
    }
}

static void backward_block(const attention_head *head, const backward_memory *memory,
                           const float *level, attention_result dq, attention_result dk,
                           attention_result dv, long query, long queries, long from) {
    const long e = head->e, f = head->f, keys = least(head->s - from, KEYS);
    const long columns = whole(keys, LANES);
    multiply_packed(queries, columns, e, memory->queries_left, memory->keys_right + from * e,
                    memory->weights, KEYS, 0);
    const score_block block = {query, queries, from, keys, memory->weights, KEYS, 1};
    apply_mask(head, &block);
    apply_causal(head, &block);
    multiply_packed(queries, columns, f, memory->g_left, memory->values_right + from * f,
                    memory->of_scores, KEYS, 0);
    weigh_backward(memory, level + query, queries, columns);
    multiply_turned(keys, f, queries, memory->weights, KEYS, memory->g_rows,
                    dv.data + from * dv.row, dv.row, 1);
    multiply_turned(keys, e, queries, memory->of_scores, KEYS, memory->queries_rows,
                    dk.data + from * dk.row, dk.row, 1);
    KERNEL(gemm_pack)(memory->turned, QUERIES, queries, keys, memory->of_scores, KEYS, 1);
    multiply_turned(queries, e, keys, memory->turned, QUERIES,
                    memory->keys_rows + from * whole(e, GEMM_COLUMNS), dq.data + query * dq.row, dq.row,
                    1);
}

static void attention_backward(const attention_head *head, attention_matrix g, attention_matrix out,
                               const float *level, const float *h, attention_result dq,
                               attention_result dk, attention_result dv, float *scratch) {
    backward_memory memory;
    lay_out_backward(head, scratch, &memory);
    pack_for_backward(head, &memory);
    zero_out(dq, head->l, head->e);
    zero_out(dk, head->s, head->e);
    zero_out(dv, head->s, head->f);
    for (long query = 0; query < head->l; query += QUERIES) {
        const long queries = least(head->l - query, QUERIES);
        const long seen = seen_keys(head, query, queries);
        pack_queries(head, g, out, h, &memory, query, queries);
        for (long from = 0; from < seen; from += KEYS)
            backward_block(head, &memory, level, dq, dk, dv, query, queries, from);
    }
}

/* The plain twins, in double precision. */

INLINE double entry(attention_matrix m, long i, long j) {
    return m.data[i * m.row + j * m.column];
}

__attribute__((unused)) static double score_plain(const attention_head *head, long i, long k) {
    double sum = 0;
    if (head->causal && k > i + head->ahead) return -__builtin_inf();
    const long place = i * head->mask_row + k * head->mask_column;
    if (head->kind == ATTENTION_BYTES && !((const unsigned char *)head->mask)[place])
        return -__builtin_inf();
    for (long j = 0; j < head->e; j++) sum += entry(head->q, i, j) * entry(head->k, k, j);
    sum *= head->scale;
    return head->kind == ATTENTION_FLOATS ? sum + ((const float *)head->mask)[place] : sum;
}

__attribute__((unused)) static void attention_forward_plain(const attention_head *head, float *out,
                                                            float *level) {
    for (long i = 0; i < head->l; i++) {
        double top = -__builtin_inf(), total = 0;
        for (long k = 0; k < head->s; k++)
            top = score_plain(head, i, k) > top ? score_plain(head, i, k) : top;
        const int blind = top == -__builtin_inf();
        for (long k = 0; k < head->s && !blind; k++)
            total += __builtin_exp(score_plain(head, i, k) - top);
        level[i] = blind ? __builtin_inff() : (float)(__builtin_log(total) + top);
        for (long j = 0; j < head->f; j++) {
            double sum = 0;
            for (long k = 0; k < head->s && !blind; k++)
                sum += __builtin_exp(score_plain(head, i, k) - top) / total * entry(head->v, k, j);
            out[i * head->f + j] = (float)sum;
        }
    }
}

/* dq, dk, dv are zeros before. */
__attribute__((unused)) static void attention_backward_plain(const attention_head *head,
                                                             attention_matrix g,
                                                             attention_matrix out,
                                                             const float *level, const float *h,
                                                             float *dq, float *dk, float *dv) {
    for (long i = 0; i < head->l; i++) {
        double tilt = -h[i];
        for (long j = 0; j < head->f; j++) tilt += entry(g, i, j) * entry(out, i, j);
        for (long k = 0; k < head->s; k++) {
            const double weight = __builtin_exp(score_plain(head, i, k) - level[i]);
            double of_weight = 0;
            for (long j = 0; j < head->f; j++) {
                dv[k * head->f + j] += (float)(weight * entry(g, i, j));
                of_weight += entry(g, i, j) * entry(head->v, k, j);
            }
            const double of_score = weight * (of_weight - tilt) * head->scale;
            for (long j = 0; j < head->e; j++) {
                dq[i * head->e + j] += (float)(of_score * entry(head->k, k, j));
                dk[k * head->e + j] += (float)(of_score * entry(head->q, i, j));
            }
        }
    }
}

const attention_kernels KERNEL(attention) = {attention_forward, forward_floats, attention_backward,
                                             backward_floats};
