"""Sliding windows over the last axes."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..avals import Aval
from . import batching, naming
from .contract import Ints, conv_lengths
from .depthwise import taps
from .index import ungather
from .kinds import movement, primitive
from .movement import reshape


def _window_lengths(space: Ints, size: Ints, stride: Ints, dilation: Ints) -> Ints:
    return conv_lengths("windows", space, size, stride, ((0, 0),) * len(size), dilation)


def _windows_aval(x: Any, *, size: Ints, stride: Ints, dilation: Ints) -> Aval:
    split = x.ndim - len(size)
    out = _window_lengths(x.shape[split:], size, stride, dilation)
    return Aval((*x.shape[:split], *out, *size), x.dtype)


def _windows(xp: Any, x: Any, *, size: Ints, stride: Ints, dilation: Ints) -> Any:
    split = x.ndim - len(size)
    shape = _windows_aval(x, size=size, stride=stride, dilation=dilation).shape
    steps = x.strides[split:]
    hops = [st * s for st, s in zip(steps, stride, strict=True)]
    inner = [st * d for st, d in zip(steps, dilation, strict=True)]
    return xp.lib.stride_tricks.as_strided(x, shape, (*x.strides[:split], *hops, *inner))


def _overlap_add(xp: Any, g: Any, *, shape: Ints, size: Ints, stride: Ints, dilation: Ints) -> Any:
    out = xp.zeros(shape, g.dtype)
    dims = len(size)
    if dims == 1 and dilation == (1,):
        return _overlap_add_line(xp, g, out, size[0], stride[0])
    positions = g.shape[g.ndim - 2 * dims : g.ndim - dims]
    for tap, key in taps(size, positions, stride, dilation):
        out[key] += g[(Ellipsis, *tap)]
    return out


def _overlap_add_line(xp: Any, g: Any, out: Any, size: int, hop: int) -> Any:
    """One axis: hop samples of every window at a time, as these do not overlap."""
    lead, step, count = out.strides[:-1], out.strides[-1], g.shape[-2]
    for start in range(0, size, hop):
        width = min(hop, size - start)
        shape = (*out.shape[:-1], count, width)
        rows = xp.lib.stride_tricks.as_strided(out[..., start:], shape, (*lead, hop * step, step))
        rows += g[..., start : start + width]
    return out


windows = movement(
    "windows",
    _windows,
    aval=_windows_aval,
    vjp=(
        lambda g, shape, *, size, stride, dilation: overlap_add(
            g, shape=shape, size=size, stride=stride, dilation=dilation
        ),
    ),
    view=True,
    check="first",
    vmap=batching.last_axes,
    names=naming.windowed,
)
"""(..., *s) to (..., *positions, *size), without a copy."""
overlap_add = movement(
    "overlap_add",
    _overlap_add,
    aval=lambda g, *, shape, size, stride, dilation: Aval(shape, g.dtype),
    vjp=(
        lambda g, *, size, stride, dilation: windows(
            g, size=size, stride=stride, dilation=dilation
        ),
    ),
    vmap=batching.last_axes,
    names=naming.unwindowed,
)
"""The transpose of windows: every element summed back to where it came from."""


def _max_pool_aval(x: Any, *, size: Ints, stride: Ints, dilation: Ints) -> tuple[Aval, Aval]:
    split = x.ndim - len(size)
    shape = (*x.shape[:split], *_window_lengths(x.shape[split:], size, stride, dilation))
    return Aval(shape, x.dtype), Aval(shape, dtypes.INT64)


def _max_pool(xp: Any, x: Any, *, size: Ints, stride: Ints, dilation: Ints) -> Any:
    split = x.ndim - len(size)
    out = _window_lengths(x.shape[split:], size, stride, dilation)
    keys = [key for _, key in taps(size, out, stride, dilation)]
    best = x[keys[0]].copy()
    for key in keys[1:]:
        xp.maximum(best, x[key], out=best)
    if not best.size:
        return best, xp.zeros(best.shape, xp.int64)
    plane = xp.arange(_count(x.shape[split:])).reshape(x.shape[split:])
    corners = xp.concatenate([plane[key].reshape(-1)[:1] for key in keys])
    return best, xp.take(corners, _first_tap(xp, x, best, keys)) + (plane[keys[0]] - corners[0])


def _first_tap(xp: Any, x: Any, best: Any, keys: list[Any]) -> Any:
    """The first position of each window that holds its maximum; the first NaN, if there is one.

    Small integers and no branches: a tap that misses counts as itself plus the number of taps.
    """
    count = len(keys)
    code = xp.uint8 if count <= 128 else xp.int32
    first = xp.full(best.shape, 2 * count - 1, code)
    for i, key in enumerate(keys):
        value = x[key]
        missed = ((value != best) & (value == value)).astype(code)
        missed *= code(count)
        missed += code(i)
        xp.minimum(first, missed, out=first)
    return first


def _count(shape: Ints) -> int:
    count = 1
    for n in shape:
        count *= n
    return count


def _max_pool_vjp(g: Any, y: Any, shape: Ints, *, size: Ints) -> Any:
    split = len(shape) - len(size)
    lead, plane = shape[:split], _count(shape[split:])
    flat = (*lead, _count(y[1].shape[split:]))
    spread = ungather(
        reshape(g[0], shape=flat), reshape(y[1], shape=flat), shape=(*lead, plane), axis=split
    )
    return reshape(spread, shape=shape)


max_pool = primitive(
    "max_pool",
    "window",
    _max_pool,
    _max_pool_aval,
    (_max_pool_vjp,),
    outputs=2,
    names=naming.keep_twice,
)
"""The largest value of each window, and its flat position in the plane of the last axes."""
