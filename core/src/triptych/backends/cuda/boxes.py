"""Suppression of boxes, and means and maxima over the bins of regions.

Suppression goes in two kernels. The first compares blocks of 64 boxes with each other, and notes
for each box, a bit per later box, whom it overlaps. The second, a single block of threads, goes
through the boxes from the best to the worst: one thread settles 64 boxes among themselves, then
all drop what the survivors overlap. Nothing of this goes by way of the host.

A bin of a region is a mean of pixels with weights of rows times weights of columns. Gradients are
gathered: each pixel looks for the regions that read it, in their order, so sums need no atomics.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
typedef unsigned long long BoxesWord;  // a bit for each of 64 boxes

// Products are rounded before they are added to, as in NumPy: an overlap may equal the limit.
__device__ __forceinline__ float boxes_product(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ double boxes_product(double a, double b) { return __dmul_rn(a, b); }

// The smaller and the larger number; NaN if either is, as in NumPy.
template <class T> __device__ T boxes_least(T a, T b) { return a < b || a != a ? a : b; }
template <class T> __device__ T boxes_most(T a, T b) { return a > b || a != a ? a : b; }

template <class T> struct Corners { T left, top, right, bottom, area; };

template <class T> __device__ Corners<T> boxes_load(const T *boxes, long long i) {
    Corners<T> box = {boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3], T(0)};
    box.area = boxes_product(box.right - box.left, box.bottom - box.top);
    return box;
}

template <class T> __device__ bool boxes_clash(Corners<T> a, Corners<T> b, T limit) {
    T width = boxes_least(a.right, b.right) - boxes_most(a.left, b.left);
    T height = boxes_least(a.bottom, b.bottom) - boxes_most(a.top, b.top);
    T common = boxes_product(boxes_most(width, T(0)), boxes_most(height, T(0)));
    return common / (a.area + b.area - common) > limit;
}

// Bit j of overlaps[i, word] tells that box i overlaps box 64 word + j, which comes after it.
// A block of 64 threads takes the boxes 64 y of the rows and 64 x of the columns.
template <class T> __global__ void boxes_overlaps(
    const T *boxes, long long *overlaps, long long count, T limit)
{
    __shared__ Corners<T> others[64];
    long long words = (count + 63) / 64, first = 64LL * blockIdx.x;
    long long row = 64LL * blockIdx.y + threadIdx.x;
    if (first + threadIdx.x < count) others[threadIdx.x] = boxes_load(boxes, first + threadIdx.x);
    __syncthreads();
    if (row >= count) return;
    BoxesWord found = 0;
    if (blockIdx.x >= blockIdx.y) {
        Corners<T> own = boxes_load(boxes, row);
        for (int j = 0; j < 64 && first + j < count; j++)
            if (first + j > row && boxes_clash(own, others[j], limit)) found |= BoxesWord(1) << j;
    }
    overlaps[row * words + blockIdx.x] = (long long)found;
}

// One block; at most 64 * 1024 boxes.
template <class T> __global__ void boxes_sweep(
    const long long *overlaps, bool *kept, long long count)
{
    __shared__ BoxesWord dropped[1024], own[64], alive;
    int words = int((count + 63) / 64), me = threadIdx.x;
    for (int w = me; w < words; w += blockDim.x) dropped[w] = 0;
    for (int block = 0; block < words; block++) {
        long long first = 64LL * block;
        int boxes = count - first < 64 ? int(count - first) : 64;
        __syncthreads();
        if (me < boxes) own[me] = BoxesWord(overlaps[(first + me) * words + block]);
        __syncthreads();
        if (me == 0) {
            BoxesWord gone = dropped[block], good = 0;
            for (int i = 0; i < boxes; i++) {
                if (gone >> i & 1) continue;
                good |= BoxesWord(1) << i;
                gone |= own[i];
            }
            alive = good;
        }
        __syncthreads();
        if (me < boxes) kept[first + me] = alive >> me & 1;
        for (int w = block + 1 + me; w < words; w += blockDim.x) {
            BoxesWord gone = dropped[w];
            for (int i = 0; i < boxes; i++)
                if (alive >> i & 1) gone |= BoxesWord(overlaps[(first + i) * words + w]);
            dropped[w] = gone;
        }
    }
}

// Weights of an axis: (regions, bins, width) for the pixels from first on, up to stop.
// Maps are (n, channels, height, width), results (regions, channels, bins, bins).
template <class T> __global__ void boxes_pool(
    const T *maps, const long long *images, const long long *top, const long long *bottom,
    const T *across, const long long *left, const long long *right, const T *along, T *pooled,
    long long count, long long channels, long long height, long long width, long long rows,
    long long columns, long long tall, long long wide)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    long long column = i % columns, row = i / columns % rows;
    long long channel = i / columns / rows % channels;
    long long region = i / columns / rows / channels;
    const T *map = maps + (images[region] * channels + channel) * height * width;
    const T *by_row = across + (region * rows + row) * tall;
    const T *by_column = along + (region * columns + column) * wide;
    T total = 0;
    for (long long y = top[region]; y < bottom[region]; y++) {
        T share = by_row[y - top[region]], line = 0;
        if (share == T(0)) continue;
        for (long long x = left[region]; x < right[region]; x++) {
            T weight = by_column[x - left[region]];
            if (weight != T(0)) line += weight * map[y * width + x];
        }
        total += share * line;
    }
    pooled[i] = total;
}

// The adjoint: a thread takes a pixel.
template <class T> __global__ void boxes_spread(
    const T *pooled, const long long *images, const long long *top, const long long *bottom,
    const T *across, const long long *left, const long long *right, const T *along, T *maps,
    long long count, long long channels, long long height, long long width, long long rows,
    long long columns, long long tall, long long wide, long long regions)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    long long x = i % width, y = i / width % height, channel = i / width / height % channels;
    long long image = i / width / height / channels;
    T total = 0;
    for (long long k = 0; k < regions; k++) {
        if (images[k] != image || y < top[k] || y >= bottom[k] || x < left[k] || x >= right[k])
            continue;
        const T *bins = pooled + (k * channels + channel) * rows * columns;
        for (long long row = 0; row < rows; row++) {
            T share = across[(k * rows + row) * tall + y - top[k]], line = 0;
            if (share == T(0)) continue;
            for (long long column = 0; column < columns; column++)
                line += along[(k * columns + column) * wide + x - left[k]]
                    * bins[row * columns + column];
            total += share * line;
        }
    }
    maps[i] = total;
}

// Of each bin from top and left (regions, bins) up to bottom and right, the largest value, or its
// place among all of maps, the first of several; NaN is the largest. An empty bin gives 0.
template <class T, class R> __global__ void boxes_largest(
    const T *maps, const long long *images, const long long *top, const long long *bottom,
    const long long *left, const long long *right, R *found, long long count, long long channels,
    long long height, long long width, long long rows, long long columns, bool values)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    long long column = i % columns, row = i / columns % rows;
    long long channel = i / columns / rows % channels;
    long long region = i / columns / rows / channels, place = -1;
    long long start = (images[region] * channels + channel) * height * width;
    row += region * rows;
    column += region * columns;
    T best = 0;
    for (long long y = top[row]; y < bottom[row]; y++)
        for (long long x = left[column]; x < right[column]; x++) {
            T value = maps[start + y * width + x];
            if (place < 0 || value > best || (value != value && best == best)) {
                best = value;
                place = start + y * width + x;
            }
        }
    found[i] = values ? R(best) : R(place < 0 ? 0 : place);
}
"""

