"""Memory seen under another geometry: strides, and pairs of real numbers as complex ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import Aval
from ..backends import backend_for, backend_of
from ..errors import DTypeError, ShapeError
from ..tensor import Symbol, Tensor, box, raw_dtype
from . import batching, naming
from .elementwise import mul
from .index import Slot, index, unindex
from .kinds import movement
from .movement import copy, reshape
from .table import NA, Prim

Ints = tuple[int, ...]


def significant(shape: Ints, strides: Ints) -> Ints:
    """Strides as far as they matter: those of axes that have more than one index."""
    return tuple(s if n > 1 else 0 for n, s in zip(shape, strides, strict=True))


def _as_strided(xp: Any, x: Any, *, size: Ints, strides: Ints, shift: int, source: Ints) -> Any:
    steps = significant(x.shape, tuple(s // x.itemsize for s in x.strides))
    if steps != source and x.size:  # other memory than the view was asked of: a copy of that
        own = positions(x.shape, source, 0)
        low = min(int(own.min()), 0)
        image = xp.zeros(int(own.max()) - low + 1, x.dtype)
        image[xp.asarray(own - low)] = x.reshape(-1)
        out = _looked(xp, image, size, strides, shift - low)
        if xp is np:
            out.flags.writeable = False
        return out
    return _looked(xp, x, size, strides, shift)


def _looked(xp: Any, x: Any, size: Ints, strides: Ints, shift: int) -> Any:
    view = xp.lib.stride_tricks.as_strided
    if shift and x.size:
        step = x.itemsize if shift > 0 else -x.itemsize
        x = view(x, (abs(shift) + 1,), (step,))[abs(shift) :]
    return view(x, size, [s * x.itemsize for s in strides])


def positions(shape: Ints, strides: Ints, start: int) -> np.ndarray:
    """Where each element of a geometry lies in memory, flattened."""
    place = np.full(shape, start, np.int64)
    for axis, (n, step) in enumerate(zip(shape, strides, strict=True)):
        line = np.arange(n) * step
        place += line.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return place.reshape(-1)


def _as_strided_vjp(
    g: Any, shape: Ints, *, size: Ints, strides: Ints, shift: int, source: Ints
) -> Any:
    """Gradients are added up per place in memory, and an element of the input gets what is at its
    place; several elements at one place share it.
    """
    out, own = positions(size, strides, shift), positions(shape, source, 0)
    low = min(int(p.min()) for p in (out, own, np.zeros(1, np.int64)) if p.size)
    count = max(int(p.max()) for p in (out, own, np.zeros(1, np.int64)) if p.size) - low + 1
    flat = reshape(g, shape=(out.size,))
    memory = unindex(flat, _beside(g, out - low), shape=(count,), key=(Slot(0),))
    found = index(memory, _beside(g, own - low), key=(Slot(0),))
    shares = np.bincount(own - low, minlength=count)[own - low]
    if shares.max(initial=1) > 1:
        found = mul(found, _beside(g, (1 / shares).astype(raw_dtype(g))))
    return reshape(found, shape=shape)


def _beside(g: Any, array: np.ndarray) -> Any:
    """An array on the device of g, in its form: a tensor for a tensor, raw for raw."""
    raw = g._data if isinstance(g, Tensor) else g
    where = raw.device if isinstance(raw, Symbol) else backend_of(raw).device_of(raw)
    placed = backend_for(where).asarray(array, where=where)
    return box(placed) if isinstance(g, Tensor) else placed


def _batched_step(
    prim: Prim, shape: Ints, count: int, params: dict[str, Any]
) -> list[tuple[Prim, dict[str, Any]]]:
    """The same for a batch: its samples lie one after the other."""
    step = math.prod(shape)
    whole = {
        "size": (count, *params["size"]),
        "strides": (step, *params["strides"]),
        "shift": params["shift"],
        "source": significant((count, *shape), (step, *params["source"])),
    }
    return [(prim, whole)]


as_strided = movement(
    "as_strided",
    _as_strided,
    aval=lambda x, *, size, strides, shift, source: Aval(size, x.dtype),
    vjp=(_as_strided_vjp,),
    view=True,
    vmap=batching.Moves(_batched_step),
    names=NA("any element may come to stand anywhere: no name would be right"),
)
"""Element [i, j] is what lies in memory i * strides[0] + j * strides[1] + shift elements after the
first of the input, whose own strides are `source`.
"""


# A complex number is two real ones


def _pairs(xp: Any, x: Any) -> Any:
    half = x.itemsize // 2
    return xp.lib.stride_tricks.as_strided(x.real, (*x.shape, 2), (*x.strides, half))


def _pairs_aval(x: Any) -> Aval:
    if x.dtype.kind != "c":
        raise DTypeError(f"view_as_real: wanted complex elements, got {x.dtype}")
    return Aval((*x.shape, 2), dtypes.real_of(x.dtype))


view_as_real = movement(
    "view_as_real",
    _pairs,
    aval=_pairs_aval,
    vjp=(lambda g: view_as_complex(copy(g)),),
    view=True,
    vmap=batching.last_axes,
    check="first",
    names=naming.axes("view_as_real", "->_"),
)


def _complex_aval(x: Any) -> Aval:
    if x.dtype not in (np.float32, np.float64):
        raise DTypeError(f"view_as_complex: wanted float32 or float64 elements, got {x.dtype}")
    if x.ndim == 0 or x.shape[-1] != 2:
        raise ShapeError(
            f"view_as_complex: wanted a last dim of length 2, real and imaginary part, got shape "
            f"{tuple(x.shape)}"
        )
    return Aval(x.shape[:-1], dtypes.complex_of(x.dtype))


def paired(x: Any) -> bool:
    """Whether the pairs along the last axis lie in memory as complex numbers do."""
    *steps, last = x.strides
    width = 2 * x.itemsize
    if not x.size:
        return True
    return last == x.itemsize and not any(s % width for s in significant(x.shape[:-1], steps))


def _complex(xp: Any, x: Any) -> Any:
    if not x.size:
        return xp.zeros(x.shape[:-1], dtypes.complex_of(x.dtype))
    if not paired(x):  # a tangent or a gradient: for tensors of users this was refused
        x = x.copy()
    *steps, _ = x.strides
    first = x[(*[slice(0, 1)] * (x.ndim - 1), slice(None))]
    dtype = dtypes.complex_of(x.dtype)
    return xp.lib.stride_tricks.as_strided(first.view(dtype), x.shape[:-1], steps)


view_as_complex = movement(
    "view_as_complex",
    _complex,
    aval=_complex_aval,
    vjp=(lambda g: view_as_real(copy(g)),),
    view=True,
    vmap=batching.last_axes,
    check="first",
    names=naming.axes("view_as_complex", "p->"),
)
