"""Joining, cutting and spreading out: the shape functions beyond `ops.shape`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..avals import broadcast_shapes as _broadcast_shapes
from ..avals import normalize_axis
from ..errors import ShapeError
from ..prims import movement as mv
from ..prims.reduce import sum as _sum
from ..prims.reduce import sum_to
from ..tensor import Size, Tensor
from .creation import arange, as_tensor
from .index import index_select
from .shape import (
    cat,
    check_tensors,
    diag_embed,
    diagonal,
    flip,
    narrow,
    plane,
    proper_axis,
    reshape,
    split,
    transpose,
    unsqueeze,
)

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "broadcast_shapes",
    "cartesian_prod",
    "column_stack",
    "combinations",
    "diagflat",
    "diagonal_scatter",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "repeat_interleave",
    "rot90",
    "row_stack",
    "select_scatter",
    "slice_scatter",
    "split_with_sizes",
    "sum_to_size",
    "tensor_split",
    "trace",
    "tril_indices",
    "triu_indices",
    "vsplit",
    "vstack",
]


def _each(one: Any, tensors: tuple[Any, ...]) -> Any:
    if len(tensors) == 1:
        only = tensors[0]
        return one(only) if isinstance(only, Tensor) else tuple(one(t) for t in only)
    return tuple(one(t) for t in tensors)


def atleast_1d(*tensors: Any) -> Any:
    """Tensors with at least one dim; several give a tuple."""
    return _each(lambda t: reshape(t, 1) if t.ndim == 0 else t, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Tensors with at least two dims, new ones in front."""
    return _each(lambda t: t if t.ndim >= 2 else reshape(t, (1, -1)), tensors)


def _three(t: Tensor) -> Tensor:
    if t.ndim >= 3:
        return t
    return unsqueeze(t, 2) if t.ndim == 2 else reshape(t, (1, -1, 1))


def atleast_3d(*tensors: Any) -> Any:
    """Tensors with at least three dims."""
    return _each(_three, tensors)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors side by side: joined along dim 1, or dim 0 for vectors."""
    check_tensors("hstack", tensors)
    parts = [atleast_1d(t) for t in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors on top of each other: joined along dim 0, vectors as rows."""
    check_tensors("vstack", tensors)
    return cat([atleast_2d(t) for t in tensors], 0)


