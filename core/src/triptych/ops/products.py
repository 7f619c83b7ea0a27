"""Products beside `matmul`: with an addend, of vectors, of blocks; and distances between rows."""

from __future__ import annotations

import math
from typing import Any

from ..avals import normalize_axis
from ..errors import DTypeError, ShapeError
from ..linalg.products import cross as _cross
from ..linalg.products import multi_dot
from ..prims import elementwise as ew
from ..prims.contract import check_dtypes
from ..prims.distance import cdist as _cdist
from ..prims.precision import computes_in
from ..prims.reduce import sum as _sum
from ..tensor import Tensor
from .linalg import bmm, dot, matmul, mm, mv, outer, plus
from .reduce import norm
from .shape import cat, permute, reshape, transpose

__all__ = [
    "addbmm",
    "addmv",
    "addr",
    "cdist",
    "chain_matmul",
    "cross",
    "dist",
    "ger",
    "inner",
    "kron",
    "vdot",
]


@computes_in("low")
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * (mat @ vec).

    Args:
        input: broadcasts to (n,); not read if beta is 0.
        mat, vec: (n, m) and (m,).
    """
    return plus("addmv", input, mv(mat, vec), beta, alpha)


@computes_in("low")
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2).

    Args:
        input: broadcasts to (n, m); not read if beta is 0.
        vec1, vec2: (n,) and (m,).

    Raises:
        DTypeError: integers with a floating beta or alpha.
    """
    product = outer(vec1, vec2)
    if product._data.dtype.kind in "biu" and input._data.dtype.kind in "biu":
        for label, v in (("beta", beta), ("alpha", alpha)):
            if isinstance(v, float):
                raise DTypeError(f"addr: {label} must be an int for integers, got {v}")
    return plus("addr", input, product, beta, alpha)


@computes_in("low")
def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """beta * input + alpha * bmm(batch1, batch2).sum(0).

    Args:
        input: broadcasts to (n, p); not read if beta is 0.
        batch1, batch2: (b, n, m) and (b, m, p).

    Raises:
        ShapeError: an input has other than 3 dims, or sizes do not fit.
    """
    shapes = tuple(batch1.shape), tuple(batch2.shape)
    if len(shapes[0]) != 3 or len(shapes[1]) != 3 or shapes[0][::2] != shapes[1][:2]:
        bmm(batch1, batch2)  # says what does not fit
    b, n, m = shapes[0]
    wide = reshape(permute(batch1, (1, 0, 2)), (n, b * m))  # the sum over b is part of the product
    return plus("addbmm", input, mm(wide, reshape(batch2, (b * m, shapes[1][2]))), beta, alpha)


def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """`outer` under its older name."""
    return outer(input, vec2)


@computes_in("low")
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of matrices in the cheapest order; see `linalg.multi_dot`.

    Raises:
        ShapeError: no matrices, or shapes that form no chain.
    """
    if len(matrices) == 1:
        return matrices[0]
    return multi_dot(matrices)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums of products over the last dims: (..., d) and (*, d) to (..., *).

    A 0-d input multiplies the other.

    Raises:
        ShapeError: the last dims differ.
    """
    if input.ndim == 0 or other.ndim == 0:
        return ew.mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(
            f"inner: wanted equal last dims, got {tuple(input.shape)} and {tuple(other.shape)}"
        )
    d = input.shape[-1]
    rows = (reshape(t, (math.prod(t.shape[:-1]), d)) for t in (input, other))
    a, b = rows
    return reshape(matmul(a, transpose(b, 0, 1)), (*input.shape[:-1], *other.shape[:-1]))


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The sum of conj(input) * other, for two vectors.

    Raises:
        ShapeError: no vectors of one length.
    """
    return dot(ew.conj_if_complex(input), other)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: blocks of `other`, scaled by each element of `input`.

    Args:
        input, other: as many dims as you like; the one with fewer gets leading dims of length 1.

    Returns:
        A tensor whose lengths are the products of the lengths.
    """
    ndim = max(input.ndim, other.ndim)
    a, b = ((1,) * (ndim - t.ndim) + tuple(t.shape) for t in (input, other))
    left = reshape(input, tuple(n for length in a for n in (length, 1)))
    right = reshape(other, tuple(n for length in b for n in (1, length)))
    return reshape(ew.mul(left, right), tuple(m * n for m, n in zip(a, b, strict=True)))


