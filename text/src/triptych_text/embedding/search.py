"""How alike vectors are, and which of many are the closest."""

from __future__ import annotations

from typing import NamedTuple

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych.nn import functional as F

__all__ = ["SearchResult", "semantic_search", "similarity"]

CHUNK_ELEMENTS = 1 << 24  # scores held at once: 64 MB in float32


class SearchResult(NamedTuple):
    """The closest vectors for each query, the closest first.

    Args:
        scores: (q, k) cosines, -1 to 1.
        indices: (q, k) int64 places in the corpus.
    """

    scores: Tensor
    indices: Tensor


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Cosine of the angle between each vector of one set and each of another.

    Args:
        a: (n, d), of any length; or (d,) for one vector.
        b: (m, d), or (d,).

    Returns:
        (n, m), -1 to 1; 0 for vectors of length zero.

    Raises:
        ShapeError: the vectors have different lengths d.

    Example:
        >>> similarity(tp.tensor([[2.0, 0.0]]), tp.tensor([[1.0, 0.0], [0.0, 3.0]])).tolist()
        [[1.0, 0.0]]
    """
    a, b = _rows(a), _rows(b)
    if a.shape[1] != b.shape[1]:
        raise ShapeError(
            f"similarity: vectors of {a.shape[1]} and of {b.shape[1]} numbers; do they come from "
            "the same encoder?"
        )
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T


def semantic_search(queries: Tensor, corpus: Tensor, k: int = 10) -> SearchResult:
    """The k vectors of a corpus that are closest to each query, by the cosine.

    Args:
        queries: (q, d) embeddings, or (d,) for one.
        corpus: (m, d) embeddings.
        k: how many to find; at most m are returned.

    Returns:
        scores and indices, each (q, min(k, m)).

    Raises:
        ShapeError: the vectors have different lengths d.
        ValueError: k is below 1.

    Example:
        >>> found = semantic_search(tp.tensor([0.0, 1.0]), tp.eye(2), k=1)
        >>> found.indices.tolist(), found.scores.tolist()
        ([[1]], [[1.0]])
    """
    if k < 1:
        raise ValueError(f"semantic_search: k is 1 or more, got {k}")
    queries, corpus = _rows(queries), _rows(corpus)
    k = min(k, corpus.shape[0])
    step = max(1, CHUNK_ELEMENTS // max(corpus.shape[0], 1))
    found = [
        similarity(queries[start : start + step], corpus).topk(k, dim=1)
        for start in range(0, max(queries.shape[0], 1), step)
    ]
    return SearchResult(tp.cat([f[0] for f in found]), tp.cat([f[1] for f in found]))


def _rows(x: Tensor) -> Tensor:
    if x.ndim not in (1, 2):
        raise ShapeError(f"similarity: wanted (n, d) or (d,), got {tuple(x.shape)}")
    return x[None] if x.ndim == 1 else x
