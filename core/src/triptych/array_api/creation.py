"""Making arrays."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..errors import ShapeError
from ..ops import creation as ops
from ..ops.creation import (
    asarray,
    empty_like,
    from_dlpack,
    full_like,
    ones_like,
    zeros_like,
)
from ..ops.shape import meshgrid as _meshgrid
from ..ops.special import complex as _complex
from ..prims import elementwise as ew
from ..tensor import Tensor

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


Shape = int | tuple[int, ...]


def empty(shape: Shape, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array whose values will be overwritten."""
    return ops.empty(shape, dtype=dtype, device=device)


def ones(shape: Shape, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of ones."""
    return ops.ones(shape, dtype=dtype, device=device)


def zeros(shape: Shape, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of zeros."""
    return ops.zeros(shape, dtype=dtype, device=device)


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Numbers from start (0 if only one is given) up to but not including stop, by step; none if
    step leads away from stop.

    Raises:
        ShapeError: step is zero.
    """
    if stop is None:
        start, stop = 0, start
    if step and (stop - start) / step < 0:
        stop = start + 0 * stop  # as floating as both
    return ops.arange(start, stop, step, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """Ones on diagonal k of an (n_rows, n_cols) array of zeros; k counts from the main one up."""
    rows = ops.arange(n_rows, device=device).unsqueeze(1)
    columns = ops.arange(n_rows if n_cols is None else n_cols, device=device)
    wanted = dtypes.get_default_dtype() if dtype is None else dtype
    return (columns - rows == k).to(dtype=wanted)


def full(shape: Shape, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """An array of one value, whose dtype is that of the value unless given."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    return ops.full(sizes, fill_value, dtype=dtype, device=device)


def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> Tensor:
    """num numbers evenly spaced from start to stop, with stop itself only if endpoint.

    Raises:
        ShapeError: num is negative.
    """
    if num < 0:
        raise ShapeError(f"linspace: num should be at least 0, got {num}")
    steps, options = num + (not endpoint), {"dtype": dtype, "device": device}
    if not (isinstance(start, complex) or isinstance(stop, complex)):
        return ops.linspace(start, stop, steps, **options)[:num]
    single = dtypes.get_default_dtype() if dtype is None else dtypes.to_numpy_dtype(dtype)
    part = {"device": device, "dtype": dtypes.real_of(dtypes.to_numpy_dtype(single))}
    start, stop = complex(start), complex(stop)
    real = ops.linspace(start.real, stop.real, steps, **part)
    imaginary = ops.linspace(start.imag, stop.imag, steps, **part)
    return _complex(real, imaginary)[:num]


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of a grid from those along its axes; "xy" swaps the first two axes.

    Raises:
        ShapeError: indexing is neither "xy" nor "ij".
    """
    return list(_meshgrid(*arrays, indexing=indexing))


def _band(keep: Tensor, x: Tensor) -> Tensor:
    return ew.where(keep, x, ops.zeros_like(x))


def _offsets(x: Tensor) -> Tensor:
    """How far right of the main diagonal each element of the matrices stands."""
    rows, columns = (ops.arange(n, device=x.device) for n in x.shape[-2:])
    return columns - rows.unsqueeze(1)


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """The lower triangles of (..., m, n) matrices, up to diagonal k; zeros above."""
    return _band(_offsets(x) <= k, x)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """The upper triangles of (..., m, n) matrices, from diagonal k; zeros below."""
    return _band(_offsets(x) >= k, x)
