"""The lattice of the recurrent neural network transducer, one anti-diagonal at a time.

A lattice of t frames by u labels is stored by its anti-diagonals: cell (i, j) stands in row i + j,
column j, so the cells of a row depend on those of the row before alone.

Letters: d diagonals, n batch, u labels and one more.

Source: Graves 2012, eq. 16 to 20.
"""

from __future__ import annotations

from typing import Any

from ..avals import Aval
from ..errors import ShapeError
from .composite import composite
from .contract import check_dtypes
from .elementwise import add, exp, fill_like, logaddexp, mul, neg, where
from .movement import concat, reshape, slice_
from .reduce import sum
from .table import NA

# Stands for log 0: finite, so that differences of two of them are no NaN.
NEVER = -1e30


def _aval(blank: Any, label: Any, end: Any) -> Aval:
    check_dtypes("transducer", blank=blank, label=label)
    wanted = (blank.shape[0] + 1, *blank.shape[1:])
    if blank.ndim != 3 or label.shape != blank.shape or end.shape != wanted:
        raise ShapeError(
            f"transducer: wanted blank and label (d, n, u) and end (d + 1, n, u), got "
            f"{tuple(blank.shape)}, {tuple(label.shape)} and {tuple(end.shape)}"
        )
    return Aval((blank.shape[1],), blank.dtype)


def _impl(xp: Any, blank: Any, label: Any, end: Any) -> Any:
    d, n, u = blank.shape
    alpha = xp.full((d + 1, n, u), NEVER, blank.dtype)
    alpha[0, :, 0] = 0
    for row in range(d):
        after = xp.add(alpha[row], blank[row], out=alpha[row + 1])
        moved = alpha[row, :, :-1] + label[row, :, :-1]
        xp.logaddexp(after[:, 1:], moved, out=after[:, 1:])
    return -xp.where(end, alpha, 0).sum(axis=(0, 2))


def _at(x: Any, row: int) -> Any:
    return slice_(x, key=(row,))


def _columns(x: Any, start: int | None, stop: int | None) -> Any:
    return slice_(x, key=(slice(None), slice(start, stop)))


def _never(row: Any) -> Any:
    """(n, 1) of log 0."""
    return fill_like(_columns(row, 0, 1), value=NEVER)


def _stacked(rows: list[Any]) -> Any:
    return concat(*[reshape(r, shape=(1, *r.shape)) for r in rows], axis=0)


def _alphas(blank: Any, label: Any) -> Any:
    """(d + 1, n, u) log probabilities of all ways to a cell."""
    first = _at(blank, 0)
    start = fill_like(_columns(first, 0, 1), value=0)
    alpha = concat(start, fill_like(_columns(first, 1, None), value=NEVER), axis=1)
    rows = [alpha]
    for row in range(blank.shape[0]):
        moved = _columns(add(alpha, _at(label, row)), 0, -1)
        moved = concat(_never(alpha), moved, axis=1)
        alpha = logaddexp(add(alpha, _at(blank, row)), moved)
        rows.append(alpha)
    return _stacked(rows)


def _betas(blank: Any, label: Any, end: Any) -> Any:
    """(d + 1, n, u) log probabilities of all ways from a cell to the end."""
    beta = where(_at(end, blank.shape[0]), 0.0, fill_like(_at(blank, 0), value=NEVER))
    rows = [beta]
    for row in reversed(range(blank.shape[0])):
        moved = add(concat(_columns(beta, 1, None), _never(beta), axis=1), _at(label, row))
        beta = logaddexp(add(beta, _at(blank, row)), moved)
        beta = where(_at(end, row), 0.0, beta)
        rows.append(beta)
    return _stacked(rows[::-1])


def _costs(alpha: Any, end: Any) -> Any:
    return neg(sum(where(end, alpha, 0.0), axes=(0, 2)))


def _vjp(g: Any, a: Any, b: Any, c: Any) -> list[Any]:
    alpha, beta = _alphas(a, b), _betas(a, b, c)
    count = a.shape[0]
    cost = reshape(_costs(alpha, c), shape=(1, a.shape[1], 1))
    before, after = slice_(alpha, key=(slice(0, count),)), slice_(beta, key=(slice(1, None),))
    factor = neg(reshape(g, shape=(1, a.shape[1], 1)))
    start = add(before, cost)
    right = slice_(after, key=(slice(None), slice(None), slice(1, None)))
    blocked = fill_like(slice_(after, key=(slice(None), slice(None), slice(0, 1))), value=NEVER)
    right = concat(right, blocked, axis=2)
    of_blank = mul(factor, exp(add(add(start, a), after)))
    return [of_blank, mul(factor, exp(add(add(start, b), right))), None]


transducer = composite(
    "transducer",
    lambda blank, label, end: _costs(_alphas(blank, label), end),
    _impl,
    _vjp,
    aval=_aval,
    amp="single",
    names=NA("the diagonals of a lattice have no names"),
)
"""blank and label (d, n, u), the log probabilities of the steps down and right from each cell, and
end (d + 1, n, u), True in one cell per sample, where all ways lead. Gives (n,) negative log
probabilities of all ways from cell (0, 0) to the end."""
