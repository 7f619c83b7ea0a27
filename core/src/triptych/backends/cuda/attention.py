"""Attention with an online softmax, and its gradients, for heads of up to 128 features (64 of
float64), with masks and dropout.

A warp takes a query; eight of them share tiles of 32 keys and values in shared memory. A lane
scores one key of the tile, and then holds every 32nd feature of the output. The backward pass
computes the weights again from the saved logarithms of the sums; one kernel goes over the keys of
a query and one over the queries of a key, so that only the gradient of an added mask needs atomic
additions. Whether dropout keeps a weight is a hash of a seed and its place: see prims/attention.py,
which gives the same answer for the same seed.

Source: Milakov and Gimelshein 2018, algorithm 3; Dao et al. 2022, algorithms 1 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...runtime import are_deterministic_algorithms_enabled
from .norm import wide
from .source import FLOATING, Source

CODE = r"""
// A call: queries, keys, features of both and of values; row i sees keys up to i + causal if that
// is a limit. A mask (count, rows or 1, columns or 1) hides where `open` is false, or is added; as
// many as `repeat` heads in turn share one. Dropout keeps a weight whose hash reaches the limit.
enum { ATTENTION_BARE, ATTENTION_OPEN, ATTENTION_ADDED };
template <class C> struct AttentionCall {
    int length, source, width, depth, limited, causal;
    const bool *open;
    const C *added;
    int kind, repeat, count;
    long long mask_head, mask_row, mask_column;
    unsigned one, two, limit;
    C growth;
    bool drops;

    __device__ long long mask_at(int head, int row, int column) const {
        return head / repeat % count * mask_head + row * mask_row + column * mask_column;
    }
    __device__ bool hides(int row, int column) const {
        return row >= length || column >= source || (limited && column > row + causal);
    }
    __device__ C masked(C score, int head, int row, int column) const {
        if (hides(row, column)) return C(-INFINITY);
        if (kind == ATTENTION_BARE) return score;
        long long at = mask_at(head, row, column);
        return kind == ATTENTION_ADDED ? score + added[at] : open[at] ? score : C(-INFINITY);
    }
    static __device__ unsigned mixed(unsigned x) {
        for (int i = 0; i < 2; i++) x = (x ^ x >> 16) * 0x45D9F3Bu;
        return x ^ x >> 16;
    }
    __device__ C kept(int head, int row, int column) const {
        if (!drops) return C(1);
        unsigned of_head = mixed(head * 0x9E3779B1u ^ one);
        unsigned of_row = mixed(row * 0x85EBCA77u ^ two ^ of_head);
        return mixed(of_row ^ mixed(column * 0xC2B2AE3Du ^ one)) >= limit ? growth : C(0);
    }
};
#define ATTENTION_ARGUMENTS(C)                                                                    \
    const bool *open, const C *added, const long long *seed, int length, int source, int width,   \
    int depth, int limited, int causal, int kind, int repeat, int count, long long mask_head,     \
    long long mask_row, long long mask_column, int drops, unsigned limit, double growth,          \
    double scale
#define ATTENTION_CALL(C)                                                                         \
    {length, source, width, depth, limited, causal, open, added, kind, repeat, count, mask_head,  \
     mask_row, mask_column, drops ? (unsigned)seed[0] : 0u, drops ? (unsigned)seed[1] : 0u,       \
     limit, C(growth), drops != 0}
const int ATTENTION_WARPS = 8;

// 32 rows from `start` on into shared memory, zeros beyond the last.
template <class T, class C, int E> __device__ void attention_load(
    C (*tile)[E + 1], const T *from, int start, int rows, int features)
{
    for (int i = threadIdx.y * 32 + threadIdx.x; i < 32 * features; i += 32 * ATTENTION_WARPS) {
        int row = i / features, f = i % features;
        tile[row][f] = start + row < rows ? C(from[(long long)(start + row) * features + f]) : C(0);
    }
}

