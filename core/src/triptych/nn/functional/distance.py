"""Distances and similarities of vectors."""

from __future__ import annotations

from ...dtypes import int64
from ...errors import ShapeError
from ...ops.linalg import cosine_similarity
from ...ops.named import drops_names
from ...ops.reduce import norm
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import reduce as rd
from ...prims.index import Slot
from ...prims.precision import computes_in
from ...tensor import Tensor

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


@computes_in("single")
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dim; leading dims broadcast."""
    return norm(ew.add(ew.sub(x1, x2), eps), p, -1, keepdim)


@computes_in("single")
@drops_names
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distance of every pair of rows.

    Args:
        input: (n, d).
        p: of the norm.

    Returns:
        (n * (n - 1) / 2,), row 0 with 1, 2, ..., then row 1 with 2, 3, ...

    Raises:
        ShapeError: input is not a matrix.
    """
    if input.ndim != 2:
        raise ShapeError(f"pdist: wanted (n, d), got {tuple(input.shape)}")
    count = input.shape[0]
    first = [i for i in range(count) for _ in range(i + 1, count)]
    second = [j for i in range(count) for j in range(i + 1, count)]
    one, two = (
        ix.index(input, input.new_tensor(rows, dtype=int64), key=(Slot(0),))
        for rows in (first, second)
    )
    gap = ew.sub(one, two)
    if p == 0:  # counts, whose gradient is zero
        return rd.sum(ew.sign(ew.abs(gap)), axes=(1,))
    return norm(gap, p, 1)
