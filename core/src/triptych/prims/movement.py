"""Movements: the same numbers in another place. All are linear, so each transposes another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..avals import Aval, broadcast_shapes
from ..backends import Device, backend_for, backend_of
from ..errors import BoundsError, DTypeError, ShapeError
from ..tensor import Symbol, Tensor
from . import batching, naming
from .forward import Linear
from .kinds import movement, primitive

Key = tuple[Any, ...]


def _reshape_aval(x: Any, *, shape: tuple[int, ...]) -> Aval:
    if math.prod(x.shape) != math.prod(shape):
        raise ShapeError(
            f"reshape: {tuple(x.shape)} has {math.prod(x.shape)} elements, {tuple(shape)} wants "
            f"{math.prod(shape)}; one length may be -1 to be worked out"
        )
    return Aval(shape, x.dtype)


reshape = movement(
    "reshape",
    lambda xp, x, *, shape: x.reshape(shape),
    aval=_reshape_aval,
    vjp=(lambda g, shape: reshape(g, shape=shape),),
    view=True,
    vmap=batching.moves,
    names=naming.reshaped,
)


def _permute_aval(x: Any, *, axes: tuple[int, ...]) -> Aval:
    if sorted(axes) != list(range(x.ndim)):
        raise ShapeError(f"permute: {axes} is no ordering of the {x.ndim} axes of {tuple(x.shape)}")
    return Aval([x.shape[a] for a in axes], x.dtype)


def _permute_vjp(g: Any, *, axes: tuple[int, ...]) -> Any:
    return permute(g, axes=tuple(int(i) for i in np.argsort(axes)))


permute = movement(
    "permute",
    lambda xp, x, *, axes: x.transpose(axes),
    aval=_permute_aval,
    vjp=(_permute_vjp,),
    view=True,
    vmap=batching.permuted,
    names=naming.permuted,
)


def _expand_aval(x: Any, *, shape: tuple[int, ...]) -> Aval:
    if broadcast_shapes("expand", x.shape, shape) != tuple(shape):
        raise ShapeError(f"expand: {tuple(x.shape)} cannot be stretched to {tuple(shape)}")
    return Aval(shape, x.dtype)


def _expand_vjp(g: Any, shape: tuple[int, ...]) -> Any:
    from .reduce import sum_to

    return sum_to(g, shape)


def _writeable(array: Any) -> bool:
    """Whether an array may be written to; on a GPU every one may, and has no flag that says so."""
    return getattr(array.flags, "writeable", True)


def _expand(xp: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
    y = xp.broadcast_to(x, shape)
    if _writeable(y) or not _writeable(x):
        return y
    return xp.lib.stride_tricks.as_strided(x, shape, y.strides)  # writeable, as torch's expand


expand = movement(
    "expand",
    _expand,
    aval=_expand_aval,
    vjp=(_expand_vjp,),
    view=True,
    vmap=batching.expanded,
    names=naming.expanded,
)


def key_shape(name: str, shape: tuple[int, ...], key: Key) -> tuple[int, ...]:
    """The shape that NumPy's indexing rules give; allocates nothing.

    Raises:
        BoundsError: an index is out of range, or there are too many.
    """
    try:
        return np.broadcast_to(np.empty(()), shape)[key].shape
    except IndexError as error:
        raise BoundsError(f"{name}: {error} (tensor has shape {tuple(shape)})") from None


def _slice(xp: Any, x: Any, *, key: Key) -> Any:
    return x[
        key if Ellipsis in key else (*key, Ellipsis)
    ]  # with ..., a single element is a view, too


slice_ = movement(
    "slice",
    _slice,
    aval=lambda x, *, key: Aval(key_shape("indexing", x.shape, key), x.dtype),
    vjp=(lambda g, shape, *, key: unslice(g, shape=shape, key=key),),
    view=True,
    vmap=batching.keyed,
    names=naming.sliced,
)


def _unslice(xp: Any, g: Any, *, shape: tuple[int, ...], key: Key) -> Any:
    out = xp.zeros(shape, g.dtype)
    out[key] = g
    return out


unslice = movement(
    "unslice",
    _unslice,
    aval=lambda g, *, shape, key: Aval(shape, g.dtype),
    vjp=(lambda g, *, key: slice_(g, key=key),),
    vmap=batching.keyed,
    names=naming.unknown,
)


def _pad_aval(x: Any, *, widths: tuple[tuple[int, int], ...], value: Any = 0) -> Aval:
    if len(widths) != x.ndim or any(lo < 0 or hi < 0 for lo, hi in widths):
        raise ShapeError(f"pad: wanted {x.ndim} pairs of widths >= 0, got {widths}")
    return Aval([lo + n + hi for n, (lo, hi) in zip(x.shape, widths, strict=True)], x.dtype)


def _inside(shape: tuple[int, ...], widths: tuple[tuple[int, int], ...]) -> Key:
    return tuple(slice(lo, lo + n) for n, (lo, _) in zip(shape, widths, strict=True))


def _pad(xp: Any, x: Any, *, widths: tuple[tuple[int, int], ...], value: Any = 0) -> Any:
    out = xp.full(_pad_aval(x, widths=widths).shape, value, x.dtype)
    out[_inside(x.shape, widths)] = x
    return out


pad = movement(
    "pad",
    _pad,
    aval=_pad_aval,
    vjp=(lambda g, shape, *, widths: slice_(g, key=_inside(shape, widths)),),
    jvp=Linear(params={"value": 0}),
    vmap=batching.padded,
    names=naming.keep,
)
flip = movement(
    "flip",
    lambda xp, x, *, axes: xp.flip(x, axes).copy(),
    aval=lambda x, *, axes: Aval(x.shape, x.dtype),
    vjp=(lambda g, *, axes: flip(g, axes=axes),),
    vmap=batching.moves,
    names=naming.keep,
)
copy = movement(
    "copy",
    lambda xp, x: x.copy(),
    aval=lambda x: Aval(x.shape, x.dtype),
    vjp=(lambda g: g,),
    vmap=batching.moves,
    names=naming.keep,
)


def _concat_aval(*xs: Any, axis: int) -> Aval:
    first = xs[0]
    others = [n for j, n in enumerate(first.shape) if j != axis]
    for i, x in enumerate(xs):
        if x.ndim != first.ndim or [n for j, n in enumerate(x.shape) if j != axis] != others:
            raise ShapeError(
                f"cat: input {i} has shape {tuple(x.shape)}, input 0 has {tuple(first.shape)}; "
                f"all but axis {axis} must agree"
            )
        if x.dtype != first.dtype:
            raise DTypeError(
                f"cat: input {i} is {x.dtype}, input 0 is {first.dtype}; convert with .to()"
            )
    shape = list(first.shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    return Aval(shape, first.dtype)


def _concat_vjp(g: Any, shapes: tuple[tuple[int, ...], ...], *, axis: int) -> list[Any]:
    lead: Key = (slice(None),) * axis
    out, start = [], 0
    for shape in shapes:
        out.append(slice_(g, key=(*lead, slice(start, start + shape[axis]))))
        start += shape[axis]
    return out


concat = primitive(
    "concat",
    "movement",
    lambda xp, *xs, axis: xp.concatenate(xs, axis=axis),
    _concat_aval,
    _concat_vjp,
    check="late",
    vmap=batching.together,
    names=naming.concatenated,
    amp="widest",
)


def _stack_aval(*xs: Any, axis: int) -> Aval:
    shape, dtype = tuple(xs[0].shape), xs[0].dtype
    for i, x in enumerate(xs):
        if x.shape != shape:
            raise ShapeError(f"stack: tensor {i} has shape {tuple(x.shape)}, tensor 0 has {shape}")
        if x.dtype != dtype:
            raise DTypeError(
                f"stack: tensor {i} is {x.dtype}, tensor 0 is {dtype}; convert with .to()"
            )
    return Aval((*shape[:axis], len(xs), *shape[axis:]), dtype)


def _stack(xp: Any, *xs: Any, axis: int) -> Any:
    shape = xs[0].shape
    if axis == len(shape):
        return xp.stack(xs, axis)
    joined = xp.concatenate(xs, axis)  # the same elements in the same order, without views to make
    return joined.reshape(*shape[:axis], len(xs), *shape[axis:])


def _stack_vjp(g: Any, shapes: tuple[tuple[int, ...], ...], *, axis: int) -> list[Any]:
    lead: Key = (slice(None),) * axis
    return [slice_(g, key=(*lead, i)) for i in range(len(shapes))]


stack = primitive(
    "stack",
    "movement",
    _stack,
    _stack_aval,
    _stack_vjp,
    vmap=batching.together,
    names=naming.stacked,
    amp="widest",
)


def _diagonal_aval(x: Any, *, offset: int, axis1: int, axis2: int) -> Aval:
    rows, cols = x.shape[axis1], x.shape[axis2]
    length = max(min(rows, cols - offset) if offset >= 0 else min(rows + offset, cols), 0)
    rest = [n for i, n in enumerate(x.shape) if i not in (axis1, axis2)]
    return Aval([*rest, length], x.dtype)


def _diagonal(xp: Any, x: Any, *, offset: int, axis1: int, axis2: int) -> Any:
    y = xp.diagonal(x, offset, axis1, axis2)
    if y.base is not None and _writeable(x) and not _writeable(y):
        y.flags.writeable = True  # NumPy guards a view that torch lets users write to
    return y


def _undiagonal(xp: Any, g: Any, *, shape: Any, offset: int, axis1: int, axis2: int) -> Any:
    out = xp.zeros(shape, g.dtype)
    _diagonal(xp, out, offset=offset, axis1=axis1, axis2=axis2)[...] = g
    return out


diagonal = movement(
    "diagonal",
    _diagonal,
    aval=_diagonal_aval,
    vjp=(
        lambda g, shape, *, offset, axis1, axis2: undiagonal(
            g, shape=shape, offset=offset, axis1=axis1, axis2=axis2
        ),
    ),
    view=True,
    vmap=batching.moves,
    names=naming.diagonal,
)
undiagonal = movement(
    "undiagonal",
    _undiagonal,
    aval=lambda g, *, shape, offset, axis1, axis2: Aval(shape, g.dtype),
    vjp=(lambda g, *, offset, axis1, axis2: diagonal(g, offset=offset, axis1=axis1, axis2=axis2),),
    vmap=batching.moves,
    names=naming.undiagonal,
)


def layout_after(prim: Any, x: Any, shape: tuple[int, ...]) -> str:
    """The layout (see `Symbol`) of a view of a symbol."""
    if prim.name != "reshape":
        return "unknown" if x.layout == "unknown" else "strided"
    same = [n for n in x.shape if n != 1] == [n for n in shape if n != 1]
    return x.layout if same or x.layout == "packed" else "unknown"


def follow(chain: tuple[Any, ...], x: Any) -> Any:
    """Apply a chain of movements (primitive, parameters)."""
    for prim, params in chain:
        x = prim.call(x, **params)
    return x


def _write_view(xp: Any, x: Any, v: Any, *, chain: tuple[Any, ...]) -> Any:
    out = x.copy()
    part = out
    for prim, params in chain:
        part = prim.kernel(part)(part, **params)
    part[...] = v
    return out


def _write_view_base(g: Any, *, chain: tuple[Any, ...]) -> Any:
    from .elementwise import fill_like

    return write_view(g, fill_like(follow(chain, g), value=0), chain=chain)


write_view = movement(
    "write_view",
    _write_view,
    aval=lambda x, v, *, chain: Aval(x.shape, x.dtype),
    vjp=(_write_view_base, lambda g, *, chain: follow(chain, g)),
    amp="widest",
    vmap=batching.written,
    names=naming.keep,
)
"""The base of a view after the view was overwritten with v: what the tape sees of a write."""


def _home(a: Any) -> Device:
    return a.device if isinstance(a, (Tensor, Symbol)) else backend_of(a).device_of(a)


def _transfer(xp: Any, x: Any, *, device: Device, non_blocking: bool = False) -> Any:
    source, target = backend_of(x), backend_for(device)
    if source is target:
        return target.asarray(x, where=device)
    if non_blocking:
        return target.upload(source.download(x), device)
    return target.asarray(source.to_numpy(x), where=device)


transfer = primitive(
    "transfer",
    "transfer",
    _transfer,
    lambda x, *, device, non_blocking=False: Aval(x.shape, x.dtype),
    (lambda g, a, *, device, non_blocking=False: transfer(g, device=_home(a)),),
    check="late",
)
"""The same elements on another device."""
