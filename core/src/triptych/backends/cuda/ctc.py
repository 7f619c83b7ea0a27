"""Connectionist temporal classification: the sum over all alignments, and its gradient.

A block of threads takes a sample and walks through its steps, a thread the places of the path (a
blank before, between and after the labels) in turn. Logarithms of sums are kept in double precision
and only the shares of a sum are computed in the dtype, so that long sequences lose nothing. In the
gradient, places of one class are added up in their order: by a tree for the blank, and along a
chain of equal labels for the others.

Source: Graves et al. 2006, section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .source import Source

CODE = r"""
#define CTC_NEVER (-1e30)  // stands for log 0

// One sample: the steps and labels that count, and its path of 2 labels + 1 places.
struct CtcSample {
    const long long *labels;
    long long blank, classes;
    int steps, places;

    __device__ long long at(int place) const { return place % 2 ? labels[place / 2] : blank; }
    // Whether a place may be reached from two places before it.
    __device__ bool jumps(int place) const {
        return place % 2 && place > 1 && at(place) != blank && at(place) != at(place - 2);
    }
};

__device__ CtcSample ctc_sample(
    const long long *labels, const long long *used, const long long *spans, long long sample,
    long long steps, long long length, long long classes, long long blank)
{
    long long span = spans[sample], count = used[sample];
    span = span < 0 ? 0 : span < length ? span : length;
    count = count < 0 ? 0 : count < steps ? count : steps;
    CtcSample s = {labels + sample * length, blank, classes, int(count), int(2 * span + 1)};
    return s;
}

// The log probability of a place; that of no class is log 0.
template <class T> __device__ double ctc_score(const CtcSample &s, const T *row, int place) {
    long long label = s.at(place);
    if (label < 0 || label >= s.classes) return CTC_NEVER;
    double score = double(typename Wide<T>::type(row[label]));
    return score < CTC_NEVER ? CTC_NEVER : score;
}

template <class C> __device__ double ctc_log_sum(double a, double b, double c) {
    double top = a > b ? a : b;
    top = top > c ? top : c;
    return top + double(log(exp(C(a - top)) + exp(C(b - top)) + exp(C(c - top))));
}

// alphas: `rows` rows of `width` numbers for each sample, all steps or the last two by turns.
// exact: the losses in double precision.
template <class T> __global__ void ctc_forward(
    const T *x, const long long *labels, const long long *used, const long long *spans, T *losses,
    double *exact, double *alphas, long long steps, long long count, long long classes,
    long long length, long long blank, long long rows)
{
    typedef typename Wide<T>::type C;
    const long long sample = blockIdx.x, width = 2 * length + 1;
    const CtcSample s = ctc_sample(labels, used, spans, sample, steps, length, classes, blank);
    double *own = alphas + sample * rows * width;
    for (int t = 0; t < s.steps; t++) {
        const T *row = x + (t * count + sample) * classes;
        const double *before = own + (t + rows - 1) % rows * width;
        double *now = own + t % rows * width;
        for (int p = threadIdx.x; p < s.places; p += blockDim.x) {
            double ways = p < 2 ? 0.0 : CTC_NEVER;
            if (t) {
                double one = p > 0 ? before[p - 1] : CTC_NEVER;
                ways = ctc_log_sum<C>(before[p], one, s.jumps(p) ? before[p - 2] : CTC_NEVER);
            }
            ways += ctc_score(s, row, p);
            now[p] = ways < CTC_NEVER ? CTC_NEVER : ways;
        }
        __syncthreads();
    }
    if (threadIdx.x) return;
    double loss = s.places == 1 ? 0.0 : double(INFINITY);  // of no steps
    if (s.steps) {
        const double *last = own + (s.steps - 1) % rows * width + s.places - 1;
        loss = -ctc_log_sum<C>(last[0], s.places > 1 ? last[-1] : CTC_NEVER, CTC_NEVER);
        if (loss > -CTC_NEVER / 2) loss = double(INFINITY);
    }
    exact[sample] = loss;
    losses[sample] = T(C(loss));
}

