"""Filters with feedback over many rows of samples at once, of up to two states parallel along time.

The state of a filter (in its second direct form, transposed) is a vector s with s' = A s + B x, so
what a run of samples does to it is a matrix, a power of A, and a vector, what the run leaves behind
when it starts from nothing. A block of threads takes a tile of 2,048 samples, a thread a run of 16;
runs are put together by doubling their reach (Hillis and Steele 1986; Blelloch 1990 for linear
recurrences). Four launches: the powers of A, what each tile leaves behind, the state each tile
starts from, and the outputs. All of it is in double precision; the powers of A for a filter that is
not stable may overflow where the sequence itself would not yet.

Powers are made step by step: poles that lie close together, as those of low cutoffs do, lose half
their digits when A is squared, and each further square doubles what is lost. Of more states even
the exact powers lose too much (1e-4 of a lowpass of order 6 at a fiftieth of the band), so that
a thread goes through a row, sample by sample.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
enum { IIR_RUN = 16, IIR_THREADS = 128, IIR_TILE = IIR_RUN * IIR_THREADS, IIR_POWERS = 8 };

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

// powers[filter, i]: A to the power 2^i IIR_RUN, a thread a column of all. A column is what becomes
// of a state of which one number is 1.
template <class T, int K> __global__ void iir_powers(
    const double *zeros, const double *poles, double *powers, long long filters, int order)
{
    long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= filters * K) return;
    const IirFilter<K> f = iir_load<K>(zeros, poles, at / K, order);
    double state[K], *to = powers + at / K * IIR_POWERS * K * K + at % K;
    for (int i = 0; i < K; i++) state[i] = i == at % K ? 1.0 : 0.0;
    for (int step = 1; step <= IIR_TILE; step++) {
        iir_step<K>(f, 0.0, state);
        if (step < IIR_RUN || (step & (step - 1))) continue;
        for (int i = 0; i < K; i++) to[i * K] = state[i];
        to += K * K;
    }
}

// to += power from
template <int K> __device__ void iir_move(const double *power, const double *from, double *to) {
    for (int i = 0; i < K; i++)
        for (int k = 0; k < K; k++) to[i] += power[i * K + k] * from[k];
}

// ends[thread]: what its run leaves behind; becomes what all runs up to it leave.
template <int K> __device__ void iir_scan(double *ends, const double *powers) {
    for (int reach = 1; reach < IIR_THREADS; reach *= 2, powers += K * K) {
        double more[K];
        for (int i = 0; i < K; i++) more[i] = 0.0;
        __syncthreads();
        if (threadIdx.x >= reach) iir_move<K>(powers, ends + (threadIdx.x - reach) * K, more);
        __syncthreads();
        for (int i = 0; i < K; i++) ends[threadIdx.x * K + i] += more[i];
    }
    __syncthreads();
}

// x and y are (rows, length), states (rows, tiles, K): what tiles leave behind when they start from
// nothing, or with `last` what they start from. A block takes a tile (x) of a row (y).
template <class T, int K> __global__ void iir_tiles(
    const T *x, const double *zeros, const double *poles, const double *powers, double *states,
    T *y, long long length, long long tiles, long long filters, int order, bool last)
{
    __shared__ T samples[IIR_THREADS * (IIR_RUN + 1)];
    __shared__ double ends[IIR_THREADS * K];
    const long long row = blockIdx.y, start = (long long)blockIdx.x * IIR_TILE;
    const int me = threadIdx.x;
    T *run = samples + me * (IIR_RUN + 1);
    for (int i = me; i < IIR_TILE; i += IIR_THREADS)
        samples[i / IIR_RUN * (IIR_RUN + 1) + i % IIR_RUN] =
            start + i < length ? x[row * length + start + i] : T(0);
    const IirFilter<K> f = iir_load<K>(zeros, poles, row % filters, order);
    powers += row % filters * IIR_POWERS * K * K;
    __syncthreads();
    double *carried = states + (row * tiles + blockIdx.x) * K, state[K];
    for (int i = 0; i < K; i++) state[i] = 0.0;
    for (int i = 0; i < IIR_RUN; i++) iir_step<K>(f, double(run[i]), state);
    if (last && me == 0) iir_move<K>(powers, carried, state);
    for (int i = 0; i < K; i++) ends[me * K + i] = state[i];
    iir_scan<K>(ends, powers);
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
// tiles at a time as it has threads; its first thread goes through them.
template <class T, int K> __global__ void iir_carry(
    const double *powers, double *states, long long tiles, long long filters)
{
    __shared__ double ends[IIR_THREADS * K];
    const long long row = blockIdx.x;
    const int me = threadIdx.x;
    const double *power = powers + (row % filters * IIR_POWERS + IIR_POWERS - 1) * K * K;
    double carried[K];
    for (int i = 0; i < K; i++) carried[i] = 0.0;
    for (long long first = 0; first < tiles; first += IIR_THREADS) {
        double *own = states + (row * tiles + first + me) * K;
        for (int i = 0; i < K; i++) ends[me * K + i] = first + me < tiles ? own[i] : 0.0;
        __syncthreads();
        for (int tile = 0; me == 0 && tile < IIR_THREADS; tile++) {
            double left[K];
            for (int i = 0; i < K; i++) left[i] = ends[tile * K + i];
            for (int i = 0; i < K; i++) ends[tile * K + i] = carried[i];
            iir_move<K>(power, carried, left);
            for (int i = 0; i < K; i++) carried[i] = left[i];
        }
        __syncthreads();
        if (first + me < tiles)
            for (int i = 0; i < K; i++) own[i] = ends[me * K + i];
    }
}

// A thread takes a row.
template <class T, int K> __global__ void iir_rows(
    const T *x, const double *zeros, const double *poles, T *y, long long rows, long long length,
    long long filters, int order)
{
    const long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) return;
    const IirFilter<K> f = iir_load<K>(zeros, poles, row % filters, order);
    double state[K];
    for (int i = 0; i < K; i++) state[i] = 0.0;
    for (long long i = row * length; i < (row + 1) * length; i++)
        y[i] = T(iir_step<K>(f, double(x[i]), state));
}
"""

