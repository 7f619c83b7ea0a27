"""Inverse, solve and Cholesky that report failure per matrix instead of raising."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..avals import Aval
from . import batching_native, naming
from .kinds import primitive
from .linalg import cholesky_aval, cholesky_vjp, inv_aval, inv_vjp, solve_aval, solve_da, solve_db
from .lu import INT32, factor_stack, flat_stack, order_rows
from .triangular import substitute


def _attempt(xp: Any, compute: Callable[..., Any], *arrays: Any) -> Any:
    """The result of a LAPACK routine, or None if it failed for any matrix of the stack."""
    try:
        y = compute(*arrays)
    except np.linalg.LinAlgError:
        return None
    return y if xp.isfinite(y).all() else None


def _solve_by_lu(xp: Any, a: Any, b: Any) -> Any:
    """Divides by the zeros on the diagonal of U, and says where the first of them stands."""
    lu, pivots, info = factor_stack(xp, a, pivot=True)
    order = order_rows(xp, pivots, size=a.shape[-1])
    b = xp.take_along_axis(*_aligned(xp, b, order[..., None]), axis=-2)
    y = substitute(xp, lu, b, upper=False, unitriangular=True)
    return substitute(xp, lu, y, upper=True), info


def _aligned(xp: Any, b: Any, order: Any) -> Any:
    lead = np.broadcast_shapes(b.shape[:-2], order.shape[:-2])
    return (
        xp.broadcast_to(b, (*lead, *b.shape[-2:])),
        xp.broadcast_to(order, (*lead, order.shape[-2], b.shape[-1])),
    )


def _inv_ex(xp: Any, x: Any) -> Any:
    y = _attempt(xp, xp.linalg.inv, x)
    if y is not None:
        return y, xp.zeros(x.shape[:-2], INT32)
    return _solve_by_lu(xp, x, xp.broadcast_to(xp.eye(x.shape[-1], dtype=x.dtype), x.shape))


inv_ex = primitive(
    "inv_ex",
    "linalg",
    _inv_ex,
    lambda x: (inv_aval(x), Aval(x.shape[:-2], INT32)),
    (lambda g, y: inv_vjp(g[0], y[0]),),
    outputs=2,
    names=naming.axes("inv", "rc->cr,"),
)
"""The inverse, and per matrix the place of the first zero pivot, or zero."""


def _solve_ex(xp: Any, a: Any, b: Any) -> Any:
    y = _attempt(xp, xp.linalg.solve, a, b)
    return (y, xp.zeros(a.shape[:-2], INT32)) if y is not None else _solve_by_lu(xp, a, b)


def _solve_ex_vjp(g: Any, a: Any, y: Any, shapes: Any) -> Any:
    return [solve_da(g[0], a, y[0], shapes[0]), solve_db(g[0], a, shapes[1])]


_solution_names = naming.axes("solve", "rc,rk->ck")
solve_ex = primitive(
    "solve_ex",
    "linalg",
    _solve_ex,
    lambda a, b: (solve_aval(a, b), Aval(a.shape[:-2], INT32)),
    _solve_ex_vjp,
    outputs=2,
    vmap=batching_native.solve_ex,
    names=lambda a, b: (_solution_names(a, b), a.names[:-2]),
)
"""X with A @ X = B, and per matrix the place of the first zero pivot, or zero."""


def _cholesky_ex(xp: Any, x: Any) -> Any:
    y = _attempt(xp, xp.linalg.cholesky, x)
    if y is not None:
        return y, xp.zeros(x.shape[:-2], INT32)
    a = xp.tril(flat_stack(x))
    info = xp.zeros(len(a), INT32)
    for j in range(a.shape[-1]):
        _next_column(xp, a, info, j)
    return a.reshape(x.shape), info.reshape(x.shape[:-2])


def _next_column(xp: Any, a: Any, info: Any, j: int) -> None:
    """Column j of the factors, in place; matrices that failed stay as they are."""
    done = a[:, j:, :j]
    column = a[:, j:, j] - xp.matmul(done, a[:, j, :j, None].conj())[..., 0]
    head = column[:, 0].real
    info[(info == 0) & ~(head > 0)] = j + 1
    good = info == 0
    root = xp.sqrt(xp.where(good, head, 1))
    a[:, j:, j] = xp.where(good[:, None], column / root[:, None], a[:, j:, j])


cholesky_ex = primitive(
    "cholesky_ex",
    "linalg",
    _cholesky_ex,
    lambda x: (cholesky_aval(x), Aval(x.shape[:-2], INT32)),
    (lambda g, y: cholesky_vjp(g[0], y[0]),),
    outputs=2,
    names=naming.axes("cholesky", "rc->r_,"),
)
"""The lower factor, and per matrix the order of the first minor that is not positive, or zero."""
