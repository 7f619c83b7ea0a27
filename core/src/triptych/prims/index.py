"""Indexing by arrays. Indices are int64 unless said otherwise; negative ones count from the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import Aval
from ..backends import backend_of, write
from ..errors import BoundsError, CaptureError, DTypeError, ShapeError
from ..tensor import Symbol
from . import batching_index, naming
from .batching import along
from .elementwise import fill_like
from .forward import Linear
from .kinds import primitive
from .movement import key_shape
from .table import NA


class Slot:
    """Marks in a key the place of the i-th index array."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index

    def __repr__(self) -> str:
        return f"Slot({self.index})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slot) and other.index == self.index

    def __hash__(self) -> int:
        return hash(("Slot", self.index))


Key = tuple[Any, ...]


def _fill(key: Key, indices: tuple[Any, ...]) -> Key:
    return tuple(indices[k.index] if isinstance(k, Slot) else k for k in key)


def store(memory: Any, numbers: Any, indices: Sequence[Any], key: Key) -> None:
    """Write numbers into an array where a key points."""
    write(memory, _fill(key, tuple(indices)), numbers)


def _index_shape(shape: tuple[int, ...], indices: tuple[Any, ...], key: Key) -> tuple[int, ...]:
    for i in indices:
        if i.dtype.kind == "b" and isinstance(i, Symbol):
            raise CaptureError(
                "indexing with a boolean mask gives a shape that depends on values, which a "
                "captured graph cannot hold; use where(mask, x, other) or masked_fill"
            )
        if i.dtype.kind not in "biu":
            raise DTypeError(f"indexing: wanted integer or boolean indices, got {i.dtype}")
    return key_shape("indexing", shape, _fill(key, tuple(map(_stand_in, indices))))


def _stand_in(index: Any) -> np.ndarray:
    """An index array for NumPy to work out a shape with. Of symbols only the shape is known; masks
    must be looked at; integers elsewhere are not copied here, as kernels tell of those outside.
    """
    if isinstance(index, np.ndarray):
        return index
    if index.dtype.kind == "b" and not isinstance(index, (Symbol, Aval)):
        return backend_of(index).to_numpy(index)
    return np.zeros(index.shape, np.int64)


def _index(xp: Any, x: Any, *indices: Any, key: Key) -> Any:
    if len(indices) == 1 and indices[0].ndim and indices[0].dtype.kind != "b":
        axis = next(place for place, k in enumerate(key) if isinstance(k, Slot))
        if all(k == slice(None) for k in key if not isinstance(k, Slot)):
            return xp.take(x, indices[0], axis)  # NumPy: up to five times faster than x[:, i]
    return x[_fill(key, indices)]


def _index_vjp(g: Any, bs: Any, shapes: Any, *, key: Key) -> list[Any]:
    return [unindex(g, *bs, shape=shapes[0], key=key), *[None] * len(bs)]


index = primitive(
    "index",
    "index",
    _index,
    lambda x, *indices, key: Aval(_index_shape(x.shape, indices, key), x.dtype),
    _index_vjp,
    check="late",
    jvp=Linear(0),
    vmap=batching_index.picked,
    names=naming.indexed,
)


def _unindex(xp: Any, g: Any, *indices: Any, shape: Any, key: Key) -> Any:
    out = xp.zeros(shape, g.dtype)
    if all(i.dtype.kind == "b" for i in indices):  # a mask names no place twice
        out[_fill(key, indices)] = g
    else:
        backend_of(out).add_at(out, _fill(key, indices), g)
    return out


def _unindex_vjp(g: Any, bs: Any, *, key: Key) -> list[Any]:
    return [index(g, *bs, key=key), *[None] * len(bs)]


unindex = primitive(
    "unindex",
    "index",
    _unindex,
    lambda g, *indices, shape, key: Aval(shape, g.dtype),
    _unindex_vjp,
    check="late",
    jvp=Linear(0),
    vmap=batching_index.spread,
    names=naming.unknown,
)


