"""Shapes: the same elements in another arrangement. Results are views where torch's are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import layouts
from ..avals import broadcast_shapes, integers, normalize_axes, normalize_axis
from ..dtypes import BOOL
from ..errors import DTypeError, ShapeError
from ..prims import elementwise as ew
from ..prims import movement as mv
from ..tensor import Tensor
from .creation import cast_to
from .named import checked_names, with_names

__all__ = [
    "broadcast_tensors",
    "broadcast_to",
    "cat",
    "chunk",
    "clone",
    "concat",
    "concatenate",
    "diag",
    "diag_embed",
    "diagonal",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "meshgrid",
    "moveaxis",
    "movedim",
    "narrow",
    "permute",
    "ravel",
    "reshape",
    "roll",
    "select",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "swapdims",
    "t",
    "tile",
    "transpose",
    "tril",
    "triu",
    "unbind",
    "unflatten",
    "unsqueeze",
]


def proper_axis(name: str, dim: Any, input: Tensor) -> int:
    """A non-negative axis of a tensor that has some.

    Raises:
        ShapeError: the tensor is 0-d, or the axis is out of range.
    """
    if input.ndim == 0:
        raise ShapeError(f"{name}: wanted at least one dim, got a 0-d tensor; use unsqueeze(0)")
    return normalize_axis(name, dim, input.ndim, input)


def plane(name: str, ndim: int, dims: Sequence[Any], input: Any = None) -> tuple[int, int]:
    """The two axes, not negative, of a plane.

    Raises:
        ShapeError: they are not two, not different, or out of range.
    """
    axes = [normalize_axis(name, d, ndim, input) for d in dims]
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ShapeError(f"{name}: wanted two different dims, got {tuple(dims)}")
    return axes[0], axes[1]


def _lengths(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    return integers(name, size)


def _resolve(name: str, input: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with -1 worked out."""
    if -1 not in shape:
        return shape
    known = math.prod(n for n in shape if n != -1)
    total = input._data.size
    if shape.count(-1) > 1 or known == 0 or total % known:
        raise ShapeError(
            f"{name}: {tuple(input.shape)} ({total} elements) does not fit shape {shape}"
        )
    return tuple(total // known if n == -1 else n for n in shape)


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The elements in row-major order under another shape; a view when memory allows.

    Args:
        shape: lengths, or one tuple of them; one may be -1, to be worked out.

    Raises:
        ShapeError: the element counts differ.
    """
    return mv.reshape(input, shape=_resolve("reshape", input, _lengths("reshape", shape)))


def view(input: Tensor, *shape: Any) -> Tensor:
    """`reshape` that promises to share memory.

    Raises:
        ShapeError: the memory layout needs a copy.
    """
    out = reshape(input, *shape)
    if out._view is None and out._cell is not input._cell:
        raise ShapeError(
            f"view: {tuple(input.shape)} is laid out so that {tuple(out.shape)} needs a copy; "
            "use reshape(), or contiguous() first"
        )
    return out


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`view` with the shape of another tensor."""
    return view(input, other.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`reshape` to the shape of another tensor."""
    return reshape(input, other.shape)


def flatten(
    input: Tensor, start_dim: Any = 0, end_dim: Any = -1, out_dim: str | None = None
) -> Tensor:
    """The dims from start to end joined into one.

    Args:
        start_dim, end_dim: the first and the last of them, ints or names; or a sequence of
            neighbouring names and the name of the result: ``x.flatten(["C", "H", "W"], "F")``.
        out_dim: name of the joined dim.

    Raises:
        ShapeError: end_dim comes before start_dim, or dims listed are no neighbours in order.
    """
    if isinstance(start_dim, (tuple, list)):
        return _flatten_listed(input, start_dim, end_dim if out_dim is None else out_dim)
    if input.ndim == 0:
        return reshape(input, 1)
    start = normalize_axis("flatten", start_dim, input.ndim, input)
    end = normalize_axis("flatten", end_dim, input.ndim, input)
    if start > end:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    shape = tuple(input.shape)
    out = reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))
    if input._names is None and out_dim is None:
        return out
    joined = input.names[start] if start == end and out_dim is None else out_dim
    names = (*input.names[:start], joined, *input.names[end + 1 :])
    return with_names(out, checked_names("flatten", names, out.ndim))


def _flatten_listed(input: Tensor, dims: Sequence[Any], out_dim: Any) -> Tensor:
    axes = [normalize_axis("flatten", d, input.ndim, input) for d in dims]
    if not axes or axes != list(range(axes[0], axes[0] + len(axes))):
        raise ShapeError(
            f"flatten: dims {tuple(dims)} are no neighbours in this order; permute() or align_to() "
            "brings them together"
        )
    if not isinstance(out_dim, str):
        raise ShapeError(f"flatten: a list of dims wants a name for the result, got {out_dim!r}")
    return flatten(input, axes[0], axes[-1], out_dim)


def ravel(input: Tensor) -> Tensor:
    """All elements in one dim."""
    return reshape(input, -1)


def unflatten(input: Tensor, dim: int | str, sizes: Any, names: Any = None) -> Tensor:
    """One dim split into several.

    Args:
        dim: which one.
        sizes: a length for each, of which one may be -1; or (name, length) pairs or a dict, to
            name them as well: ``x.unflatten("F", (("C", 3), ("H", 8), ("W", 8)))``.
        names: names for sizes that are lengths alone.
    """
    axis = normalize_axis("unflatten", dim, input.ndim, input)
    shape = tuple(input.shape)
    sizes, names = _sizes_and_names(sizes, names)
    if -1 in sizes:
        known = -math.prod(sizes)
        sizes = tuple(shape[axis] // known if n == -1 else n for n in sizes)
    if math.prod(sizes) != shape[axis]:
        raise ShapeError(f"unflatten: dim {dim} has length {shape[axis]}, which is not {sizes}")
    out = reshape(input, (*shape[:axis], *sizes, *shape[axis + 1 :]))
    if input._names is None and names is None:
        return out
    new = (None,) * len(sizes) if names is None else tuple(names)
    full = (*input.names[:axis], *new, *input.names[axis + 1 :])
    return with_names(out, checked_names("unflatten", full, out.ndim))


def _sizes_and_names(sizes: Any, names: Any) -> tuple[tuple[int, ...], Any]:
    pairs = tuple(sizes.items() if isinstance(sizes, dict) else sizes)
    if pairs and all(isinstance(p, (tuple, list)) for p in pairs):
        return integers("unflatten", [n for _, n in pairs]), [name for name, _ in pairs]
    return integers("unflatten", pairs), names


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order: a view."""
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    axes = tuple(normalize_axis("permute", d, input.ndim, input) for d in order)
    return mv.permute(input, axes=axes)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged: a view."""
    if input.ndim == 0:
        return input
    one, two = (normalize_axis("transpose", d, input.ndim, input) for d in (dim0, dim1))
    order = list(range(input.ndim))
    order[one], order[two] = two, one
    return mv.permute(input, axes=tuple(order))


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; vectors as they are.

    Raises:
        ShapeError: more than two axes.
    """
    if input.ndim > 2:
        raise ShapeError(
            f"t: wanted at most 2 dims, got {tuple(input.shape)}; use transpose or .mT"
        )
    return transpose(input, 0, 1) if input.ndim == 2 else input


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Axes moved to other places; the rest keep their order."""
    given = [[d] if isinstance(d, (int, str)) else list(d) for d in (source, destination)]
    froms, tos = ([normalize_axis("movedim", d, input.ndim, input) for d in ds] for ds in given)
    if len(froms) != len(tos) or len(set(froms)) != len(froms) or len(set(tos)) != len(tos):
        raise ShapeError(f"movedim: {source} and {destination} must be as many, each axis once")
    if input.ndim == 0:
        return input
    order = [a for a in range(input.ndim) if a not in froms]
    for to, axis in sorted(zip(tos, froms, strict=True)):
        order.insert(to, axis)
    return mv.permute(input, axes=tuple(order))


moveaxis = movedim


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Axes of length one removed: all, or those named."""
    if isinstance(dim, (tuple, list)) and not dim:
        return input
    axes = normalize_axes("squeeze", dim, input.ndim, input)
    shape = input._data.shape
    left = [i for i, n in enumerate(shape) if i not in axes or n != 1]
    out = mv.reshape(input, shape=tuple(shape[i] for i in left))
    if input._names is not None:
        out = with_names(out, tuple(input._names[i] for i in left))
    return out


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """An axis of length one put in at dim."""
    axis = normalize_axis("unsqueeze", dim, input.ndim + 1)
    shape = tuple(input._data.shape)
    out = mv.reshape(input, shape=(*shape[:axis], 1, *shape[axis:]))
    if input._names is not None:
        out._names = (*input._names[:axis], None, *input._names[axis:])
    return out


def expand(input: Tensor, *size: Any) -> Tensor:
    """Axes of length one repeated without a copy; -1 keeps a length.

    Raises:
        ShapeError: an axis longer than one would change.
    """
    wanted = _lengths("expand", size)
    lead = len(wanted) - input.ndim
    if lead < 0:
        raise ShapeError(f"expand: {tuple(input.shape)} has more dims than {wanted}")
    shape = tuple(
        input.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted)
    )
    return mv.expand(input, shape=shape)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`expand` to the shape of another tensor."""
    return expand(input, other.shape)


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`expand` under NumPy's name."""
    return expand(input, tuple(size))


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors expanded to their common shape."""
    shape = broadcast_shapes("broadcast_tensors", *(tuple(t.shape) for t in tensors))
    return tuple(expand(t, shape) for t in tensors)


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """The tensor laid side by side, so many times per axis; missing leading axes are added."""
    counts = _lengths("repeat", repeats)
    lead = len(counts) - input.ndim
    if lead < 0:
        raise ShapeError(f"repeat: wanted a count for each of {input.ndim} dims, got {counts}")
    shape = (1,) * lead + tuple(input.shape)
    spread = reshape(input, tuple(n for pair in shape for n in (1, pair)))
    wide = tuple(n for pair in zip(counts, shape, strict=True) for n in pair)
    out = reshape(expand(spread, wide), tuple(c * n for c, n in zip(counts, shape, strict=True)))
    return out if input._names is None else with_names(out, (None,) * lead + input._names)


def tile(input: Tensor, *dims: Any) -> Tensor:
    """`repeat` that fills in missing leading counts with one."""
    counts = _lengths("tile", dims)
    return repeat(input, (1,) * (input.ndim - len(counts)) + counts)


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim; dtypes are promoted.

    Raises:
        ShapeError: no tensors, or other dims differ.
        DTypeError: something in the sequence is no tensor.
    """
    check_tensors("cat", tensors)
    alike = _same_dtype(tensors)
    if any(t.ndim != 1 for t in alike):  # torch lets an empty vector stand among other shapes
        alike = [t for t in alike if tuple(t.shape) != (0,)]
    if alike[0].ndim == 0:
        raise ShapeError("cat: 0-d tensors have no dim to join along; use stack()")
    axis = normalize_axis("cat", dim, alike[0].ndim, _first_named(alike))
    return mv.concat(*alike, axis=axis)


def check_tensors(name: str, tensors: Any) -> None:
    """Refuse what is no sequence of tensors.

    Raises:
        ShapeError: there are none.
        DTypeError: one is something else.
    """
    if isinstance(tensors, Tensor) or len(tensors) == 0:
        raise ShapeError(f"{name}: wanted a non-empty sequence of tensors")
    for i, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise DTypeError(f"{name}: wanted tensors, got {type(t).__name__} at place {i}")


def _first_named(tensors: Sequence[Tensor]) -> Tensor:
    """The tensor whose names a call may use: the first that has some."""
    return next((t for t in tensors if t._names is not None), tensors[0])


concat = concatenate = cat


def _same_dtype(tensors: Sequence[Tensor]) -> list[Tensor]:
    from ..dtypes import promote

    common = tensors[0]._data.dtype
    for t in tensors:
        if t._data.dtype is not common:
            common = promote(common, t._data.dtype)
    return [t if t._data.dtype is common else cast_to(t, common) for t in tensors]


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dim.

    Raises:
        ShapeError: no tensors, or shapes differ.
        DTypeError: something in the sequence is no tensor.
    """
    check_tensors("stack", tensors)
    axis = normalize_axis("stack", dim, tensors[0].ndim + 1)
    return mv.stack(*_same_dtype(tensors), axis=axis)


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` elements of a dim from start: a view.

    Raises:
        ShapeError: they are not all there, or the tensor is 0-d.
    """
    axis = proper_axis("narrow", dim, input)
    size = input._data.shape[axis]
    start = int(start) + size if start < 0 else int(start)
    if not 0 <= start <= start + length <= size:
        raise ShapeError(
            f"narrow: {start} to {start + length} is outside dim {dim} of length {size}"
        )
    return mv.slice_(input, key=(*[slice(None)] * axis, slice(start, start + length)))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One index of a dim, which goes away: a view."""
    axis = normalize_axis("select", dim, input.ndim, input)
    return mv.slice_(input, key=(*[slice(None)] * axis, int(index)))


def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Views of pieces of one size (the last may be shorter), or of the given sizes.

    Raises:
        ShapeError: the sizes do not add up to the length of dim.
    """
    axis = proper_axis("split", dim, tensor)
    length = tensor._data.shape[axis]
    sizes: Sequence[int]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step <= 0:
            raise ShapeError(f"split: pieces need a positive size, got {step}")
        sizes = [min(step, length - i) for i in range(0, length, step)] or [0]
    else:
        sizes = list(split_size_or_sections)
        if sum(sizes) != length:
            raise ShapeError(f"split: sizes {sizes} add up to {sum(sizes)}, dim {dim} has {length}")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(narrow(tensor, axis, a, n) for a, n in zip(starts, sizes, strict=True))


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most `chunks` pieces of equal size; the last may be shorter."""
    if chunks <= 0:
        raise ShapeError(f"chunk: wanted a positive number of chunks, got {chunks}")
    axis = proper_axis("chunk", dim, input)
    length = input.shape[axis]
    if length == 0:  # as torch: so many empty pieces
        return tuple(narrow(input, axis, 0, 0) for _ in range(chunks))
    return split(input, max(1, -(-length // chunks)), dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """A view per index of a dim, which goes away."""
    axis = proper_axis("unbind", dim, input)
    lead = (slice(None),) * axis
    return tuple([mv.slice_(input, key=(*lead, i)) for i in range(input.shape[axis])])


def flip(input: Tensor, *places: Any, dims: Any = None) -> Tensor:
    """The order of elements reversed along dims, ints or one tuple of them: a copy."""
    axes = places if dims is None else (dims,)
    axes = axes[0] if len(axes) == 1 else axes
    several = isinstance(axes, (tuple, list)) and not axes
    return mv.flip(input, axes=() if several else normalize_axes("flip", axes, input.ndim, input))


def fliplr(input: Tensor) -> Tensor:
    """`flip` along dim 1."""
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """`flip` along dim 0."""
    return flip(input, 0)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements moved along dims, those pushed out coming in at the other end.

    Args:
        shifts: how far, an int or one per dim.
        dims: along which; without, the flattened tensor is rolled.

    Raises:
        ShapeError: shifts and dims are not as many, or none.
    """
    if dims is None:
        flat = roll(reshape(input, -1), shifts, 0)
        return with_names(reshape(flat, input.shape), input._names)
    moves = [shifts] if isinstance(shifts, int) else list(shifts)
    axes = [dims] if isinstance(dims, (int, str)) else list(dims)
    if len(moves) != len(axes) or not moves:
        raise ShapeError(f"roll: wanted a shift per dim, got shifts {shifts} and dims {dims}")
    for shift, dim in zip(moves, axes, strict=True):
        axis = proper_axis("roll", dim, input)
        length = input.shape[axis]
        cut = -shift % length if length else 0
        if cut:
            input = cat([narrow(input, axis, cut, length - cut), narrow(input, axis, 0, cut)], axis)
    return input


def diagonal(
    input: Tensor, offset: int = 0, dim1: Any = 0, dim2: Any = 1, *, outdim: str | None = None
) -> Tensor:
    """The diagonal of each matrix in two dims, as a last dim named `outdim`: a view.

    Raises:
        ShapeError: both dims are the same.
    """
    one, two = plane("diagonal", input.ndim, (dim1, dim2), input)
    out = mv.diagonal(input, offset=offset, axis1=one, axis2=two)
    if outdim is None:
        return out
    return with_names(out, checked_names("diagonal", (*out.names[:-1], outdim), out.ndim))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix with a vector as its diagonal."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ShapeError(f"diag: wanted 1 or 2 dims, got {tuple(input.shape)}; use diagonal")
    return mv.copy(mv.diagonal(input, offset=diagonal, axis1=0, axis2=1))


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last dim as their diagonals.

    Raises:
        ShapeError: both dims are the same, or the tensor is 0-d.
    """
    proper_axis("diag_embed", -1, input)
    side = input.shape[-1] + abs(offset)
    one, two = plane("diag_embed", input.ndim + 1, (dim1, dim2))
    shape = list(input.shape[:-1])
    for axis in sorted((one, two)):
        shape.insert(axis, side)
    return mv.undiagonal(input, shape=tuple(shape), offset=offset, axis1=one, axis2=two)


def _triangle(name: str, input: Tensor, k: int, upper: bool) -> Tensor:
    from .creation import arange

    if input.ndim < 2:
        raise ShapeError(
            f"{name}: wanted matrices in the last two dims, got shape {tuple(input.shape)}"
        )
    rows = unsqueeze(arange(input.shape[-2], device=input.device), 1)
    cols = arange(input.shape[-1], device=input.device)
    distance = ew.sub(cols, rows)
    nothing = False if input._data.dtype == BOOL else 0
    return ew.where(ew.ge(distance, k) if upper else ew.le(distance, k), input, nothing)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, zeros elsewhere."""
    return _triangle("triu", input, diagonal, True)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, zeros elsewhere."""
    return _triangle("tril", input, diagonal, False)


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with its own memory; gradients flow through it.

    Args:
        memory_format: the order of axes in memory, such as ``channels_last``; default row-major.

    Raises:
        ShapeError: the format is for another number of axes.
    """
    order = None if memory_format is None else memory_format.order
    if order is None:
        return mv.copy(input)
    layouts.check_dims("clone", input, memory_format)
    back = tuple(order.index(axis) for axis in range(len(order)))
    return permute(mv.copy(permute(input, order)), back)


def in_format(name: str, input: Tensor, memory_format: Any) -> Tensor:
    """The tensor itself if memory holds it in a format, else a copy that is.

    Raises:
        ShapeError: the format is for another number of axes.
    """
    if memory_format is None or memory_format is layouts.preserve_format:
        return input
    if layouts.ordered(name, input, memory_format):
        return input
    return clone(input, memory_format=memory_format)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinate grids from vectors; "ij" indexing has the first vector along dim 0."""
    vectors = (
        list(tensors[0]) if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors
    )
    if indexing not in ("ij", "xy"):
        raise ShapeError(f"meshgrid: indexing is 'ij' or 'xy', got {indexing!r}")
    shape = tuple(v._data.size for v in vectors)
    grids = []
    for i, v in enumerate(vectors):
        place = tuple(-1 if j == i else 1 for j in range(len(shape)))
        grid = expand(reshape(v, place), shape)
        if v._names is not None:
            grid._names = tuple(v.names[0] if j == i else None for j in range(len(shape)))
        grids.append(grid)
    if indexing == "xy" and len(grids) > 1:
        return tuple(transpose(g, 0, 1) for g in grids)
    return tuple(grids)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along a dim, `step` apart, as a new last dim: a view."""
    from ..prims.window import windows

    if input.ndim == 0:
        input = unsqueeze(input, 0)
        return squeeze(unfold(input, dimension, size, step), 0)
    axis = normalize_axis("unfold", dimension, input.ndim, input)
    last = movedim(input, axis, -1)
    out = windows(last, size=(size,), stride=(step,), dilation=(1,))
    return movedim(out, -2, axis)
