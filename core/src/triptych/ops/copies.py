"""The functions that give views, as copies: the result has memory of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..avals import normalize_axis
from . import pieces, shape, strided
from .inplace import detach

__all__ = [
    "alias_copy",
    "as_strided_copy",
    "detach_copy",
    "diagonal_copy",
    "expand_copy",
    "narrow_copy",
    "permute_copy",
    "select_copy",
    "slice_copy",
    "split_copy",
    "split_with_sizes_copy",
    "squeeze_copy",
    "t_copy",
    "transpose_copy",
    "unbind_copy",
    "unfold_copy",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "unsqueeze_copy",
    "view_as_complex_copy",
    "view_as_real_copy",
    "view_copy",
]


def _copied(name: str, view: Callable[..., Any]) -> Callable[..., Any]:
    def copied(*args: Any, **options: Any) -> Any:
        found = view(*args, **options)
        return tuple(map(shape.clone, found)) if isinstance(found, tuple) else shape.clone(found)

    copied.__name__ = copied.__qualname__ = f"{name}_copy"
    copied.__doc__ = f"`{name}` with memory of its own in place of a view."
    return copied


def _slice(
    input: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    axis = normalize_axis("slice_copy", dim, input.ndim, input)
    return input[(*[slice(None)] * axis, slice(start, end, step))]


def _view(input: Any, size: Any) -> Any:
    return input.view(size)


def _expand(input: Any, size: Any, *, implicit: bool = False) -> Any:
    return shape.expand(input, size)


alias_copy = _copied("alias", lambda input: input)
as_strided_copy = _copied("as_strided", strided.as_strided)
detach_copy = _copied("detach", detach)
diagonal_copy = _copied("diagonal", shape.diagonal)
expand_copy = _copied("expand", _expand)
narrow_copy = _copied("narrow", shape.narrow)
permute_copy = _copied("permute", shape.permute)
select_copy = _copied("select", shape.select)
slice_copy = _copied("slice", _slice)
split_copy = _copied("split", shape.split)
split_with_sizes_copy = _copied("split_with_sizes", pieces.split_with_sizes)
squeeze_copy = _copied("squeeze", shape.squeeze)
t_copy = _copied("t", shape.t)
transpose_copy = _copied("transpose", shape.transpose)
unbind_copy = _copied("unbind", shape.unbind)
unfold_copy = _copied("unfold", shape.unfold)
unsqueeze_copy = _copied("unsqueeze", shape.unsqueeze)
view_as_complex_copy = _copied("view_as_complex", strided.view_as_complex)
view_as_real_copy = _copied("view_as_real", strided.view_as_real)
view_copy = _copied("view", _view)

# Views know here of writes to their siblings, so the unsafe forms have nothing to save.
unsafe_chunk = shape.chunk
unsafe_split = shape.split
unsafe_split_with_sizes = pieces.split_with_sizes
