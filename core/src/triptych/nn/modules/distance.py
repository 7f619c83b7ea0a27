"""Similarities and distances between two batches of vectors."""

from __future__ import annotations

from .configured import Configured

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Configured):
    """Cosine of the angle between x1 and x2 along dim; eps is the least product of norms.

    Example:
        >>> float(CosineSimilarity(0)(triptych.tensor([1.0, 0.0]), triptych.tensor([2.0, 0.0])))
        1.0
    """

    dim: int = 1
    eps: float = 1e-8
    _hidden = ("dim", "eps")
    _function = "cosine_similarity"


class PairwiseDistance(Configured):
    """p-norm of x1 - x2 + eps along the last dim."""

    p: float = 2.0
    eps: float = 1e-6
    keepdim: bool = False
    _hidden = ("p", "eps", "keepdim")
    _function = "pairwise_distance"
