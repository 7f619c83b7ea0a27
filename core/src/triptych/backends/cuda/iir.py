"""Filters with feedback over many rows of samples at once, parallel along time as well.

The state of a filter (in its second direct form, transposed) is a vector s with s' = A s + B x, so
what a run of samples does to it is a matrix, a power of A, and a vector, what the run leaves behind
when it starts from nothing. A block of threads takes a tile of 2,048 samples, a thread a run of 16;
runs are put together by doubling their reach (Hillis and Steele 1986; Blelloch 1990 for linear
recurrences). Three launches: what each tile leaves behind, the state each tile starts from, and the
outputs. All of it is in double precision; the powers of A for a filter that is not stable may
overflow where the sequence itself would not yet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
enum { IIR_RUN = 16, IIR_THREADS = 128, IIR_TILE = IIR_RUN * IIR_THREADS };

// K states. Coefficients beyond the filter's order are zero and change nothing.
template <int K> struct IirFilter { double zeros[K + 1], poles[K + 1]; };

template <int K> __device__ IirFilter<K> iir_load(
    const double *zeros, const double *poles, long long filter, int order)
{
    IirFilter<K> f;
    for (int i = 0; i <= K; i++) {
        f.zeros[i] = i < order ? zeros[filter * order + i] : 0.0;
        f.poles[i] = i < order ? poles[filter * order + i] : 0.0;
    }
    return f;
}

template <int K> __device__ double iir_step(const IirFilter<K> &f, double x, double *state) {
    double y = f.zeros[0] * x + state[0];
    for (int i = 0; i < K; i++) {
        double next = i + 1 < K ? state[i + 1] : 0.0;
        state[i] = f.zeros[i + 1] * x + next - f.poles[i + 1] * y;
    }
    return y;
}

// power = A, which moves the state on without a sample. All threads of a block call it, as they do
// for what follows.
template <int K> __device__ void iir_matrix(const IirFilter<K> &f, double *power) {
    for (int at = threadIdx.x; at < K * K; at += blockDim.x) {
        int i = at / K, j = at % K;
        power[at] = (j == i + 1 ? 1.0 : 0.0) - (j == 0 ? f.poles[i + 1] : 0.0);
    }
    __syncthreads();
}

template <int K> __device__ void iir_square(double *power) {
    int i = threadIdx.x / K, j = threadIdx.x % K;
    bool mine = threadIdx.x < K * K;
    double sum = 0.0;
    __syncthreads();
    if (mine) for (int k = 0; k < K; k++) sum += power[i * K + k] * power[k * K + j];
    __syncthreads();
    if (mine) power[threadIdx.x] = sum;
    __syncthreads();
}

// to += power from
template <int K> __device__ void iir_move(const double *power, const double *from, double *to) {
    for (int i = 0; i < K; i++)
        for (int k = 0; k < K; k++) to[i] += power[i * K + k] * from[k];
}

// ends[thread]: what its piece leaves behind; becomes what all pieces up to it leave. power moves
// the state over a piece, and is used up.
template <int K> __device__ void iir_scan(double *ends, double *power) {
    for (int reach = 1; reach < IIR_THREADS; reach *= 2) {
        double more[K];
        for (int i = 0; i < K; i++) more[i] = 0.0;
        __syncthreads();
        if (threadIdx.x >= reach) iir_move<K>(power, ends + (threadIdx.x - reach) * K, more);
        __syncthreads();
        for (int i = 0; i < K; i++) ends[threadIdx.x * K + i] += more[i];
        iir_square<K>(power);
    }
}

// x and y are (rows, length), states (rows, tiles, K): what tiles leave behind when they start from
// nothing, or with `last` what they start from. A block takes a tile (x) of a row (y).
template <class T, int K> __global__ void iir_tiles(
    const T *x, const double *zeros, const double *poles, double *states, T *y, long long length,
    long long tiles, long long filters, int order, bool last)
{
    __shared__ T samples[IIR_THREADS * (IIR_RUN + 1)];
    __shared__ double ends[IIR_THREADS * K], power[K * K];
    const long long row = blockIdx.y, start = (long long)blockIdx.x * IIR_TILE;
    const int me = threadIdx.x;
    T *run = samples + me * (IIR_RUN + 1);
    for (int i = me; i < IIR_TILE; i += IIR_THREADS)
        samples[i / IIR_RUN * (IIR_RUN + 1) + i % IIR_RUN] =
            start + i < length ? x[row * length + start + i] : T(0);
    const IirFilter<K> f = iir_load<K>(zeros, poles, row % filters, order);
    iir_matrix<K>(f, power);
    for (int reach = 1; reach < IIR_RUN; reach *= 2) iir_square<K>(power);
    double *carried = states + (row * tiles + blockIdx.x) * K, state[K];
    for (int i = 0; i < K; i++) state[i] = 0.0;
    for (int i = 0; i < IIR_RUN; i++) iir_step<K>(f, double(run[i]), state);
    if (last && me == 0) iir_move<K>(power, carried, state);
    for (int i = 0; i < K; i++) ends[me * K + i] = state[i];
    iir_scan<K>(ends, power);
    if (!last) {
        if (me == IIR_THREADS - 1)
            for (int i = 0; i < K; i++) carried[i] = ends[me * K + i];
        return;
    }
    for (int i = 0; i < K; i++) state[i] = me ? ends[(me - 1) * K + i] : carried[i];
    for (int i = 0; i < IIR_RUN; i++) run[i] = T(iir_step<K>(f, double(run[i]), state));
    __syncthreads();
    for (int i = me; i < IIR_TILE && start + i < length; i += IIR_THREADS)
        y[row * length + start + i] = samples[i / IIR_RUN * (IIR_RUN + 1) + i % IIR_RUN];
}

// states from what tiles leave behind to what they start from. A block takes a row, and as many
// tiles at a time as it has threads.
template <class T, int K> __global__ void iir_carry(
    const double *zeros, const double *poles, double *states, long long tiles, long long filters,
    int order)
{
    __shared__ double ends[IIR_THREADS * K], power[K * K], whole[K * K], carried[K];
    const long long row = blockIdx.x;
    const int me = threadIdx.x;
    const IirFilter<K> f = iir_load<K>(zeros, poles, row % filters, order);
    iir_matrix<K>(f, whole);
    for (int reach = 1; reach < IIR_TILE; reach *= 2) iir_square<K>(whole);
    if (me < K) carried[me] = 0.0;
    for (long long first = 0; first < tiles; first += IIR_THREADS) {
        double *own = states + (row * tiles + first + me) * K, left[K];
        for (int i = 0; i < K; i++) left[i] = first + me < tiles ? own[i] : 0.0;
        if (me < K * K) power[me] = whole[me];
        __syncthreads();
        if (me == 0) iir_move<K>(whole, carried, left);
        for (int i = 0; i < K; i++) ends[me * K + i] = left[i];
        iir_scan<K>(ends, power);
        if (first + me < tiles)
            for (int i = 0; i < K; i++) own[i] = me ? ends[(me - 1) * K + i] : carried[i];
        __syncthreads();
        if (me < K) carried[me] = ends[(IIR_THREADS - 1) * K + me];
        __syncthreads();
    }
}
"""