// A warp's own row, times a factor; zeros beyond the last.
template <class T, class C> __device__ void attention_row(
    C *to, const T *from, int row, int rows, int features, C factor)
{
    for (int f = threadIdx.x; f < features; f += 32)
        to[f] = row < rows ? C(from[(long long)row * features + f]) * factor : C(0);
}

template <class C> __device__ C attention_dot(const C *a, const C *b, int features) {
    C sum = 0;
    for (int f = 0; f < features; f++) sum += a[f] * b[f];
    return sum;
}

// Adds to a lane's features the rows of a tile, each times what its lane holds.
template <class C, int E> __device__ void attention_gather(
    C *sums, C share, C (*tile)[E + 1], int features)
{
    for (int j = 0; j < 32; j++) {
        C part = __shfl_sync(0xffffffffu, share, j);
        for (int r = 0; r < E / 32; r++) {
            int f = threadIdx.x + 32 * r;
            if (f < features) sums[r] += part * tile[j][f];
        }
    }
}

template <class T, class C, int E> __device__ void attention_write(
    T *to, const C *sums, C factor, int row, int rows, int features)
{
    for (int r = 0; r < E / 32; r++) {
        int f = threadIdx.x + 32 * r;
        if (row < rows && f < features) to[(long long)row * features + f] = T(sums[r] * factor);
    }
}

template <class T, int E> __global__ void attention_forward(
    const T *q, const T *k, const T *v, T *out, typename Wide<T>::type *level,
    ATTENTION_ARGUMENTS(typename Wide<T>::type))
{
    typedef typename Wide<T>::type C;
    __shared__ C keys[32][E + 1], values[32][E + 1], queries[ATTENTION_WARPS][E];
    const AttentionCall<C> call = ATTENTION_CALL(C);
    int tiles = (length + ATTENTION_WARPS - 1) / ATTENTION_WARPS, head = blockIdx.x / tiles;
    int first = blockIdx.x % tiles * ATTENTION_WARPS, row = first + threadIdx.y;
    q += (long long)head * length * width;
    k += (long long)head * source * width;
    v += (long long)head * source * depth;
    out += (long long)head * length * depth;
    attention_row(queries[threadIdx.y], q, row, length, width, C(scale));
    C sums[E / 32] = {C(0)}, top = C(-INFINITY), total = 0, safe = 0;
    int end = limited ? min(source, first + ATTENTION_WARPS + causal) : source;
    for (int start = 0; start < end; start += 32) {
        __syncthreads();
        attention_load<T, C, E>(keys, k, start, source, width);
        attention_load<T, C, E>(values, v, start, source, depth);
        __syncthreads();
        C score = attention_dot(queries[threadIdx.y], keys[threadIdx.x], width);
        score = call.masked(score, head, row, start + threadIdx.x);
        C highest = larger(top, warp_reduce<Max>(score));
        safe = highest == C(-INFINITY) ? C(0) : highest;
        C share = exp(score - safe), decay = exp(top - safe);
        total = total * decay + warp_reduce<Sum>(share);
        for (int r = 0; r < E / 32; r++) sums[r] *= decay;
        share *= call.kept(head, row, start + threadIdx.x);
        attention_gather<C, E>(sums, share, values, depth);
        top = highest;
    }
    bool blind = total == C(0);
    attention_write<T, C, E>(out, sums, blind ? C(1) : C(1) / total, row, length, depth);
    if (threadIdx.x == 0 && row < length)
        level[(long long)head * length + row] = blind ? C(INFINITY) : log(total) + safe;
}