def _index_put_aval(x: Any, v: Any, *indices: Any, key: Key, accumulate: bool) -> Aval:
    if v.dtype != x.dtype:
        raise DTypeError(
            f"index_put: values are {v.dtype}, the tensor is {x.dtype}; convert with .to()"
        )
    target = _index_shape(x.shape, indices, key)
    shape = tuple(v.shape)
    while len(shape) > len(target) and shape[0] == 1:
        shape = shape[1:]
    ends = target[len(target) - len(shape) :]
    if len(shape) > len(target) or any(n not in (1, m) for n, m in zip(shape, ends, strict=True)):
        raise ShapeError(
            f"index_put: values of shape {tuple(v.shape)} do not fit the {target} that is indexed"
        )
    return Aval(x.shape, x.dtype)


def _index_put(xp: Any, x: Any, v: Any, *indices: Any, key: Key, accumulate: bool) -> Any:
    out = x.copy()
    if accumulate:
        if v.ndim > 1 and v.shape[0] == 1:  # assignments leave such axes out, `add.at` does not
            axes = len(_index_shape(x.shape, indices, key))
            v = v.reshape(v.shape[max(0, v.ndim - axes) :])
        backend_of(out).add_at(out, _fill(key, indices), v)
    else:
        out[_fill(key, indices)] = v
    return out


def _index_put_vjp(g: Any, cs: Any, shapes: Any, *, key: Key, accumulate: bool) -> list[Any]:
    from .reduce import sum_to

    picked = index(g, *cs, key=key)
    base = g
    if not accumulate:
        base = index_put(g, fill_like(picked, value=0), *cs, key=key, accumulate=False)
    return [base, sum_to(picked, shapes[1]), *[None] * len(cs)]


index_put = primitive(
    "index_put",
    "index",
    _index_put,
    _index_put_aval,
    _index_put_vjp,
    jvp=Linear(0, 1),
    vmap=batching_index.put,
    amp="widest",
    names=naming.keep,
)

# Along one axis


def _places(xp: Any, name: str, idx: Any, shape: Any, axis: int) -> Any:
    """Flat positions in an array of the given shape: those of idx itself on every axis but `axis`,
    where they take its values.

    Raises:
        BoundsError: a value points outside the axis.
    """
    length = shape[axis]
    low, high = (int(idx.min()), int(idx.max())) if idx.size else (0, -1)
    if low < -length or high >= length:
        worst = low if low < -length else high
        raise BoundsError(
            f"{name}: index {worst} is out of range for dim {axis} of length {length}"
        )
    steps = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    flat = (xp.where(idx < 0, idx + length, idx) if low < 0 else idx) * steps[axis]
    for i, n in enumerate(idx.shape):
        if i != axis and n > 1:
            flat = flat + (xp.arange(n) * steps[i]).reshape(
                [-1 if j == i else 1 for j in range(idx.ndim)]
            )
    return flat


def _check_along(name: str, x: Any, idx: Any, axis: int) -> None:
    if idx.dtype.kind not in "iu":
        raise DTypeError(f"{name}: wanted an integer index, got {idx.dtype}")
    others = [i for i in range(x.ndim) if i != axis]
    if x.ndim != idx.ndim or any(idx.shape[i] > x.shape[i] for i in others):
        raise ShapeError(
            f"{name}: index of shape {tuple(idx.shape)} does not fit a tensor of shape "
            f"{tuple(x.shape)} along dim {axis}; other dims may not be longer"
        )


def _gather_aval(x: Any, idx: Any, *, axis: int) -> Aval:
    _check_along("gather", x, idx, axis)
    return Aval(idx.shape, x.dtype)


def _gather(xp: Any, x: Any, idx: Any, *, axis: int) -> Any:
    return xp.take(x.reshape(-1), _places(xp, "gather", idx, x.shape, axis))


def _gather_vjp(g: Any, b: Any, shape: Any, *, axis: int) -> Any:
    return ungather(g, b, shape=shape, axis=axis)


