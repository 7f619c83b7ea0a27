"""Sliding windows over the last axes."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..avals import Aval
from . import batching, naming
from .contract import Ints, Pads, conv_lengths
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


def _padded(xp: Any, x: Any, padding: Pads, value: Any) -> Any:
    """x with `value` around its last axes."""
    if not any(lo or hi for lo, hi in padding):
        return x
    lead = ((0, 0),) * (x.ndim - len(padding))
    return xp.pad(x, (*lead, *padding), constant_values=value)


def _lowest(dtype: Any) -> Any:
    return dtypes.iinfo(dtype).min if dtype.kind in "iu" else -math.inf


def _max_pool_shape(x: Any, size: Ints, stride: Ints, padding: Pads, dilation: Ints) -> Ints:
    split = x.ndim - len(size)
    lengths = conv_lengths("windows", x.shape[split:], size, stride, padding, dilation)
    return (*x.shape[:split], *lengths)


def _max_pool_aval(
    x: Any, *, size: Ints, stride: Ints, padding: Pads, dilation: Ints
) -> tuple[Aval, Aval]:
    shape = _max_pool_shape(x, size, stride, padding, dilation)
    return Aval(shape, x.dtype), Aval(shape, dtypes.INT64)


def _max_pool(
    xp: Any, x: Any, *, size: Ints, stride: Ints, padding: Pads, dilation: Ints
) -> tuple[Any, Any]:
    split = x.ndim - len(size)
    out = _max_pool_shape(x, size, stride, padding, dilation)[split:]
    plane = _places(xp, x.shape[split:], padding)
    outside = _padded(xp, xp.zeros(x.shape[split:], bool), padding, True)
    x = _padded(xp, x, padding, _lowest(x.dtype))
    keys = [key for _, key in taps(size, out, stride, dilation)]
    best = x[keys[0]].copy()
    for key in keys[1:]:
        xp.maximum(best, x[key], out=best)
    if not best.size:
        return best, xp.zeros(best.shape, xp.int64)
    corners = xp.concatenate([plane[key].reshape(-1)[:1] for key in keys])
    first = _first_tap(xp, x, best, keys, outside)
    return best, xp.take(corners, first) + (plane[keys[0]] - corners[0])


def _places(xp: Any, space: Ints, padding: Pads) -> Any:
    """Flat positions in a plane, counted on beyond its borders where there is padding."""
    flat, step = xp.zeros((), xp.int64), 1
    for i in reversed(range(len(space))):
        lo, hi = padding[i]
        line = xp.arange(-lo, space[i] + hi) * step
        flat = flat + line.reshape(-1, *[1] * (len(space) - 1 - i))
        step *= space[i]
    return flat


def _first_tap(xp: Any, x: Any, best: Any, keys: list[Any], outside: Any) -> Any:
    """The first tap of each window that holds its maximum, and is inside of the plane; the first
    NaN, if there is one.

    Small integers and no branches: a tap that misses counts as itself plus the number of taps.
    """
    count = len(keys)
    code = xp.uint8 if count <= 128 else xp.int32
    first = xp.full(best.shape, 2 * count - 1, code)
    for i, key in enumerate(keys):
        value = x[key]
        missed = (((value != best) & (value == value)) | outside[key]).astype(code)
        missed *= code(count)
        missed += code(i)
        xp.minimum(first, missed, out=first)
    return first


def _max_pool_vjp(g: Any, y: Any, shape: Ints, *, size: Ints) -> Any:
    return _spread(g[0], y[1], shape, len(size))


def _spread(g: Any, places: Any, shape: Ints, dims: int) -> Any:
    """Gradients of the maxima back at their places."""
    split = len(shape) - dims
    lead, plane = shape[:split], math.prod(shape[split:])
    flat = (*lead, math.prod(places.shape[split:]))
    spread = ungather(
        reshape(g, shape=flat), reshape(places, shape=flat), shape=(*lead, plane), axis=split
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
"""The largest value of each window, and its flat position in the plane of the last axes. Padding
never wins."""


def _largest(xp: Any, x: Any, *, size: Ints, stride: Ints, padding: Pads, dilation: Ints) -> Any:
    """One axis after the other."""
    split = x.ndim - len(size)
    x = _padded(xp, x, padding, _lowest(x.dtype))
    for axis, (k, s, d) in enumerate(zip(size, stride, dilation, strict=True), start=split):
        span = (x.shape[axis] - d * (k - 1) - 1) // s * s + 1
        lead = (slice(None),) * axis
        best = x[(*lead, slice(0, span, s))]
        for i in range(1, k):
            best = xp.maximum(best, x[(*lead, slice(i * d, i * d + span, s))])
        x = best
    return xp.array(x)


def _largest_vjp(
    g: Any, a: Any, shape: Ints, *, size: Ints, stride: Ints, padding: Pads, dilation: Ints
) -> Any:
    places = max_pool(a, size=size, stride=stride, padding=padding, dilation=dilation)[1]
    return _spread(g, places, shape, len(size))


max_pool_alone = primitive(
    "max_pool_alone",
    "window",
    _largest,
    lambda x, **window: _max_pool_aval(x, **window)[0],
    (_largest_vjp,),
    names=naming.keep,
)
"""`max_pool` without the positions, which cost more than the maxima: what inference needs."""
