"""Indexing: ``x[...]`` reading and writing, and the functions that pick or place by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..avals import Aval, normalize_axis
from ..errors import BoundsError, DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import index as ix
from ..prims import movement as mv
from ..prims import naming
from ..prims.index import Slot
from ..prims.table import TABLE
from ..state import run_kernel, state
from ..tensor import Symbol, Tensor, current_edge
from .creation import as_tensor, cast_to, check_number
from .inplace import after_write, before_write, check_memory, overwrite
from .shape import expand, reshape, squeeze

__all__ = [
    "argwhere",
    "gather",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_select",
    "masked_fill",
    "masked_select",
    "nonzero",
    "scatter",
    "scatter_add",
    "take",
    "take_along_dim",
]

Parsed = tuple[tuple[Any, ...], list[Tensor]]


def parse_key(key: Any) -> Parsed:
    """An index as a key of ints, slices, None and Ellipsis, with a Slot per index tensor.

    Raises:
        BoundsError: part of the key is no index.
    """
    parts = key if isinstance(key, tuple) else (key,)
    out: list[Any] = []
    arrays: list[Tensor] = []
    for part in parts:
        if isinstance(part, bool):
            part = as_tensor(part)
        if part is None or part is Ellipsis:
            out.append(part)
        elif isinstance(part, slice):
            out.append(
                slice(
                    *(
                        None if v is None else _integer(v)
                        for v in (part.start, part.stop, part.step)
                    )
                )
            )
        elif isinstance(part, (Tensor, np.ndarray, list)):
            _add_array(part if isinstance(part, Tensor) else as_tensor(part), out, arrays)
        else:
            out.append(_integer(part))
    return tuple(out), arrays


def _integer(value: Any) -> int:
    try:
        return value.__index__()
    except (AttributeError, TypeError):
        raise BoundsError(
            "indexing: wanted ints, slices, None, ..., or integer or boolean tensors, "
            f"got {value!r}"
        ) from None


def _add_array(t: Tensor, out: list[Any], arrays: list[Tensor]) -> None:
    kind = t._data.dtype.kind
    if kind not in "biu" and t._data.size:
        raise BoundsError(
            f"indexing: wanted integer or boolean tensors, got {t.dtype}; use .long()"
        )
    if kind in "iu" and t.ndim == 0 and not isinstance(t._data, Symbol):
        out.append(int(t._data))  # a 0-d integer picks, as a Python int does
        return
    if kind not in "biu":
        t = cast_to(t, dtypes.INT64)
    out.append(Slot(len(arrays)))
    arrays.append(t)


def _parted(input: Tensor, parsed: Parsed) -> tuple[Tensor, tuple[Any, ...]]:
    """What the ints, slices and Nones of a key pick, and the key of the index tensors in that.

    Doing one after the other is torch's rule: an int in front of a slice does not, as it would in
    NumPy, count as one of the index tensors and move their dims to the front.
    """
    basic: list[Any] = []
    picks: list[Any] = []
    for part in parsed[0]:
        if isinstance(part, Slot):
            mask = parsed[1][part.index]
            width = mask.ndim if mask._data.dtype == dtypes.BOOL else 1
            basic += [slice(None)] * width
            picks.append(part)
        else:
            basic.append(part)
            if not isinstance(part, int):
                picks.append(part if part is Ellipsis else slice(None))
    if not all(part is Ellipsis or part == slice(None) for part in basic):
        input = mv.slice_(input, key=tuple(basic))
    return input, tuple(_without_ellipsis(picks, parsed[1], input.ndim))


def _without_ellipsis(picks: list[Any], arrays: list[Tensor], ndim: int) -> list[Any]:
    """Slices in place of an ellipsis: for NumPy even an empty one parts two index tensors."""
    if Ellipsis not in picks:
        return picks
    place = picks.index(Ellipsis)
    masks = (a.ndim - 1 for a in arrays if a._data.dtype == dtypes.BOOL)
    missing = ndim - (len(picks) - 1) - sum(masks)
    return [*picks[:place], *[slice(None)] * missing, *picks[place + 1 :]]


def getitem(input: Tensor, key: Any) -> Tensor:
    """``input[key]``: a view for ints, slices, None and ...; a copy when tensors take part.

    A dict has a part per named dim: ``x[{"C": 0, "W": slice(1, 3)}]``.
    """
    if type(key) is int:
        return mv.slice_(input, key=(key,))
    if type(key) is dict:
        key = by_name(input, key)
    parsed = parse_key(key)
    if not parsed[1]:
        return mv.slice_(input, key=parsed[0])
    part, picks = _parted(input, parsed)
    return ix.index(part, *_on_device(parsed[1], input), key=picks)


def by_name(input: Tensor, key: dict[str, Any]) -> tuple[Any, ...]:
    """``x[{"C": 0}]`` as a key with a part for every dim.

    Raises:
        NamesError: no dim has such a name.
    """
    parts: list[Any] = [slice(None)] * input.ndim
    for name, part in key.items():
        parts[normalize_axis("indexing", name, input.ndim, input)] = part
    return tuple(parts)


def _on_device(arrays: list[Tensor], like: Tensor) -> list[Tensor]:
    """Index tensors where the indexed tensor is; torch takes CPU indices for any device, too."""
    return [a if type(a._data) is type(like._data) else a.to(like.device) for a in arrays]


def setitem(input: Tensor, key: Any, value: Any) -> None:
    """``input[key] = value``: the value broadcasts to what the key picks.

    Raises:
        ShapeError: it does not broadcast.
        BoundsError: the key points outside.
        GradError: the write cannot be recorded (see `overwrite`).
        NamesError: dims of the value have other names.
    """
    parsed = parse_key(by_name(input, key) if type(key) is dict else key)
    if not isinstance(value, Tensor):
        check_number(WRITE, value, input._data.dtype)
    part, picks = _parted(input, parsed) if parsed[1] else (input, parsed[0])
    arrays = _on_device(parsed[1], input)
    if isinstance(value, Tensor) and value._names is not None and part._names is not None:
        _check_names(part, picks, arrays, value)
    if not _recorded(part, value):
        _put(part, picks, arrays, value)
        return
    value = _converted(value, input)
    if not arrays:
        part = mv.slice_(input, key=picks)
        overwrite(part, _fit(value, part.shape), WRITE)
        return
    mask = _mask_over(part, picks, arrays)
    if mask is not None and value._data.size == 1:  # x[mask] = number, without counting
        overwrite(part, ew.where(mask, reshape(value, ()), part), WRITE)
    else:
        overwrite(part, ix.index_put(part, value, *arrays, key=picks, accumulate=False), WRITE)


WRITE = "indexed assignment"


def _check_names(part: Tensor, picks: tuple[Any, ...], arrays: list[Tensor], value: Tensor) -> None:
    """Raise NamesError unless the names of a value fit those of what a key picks."""
    prim = TABLE["index" if arrays else "slice"]
    shape = ix._index_shape(tuple(part.shape), tuple(a._data for a in arrays), picks)
    names = prim.names(naming.dims_of(part), *map(naming.dims_of, arrays), key=picks)
    own = naming.dims_of(value)
    extra = max(len(own.shape) - len(shape), 0)  # leading dims of length one, to be dropped
    naming.unify(
        WRITE, naming.Dims(names, shape), naming.Dims(own.names[extra:], own.shape[extra:])
    )


def _converted(value: Any, input: Tensor) -> Tensor:
    """The value as a tensor in the dtype of the one it is written to."""
    if not isinstance(value, Tensor):
        check_number(WRITE, value, input._data.dtype)
        return as_tensor(value, dtype=input.dtype, device=input.device)
    return cast_to(value, input._data.dtype)


def _fit(value: Tensor, shape: Any) -> Tensor:
    while value.ndim > len(shape) and value.shape[0] == 1:
        value = squeeze(value, 0)
    try:
        return expand(value, shape)
    except ShapeError:
        raise ShapeError(
            f"{WRITE}: a value of shape {tuple(value.shape)} does not fit the {tuple(shape)} that "
            "is indexed"
        ) from None


def _mask_over(part: Tensor, picks: tuple[Any, ...], arrays: list[Tensor]) -> Tensor | None:
    """A single boolean index, its dims lined up with those of the tensor."""
    mask = arrays[0]
    if len(arrays) > 1 or mask._data.dtype != dtypes.BOOL or mask.ndim == 0:
        return None
    place = next(i for i, p in enumerate(picks) if isinstance(p, Slot))
    if Ellipsis in picks[:place]:
        place = part.ndim - mask.ndim - (len(picks) - place - 1)
    after = part.ndim - place - mask.ndim
    if place < 0 or tuple(part.shape[place : place + mask.ndim]) != tuple(mask.shape):
        return None
    return reshape(mask, (*mask.shape, *[1] * after))


def _recorded(part: Tensor, value: Any) -> bool:
    """Whether a write must be an operation, for the tape or a capture, and not a bare store."""
    if state.trace is not None:
        return True
    if not state.grad:
        return False
    written = current_edge(value) if isinstance(value, Tensor) else None
    return written is not None or current_edge(part) is not None


def _put(part: Tensor, picks: tuple[Any, ...], arrays: list[Tensor], value: Any) -> None:
    """Store into the memory of part."""
    raw = [a._data for a in arrays]
    if not isinstance(value, (bool, int, float)):
        value = _converted(value, part)._data
    before_write(part, None, WRITE)
    check_memory(part._data, WRITE)
    try:
        run_kernel(ix.store, part._data, value, raw, picks)
    except (IndexError, ValueError):
        rule = TABLE["index_put"].aval  # explains it, if the key or the value are to blame
        values = value if hasattr(value, "shape") else Aval((), part._data.dtype)
        rule(part._data, values, *raw, key=picks, accumulate=False)
        raise
    after_write(part, None, WRITE)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The entries of a dim that a vector of indices names."""
    axis = normalize_axis("index_select", dim, input.ndim, input)
    if input.ndim == 0:  # as a vector of one element, of which one must be named
        return reshape(ix.index(reshape(input, 1), reshape(index, -1), key=(Slot(0),)), ())
    key = (*[slice(None)] * axis, Slot(0))
    return ix.index(input, reshape(index, -1), key=key)