gather = primitive(
    "gather",
    "index",
    _gather,
    _gather_aval,
    (_gather_vjp, None),
    jvp=Linear(0),
    names=naming.along("gather"),
)


def _ungather(xp: Any, g: Any, idx: Any, *, shape: Any, axis: int) -> Any:
    out = xp.zeros(math.prod(shape), g.dtype)
    places = _places(xp, "gather", idx, shape, axis).reshape(-1)
    backend_of(out).add_at(out, (places,), g.reshape(-1))
    return out.reshape(shape)


ungather = primitive(
    "ungather",
    "index",
    _ungather,
    lambda g, idx, *, shape, axis: Aval(shape, g.dtype),
    (lambda g, b, *, axis: gather(g, b, axis=axis), None),
    jvp=Linear(0),
    names=naming.keep,
)


def _scatter_aval(x: Any, idx: Any, src: Any, *, axis: int, accumulate: bool) -> Aval:
    _check_along("scatter", x, idx, axis)
    if src.shape != idx.shape:
        raise ShapeError(f"scatter: src has shape {tuple(src.shape)}, index {tuple(idx.shape)}")
    if src.dtype != x.dtype:
        raise DTypeError(
            f"scatter: src is {src.dtype}, the tensor is {x.dtype}; convert with .to()"
        )
    return Aval(x.shape, x.dtype)


def _scatter(xp: Any, x: Any, idx: Any, src: Any, *, axis: int, accumulate: bool) -> Any:
    out = xp.array(x).reshape(-1)
    where = _places(xp, "scatter", idx, x.shape, axis).reshape(-1)
    if accumulate:
        backend_of(out).add_at(out, (where,), src.reshape(-1))
    else:
        out[where] = src.reshape(-1)
    return out.reshape(x.shape)


def _scatter_vjp(g: Any, b: Any, *, axis: int, accumulate: bool) -> list[Any]:
    picked = gather(g, b, axis=axis)
    if accumulate:
        return [g, None, picked]
    return [scatter(g, b, fill_like(picked, value=0), axis=axis, accumulate=False), None, picked]


scatter = primitive(
    "scatter",
    "index",
    _scatter,
    _scatter_aval,
    _scatter_vjp,
    jvp=Linear(0, 2),
    amp="widest",
    names=naming.along_first("scatter"),
)

# Order


def order(xp: Any, x: Any, axis: int, descending: bool) -> Any:
    """The indices that put elements in order; equal ones keep theirs."""
    keys = x.astype(np.float32) if x.dtype.name == "bfloat16" else x  # ml_dtypes puts NaN first
    if not descending:
        return xp.argsort(keys, axis=axis, kind="stable")
    back = (*[slice(None)] * (axis % x.ndim), slice(None, None, -1))
    return (x.shape[axis] - 1 - xp.argsort(keys[back], axis=axis, kind="stable"))[back]


def _sort(xp: Any, x: Any, *, axis: int, descending: bool) -> Any:
    found = order(xp, x, axis, descending)
    return xp.take_along_axis(x, found, axis=axis), found


def _sort_vjp(g: Any, y: Any, shape: Any, *, axis: int) -> Any:
    return ungather(g[0], y[1], shape=shape, axis=axis)


sort = primitive(
    "sort",
    "index",
    _sort,
    lambda x, *, axis, descending: (Aval(x.shape, x.dtype), Aval(x.shape, dtypes.INT64)),
    (_sort_vjp,),
    outputs=2,
    check="late",
    vmap=along,
    names=naming.keep_twice,
)


def _no_symbols(x: Any) -> Aval:
    raise CaptureError(
        "nonzero gives a shape that depends on values, which a captured graph cannot hold; "
        "use where(condition, x, other)"
    )


nonzero = primitive(
    "nonzero",
    "index",
    lambda xp, x: xp.argwhere(x),
    _no_symbols,
    NA("the output is an index"),
    check="late",
    vmap=NA("every sample has another number of nonzero elements; use where(condition, x, other)"),
    names=NA("rows are elements and columns axes of the input: neither has a name"),
)