// dx from the alphas of all steps. betas: two rows for each sample; shares: one; chains: for each
// label the next equal one, or -1, then whether there is none before it.
template <class T> __global__ void ctc_backward(
    const T *g, const T *x, const long long *labels, const long long *used, const long long *spans,
    const double *exact, const double *alphas, double *betas, double *shares, int *chains, T *dx,
    long long steps, long long count, long long classes, long long length, long long blank,
    bool logits)
{
    typedef typename Wide<T>::type C;
    const long long sample = blockIdx.x, width = 2 * length + 1;
    const CtcSample s = ctc_sample(labels, used, spans, sample, steps, length, classes, blank);
    const double loss = exact[sample], slope = double(C(g[sample]));
    const bool possible = loss < double(INFINITY) && loss == loss;
    const int me = threadIdx.x, threads = blockDim.x, spoken = s.places / 2;
    double *share = shares + sample * width;
    int *following = chains + 2 * sample * length, *starts = following + length;
    for (int i = me; i < spoken; i += threads) {
        following[i] = -1;
        for (int j = spoken - 1; j > i; j--) if (s.labels[j] == s.labels[i]) following[i] = j;
        starts[i] = 1;
        for (int j = 0; j < i; j++) if (s.labels[j] == s.labels[i]) starts[i] = 0;
    }
    for (int p = me; p < s.places; p += threads)
        betas[(2 * sample + s.steps % 2) * width + p] = p + 2 < s.places ? CTC_NEVER : 0.0;
    __syncthreads();
    for (int t = int(steps) - 1; t >= 0; t--) {
        const long long at = (t * count + sample) * classes;
        const bool counts = possible && t < s.steps;
        for (long long k = me; k < classes; k += threads)
            dx[at + k] = T(C(counts && logits ? exp(double(C(x[at + k]))) * slope : 0.0));
        if (!counts) continue;
        const double *alpha = alphas + (sample * steps + t) * width;
        const double *ahead = betas + (2 * sample + (t + 1) % 2) * width;
        double *before = betas + (2 * sample + t % 2) * width;
        double blanks = 0.0;
        for (int p = me; p < s.places; p += threads) {
            share[p] = double(exp(C(alpha[p] + ahead[p] + loss)));
            if (s.at(p) == blank) blanks += share[p];
        }
        blanks = block_reduce<Sum>(blanks);  // and a barrier
        for (int i = me; i <= spoken; i += threads) {
            const long long label = i < spoken ? s.labels[i] : blank;
            const bool sums = i == spoken || (starts[i] && label != blank);
            if (!sums || label < 0 || label >= classes) continue;
            double sum = i < spoken ? 0.0 : blanks;
            for (int j = i; i < spoken && j >= 0; j = following[j]) sum += share[2 * j + 1];
            const double own = logits ? exp(double(C(x[at + label]))) : 0.0;
            dx[at + label] = T(C((own - sum) * slope));
        }
        const T *row = x + at;
        for (int p = me; p < s.places; p += threads) {
            double ways[3];
            for (int step = 0; step < 3; step++) {
                int to = p + step;
                bool open = to < s.places && (step < 2 || s.jumps(to));
                ways[step] = open ? ahead[to] + ctc_score(s, row, to) : CTC_NEVER;
            }
            const double sum = ctc_log_sum<C>(ways[0], ways[1], ways[2]);
            before[p] = sum < CTC_NEVER ? CTC_NEVER : sum;
        }
        __syncthreads();
    }
}
"""
SOURCE = Source("ctc", CODE, ["ctc_forward<{T}>", "ctc_backward<{T}>"])
THREADS = 256


def _fits(x: Any, *whole: Any) -> bool:
    """Whether x is packed and not empty, and the others packed int64."""
    packed = all(a.dtype == np.int64 and a.flags.c_contiguous for a in whole)
    return packed and SOURCE.takes(x) and x.ndim == 3 and x.size > 0


def _sizes(x: Any, labels: Any, blank: int) -> tuple[Any, ...]:
    return tuple(map(np.int64, (*x.shape, labels.shape[1], blank)))


def _forward(cupy: Any, rows: int, x: Any, labels: Any, used: Any, spans: Any, blank: int) -> Any:
    """The losses (n,) in the dtype and exactly, and `rows` rows of alphas for each sample."""
    count = x.shape[1]
    losses, exact = cupy.empty(count, x.dtype), cupy.empty(count, np.float64)
    alphas = cupy.empty((count, rows, 2 * labels.shape[1] + 1), np.float64)
    arrays = (x, labels, used, spans, losses, exact, alphas)
    kernel = SOURCE.kernel(cupy, "ctc_forward<{T}>", x.dtype)
    kernel((count,), (THREADS,), (*arrays, *_sizes(x, labels, blank), np.int64(rows)))
    return losses, exact, alphas


def _ctc(cupy: Any, x: Any, labels: Any, used: Any, spans: Any, *, blank: int, logits: bool) -> Any:
    if not _fits(x, labels, used, spans):
        return NotImplemented
    return _forward(cupy, 2, x, labels, used, spans, blank)[0]


def _ctc_grad(
    cupy: Any, g: Any, x: Any, labels: Any, used: Any, spans: Any, *, blank: int, logits: bool
) -> Any:
    if not _fits(x, labels, used, spans) or not SOURCE.takes(x, g):
        return NotImplemented
    steps, count, _ = x.shape
    length = labels.shape[1]
    _, exact, alphas = _forward(cupy, steps, x, labels, used, spans, blank)
    betas = cupy.empty((count, 2, 2 * length + 1), np.float64)
    shares = cupy.empty((count, 2 * length + 1), np.float64)
    chains, dx = cupy.empty((count, 2, max(length, 1)), np.int32), cupy.empty(x.shape, x.dtype)
    arrays = (g, x, labels, used, spans, exact, alphas, betas, shares, chains, dx)
    kernel = SOURCE.kernel(cupy, "ctc_backward<{T}>", x.dtype)
    kernel((count,), (THREADS,), (*arrays, *_sizes(x, labels, blank), np.bool_(logits)))
    return dx


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before CuPy's operations."""
    return {"ctc": partial(_ctc, cupy), "ctc_grad": partial(_ctc_grad, cupy)}