STATES = 1, 2, 4, 8
NAMES = [f"iir_{name}<{{T}}, {k}>" for name in ("tiles", "carry") for k in STATES]
SOURCE = Source("iir", CODE, NAMES, dtypes=("float32", "float64"))
TILE, THREADS = 2048, 128
MOST_ROWS = 65535  # blocks in y


def _iir(cupy: Any, x: Any, zeros: Any, poles: Any) -> Any:
    """x (n, filters, t), or (n, any, t) for one filter; coefficients (filters, order) float64, the
    poles beginning with ones.
    """
    filters, order = poles.shape
    coefficients = zeros.dtype == poles.dtype == np.float64 and zeros.shape == poles.shape
    if not coefficients or not SOURCE.takes(x) or x.ndim != 3 or filters not in (1, x.shape[1]):
        return NotImplemented
    rows, length = x.shape[0] * x.shape[1], x.shape[2]
    if not x.size or rows > MOST_ROWS or order - 1 > STATES[-1]:
        return NotImplemented
    states = next(k for k in STATES if k >= order - 1)
    zeros, poles = (cupy.ascontiguousarray(c) for c in (zeros, poles))
    tiles = -(-length // TILE)
    carried, y = cupy.empty((rows, tiles, states), np.float64), cupy.empty(x.shape, x.dtype)
    sizes = np.int64(tiles), np.int64(filters), np.int32(order)
    tile = SOURCE.kernel(cupy, f"iir_tiles<{{T}}, {states}>", x.dtype)
    given = (x, zeros, poles, carried, y, np.int64(length), *sizes)
    if tiles > 1:
        tile((tiles, rows), (THREADS,), (*given, np.bool_(False)))
        carry = SOURCE.kernel(cupy, f"iir_carry<{{T}}, {states}>", x.dtype)
        carry((rows,), (THREADS,), (zeros, poles, carried, *sizes))
    else:
        carried.fill(0)
    tile((tiles, rows), (THREADS,), (*given, np.bool_(True)))
    return y


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By name, the function that is tried before others; the name is that of the CPU's."""
    return {"iir": partial(_iir, cupy)}
