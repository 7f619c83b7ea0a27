"""From how likely each pitch is to the pitch."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

import triptych as tp
from triptych import Tensor

__all__ = ["BINS", "DECODERS", "bins_to_frequency", "frequency_to_bin"]

BINS = 360
CENTS_PER_BIN = 20.0
FIRST_CENTS = 1997.3794084376191  # of bin 0, above 10 Hz
AROUND = 4  # bins on each side of the best one that the mean is over
REACH = 12  # bins: the pitch jumps by fewer from one window to the next


def bins_to_frequency(bins: Tensor) -> Tensor:
    """Frequencies of bins.

    Args:
        bins: numbers of bins, whole or not.

    Returns:
        Hz.

    Example:
        >>> round(float(bins_to_frequency(tp.tensor(228.0))), 1)
        441.5
    """
    return 10 * 2 ** ((CENTS_PER_BIN * bins + FIRST_CENTS) / 1200)


def frequency_to_bin(frequency: float) -> int:
    """The bin at or below a frequency.

    Args:
        frequency: in Hz, positive.

    Returns:
        The bin, which may lie outside of 0 to 359.
    """
    if frequency <= 0:
        return -1
    return math.floor((1200 * math.log2(frequency / 10) - FIRST_CENTS) / CENTS_PER_BIN)


def argmax(scores: Tensor) -> tuple[Tensor, Tensor]:
    """The best bin of each window.

    Args:
        scores: (n, k, 360), -inf where there may be no pitch.

    Returns:
        (n, k) bins, and the same as floating numbers.
    """
    bins = scores.argmax(2)
    return bins, bins.to(scores.dtype)


def weighted(scores: Tensor) -> tuple[Tensor, Tensor]:
    """The best bin of each window, and the mean of nine bins around it.

    Args:
        scores: (n, k, 360).

    Returns:
        (n, k) bins, and places between them.
    """
    bins = scores.argmax(2)
    return bins, _mean_around(scores, bins)


def viterbi(scores: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest path that jumps little, and the mean around it.

    Args:
        scores: (n, k, 360).

    Returns:
        (n, k) bins, and places between them.
    """
    logs = scores.softmax(2).numpy(force=True)
    logs = np.log(logs + np.finfo(logs.dtype).tiny)
    bins = tp.tensor(_paths(logs)).to(scores.device)
    return bins, _mean_around(scores, bins)


DECODERS: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "argmax": argmax,
    "viterbi": viterbi,
    "weighted": weighted,
}


def _mean_around(scores: Tensor, bins: Tensor) -> Tensor:
    """(n, k) mean of the bins at most AROUND away, weighted by their scores."""
    near = bins.unsqueeze(2) + tp.arange(-AROUND, AROUND + 1, device=bins.device)
    weights = scores.gather(2, near.clamp(0, BINS - 1)).clamp(min=0)
    weights = weights.masked_fill((near < 0) | (near >= BINS), 0.0)
    total = weights.sum(2)
    mean = (weights * near).sum(2) / total.clamp(min=tp.finfo(scores.dtype).tiny)
    return tp.where(total > 0, mean, bins.to(scores.dtype))


@functools.cache
def _log_transition() -> np.ndarray:
    """(from, to) logarithms; a tiny chance stays for every jump."""
    bins = np.arange(BINS)
    chances = np.maximum(REACH - np.abs(bins[:, None] - bins), 0.0)
    chances /= chances.sum(1, keepdims=True)
    logs: np.ndarray = np.log(chances + np.finfo(np.float32).tiny)
    return logs


def _paths(logs: np.ndarray) -> np.ndarray:
    """(n, k, 360) logarithms of chances to (n, k) bins of the best path."""
    n, k, _ = logs.shape
    arriving = np.ascontiguousarray(_log_transition().T)  # (to, from)
    best = logs[:, 0].astype(np.float64)
    before = np.zeros((k, n, BINS), np.int64)
    for step in range(1, k):
        ways = best[:, None] + arriving  # (n, to, from)
        before[step] = ways.argmax(2)
        best = np.take_along_axis(ways, before[step][..., None], 2)[..., 0] + logs[:, step]
    paths = np.empty((n, k), np.int64)
    paths[:, -1] = best.argmax(1)
    for step in range(k - 1, 0, -1):
        paths[:, step - 1] = before[step][np.arange(n), paths[:, step]]
    return paths
