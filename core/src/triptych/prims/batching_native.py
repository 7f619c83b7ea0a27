"""The `vmap` column of convolutions, recurrences and layers: a batch folded into one that is there.

Where the weights differ from sample to sample, convolutions turn samples into groups, and the
others run their decomposition (which a rule asks for by giving NotImplemented).
"""

from __future__ import annotations

from typing import Any

from ..tensor import raw_dtype
from .batching import Flags, Params, aligned, batched, merged, reshape, split
from .table import Prim


def matmul(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """Stacks of matrices; one matrix for all samples meets their rows in a single product."""
    a, b = xs
    if on[0] and not on[1] and len(a.shape) == 3 and len(b.shape) == 2:
        rows = reshape(a, (a.shape[0] * a.shape[1], a.shape[2]))
        return reshape(prim.call(rows, b), (*a.shape[:2], b.shape[1]))
    return prim.call(*aligned(xs, on), **params)


def solve_ex(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """Solutions, and a flag for each matrix of the first input alone."""
    a, b = batched(xs[0], size, on[0]), xs[1]
    y, info = prim.call(*aligned((a, b), (True, on[1])), **params)
    return y, reshape(info, a.shape[:-2])


def linear(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """Rows of samples under one weight."""
    return NotImplemented if any(on[1:]) else prim.call(*xs, **params)


def _grouped(size: int, params: Params, **changes: Any) -> Params:
    return {**params, "groups": params["groups"] * size, **changes}


def conv(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """x (n, c, ...), w (o, c / groups, ...)."""
    x, w = xs
    if not on[1]:
        return split(prim.call(merged(x, 0), w, **params), 0, size)
    x = merged(batched(x, size, on[0]), 1)
    return split(prim.call(x, merged(w, 0), **_grouped(size, params)), 1, size)


def conv_dx(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """g (n, o, ...), w (o, c / groups, ...) to the shape of x."""
    g, w = xs
    n, c, *space = params["shape"]
    if not on[1]:
        shape = (n * size, c, *space)
        return split(prim.call(merged(g, 0), w, **{**params, "shape": shape}), 0, size)
    g = merged(batched(g, size, on[0]), 1)
    options = _grouped(size, params, shape=(n, c * size, *space))
    return split(prim.call(g, merged(w, 0), **options), 1, size)


def conv_dw(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """g (n, o, ...), x (n, c, ...) to the shape of the weight."""
    g, x = (merged(batched(v, size, flag), 1) for v, flag in zip(xs, on, strict=True))
    o, *rest = params["shape"]
    return split(prim.call(g, x, **_grouped(size, params, shape=(o * size, *rest))), 0, size)


def attention(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """The batch ahead of the leading axes of query, key and value; see `attention_grad`."""
    if params["drop"]:  # which weights are dropped counts the leading axes
        return NotImplemented
    rank = len(xs[0].shape) - on[0]
    return prim.call(*_led(size, xs, on, params, rank, 3, False), **params)


def attention_grad(prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
    """As `attention`; the gradient of an added mask is one per sample, even of a shared mask."""
    if params["drop"]:
        return NotImplemented
    rank = len(xs[2].shape) - on[2]
    added = params["masked"] and raw_dtype(xs[7]).kind != "b"
    *grads, last = prim.call(*_led(size, xs, on, params, rank, 7, added), **params)
    if not added:
        return (*grads, batched(last, size, False))
    own = tuple(xs[7].shape)[1 if on[7] else 0 :]
    return (*grads, reshape(last, (size, *own)))


def _led(
    size: int, xs: Any, on: Flags, params: Params, rank: int, count: int, always: bool
) -> list[Any]:
    """The first `count` inputs with the batch at axis 0, and the mask in line with them."""
    given = [batched(x, size, flag) for x, flag in zip(xs[:count], on, strict=False)]
    if params["masked"]:
        mask, flag = xs[count], on[count] or always
        mask = batched(mask, size, on[count]) if flag else mask
        if flag:
            mask = reshape(mask, (size, *[1] * (rank + 1 - len(mask.shape)), *mask.shape[1:]))
        given.append(mask)
    return given


class Recurrence:
    """Samples side by side in the batch of a recurrence.

    Args:
        states: places of the inputs (n, h) that steps start from; the first input is (t, n, gates),
            all others are weights.
        outs: the axis of each output that counts the batch.
    """

    def __init__(self, states: tuple[int, ...], outs: tuple[int, ...]) -> None:
        self.states, self.outs = states, outs

    def __call__(self, prim: Prim, size: int, xs: Any, on: Flags, params: Params) -> Any:
        if any(flag and i and i not in self.states for i, flag in enumerate(on)):
            return NotImplemented
        given = list(xs)
        given[0] = merged(batched(xs[0], size, on[0]), 1)
        for i in self.states:
            given[i] = merged(batched(xs[i], size, on[i]), 0)
        found = prim.call(*given, **params)
        return tuple(split(y, axis, size) for y, axis in zip(found, self.outs, strict=True))