BLOCKS, ROWS = (1, 2), (4, 8, 16)  # states of filters parallel along time, and of others
NAMES = [f"iir_{name}<{{T}}, {k}>" for name in ("powers", "tiles", "carry") for k in BLOCKS]
NAMES += [f"iir_rows<{{T}}, {k}>" for k in ROWS]
SOURCE = Source("iir", CODE, NAMES, dtypes=("float32", "float64"))
TILE, THREADS, POWERS = 2048, 128, 8
WARP = 32
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
    if not x.size or order - 1 > ROWS[-1]:
        return NotImplemented
    states = next(k for k in (*BLOCKS, *ROWS) if k >= order - 1)
    if states in BLOCKS and rows > MOST_ROWS:
        return NotImplemented
    zeros, poles = (cupy.ascontiguousarray(c) for c in (zeros, poles))
    y = cupy.empty(x.shape, x.dtype)

    def launch(name: str, grid: tuple[int, ...], threads: int, *args: Any) -> None:
        SOURCE.kernel(cupy, f"iir_{name}<{{T}}, {states}>", x.dtype)(grid, (threads,), args)

    of_filters = np.int64(filters), np.int32(order)
    if states in ROWS:
        sizes = np.int64(rows), np.int64(length)
        launch("rows", (-(-rows // WARP),), WARP, x, zeros, poles, y, *sizes, *of_filters)
        return y
    tiles = -(-length // TILE)
    powers = cupy.empty((filters, POWERS, states, states), np.float64)
    carried = cupy.empty((rows, tiles, states), np.float64)
    grid = (-(-filters * states // WARP),)
    launch("powers", grid, WARP, zeros, poles, powers, *of_filters)
    given = (x, zeros, poles, powers, carried, y, np.int64(length), np.int64(tiles), *of_filters)
    if tiles > 1:
        launch("tiles", (tiles, rows), THREADS, *given, np.bool_(False))
        launch("carry", (rows,), THREADS, powers, carried, np.int64(tiles), np.int64(filters))
    else:
        carried.fill(0)
    launch("tiles", (tiles, rows), THREADS, *given, np.bool_(True))
    return y


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By name, the function that is tried before others; the name is that of the CPU's."""
    return {"iir": partial(_iir, cupy)}