def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened tensor."""
    return ix.index(reshape(input, -1), index, key=(Slot(0),))


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on: one pick per element of index."""
    axis = normalize_axis("gather", dim, input.ndim, input)
    if index._data.size == 0:  # as in torch, of any shape
        return reshape(mv.slice_(reshape(input, -1), key=(slice(0, 0),)), index.shape)
    if input.ndim == 0:
        return reshape(ix.gather(reshape(input, 1), reshape(index, -1), axis=0), index.shape)
    return ix.gather(input, index, axis=axis)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` whose other dims broadcast; without a dim, `take` of all indices in one row."""
    if dim is None:
        return ix.gather(reshape(input, -1), reshape(indices, -1), axis=0)
    axis = normalize_axis("take_along_dim", dim, input.ndim, input)
    if indices.ndim != input.ndim:
        raise ShapeError(
            f"take_along_dim: indices have shape {tuple(indices.shape)}, input "
            f"{tuple(input.shape)}; they must have as many dims"
        )
    pairs = zip(input.shape, indices.shape, strict=True)
    shape = [b if i == axis or a == 1 else a for i, (a, b) in enumerate(pairs)]
    wide = [a if i == axis else n for i, (a, n) in enumerate(zip(input.shape, shape, strict=True))]
    return ix.gather(expand(input, wide), expand(indices, shape), axis=axis)


def _scatter(
    name: str, input: Tensor, dim: int, index: Tensor, src: Any, accumulate: bool
) -> Tensor:
    axis = normalize_axis(name, dim, input.ndim, input)
    if input.ndim == 0:
        src = reshape(src, -1) if isinstance(src, Tensor) else src
        wide = _scatter(name, reshape(input, 1), 0, reshape(index, -1), src, accumulate)
        return reshape(wide, ())
    if not isinstance(src, Tensor):
        src = ew.fill_like(cast_to(index, input._data.dtype), value=src)
    elif src.shape != index.shape:
        src = mv.slice_(src, key=tuple(slice(0, n) for n in index.shape))
    return ix.scatter(input, index, src, axis=axis, accumulate=accumulate)


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """A copy with src written where index points along dim: the opposite of `gather`.

    With ``reduce="add"`` values are added to what is there, with "multiply" they multiply it. Of
    several writes to one place, the last wins.

    Raises:
        DTypeError: reduce is another word.
    """
    accumulate = reduce == "add"
    if reduce == "multiply":
        from .scattering import multiplied

        return multiplied(input, dim, index, value if src is None else src)
    if reduce not in (None, "add"):
        raise DTypeError(f"scatter: reduce is None, 'add' or 'multiply', got {reduce!r}")
    return _scatter("scatter", input, dim, index, value if src is None else src, accumulate)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy with src added where index points along dim; repeated places add up."""
    return _scatter("scatter_add", input, dim, index, src, True)


def _index_key(axis: int) -> tuple[Any, ...]:
    return (*[slice(None)] * axis, Slot(0))


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy with slices of source added at the indices of a dim.

    Raises:
        ShapeError: source has another shape than the slices that the indices name.
    """
    source = source if alpha == 1 else ew.mul(source, alpha)
    return _index_along("index_add", input, dim, index, source, True)


def _index_along(
    name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, accumulate: bool
) -> Tensor:
    axis = normalize_axis(name, dim, input.ndim, input)
    wide = input if input.ndim else reshape(input, 1)
    key = _index_key(axis)
    index = reshape(index, -1)
    source = source if source.ndim else reshape(source, 1)
    wanted = tuple(index.shape[0] if i == axis else n for i, n in enumerate(wide.shape))
    if tuple(source.shape) != wanted:
        raise ShapeError(
            f"{name}: {index.shape[0]} indices along dim {dim} of {tuple(input.shape)} want a "
            f"source of shape {wanted}, got {tuple(source.shape)}"
        )
    return reshape(ix.index_put(wide, source, index, key=key, accumulate=accumulate), input.shape)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy with slices of source written at the indices of a dim.

    Raises:
        ShapeError: source has another shape than the slices that the indices name.
    """
    return _index_along("index_copy", input, dim, index, source, False)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy with one value at the indices of a dim.

    Raises:
        ShapeError: the value is a tensor of more than no dims.
    """
    _check_single("index_fill", value)
    axis = normalize_axis("index_fill", dim, input.ndim, input)
    nowhere = ew.ne(ew.fill_like(input.detach(), value=0), 0)
    wide = nowhere if input.ndim else reshape(nowhere, 1)
    there = as_tensor(True, device=input.device)
    key = _index_key(axis)
    hit = ix.index_put(wide, there, reshape(index, -1), key=key, accumulate=False)
    return ew.where(reshape(hit, input.shape), _converted(value, input), input)


def _check_single(name: str, value: Any) -> None:
    """Refuse tensors where one value is wanted."""
    if isinstance(value, Tensor) and value.ndim:
        raise ShapeError(
            f"{name}: wanted a number or a 0-d tensor, got shape {tuple(value.shape)}; use where() "
            "for a value per element"
        )


def index_put(
    input: Tensor, indices: tuple[Tensor, ...], values: Tensor, accumulate: bool = False
) -> Tensor:
    """A copy with values written (or added) where a tuple of index tensors points."""
    key = tuple(Slot(i) for i in range(len(indices)))
    return ix.index_put(input, values, *indices, key=key, accumulate=accumulate)


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy with a value where mask holds.

    Raises:
        ShapeError: the value is a tensor of more than no dims.
        DTypeError: the mask is not boolean.
    """
    _check_single("masked_fill", value)
    if mask._data.dtype != dtypes.BOOL:
        raise DTypeError(f"masked_fill: the mask must be bool, got {mask.dtype}; compare it first")
    if isinstance(value, Tensor) or not input.is_floating_point():
        value = _converted(value, input)
    return ew.where(mask, value, input)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where mask holds, as a vector."""
    from .shape import broadcast_tensors

    one, two = broadcast_tensors(input, mask)
    return getitem(one, two)


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of nonzero elements: (count, ndim), or a tuple with a vector per axis."""
    found = ix.nonzero(input)
    if not as_tuple:
        return found
    return tuple(found[:, i] for i in range(input.ndim)) if input.ndim else (found.sum(1),)


def argwhere(input: Tensor) -> Tensor:
    """The indices of nonzero elements: (count, ndim)."""
    return nonzero(input)