@computes_in("widest")
def cross(input: Tensor, other: Tensor, dim: Any = None) -> Tensor:
    """The vector product of 3-vectors along dim.

    Args:
        input, other: tensors that broadcast.
        dim: where both have length 3; default the first such dim of input.

    Raises:
        ShapeError: no dim has length 3.
    """
    if dim is None:
        if 3 not in input.shape:
            raise ShapeError(f"cross: no dim of length 3 in {tuple(input.shape)}")
        dim = tuple(input.shape).index(3)
    return _cross(input, other, dim=normalize_axis("cross", dim, input.ndim, input))


@computes_in("single")
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other, which broadcast: one number."""
    return norm(ew.sub(input, other), p)


# Distances of rows

MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)
FEW_ROWS = 25  # torch.cdist: with more, "if necessary" means it is


@computes_in("single")
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = MODES[0]) -> Tensor:
    """The p-norms of the differences of all pairs of rows.

    Args:
        x1, x2: (..., n, d) and (..., m, d), real floating; leading dims broadcast.
        p: zero or more; 0 counts the differences that are not zero, inf takes the largest.
        compute_mode: for p = 2, whether squares are expanded into a matrix product, which is much
            faster for many rows and less accurate for close ones: "use_mm_for_euclid_dist",
            "donot_use_mm_for_euclid_dist" or "use_mm_for_euclid_dist_if_necessary" (more than 25
            rows; default).

    Returns:
        (..., n, m). The gradient at distance zero is zero.

    Raises:
        ShapeError: sizes do not fit, or p is negative.
        DTypeError: elements are not real floating, or the mode is unknown.

    Example:
        >>> import triptych as tp
        >>> tp.cdist(tp.tensor([[0.0, 0.0]]), tp.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[5.0, 0.0]]
    """
    mode = MODES[0] if compute_mode is None else compute_mode
    if mode not in MODES:
        raise DTypeError(f"cdist: compute_mode is one of {MODES}, got {compute_mode!r}")
    if not p >= 0:
        raise ShapeError(f"cdist: wanted p >= 0, got {p}")
    many = x1.ndim > 1 and x2.ndim > 1 and max(x1.shape[-2], x2.shape[-2]) > FEW_ROWS
    fits = x1.ndim > 1 and x2.ndim > 1 and x1.shape[-1] == x2.shape[-1]
    if p == 2 and fits and (mode == MODES[1] or (mode == MODES[0] and many)):
        return _by_product(x1, x2)
    out: Tensor = _cdist(x1, x2, p=float(p))
    return out


def _by_product(x1: Tensor, x2: Tensor) -> Tensor:
    """|a - b| from |a|^2 + |b|^2 - 2 a.b: the product of (-2 a, |a|^2, 1) and (b, 1, |b|^2)."""
    check_dtypes("cdist", x1=x1, x2=x2)
    one, two = (_sum(ew.square(x), axes=(x.ndim - 1,), keepdim=True) for x in (x1, x2))
    ones = (ew.fill_like(x.detach(), value=1) for x in (one, two))
    left = cat([ew.mul(x1, -2), one, next(ones)], -1)
    right = cat([x2, next(ones), two], -1)
    squares = matmul(left, transpose(right, -2, -1))
    apart = ew.gt(squares, 0)
    return ew.where(apart, ew.sqrt(ew.where(apart, squares, 1)), 0)
