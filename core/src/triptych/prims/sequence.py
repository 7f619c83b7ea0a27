"""Pieces of sequences, for tensors and raw arrays alike: what recurrences are written with.

Letters: t time, n batch, i and o features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .contract import matmul
from .elementwise import add
from .movement import concat, permute, reshape, slice_


def at(x: Any, step: int) -> Any:
    """One step of (t, ...)."""
    return slice_(x, key=(step,))


def part(x: Any, index: int, count: int) -> Any:
    """One of `count` equal parts of the last axis."""
    size = x.shape[-1] // count
    lead = (slice(None),) * (len(x.shape) - 1)
    return slice_(x, key=(*lead, slice(index * size, (index + 1) * size)))


def parts(x: Any, count: int) -> list[Any]:
    """All of `part`."""
    return [part(x, i, count) for i in range(count)]


def joined(*parts: Any) -> Any:
    """Side by side along the last axis."""
    return concat(*parts, axis=len(parts[0].shape) - 1)


def stacked(steps: list[Any]) -> Any:
    """The inverse of `at`."""
    return concat(*[reshape(s, shape=(1, *s.shape)) for s in steps], axis=0)


def states_before(first: Any, states: Any) -> Any:
    """The state that each step started from."""
    start = reshape(first, shape=(1, *first.shape))
    if states.shape[0] == 1:
        return start
    return concat(start, slice_(states, key=(slice(0, states.shape[0] - 1),)), axis=0)


def rows(x: Any) -> Any:
    """(t, n, i) as (t n, i)."""
    return reshape(x, shape=(x.shape[0] * x.shape[1], x.shape[2]))


def turned(w: Any) -> Any:
    """The transpose of a matrix."""
    return permute(w, axes=(1, 0))


def projected(x: Any, w: Any) -> Any:
    """(t, n, i) by (o, i) to (t, n, o)."""
    return reshape(matmul(rows(x), turned(w)), shape=(*x.shape[:2], w.shape[0]))


def weight_grad(g: Any, x: Any) -> Any:
    """The gradient of w in `projected`."""
    return matmul(turned(rows(g)), rows(x))


def grown(grad: Any, carried: Any) -> Any:
    """The sum, or the first alone."""
    return grad if carried is None else add(grad, carried)


def in_single(scan: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """Half precision runs in float32 and is rounded once at the end."""

    def impl(xp: Any, *xs: Any, **params: Any) -> tuple[Any, ...]:
        dtype = xs[0].dtype
        if dtype.itemsize != 2:
            return scan(xp, *xs, **params)
        outs = scan(xp, *[x.astype(xp.float32) for x in xs], **params)
        return tuple(out.astype(dtype) for out in outs)

    return impl
