"""LDL factorisation of symmetric or Hermitian matrices by the pivoting of Bunch and Kaufman.

Stored as LAPACK does: D and the columns of L in one lower triangle, where the rows of earlier
columns are not exchanged; `ldl_layout` says where they would be.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import Aval
from ..tensor import raw_dtype
from . import naming
from .contract import matmul, transposed
from .elementwise import add, cast, conj_if_complex, div, eq, mul, sub, where
from .index import gather
from .kinds import CONSTANT, NO_FLOATS, primitive
from .linalg import diagonals
from .lu import INT32, flat_stack, magnitude, permutation_like
from .movement import concat, reshape, slice_
from .spectral import constant_like
from .triangular import check_matrices, solve_triangular, triangle_mask

# Bunch and Kaufman 1977: with this ratio one step of two by two grows no more than two of one.
ALPHA = (1 + math.sqrt(17)) / 8


def _ldl_aval(x: Any, *, hermitian: bool) -> tuple[Aval, Aval, Aval]:
    check_matrices("ldl_factor", x)
    return Aval(x.shape, x.dtype), Aval(x.shape[:-1], INT32), Aval(x.shape[:-2], INT32)


def _mirrored(xp: Any, a: Any, hermitian: bool) -> Any:
    """The whole matrix from its lower triangle."""
    low, flipped = xp.tril(a), xp.swapaxes(xp.tril(a, -1), -1, -2)
    whole = low + (flipped.conj() if hermitian else flipped)
    if hermitian:
        _real_diagonal(xp, whole)
    return whole


def _real_diagonal(xp: Any, a: Any) -> None:
    places = xp.arange(a.shape[-1])
    a[:, places, places] = a[:, places, places].real


def _choose(xp: Any, a: Any, k: int) -> tuple[Any, Any, Any]:
    """(row to bring to the front, whether a step of two is needed, whether column k is zero)."""
    every = xp.arange(len(a))
    size = magnitude(xp, a[:, k:, k:])
    head = size[:, 0, 0]
    if size.shape[1] == 1:
        return xp.full(len(a), k), xp.zeros(len(a), bool), head == 0
    below = size[:, 1:, 0]
    far = xp.argmax(below, axis=1) + 1
    most = below[every, far - 1]
    row = size[every, far]
    corner = row[every, far]
    row[every, far] = 0
    widest = row.max(axis=1)
    zero = xp.maximum(head, most) == 0
    # The comparisons multiplied out, so that nothing is divided by zero.
    stay = zero | (head >= ALPHA * most) | (head * widest >= ALPHA * most * most)
    bring = ~stay & (corner >= ALPHA * widest)
    return xp.where(stay, k, far + k), ~stay & ~bring, zero


def _exchange(xp: Any, a: Any, k: int, one: Any, other: Any) -> None:
    """Exchange rows and columns of what is left to do, in place."""
    every = xp.arange(len(a))
    rest = a[:, k:, k:]
    i, j = one - k, other - k
    rest[every, i], rest[every, j] = rest[every, j], rest[every, i]
    rest[every, :, i], rest[every, :, j] = rest[every, :, j], rest[every, :, i]


def _turned(x: Any, hermitian: bool) -> Any:
    flipped = x.swapaxes(-1, -2)
    return flipped.conj() if hermitian else flipped


def _step_of_one(xp: Any, a: Any, k: int, zero: Any, hermitian: bool) -> Any:
    head = xp.where(zero, 1, a[:, k, k])[:, None, None]
    column = a[:, k + 1 :, k : k + 1].copy()
    a[:, k + 1 :, k : k + 1] = column / head
    a[:, k + 1 :, k + 1 :] -= xp.matmul(column / head, _turned(column, hermitian))
    return a


def _step_of_two(xp: Any, a: Any, k: int, hermitian: bool) -> Any:
    block = a[:, k : k + 2, k : k + 2].reshape(-1, 4, 1, 1)
    columns = a[:, k + 2 :, k : k + 2].copy()
    p, q, r, s = (block[:, i] for i in range(4))
    turned = xp.concatenate(
        (columns[..., :1] * s - columns[..., 1:] * r, columns[..., 1:] * p - columns[..., :1] * q),
        axis=-1,
    )
    turned /= p * s - q * r
    a[:, k + 2 :, k : k + 2] = turned
    a[:, k + 2 :, k + 2 :] -= xp.matmul(turned, _turned(columns, hermitian))
    return a


def _ldl_factor(xp: Any, x: Any, *, hermitian: bool) -> Any:
    """All matrices in step; those in the second half of a step of two sit one out."""
    hermitian = hermitian and x.dtype.kind == "c"
    a = _mirrored(xp, flat_stack(x), hermitian)
    stack, n = a.shape[:2]
    pivots, info = xp.zeros((stack, n), INT32), xp.zeros(stack, INT32)
    half_done = xp.zeros(stack, bool)
    for k in range(n):
        busy = xp.nonzero(~half_done)[0]
        half_done[:] = False
        if not len(busy):
            continue
        part = a[busy]
        kp, double, zero = _choose(xp, part, k)
        _exchange(xp, part, k, xp.where(double, k + 1, k), kp)
        info[busy[zero]] = xp.where(info[busy[zero]] == 0, k + 1, info[busy[zero]])
        pivots[busy, k] = xp.where(double, -kp - 1, kp + 1)
        part[~double] = _step_of_one(xp, part[~double], k, zero[~double], hermitian)
        if double.any():
            part[double] = _step_of_two(xp, part[double], k, hermitian)
            pivots[busy[double], k + 1] = -kp[double] - 1
            half_done[busy[double]] = True
        if hermitian:  # or rounding errors grow from step to step
            _real_diagonal(xp, part)
        a[busy] = part
    lead = x.shape[:-2]
    return xp.tril(a).reshape(x.shape), pivots.reshape(x.shape[:-1]), info.reshape(lead)


# Layout


def _layout_aval(pivots: Any) -> tuple[Aval, Aval, Aval]:
    n = pivots.shape[-1]
    return (
        Aval((*pivots.shape, n), dtypes.INT64),
        Aval(pivots.shape, dtypes.INT64),
        Aval(pivots.shape, dtypes.BOOL),
    )


def _ldl_layout(xp: Any, pivots: Any) -> Any:
    n = pivots.shape[-1]
    p = pivots.reshape(math.prod(pivots.shape[:-1]), n)
    every = xp.arange(len(p))
    order = xp.broadcast_to(xp.arange(n), p.shape).copy()
    rows = xp.broadcast_to(xp.arange(n)[:, None], (len(p), n, n)).copy()
    pairs = xp.zeros(p.shape, bool)
    for k in range(n):
        second = pairs[:, k - 1] if k else xp.zeros(len(p), bool)
        first = (p[:, k] < 0) & ~second
        pairs[:, k] = first
        one = xp.where(first, min(k + 1, n - 1), k)
        other = xp.where(second, one, xp.abs(p[:, k]) - 1)
        for x in (order, rows[:, :, :k]):
            x[every, one], x[every, other] = x[every, other], x[every, one]
    return rows.reshape(*pivots.shape, n), order.reshape(pivots.shape), pairs.reshape(pivots.shape)


ldl_layout = primitive(
    "ldl_layout",
    "linalg",
    _ldl_layout,
    _layout_aval,
    CONSTANT,
    amp=NO_FLOATS,
    outputs=3,
    names=naming.axes("ldl_layout", "p->__,_,_"),
)
"""Where each element of L stands in its stored column; the rows of the matrix in the order of the
factors; and which places on the diagonal of D begin a block of two by two.
"""

# Derivative, and solving


def turned(x: Any, hermitian: bool) -> Any:
    """The transpose, conjugated if the factorisation is Hermitian."""
    h = transposed(x)
    return h if hermitian else conj_if_complex(h)


def _pair_mask(pairs: Any, like: Any) -> Any:
    """(..., n) to (..., n, n): ones below the diagonal where D has blocks."""
    n = pairs.shape[-1]
    columns = cast(reshape(pairs, shape=(*pairs.shape[:-1], 1, n)), dtype=raw_dtype(like))
    return mul(constant_like(np.eye(n, k=-1), like), columns)


def ldl_parts(ld: Any, pivots: Any) -> tuple[Any, Any, Any, Any]:
    """Unit lower L with its rows in order; the stored triangle of D; row order; block mask."""
    rows, order, pairs = ldl_layout(pivots)
    n = ld.shape[-1]
    mask = _pair_mask(pairs, ld)
    strict = constant_like(triangle_mask(n, n, upper=False, strict=True), ld)
    below = mul(ld, sub(strict, mask))
    low = add(gather(below, rows, axis=len(ld.shape) - 2), constant_like(np.eye(n), ld))
    return low, mul(ld, add(mask, constant_like(np.eye(n), ld))), order, mask


def block_diagonal_solve(d: Any, pairs: Any, b: Any, hermitian: bool) -> Any:
    """D^-1 b for D with blocks of one and two; d is its lower triangle."""
    main = reshape(diagonals(d), shape=(*d.shape[:-1], 1))
    marks = cast(pairs, dtype=raw_dtype(d))
    marks = reshape(marks, shape=(*marks.shape, 1))
    off = reshape(diagonals(_shifted(d, -1)), shape=main.shape)  # D[k + 1, k] at k
    off = mul(off, marks)
    back = conj_if_complex(off) if hermitian else off
    after = _shifted(main, -1)
    # 1 / determinant of the block that begins at k; where none begins, of main alone
    paired = eq(marks, 1)
    det = sub(mul(main, after), mul(off, back))
    safe = where(paired, det, 1)
    first = div(sub(mul(after, b), mul(back, _shifted(b, -1))), safe)
    second = div(sub(mul(main, _shifted(b, -1)), mul(off, b)), safe)
    second = _shifted(where(paired, second, 0), 1)
    ends = eq(_shifted(marks, 1), 1)
    single = div(b, where(paired, 1, where(ends, 1, main)))
    return where(paired, first, where(ends, second, single))


def _shifted(x: Any, by: int) -> Any:
    """Rows moved down by one (1) or up by one (-1), zeros coming in."""
    n, axis = x.shape[-2], len(x.shape) - 2
    zero = mul(slice_(x, key=(Ellipsis, slice(0, 1), slice(None))), 0)
    if by > 0:
        return concat(zero, slice_(x, key=(Ellipsis, slice(0, n - 1), slice(None))), axis=axis)
    return concat(slice_(x, key=(Ellipsis, slice(1, n), slice(None))), zero, axis=axis)


def _ldl_vjp(g: Any, y: Any, *, hermitian: bool) -> Any:
    """With X = L^-1 dA L^-H: dL = L low(X) D^-1 and dD is the block diagonal of X."""
    ld, pivots, _ = y
    low, d, order, mask = ldl_parts(ld, pivots)
    rows, _, pairs = ldl_layout(pivots)
    n = ld.shape[-1]
    strict = constant_like(triangle_mask(n, n, upper=False, strict=True), ld)
    outside = sub(strict, mask)
    gl = gather(mul(g[0], outside), rows, axis=len(ld.shape) - 2)
    inner = matmul(transposed(low), gl)
    # x D^-H, from D^-1 applied to x^H
    over_d = transposed(block_diagonal_solve(d, pairs, transposed(inner), hermitian))
    kept = mul(g[0], add(mask, constant_like(np.eye(n), ld)))
    gx = add(mul(over_d, outside), kept)
    left = solve_triangular(transposed(low), gx, upper=True, unitriangular=True)
    right = low if hermitian else conj_if_complex(low)
    ga = transposed(
        solve_triangular(transposed(right), transposed(left), upper=True, unitriangular=True)
    )
    p = permutation_like(order, ld)
    ga = matmul(p, matmul(ga, transposed(p)))
    return mul(add(ga, turned(ga, hermitian)), 0.5)


ldl_factor = primitive(
    "ldl_factor",
    "linalg",
    _ldl_factor,
    _ldl_aval,
    (_ldl_vjp,),
    outputs=3,
    names=naming.axes("ldl_factor", "rc->rc,_,"),
)
"""L D L^T or L D L^H in one lower triangle; pivots as LAPACK's, negative for blocks of two by two;
and the place of the first zero on the diagonal of D, or zero.
"""