SOURCE = Source(
    "boxes",
    CODE,
    kernels=[
        "boxes_overlaps<{T}>",
        "boxes_sweep<{T}>",
        "boxes_pool<{T}>",
        "boxes_spread<{T}>",
        "boxes_largest<{T}, {T}>",
        "boxes_largest<{T}, long long>",
    ],
    dtypes=("float32", "float64"),
)
MOST = 1 << 16  # boxes to compare: 512 MB of bits
THREADS = 256


def _whole(*arrays: Any) -> bool:
    """Whether all are int64 in C order."""
    return all(a.dtype == np.int64 and a.flags.c_contiguous for a in arrays)


def _blocks(count: int) -> tuple[int]:
    return (-(-count // THREADS),)


def _nms(cupy: Any, corners: Any, threshold: float) -> Any:
    """Places of the kept ones among boxes (n, 4) in order of falling score, int64."""
    count = len(corners)
    if not SOURCE.takes(corners) or not 0 < count <= MOST or threshold < 0:
        return NotImplemented
    limit = corners.dtype.type(threshold)
    if float(limit) > threshold:  # the comparison is with the exact number
        limit = np.nextafter(limit, corners.dtype.type(-np.inf))
    words = -(-count // 64)
    overlaps = cupy.empty((count, words), np.int64)
    kept = cupy.empty(count, np.bool_)
    compare = SOURCE.kernel(cupy, "boxes_overlaps<{T}>", corners.dtype)
    sweep = SOURCE.kernel(cupy, "boxes_sweep<{T}>", corners.dtype)
    compare((words, words), (64,), (corners, overlaps, np.int64(count), limit))
    sweep((1,), (THREADS,), (overlaps, kept, np.int64(count)))
    return cupy.nonzero(kept)[0]  # how many there are is known to the device alone until here


def _axes(rows: Any, columns: Any) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """Arrays of both axes, and the numbers of bins and of weights of each."""
    sizes = (rows[2].shape[1], columns[2].shape[1], rows[2].shape[2], columns[2].shape[2])
    return (*rows, *columns), sizes


def _fits(images: Any, rows: Any, columns: Any, numbers: Any) -> bool:
    weights = rows[2], columns[2]
    return SOURCE.takes(numbers, *weights) and _whole(images, *rows[:2], *columns[:2])


def _pool(cupy: Any, maps: Any, images: Any, rows: Any, columns: Any) -> Any:
    """(n, c, h, w) to (k, c, bins, bins); axes are (first, stop, weights), see boxes_pool."""
    if maps is None or not _fits(images, rows, columns, maps) or not len(images) * maps.size:
        return NotImplemented
    axes, sizes = _axes(rows, columns)
    out = cupy.empty((len(images), maps.shape[1], *sizes[:2]), maps.dtype)
    numbers = map(np.int64, (out.size, *maps.shape[1:], *sizes))
    kernel = SOURCE.kernel(cupy, "boxes_pool<{T}>", maps.dtype)
    kernel(_blocks(out.size), (THREADS,), (maps, images, *axes, out, *numbers))
    return out


def _spread(cupy: Any, pooled: Any, images: Any, rows: Any, columns: Any, shape: Any) -> Any:
    """The adjoint: (k, c, bins, bins) to (n, c, h, w)."""
    if pooled is None or not _fits(images, rows, columns, pooled) or not pooled.size:
        return NotImplemented
    axes, sizes = _axes(rows, columns)
    out = cupy.empty(tuple(shape), pooled.dtype)
    numbers = map(np.int64, (out.size, *shape[1:], *sizes, len(images)))
    kernel = SOURCE.kernel(cupy, "boxes_spread<{T}>", pooled.dtype)
    kernel(_blocks(out.size), (THREADS,), (pooled, images, *axes, out, *numbers))
    return out


def _largest(cupy: Any, maps: Any, images: Any, *edges: Any) -> Any:
    """The largest values of bins (k, c, bins, bins), or their places; edges end with which."""
    *edges_of_bins, values = edges
    if maps is None or not SOURCE.takes(maps) or not _whole(images, *edges_of_bins):
        return NotImplemented
    bins = edges_of_bins[0].shape[1], edges_of_bins[2].shape[1]
    out = cupy.empty((len(images), maps.shape[1], *bins), maps.dtype if values else np.int64)
    if not out.size or not maps.size:
        return NotImplemented
    numbers = map(np.int64, (out.size, *maps.shape[1:], *bins))
    name = "boxes_largest<{T}, {T}>" if values else "boxes_largest<{T}, long long>"
    kernel = SOURCE.kernel(cupy, name, maps.dtype)
    given = (maps, images, *edges_of_bins, out, *numbers, np.bool_(values))
    kernel(_blocks(out.size), (THREADS,), given)
    return out


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By name, the function that is tried before others; the names are those of the CPU's."""
    return {
        "nms": partial(_nms, cupy),
        "roi_largest": partial(_largest, cupy),
        "roi_pool": partial(_pool, cupy),
        "roi_spread": partial(_spread, cupy),
    }