// tilt: the sum of g times the output of each query, less the gradient of its level.
template <class T, int E> __global__ void attention_of_queries(
    const T *g, const T *q, const T *k, const T *v, const typename Wide<T>::type *level,
    const typename Wide<T>::type *tilt, T *dq, ATTENTION_ARGUMENTS(typename Wide<T>::type))
{
    typedef typename Wide<T>::type C;
    __shared__ C keys[32][E + 1], values[32][E + 1];
    __shared__ C queries[ATTENTION_WARPS][E], slopes[ATTENTION_WARPS][E];
    const AttentionCall<C> call = ATTENTION_CALL(C);
    int tiles = (length + ATTENTION_WARPS - 1) / ATTENTION_WARPS, head = blockIdx.x / tiles;
    int first = blockIdx.x % tiles * ATTENTION_WARPS, row = first + threadIdx.y;
    long long at = (long long)head * length + min(row, length - 1);
    g += (long long)head * length * depth;
    k += (long long)head * source * width;
    v += (long long)head * source * depth;
    attention_row(queries[threadIdx.y], q + (long long)head * length * width, row, length, width,
                  C(scale));
    attention_row(slopes[threadIdx.y], g, row, length, depth, C(1));
    C sums[E / 32] = {C(0)};
    int end = limited ? min(source, first + ATTENTION_WARPS + causal) : source;
    for (int start = 0; start < end; start += 32) {
        __syncthreads();
        attention_load<T, C, E>(keys, k, start, source, width);
        attention_load<T, C, E>(values, v, start, source, depth);
        __syncthreads();
        C slope = 0;
        int column = start + threadIdx.x;
        if (!call.hides(row, column)) {
            C score = attention_dot(queries[threadIdx.y], keys[threadIdx.x], width);
            C of_weight = attention_dot(slopes[threadIdx.y], values[threadIdx.x], depth);
            score = call.masked(score, head, row, column);
            of_weight *= call.kept(head, row, column);
            slope = exp(score - level[at]) * (of_weight - tilt[at]);
        }
        attention_gather<C, E>(sums, slope, keys, width);
    }
    dq += (long long)head * length * width;
    attention_write<T, C, E>(dq, sums, C(scale), row, length, width);
}

