"""Products, powers and functions of matrices, and their determinants."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from ..avals import broadcast_shapes, normalize_axis
from ..errors import ShapeError
from ..ops.creation import arange, eye
from ..ops.linalg import matmul, outer, tensordot
from ..ops.reduce import sum as _sum
from ..ops.shape import broadcast_to, diagonal, movedim, reshape, stack, transpose, unsqueeze
from ..prims import determinant
from ..prims import elementwise as ew
from ..prims.matrix_function import matrix_exp as _matrix_exp
from ..prims.precision import computes_in
from ..tensor import Tensor
from .results import SlogDet
from .solving import inv

__all__ = [
    "cross",
    "det",
    "diagonal",
    "logdet",
    "matmul",
    "matrix_exp",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "slogdet",
    "tensordot",
    "trace",
    "vander",
    "vecdot",
]


def slogdet(A: Tensor) -> SlogDet:
    """The sign and log magnitude of determinants, without overflow."""
    return SlogDet(*determinant.slogdet(A))


def logdet(A: Tensor) -> Tensor:
    """The logarithm of determinants: -inf for singular matrices, NaN for negative ones."""
    sign, log = determinant.slogdet(A)
    if sign._data.dtype.kind == "c":
        return ew.add(ew.log(sign), log)
    return ew.where(ew.eq(sign, -1), math.nan, log)


def det(A: Tensor) -> Tensor:
    """The determinant of square matrices; its gradient is the cofactors, for singular ones, too."""
    out: Tensor = determinant.det(A)
    return out


@computes_in("single")
def matrix_power(A: Tensor, n: int) -> Tensor:
    """A multiplied by itself n times; the inverse for negative n.

    Raises:
        ShapeError: A holds no square matrices.
        LinAlgError: n < 0 and a matrix is singular.
    """
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"matrix_power: wanted square matrices, got shape {tuple(A.shape)}")
    if n == 0:  # constant, but with the history of A, as any other power has
        return ew.add(ew.mul(A, 0), eye(A.shape[-1], dtype=A.dtype, device=A.device))
    if n < 0:
        return matrix_power(inv(A), -n)
    half = matrix_power(A, n // 2) if n > 1 else None
    if half is None:
        return A
    twice = matmul(half, half)
    return matmul(twice, A) if n % 2 else twice


def matrix_exp(A: Tensor) -> Tensor:
    """The sum of A ** k / k! over all k, for square matrices (..., n, n).

    Example:
        >>> import triptych as tp
        >>> tp.linalg.matrix_exp(tp.zeros(2, 2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Higham 2005, the [13/13] Pade approximant with scaling and squaring.
    """
    out: Tensor = _matrix_exp(A)
    return out


def matrix_transpose(x: Tensor) -> Tensor:
    """The last two dims exchanged.

    Raises:
        ShapeError: fewer than two dims.
    """
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose: wanted at least 2 dims, got {tuple(x.shape)}")
    return transpose(x, -2, -1)


def trace(x: Tensor, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sums over a diagonal of (..., m, n) matrices: (...)."""
    return _sum(diagonal(x, offset, -2, -1), -1, dtype=dtype)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices, in the cheapest order; the ends may be vectors.

    Raises:
        ShapeError: fewer than two tensors, other dims, or lengths that do not fit.
    """
    parts = list(tensors)
    if len(parts) < 2:
        raise ShapeError(f"multi_dot: wanted at least 2 tensors, got {len(parts)}")
    first, last = parts[0].ndim == 1, parts[-1].ndim == 1
    parts[0] = unsqueeze(parts[0], 0) if first else parts[0]
    parts[-1] = unsqueeze(parts[-1], 1) if last else parts[-1]
    shapes = [tuple(t.shape) for t in parts]
    for a, b in itertools.pairwise(shapes):
        if len(a) != 2 or len(b) != 2 or a[1] != b[0]:
            raise ShapeError(f"multi_dot: matrices of shapes {shapes} do not form a chain")
    sizes = [shapes[0][0], *(shape[1] for shape in shapes)]
    out = _chain(parts, _cheapest_splits(sizes), 0, len(parts) - 1)
    return reshape(out, tuple(out.shape[int(first) : 2 - int(last)]))


def _cheapest_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of matrices; sizes are rows and then columns. Source: Cormen,
    Leiserson, Rivest and Stein, "Introduction to Algorithms", section 15.2.
    """
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    split = {}
    for span in range(1, count):
        for i in range(count - span):
            j = i + span
            found = [
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], split[i, j] = min(found)
    return split


def _chain(parts: list[Tensor], split: dict[tuple[int, int], int], i: int, j: int) -> Tensor:
    if i == j:
        return parts[i]
    k = split[i, j]
    return matmul(_chain(parts, split, i, k), _chain(parts, split, k + 1, j))


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """sum(conj(x) * y) along dim."""
    return _sum(ew.mul(ew.conj_if_complex(x), y), dim)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product of 3-vectors along dim.

    Args:
        input, other: tensors that broadcast and have as many dims as each other.
        dim: where both have length 3.

    Raises:
        ShapeError: lengths other than 3, or different numbers of dims.
    """
    if input.ndim != other.ndim:
        raise ShapeError(
            f"cross: wanted as many dims each, got {tuple(input.shape)} and {tuple(other.shape)}"
        )
    axis = normalize_axis("cross", dim, input.ndim, input)
    if input.shape[axis] != 3 or other.shape[axis] != 3:
        raise ShapeError(
            f"cross: wanted length 3 along dim {dim}, got {input.shape[axis]} and "
            f"{other.shape[axis]}"
        )
    wide = broadcast_shapes("cross", tuple(input.shape), tuple(other.shape))
    a, b = (movedim(broadcast_to(t, wide), axis, -1) for t in (input, other))
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return stack(parts, axis)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Powers of x as columns: x ** 0, x ** 1, ..., x ** (N - 1)."""
    x = reshape(x, 1) if x.ndim == 0 else x
    count = x.shape[-1] if N is None else N
    return ew.pow(unsqueeze(x, -1), arange(count, device=x.device))
