"""How far two sequences, or two distributions, are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind

__all__ = ["edit_distance", "frechet_distance", "numbered"]


def numbered(*sequences: Sequence[Any]) -> list[np.ndarray]:
    """Sequences as numbers: equal elements have the same one.

    Args:
        sequences: strings or lists; elements that cannot be hashed are looked for one by one.

    Returns:
        One int64 array for each.
    """
    known: dict[Any, int] = {}
    unhashable: list[Any] = []

    def number(x: Any) -> int:
        try:
            return known.setdefault(x, len(known))
        except TypeError:
            if x not in unhashable:
                unhashable.append(x)
            return -1 - unhashable.index(x)

    return [np.array([number(x) for x in s], np.int64) for s in sequences]


def edit_distance(seq1: Sequence[Any], seq2: Sequence[Any]) -> int:
    """The least number of elements to insert, delete or replace to get from one to the other.

    Args:
        seq1: a string, or a list of words or of anything.
        seq2: the same kind; it counts as equal what compares equal.

    Returns:
        0 if they are the same, at most the length of the longer one.

    Example:
        >>> edit_distance("kitten", "sitting"), edit_distance(["a", "b"], ["b"])
        (3, 1)

    Source: Levenshtein 1966; rows after Wagner and Fischer 1974.
    """
    first, second = numbered(seq1, seq2)
    places = np.arange(len(second) + 1)
    row = places
    for i, element in enumerate(first, 1):
        below = np.empty_like(row)
        below[0] = i
        below[1:] = np.minimum(row[1:] + 1, row[:-1] + (second != element))
        row = np.minimum.accumulate(below - places) + places  # insertions, from the left
    return int(row[-1])


@same_kind
def frechet_distance(mu_x: Tensor, sigma_x: Tensor, mu_y: Tensor, sigma_y: Tensor) -> Tensor:
    """The Fréchet distance of two Gaussians.

    Args:
        mu_x: (n,) mean of the first.
        sigma_x: (n, n) its covariance.
        mu_y: (n,) mean of the second.
        sigma_y: (n, n) its covariance.

    Returns:
        0-d: |mu_x - mu_y|^2 + trace(sigma_x + sigma_y - 2 sqrt(sigma_x sigma_y)).

    Raises:
        ShapeError: shapes do not match.

    Example:
        >>> eye = tp.eye(2)
        >>> frechet_distance(tp.zeros(2), eye, tp.ones(2), eye).item()
        2.0

    Source: Dowson and Landau 1982.
    """
    n = mu_x.shape[0] if mu_x.ndim == 1 else -1
    shapes = [tuple(v.shape) for v in (mu_x, sigma_x, mu_y, sigma_y)]
    if shapes != [(n,), (n, n), (n,), (n, n)]:
        raise ShapeError(
            f"frechet_distance: wanted shapes (n,), (n, n), (n,), (n, n), got {shapes}"
        )
    shift = (mu_x - mu_y).square().sum()
    spread = sigma_x.trace() + sigma_y.trace()
    overlap = tp.linalg.eigvals(tp.matmul(sigma_x, sigma_y)).sqrt().real.sum()
    distance: Tensor = shift + spread - 2 * overlap
    return distance
