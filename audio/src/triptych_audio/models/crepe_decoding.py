"""From how likely each pitch is to the pitch."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import triptych as tp
from triptych import Tensor
from triptych_audio import functional as F

__all__ = ["BINS", "DECODERS", "bins_to_frequency", "frequency_to_bin"]

BINS = 360
CENTS_PER_BIN = 20.0
FIRST_CENTS = 1997.3794084376191  # of bin 0, above 10 Hz
AROUND = 4  # bins on each side of the best one that the mean is over
FLOOR = 1e-5  # added to every score, so that no bin is impossible
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

    A window's scores count by their proportions. torchcrepe puts them through a softmax, which
    leaves so little of them that jumps are refused in noise and in the first windows.

    Args:
        scores: (n, k, 360).

    Returns:
        (n, k) bins, and places between them.
    """
    chances = scores.clamp(min=0.0) + FLOOR
    bins = F.viterbi((chances / chances.sum(2, keepdim=True)).mT, _transition())
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
def _transition() -> Tensor:
    """(from, to) chances of a jump."""
    bins = tp.arange(BINS, dtype=tp.float64)
    chances = (REACH - (bins.unsqueeze(1) - bins).abs()).clamp(min=0.0)
    return chances / chances.sum(1, keepdim=True)
