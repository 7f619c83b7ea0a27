"""Transforms of vectors and matrices: to shares, and to factors of positive definite matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import dtypes
from ..errors import ShapeError
from ..linalg import cholesky
from ..ops.creation import arange, eye, ones_like, zeros
from ..ops.pointwise import clamp, sigmoid, softmax
from ..ops.shape import cat, diag_embed, stack
from ..tensor import Tensor
from . import constraints
from .arguments import clamp_probs, softplus
from .transform import Transform

__all__ = [
    "CorrCholeskyTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "SoftmaxTransform",
    "StickBreakingTransform",
]


class SoftmaxTransform(Transform):
    """y = softmax(x) over the last dim; its inverse is the logarithm. Not bijective: adding a
    constant to x changes nothing.
    """

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return softmax(x, -1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        if not shape:
            raise ShapeError("SoftmaxTransform: wanted vectors, got a 0-d shape")
        return tuple(shape)

    inverse_shape = forward_shape


class StickBreakingTransform(Transform):
    """n real numbers to n + 1 shares: each sigmoid takes its part of the stick that is left.

    Source: B. Carpenter et al. 2017, "Stan", section on unit simplexes, with its offsets.
    """

    domain, codomain, bijective = constraints.real_vector, constraints.simplex, True

    def _call(self, x: Tensor) -> Tensor:
        taken = clamp_probs(sigmoid(x - _left_over(x).log()))
        rest = (1 - taken).cumprod(-1)
        one = ones_like(rest[..., :1])
        return cat([taken, one], -1) * cat([one, rest], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        front = y[..., :-1]
        rest = clamp(1 - front.cumsum(-1), min=dtypes.finfo(y.dtype).tiny)
        return front.log() - rest.log() + _left_over(front).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        z = x - _left_over(x).log()
        return (y[..., :-1].log() - softplus(z)).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        return _longer_last("StickBreakingTransform", shape, 1)

    def inverse_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        return _longer_last("StickBreakingTransform", shape, -1)


def _longer_last(who: str, shape: Sequence[int], by: int) -> tuple[int, ...]:
    if not shape:
        raise ShapeError(f"{who}: wanted vectors, got a 0-d shape")
    return (*shape[:-1], shape[-1] + by)


def _left_over(x: Tensor) -> Tensor:
    """How many pieces are still to come after each: n, n - 1, ..., 1."""
    return arange(x.shape[-1], 0, -1, dtype=x.dtype, device=x.device)


class LowerCholeskyTransform(Transform):
    """Square matrices to lower triangular ones with a positive diagonal: exp on the diagonal, and
    nothing above it.
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + diag_embed(x.diagonal(dim1=-2, dim2=-1).exp())

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + diag_embed(y.diagonal(dim1=-2, dim2=-1).log())


class PositiveDefiniteTransform(Transform):
    """Square matrices to positive definite ones, through their `LowerCholeskyTransform`."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(cholesky(y))


class CorrCholeskyTransform(Transform):
    """n (n - 1) / 2 real numbers to the Cholesky factor of an n by n correlation matrix: their
    tanh are canonical partial correlations, which break sticks of unit length row by row.

    Source: D. Lewandowski, D. Kurowicka and H. Joe 2009, "Generating random correlation matrices".
    """

    domain, codomain, bijective = constraints.real_vector, constraints.corr_cholesky, True

    def _call(self, x: Tensor) -> Tensor:
        eps = dtypes.finfo(x.dtype).eps
        r = _lower_from_vector(clamp(x.tanh(), -1 + eps, 1 - eps))
        left = (1 - r * r).sqrt().cumprod(-1)  # of the unit length of each row
        shifted = cat([ones_like(left[..., :1]), left[..., :-1]], -1)
        return (r + eye(r.shape[-1], dtype=r.dtype, device=r.device)) * shifted

    def _inverse(self, y: Tensor) -> Tensor:
        before = 1 - (y * y).cumsum(-1)
        shifted = cat([ones_like(before[..., :1]), before[..., :-1]], -1)
        partial = _vector_from_lower(y) / _vector_from_lower(
            clamp(shifted, min=dtypes.finfo(y.dtype).tiny).sqrt()
        )
        return partial.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        left = 1 - (y * y).cumsum(-1)
        tiny = dtypes.finfo(y.dtype).tiny
        rows = _vector_from_lower(clamp(left, min=tiny).log(), -2).sum(-1)
        return 0.5 * rows - 2 * (x + softplus(-2 * x) - math.log(2)).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        if not shape:
            raise ShapeError("CorrCholeskyTransform: wanted vectors, got a 0-d shape")
        n = _side(shape[-1])
        return (*shape[:-1], n, n)

    def inverse_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        if len(shape) < 2 or shape[-1] != shape[-2]:
            raise ShapeError(
                f"CorrCholeskyTransform: wanted square matrices, got the shape {tuple(shape)}"
            )
        return (*shape[:-2], shape[-1] * (shape[-1] - 1) // 2)


def _side(count: int) -> int:
    """n of a matrix with this many elements below the diagonal."""
    n = round((1 + math.sqrt(1 + 8 * count)) / 2)
    if n * (n - 1) // 2 != count:
        raise ShapeError(
            f"CorrCholeskyTransform: wanted n (n - 1) / 2 numbers for some n, got {count}"
        )
    return n


def _lower_from_vector(vector: Tensor) -> Tensor:
    """(..., n (n - 1) / 2) to (..., n, n), filled row by row below the diagonal."""
    n, batch = _side(vector.shape[-1]), vector.shape[:-1]
    rows, start = [], 0
    for i in range(n):
        blank = zeros(*batch, n - i, dtype=vector.dtype, device=vector.device)
        rows.append(cat([vector[..., start : start + i], blank], -1))
        start += i
    return stack(rows, -2)


def _vector_from_lower(matrix: Tensor, diagonal: int = -1) -> Tensor:
    """The elements of (..., n, n) on and below a diagonal, row by row."""
    n = matrix.shape[-1]
    rows = [matrix[..., i, : i + diagonal + 1] for i in range(-diagonal, n)]
    return cat(rows, -1) if rows else matrix[..., 0, :0]