row_stack = vstack


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors behind each other: joined along dim 2."""
    check_tensors("dstack", tensors)
    return cat([atleast_3d(t) for t in tensors], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors side by side, vectors as columns."""
    check_tensors("column_stack", tensors)
    return hstack([reshape(t, (-1, 1)) if t.ndim <= 1 else t for t in tensors])


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces as equal as can be, or cut at the given indices."""
    axis = proper_axis("tensor_split", dim, input)
    length = input.shape[axis]
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        if count < 1:
            raise ShapeError(f"tensor_split: wanted at least one piece, got {count}")
        small, large = divmod(length, count)
        sizes = [small + 1] * large + [small] * (count - large)
        return split(input, sizes, axis)
    cuts = [slice(i, i).indices(length)[0] for i in indices_or_sections]
    edges = [0, *cuts, length]
    pairs = itertools.pairwise(edges)
    return tuple(narrow(input, axis, a, max(0, b - a)) for a, b in pairs)


def _cut(name: str, input: Tensor, where: Any, dim: int, least: int) -> tuple[Tensor, ...]:
    if input.ndim < least:
        raise ShapeError(f"{name}: wanted at least {least} dim(s), got shape {tuple(input.shape)}")
    if isinstance(where, int) and (where < 1 or input.shape[dim] % where):
        raise ShapeError(
            f"{name}: dim {dim} of length {input.shape[dim]} has no {where} equal parts"
        )
    return tensor_split(input, where, dim)


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dim 1 (0 for vectors) into equal parts or at indices."""
    return _cut("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dim 0 into equal parts or at indices."""
    return _cut("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dim 2 into equal parts or at indices."""
    return _cut("dsplit", input, indices_or_sections, 2, 3)


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """`split` with a list of sizes."""
    return split(input, list(split_sizes), dim)


def broadcast_shapes(*shapes: Any) -> Size:
    """The common shape of several.

    Raises:
        ShapeError: they do not broadcast.
    """
    return Size(
        _broadcast_shapes(
            "broadcast_shapes", *((s,) if isinstance(s, int) else tuple(s) for s in shapes)
        )
    )


def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element repeated in place, a number of times or as many as a vector says; with counts
    alone, the index of each count repeated so often.
    """
    if repeats is None:
        return repeat_interleave(arange(input.shape[0], device=input.device), input, 0)
    if dim is None:
        input, dim = reshape(input, -1), 0
    axis = proper_axis("repeat_interleave", dim, input)
    counts = as_tensor(repeats).cpu().numpy().reshape(-1)
    length = input.shape[axis]
    if counts.size not in (1, length):
        raise ShapeError(
            f"repeat_interleave: {counts.size} counts for dim {dim} of length {length}"
        )
    places = np.repeat(np.arange(length), counts if counts.size == length else int(counts[0]))
    return index_select(input, axis, as_tensor(places, device=input.device))


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A quarter turn in the plane of two dims, k times, from the first towards the second.

    Raises:
        ShapeError: dims are not two different ones.
    """
    one, two = plane("rot90", input.ndim, dims, input)
    turns = k % 4
    if turns == 0:
        return input.clone()
    if turns == 2:
        return flip(input, one, two)
    turned = transpose(input, one, two)
    return flip(turned, one if turns == 1 else two)


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given ones along its diagonal and zeros elsewhere."""
    blocks = [atleast_2d(t) for t in tensors]
    width = sum(b.shape[1] for b in blocks)
    rows, left = [], 0
    for b in blocks:
        right = width - left - b.shape[1]
        rows.append(mv.pad(b, widths=((0, 0), (left, right))))
        left += b.shape[1]
    return cat(rows, 0)


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with all elements along its diagonal."""
    return diag_embed(reshape(input, -1), offset)


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise ShapeError(f"trace: wanted a matrix, got shape {tuple(input.shape)}")
    return _sum(diagonal(input), axes=(0,), keepdim=False)


def _written(input: Tensor, src: Any, chain: tuple[Any, ...]) -> Tensor:
    part = mv.follow(chain, input)
    src = as_tensor(src, dtype=input.dtype, device=input.device)
    if tuple(src.shape) != tuple(part.shape):
        raise ShapeError(f"scatter: src has shape {tuple(src.shape)}, the part {tuple(part.shape)}")
    return mv.write_view(input, src, chain=chain)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with src written at one index of a dim."""
    axis = normalize_axis("select_scatter", dim, input.ndim, input)
    key = (*[slice(None)] * axis, int(index))
    return _written(input, src, ((mv.slice_.prim, {"key": key}),))  # type: ignore[attr-defined]


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """A copy with src written into a slice of a dim."""
    axis = normalize_axis("slice_scatter", dim, input.ndim, input)
    key = (*[slice(None)] * axis, slice(start, end, step))
    return _written(input, src, ((mv.slice_.prim, {"key": key}),))  # type: ignore[attr-defined]


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy with src written along a diagonal."""
    one, two = plane("diagonal_scatter", input.ndim, (dim1, dim2), input)
    params = {"offset": offset, "axis1": one, "axis2": two}
    return _written(input, src, ((mv.diagonal.prim, params),))  # type: ignore[attr-defined]


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Summed over the dims along which `size` would broadcast to the tensor's shape."""
    shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    if _broadcast_shapes("sum_to_size", tuple(input.shape), shape) != tuple(input.shape):
        raise ShapeError(f"sum_to_size: {shape} does not broadcast to {tuple(input.shape)}")
    return sum_to(input, shape)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """(2, count) row and column indices of the lower triangle."""
    return as_tensor(np.stack(np.tril_indices(row, offset, col)), dtype=dtype, device=device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """(2, count) row and column indices of the upper triangle."""
    return as_tensor(np.stack(np.triu_indices(row, offset, col)), dtype=dtype, device=device)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r elements of a vector, in order: (count, r)."""
    if input.ndim != 1 or r < 0:
        raise ShapeError(
            f"combinations: wanted a vector and r >= 0, got shape {tuple(input.shape)} and r = {r}"
        )
    if r == 0:
        return narrow(input, 0, 0, 0)
    pick = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(pick(range(input.shape[0]), r))
    flat = as_tensor(np.array(places, np.int64).reshape(-1), device=input.device)
    return reshape(index_select(input, 0, flat), (len(places), r))


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element of each vector: (count, vectors)."""
    from .shape import meshgrid, stack

    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(g, -1) for g in meshgrid(*tensors)], 1)
