"""LU factorisation with row exchanges, of stacks of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..avals import Aval
from ..tensor import raw_dtype
from . import naming
from .contract import matmul, transposed
from .elementwise import add, cast, eq, mul, sub
from .kinds import CONSTANT, NO_FLOATS, primitive
from .movement import concat, reshape, slice_
from .spectral import constant_like
from .triangular import check_matrices, solve_triangular, substitute, triangle_mask

INT32 = np.dtype(np.int32)
PANEL = 32  # columns eliminated one by one before the rest is updated by one product


def magnitude(xp: Any, x: Any) -> Any:
    """What LAPACK compares when it looks for a pivot: |re| + |im| of complex numbers."""
    return xp.abs(x.real) + xp.abs(x.imag) if x.dtype.kind == "c" else xp.abs(x)


def flat_stack(x: Any) -> Any:
    """(..., m, n) to a new (stack, m, n)."""
    return x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:]).copy()


def _eliminate(xp: Any, a: Any, pivots: Any, info: Any, start: int, pivot: bool) -> Any:
    """Factor a panel (stack, m, w) in place; gives the exchanges as an order of its rows."""
    stack, m, w = a.shape
    every = xp.arange(stack)
    moved = xp.broadcast_to(xp.arange(m), (stack, m)).copy()
    for j in range(min(m, w)):
        p = xp.full(stack, j)
        if pivot:
            p = xp.argmax(magnitude(xp, a[:, j:, j]), axis=1) + j
            for x in (a, moved):
                x[every, p], x[:, j] = x[:, j].copy(), x[every, p].copy()
        pivots[:, start + j] = start + p + 1
        head = a[:, j, j]
        zero = head == 0
        info[zero & (info == 0)] = start + j + 1
        a[:, j + 1 :, j] /= xp.where(zero, 1, head)[:, None]
        a[:, j + 1 :, j + 1 :] -= a[:, j + 1 :, j, None] * a[:, j, None, j + 1 :]
    return moved


def _rows_moved(xp: Any, x: Any, moved: Any) -> None:
    x[...] = xp.take_along_axis(x, moved[:, :, None], axis=1)


def factor_stack(xp: Any, x: Any, *, pivot: bool) -> Any:
    """The kernel of `lu`."""
    a = flat_stack(x)
    stack, m, n = a.shape
    k = min(m, n)
    pivots, info = xp.zeros((stack, k), INT32), xp.zeros(stack, INT32)
    for s in range(0, k, PANEL):
        e = min(s + PANEL, k)
        panel = a[:, s:, s:e]
        moved = _eliminate(xp, panel, pivots, info, s, pivot)
        _rows_moved(xp, a[:, s:, :s], moved)
        if e < n:
            right = a[:, s:, e:]
            _rows_moved(xp, right, moved)
            corner = panel[:, : e - s]
            right[:, : e - s] = substitute(
                xp, corner, right[:, : e - s], upper=False, unitriangular=True
            )
            right[:, e - s :] -= xp.matmul(panel[:, e - s :], right[:, : e - s])
    lead = x.shape[:-2]
    return a.reshape(x.shape), pivots.reshape(*lead, k), info.reshape(lead)


def _lu_aval(x: Any, *, pivot: bool) -> tuple[Aval, Aval, Aval]:
    check_matrices("lu_factor", x, square=False)
    lead = x.shape[:-2]
    return (
        Aval(x.shape, x.dtype),
        Aval((*lead, min(x.shape[-2:])), INT32),
        Aval(lead, INT32),
    )


def _lu_vjp(g: Any, y: Any) -> Any:
    """From dL = L tril(X, -1) and dU = triu(X) U with X = L^-1 dA U^-1 for the square part; the
    rows below it or the columns right of it are products with U^-1 or L^-1.
    """
    lu, pivots, _ = y
    m, n = lu.shape[-2:]
    k = min(m, n)
    square, below, right = ((Ellipsis, *key) for key in _parts(k))
    gl = mul(g[0], constant_like(triangle_mask(m, n, upper=False, strict=True), g[0]))
    gu = sub(g[0], gl)
    g1l, g1u, a1 = slice_(gl, key=square), slice_(gu, key=square), slice_(lu, key=square)
    rest = None
    if m > k:
        low = slice_(lu, key=below)
        rest = _over_u(slice_(gl, key=below), a1)
        g1u = sub(g1u, matmul(transposed(low), rest))
    elif n > k:
        wide = slice_(lu, key=right)
        rest = _under_l(slice_(gu, key=right), a1)
        g1l = sub(g1l, matmul(rest, transposed(wide)))
    whole = _square_vjp(g1l, g1u, a1)
    if rest is not None:
        whole = concat(whole, rest, axis=len(lu.shape) - (2 if m > k else 1))
    return matmul(permutation_like(row_order(pivots, size=m), lu), whole)


def _parts(k: int) -> tuple[Any, Any, Any]:
    return (slice(0, k), slice(0, k)), (slice(k, None), slice(0, k)), (slice(0, k), slice(k, None))


def _over_u(x: Any, lu: Any) -> Any:
    """x U^-H."""
    return transposed(solve_triangular(lu, transposed(x), upper=True, unitriangular=False))


def _under_l(x: Any, lu: Any) -> Any:
    """L^-H x."""
    return solve_triangular(transposed(lu), x, upper=True, unitriangular=True)


def _square_vjp(gl: Any, gu: Any, lu: Any) -> Any:
    k = lu.shape[-1]
    strict = constant_like(triangle_mask(k, k, upper=False, strict=True), lu)
    upper = constant_like(triangle_mask(k, k, upper=True), lu)
    unit_l, u = add(mul(lu, strict), constant_like(np.eye(k), lu)), mul(lu, upper)
    core = add(mul(matmul(transposed(unit_l), gl), strict), mul(matmul(gu, transposed(u)), upper))
    return _under_l(_over_u(core, lu), lu)


lu = primitive(
    "lu",
    "linalg",
    factor_stack,
    _lu_aval,
    (_lu_vjp,),
    outputs=3,
    names=naming.axes("lu", "rc->rc,_,"),
)
"""L below and U on and above the diagonal of one matrix; the row each row was exchanged with,
counted from one; and the place of the first zero on the diagonal of U, or zero.
"""


def order_rows(xp: Any, pivots: Any, *, size: int) -> Any:
    """The kernel of `row_order`."""
    p = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1])
    every = xp.arange(len(p))
    order = xp.broadcast_to(xp.arange(size), (len(p), size)).copy()
    for j in range(p.shape[1]):
        other = p[:, j] - 1
        order[every, other], order[:, j] = order[:, j].copy(), order[every, other].copy()
    return order.reshape(*pivots.shape[:-1], size)


row_order = primitive(
    "row_order",
    "linalg",
    order_rows,
    lambda pivots, *, size: Aval((*pivots.shape[:-1], size), np.dtype(np.int64)),
    CONSTANT,
    amp=NO_FLOATS,
    names=naming.axes("row_order", "p->_"),
)
"""The rows of a matrix in the order that a list of exchanges leaves them in."""


def permutation_like(order: Any, like: Any) -> Any:
    """P with P[order[i], i] = 1, so that P @ x puts row i of x into place order[i]."""
    size = order.shape[-1]
    places = constant_like(np.arange(size).reshape(size, 1), like)
    columns = reshape(order, shape=(*order.shape[:-1], 1, size))
    return cast(eq(places, columns), dtype=raw_dtype(like))