template <class T, int E> __global__ void attention_of_keys(
    const T *g, const T *q, const T *k, const T *v, const typename Wide<T>::type *level,
    const typename Wide<T>::type *tilt, T *dk, T *dv, typename Wide<T>::type *of_mask,
    ATTENTION_ARGUMENTS(typename Wide<T>::type))
{
    typedef typename Wide<T>::type C;
    __shared__ C queries[32][E + 1], slopes[32][E + 1];
    __shared__ C keys[ATTENTION_WARPS][E], values[ATTENTION_WARPS][E];
    const AttentionCall<C> call = ATTENTION_CALL(C);
    int tiles = (source + ATTENTION_WARPS - 1) / ATTENTION_WARPS, head = blockIdx.x / tiles;
    int first = blockIdx.x % tiles * ATTENTION_WARPS, column = first + threadIdx.y;
    g += (long long)head * length * depth;
    q += (long long)head * length * width;
    attention_row(keys[threadIdx.y], k + (long long)head * source * width, column, source, width,
                  C(scale));
    attention_row(values[threadIdx.y], v + (long long)head * source * depth, column, source, depth,
                  C(1));
    C of_key[E / 32] = {C(0)}, of_value[E / 32] = {C(0)}, of_column = 0;
    int begin = limited ? max(0, first - causal) / 32 * 32 : 0;
    for (int start = begin; start < length; start += 32) {
        __syncthreads();
        attention_load<T, C, E>(queries, q, start, length, width);
        attention_load<T, C, E>(slopes, g, start, length, depth);
        __syncthreads();
        int row = start + threadIdx.x;
        C weight = 0, slope = 0;
        if (!call.hides(row, column)) {
            long long at = (long long)head * length + row;
            C score = attention_dot(queries[threadIdx.x], keys[threadIdx.y], width);
            C of_weight = attention_dot(slopes[threadIdx.x], values[threadIdx.y], depth);
            C keep = call.kept(head, row, column);
            weight = exp(call.masked(score, head, row, column) - level[at]);
            slope = weight * (of_weight * keep - tilt[at]);
            weight *= keep;
            if (kind == ATTENTION_ADDED && mask_row)
                atomicAdd(of_mask + call.mask_at(head, row, column), slope);
            of_column += slope;
        }
        attention_gather<C, E>(of_value, weight, slopes, depth);
        attention_gather<C, E>(of_key, slope, queries, width);
    }
    if (kind == ATTENTION_ADDED && !mask_row) {
        of_column = warp_reduce<Sum>(of_column);
        if (threadIdx.x == 0 && column < source)
            atomicAdd(of_mask + call.mask_at(head, 0, column), of_column);
    }
    dk += (long long)head * source * width;
    dv += (long long)head * source * depth;
    attention_write<T, C, E>(dk, of_key, C(scale), column, source, width);
    attention_write<T, C, E>(dv, of_value, C(1), column, source, depth);
}
"""
PARTS = ("forward", "of_queries", "of_keys")
# The most features of a head, by dtype: tiles of 128 float64 do not fit shared memory.
USUAL, LIMITED = (32, 64, 128), {"float64": (32, 64)}


def _source(features: tuple[int, ...], *dtypes: str) -> Source:
    kernels = [f"attention_{part}<{{T}}, {e}>" for part in PARTS for e in features]
    return Source("attention", CODE, kernels, dtypes)


SOURCE = _source(USUAL, *(name for name in FLOATING if name not in LIMITED))
DOUBLE = _source(LIMITED["float64"], "float64")
WARPS = 8
BARE, OPEN, ADDED = range(3)  # kinds of masks
NO_MASK = (*map(np.int32, (BARE, 1, 1)), *map(np.int64, (0, 0, 0)))


def _features(dtype: Any) -> tuple[int, ...]:
    return LIMITED.get(dtype.name, USUAL)


class _Mask:
    """A mask as the kernels take it."""

    def __init__(self, cupy: Any, mask: Any, lead: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype = mask.shape, mask.dtype
        self.kind = OPEN if mask.dtype.kind == "b" else ADDED
        full = (*(1,) * (len(lead) + 2 - mask.ndim), *mask.shape)
        several = [i for i, n in enumerate(full[:-2]) if n > 1]
        first, last = (several[0], several[-1] + 1) if several else (0, 0)
        self.own, self.repeat = lead[first:last], math.prod(lead[last:])
        self.sizes = math.prod(self.own), *full[-2:]
        part = mask.reshape(*full[first:last], *full[-2:])
        part = cupy.broadcast_to(part, (*self.own, *full[-2:])).reshape(self.sizes)
        wanted = mask.dtype if self.kind == OPEN else dtype
        self.numbers = cupy.ascontiguousarray(part.astype(wanted, copy=False))
        # Axes between others, along which the mask is repeated in memory.
        self.repeated = tuple(i for i in range(last - first) if full[first + i] < self.own[i])

    def shares(self, heads: int, source: int) -> bool:
        """Whether several blocks add to the gradient of one number."""
        return self.kind == ADDED and (self.sizes[0] < heads or self.sizes[2] < source)

    def folded(self, gradient: Any) -> Any:
        """The gradient of `numbers` in the shape and dtype of the mask."""
        sums = gradient.reshape(*self.own, *self.sizes[1:])
        sums = sums.sum(axis=self.repeated) if self.repeated else sums
        return sums.reshape(self.shape).astype(self.dtype, copy=False)

    def ints(self) -> tuple[Any, ...]:
        """How the kernels find their way in it."""
        count, rows, columns = self.sizes
        steps = rows * columns, columns * (rows > 1), int(columns > 1)
        return (*map(np.int32, (self.kind, self.repeat, count)), *map(np.int64, steps))


class _Call:
    """What the three kernels are told alike."""

    def __init__(
        self, cupy: Any, q: Any, k: Any, v: Any, rest: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        self.lead, self.length, self.source = q.shape[:-2], q.shape[-2], k.shape[-2]
        self.cupy, self.widest, self.dtype = cupy, max(q.shape[-1], v.shape[-1]), q.dtype
        self.wide = wide(q.dtype)
        self.mask = _Mask(cupy, rest[0], self.lead, self.wide) if options["masked"] else None
        causal, drop = options["causal"], options["drop"]
        nothing = cupy.empty(1, bool), cupy.empty(1, self.wide), cupy.empty(1, np.int64)
        self.arrays = list(nothing)  # of what is not there, nothing is read
        if self.mask is not None:
            self.arrays[self.mask.kind == ADDED] = self.mask.numbers
        if drop:
            self.arrays[2] = cupy.ascontiguousarray(rest[-1])
        sizes = self.length, self.source, q.shape[-1], v.shape[-1], causal is not None, causal or 0
        place = self.mask.ints() if self.mask is not None else NO_MASK
        growth = 1 / (1 - drop) if drop < 1 else 0.0  # of what is kept
        kept = np.int32(drop > 0), np.uint32(min(int(drop * 2**32), 2**32 - 1)), np.float64(growth)
        self.numbers = (*map(np.int32, sizes), *place, *kept, np.float64(options["scale"]))

    def launch(self, part: str, rows: int, *arrays: Any) -> None:
        """A kernel over the rows of every head."""
        source = DOUBLE if self.dtype.name in LIMITED else SOURCE
        features = next(e for e in _features(self.dtype) if e >= self.widest)
        blocks = math.prod(self.lead) * -(-rows // WARPS)
        kernel = source.kernel(self.cupy, f"attention_{part}<{{T}}, {features}>", self.dtype)
        kernel((blocks,), (32, WARPS), (*arrays, *self.arrays, *self.numbers))


def _suits(q: Any, k: Any, v: Any, rest: tuple[Any, ...], masked: bool) -> bool:
    """Whether the kernels are made for such a call."""
    fits = q.dtype == k.dtype == v.dtype and q.dtype.name in FLOATING
    narrow = max(q.shape[-1], v.shape[-1]) <= _features(q.dtype)[-1]
    full = bool(q.size and k.size and v.size)
    return fits and narrow and full and (not masked or rest[0].dtype.name in ("bool", *FLOATING))


def _forward(cupy: Any, q: Any, k: Any, v: Any, *rest: Any, **options: Any) -> Any:
    if not _suits(q, k, v, rest, options["masked"]):
        return NotImplemented
    call = _Call(cupy, q, k, v, rest, options)
    q, k, v = map(cupy.ascontiguousarray, (q, k, v))
    out = cupy.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
    level = cupy.empty(q.shape[:-1], call.wide)
    call.launch("forward", call.length, q, k, v, out, level)
    return out, level


def _backward(
    cupy: Any,
    g: Any,
    h: Any,
    q: Any,
    k: Any,
    v: Any,
    out: Any,
    level: Any,
    *rest: Any,
    **options: Any,
) -> Any:
    if not _suits(q, k, v, rest, options["masked"]) or g.dtype != q.dtype:
        return NotImplemented
    call = _Call(cupy, q, k, v, rest, options)
    mask = call.mask
    shared = mask is not None and mask.shares(math.prod(call.lead), call.source)
    if shared and are_deterministic_algorithms_enabled():
        return NotImplemented
    if not h.dtype == level.dtype == call.wide:
        return NotImplemented
    tilt = (g.astype(call.wide, copy=False) * out).sum(axis=-1) - h
    g, q, k, v, level, tilt = map(cupy.ascontiguousarray, (g, q, k, v, level, tilt))
    dq, dk, dv = (cupy.empty(x.shape, x.dtype) for x in (q, k, v))
    added = mask if mask is not None and mask.kind == ADDED else None
    of_mask = cupy.zeros(added.sizes if added else 1, call.wide)
    given = g, q, k, v, level, tilt
    call.launch("of_queries", call.length, *given, dq)
    call.launch("of_keys", call.source, *given, dk, dv, of_mask)
    return dq, dk, dv, added.folded(of_mask) if added else of_mask.reshape(())


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return SOURCE, DOUBLE


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {
        "attention": partial(_forward, cupy),
        "attention_grad": partial(_backward, cupy),
    }
