"""Images resized."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...errors import DTypeError, ShapeError
from ...ops.creation import as_tensor, cast_to
from ...ops.named import keeps_names
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims.contract import matmul
from ...prims.index import Slot
from ...prims.precision import computes_in
from ...tensor import Tensor
from .adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .arguments import Ints
from .interpolation import Taps, cubic_taps, linear_taps, nearest_spots, short_taps, smooth_taps

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

Size = int | Sequence[int] | None
Scale = float | Sequence[float] | None

_LINEAR_DIMS = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
_AREA = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)
_MODES = ("nearest", "nearest-exact", "area", *_LINEAR_DIMS)
# From here on an axis is longer than a matrix product over all of it is worth.
DENSE_LIMIT = 384


@computes_in("single")
@keeps_names
def interpolate(
    input: Tensor,
    size: Size = None,
    scale_factor: Scale = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Signals, images or volumes resized.

    Args:
        input: (n, c, l), (n, c, h, w) or (n, c, d, h, w).
        size: the new lengths of the space axes, or one for all.
        scale_factor: how many times longer, instead of size.
        mode: "nearest" (as OpenCV's, with its half-pixel flaw), "nearest-exact", "linear" (3-d
            input), "bilinear" and "bicubic" (4-d), "trilinear" (5-d), or "area" (means).
        align_corners: place the centres of the corner pixels on each other, not the corners.
        recompute_scale_factor: take scales from the rounded output size.
        antialias: with bilinear and bicubic, widen the filter when shrinking, as Pillow does.

    Returns:
        (n, c, ...) in the input's dtype; uint8 is rounded.

    Raises:
        ShapeError: size and scale do not fit the input or the mode.
        DTypeError: the mode needs floating numbers.

    Example:
        >>> interpolate(ones(1, 3, 4, 4), scale_factor=2).shape
        Size([1, 3, 8, 8])
    """
    if mode not in _MODES:
        raise ShapeError(f"interpolate: mode is one of {', '.join(_MODES)}, got {mode!r}")
    dims = input.ndim - 2
    if not 1 <= dims <= 3 or _LINEAR_DIMS.get(mode, dims) != dims:
        wanted = f"{_LINEAR_DIMS[mode]}" if mode in _LINEAR_DIMS else "1 to 3"
        raise ShapeError(
            f"interpolate: mode {mode!r} wants (n, c, {wanted} space axes), got "
            f"{tuple(input.shape)}"
        )
    if align_corners is not None and mode not in _LINEAR_DIMS:
        raise ShapeError(
            f"interpolate: align_corners has no meaning in mode {mode!r}; leave it out"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ShapeError(f"interpolate: antialias goes with bilinear and bicubic, not {mode!r}")
    space = tuple(input.shape[2:])
    out, scales = _sizes(space, size, scale_factor, bool(recompute_scale_factor))
    return _run(input, space, out, scales, mode, bool(align_corners), antialias)


def _sizes(
    space: Ints, size: Size, scale_factor: Scale, recompute: bool
) -> tuple[Ints, tuple[float | None, ...]]:
    """The output lengths, and the scales that positions are to be worked out from."""
    dims = len(space)
    if (size is None) == (scale_factor is None):
        raise ShapeError("interpolate: give size or scale_factor, one of them")
    given = scale_factor if size is None else size
    many: Any = tuple(given) if isinstance(given, (tuple, list)) else (given,) * dims
    if len(many) != dims:
        raise ShapeError(f"interpolate: wanted one number or {dims} for {space}, got {many}")
    scales: tuple[float | None, ...] = (None,) * dims
    if size is not None:
        if recompute:
            raise ShapeError("interpolate: recompute_scale_factor goes with scale_factor, not size")
        out = tuple(int(n) for n in many)
    else:
        out = tuple(math.floor(n * float(s)) for n, s in zip(space, many, strict=True))
        scales = scales if recompute else tuple(float(s) for s in many)
    if min(out) < 1 or min(space) < 1:
        raise ShapeError(f"interpolate: space axes {space} cannot become {out}")
    return out, scales


def _run(
    x: Tensor, space: Ints, out: Ints, scales: Any, mode: str, align: bool, antialias: bool
) -> Tensor:
    if mode == "area":
        return _AREA[len(space) - 1](x, out)
    if mode.startswith("nearest"):
        return _nearest(x, space, out, scales, mode == "nearest-exact")
    steps = []
    for axis, (n, m, scale) in enumerate(zip(space, out, scales, strict=True), start=2):
        if antialias:
            taps = smooth_taps(n, m, scale, align, mode)
        else:
            taps = (cubic_taps if mode == "bicubic" else linear_taps)(n, m, scale, align)
        if n != m or not _identity(taps):
            steps.append((m / n, axis, taps))
    if not dtypes.is_inexact(x._data.dtype):
        return _in_bytes(x, mode, [(axis, taps) for _, axis, taps in steps])
    if not steps:
        return mv.copy(x)
    for _, axis, taps in sorted(steps, key=lambda step: step[0]):  # shrink first: less to do after
        x = _resampled(x, axis, taps)
    return x


def _identity(taps: Taps) -> bool:
    spots, weights = taps
    places = np.arange(len(spots))[:, None]
    return bool(np.all((weights == 0) | (spots == places)))


def _in_bytes(x: Tensor, mode: str, steps: list[tuple[int, Taps]]) -> Tensor:
    """uint8 as torch and Pillow resample it: the last axis first, weights of 16 bits, and every
    pass rounded to bytes, halves upwards.
    """
    if x._data.dtype != np.uint8:
        raise DTypeError(
            f"interpolate: mode {mode!r} wants floating numbers or uint8, got {x.dtype}"
        )
    y = cast_to(x, dtypes.float32.dtype)
    for axis, taps in reversed(steps):
        y = ew.floor(ew.add(_resampled(y, axis, short_taps(taps)), 0.5))
        y = ew.minimum(ew.maximum(y, 0.0), 255.0)
    return cast_to(y, x._data.dtype)


def _nearest(x: Tensor, space: Ints, out: Ints, scales: Any, exact: bool) -> Tensor:
    for axis, (n, m, scale) in enumerate(zip(space, out, scales, strict=True), start=2):
        spots = nearest_spots(n, m, scale, exact)
        if m % n == 0 and np.array_equal(spots, np.arange(m) // (m // n)):
            x = _repeated(x, axis, m // n)
        else:
            places = as_tensor(spots, device=x.device)
            x = ix.index(x, places, key=(*[slice(None)] * axis, Slot(0)))
    return x


def _repeated(x: Tensor, axis: int, times: int) -> Tensor:
    """Every element of an axis so many times: cheaper than picking, above all backwards."""
    if times == 1:
        return x
    shape = tuple(x.shape)
    tall = mv.reshape(x, shape=(*shape[: axis + 1], 1, *shape[axis + 1 :]))
    wide = mv.expand(tall, shape=(*shape[: axis + 1], times, *shape[axis + 1 :]))
    return mv.reshape(wide, shape=(*shape[:axis], shape[axis] * times, *shape[axis + 1 :]))


def _resampled(x: Tensor, axis: int, taps: Taps) -> Tensor:
    """Weighted sums of positions along an axis."""
    spots, weights = taps
    if x.shape[axis] <= DENSE_LIMIT or spots.shape[1] > 16:
        return _by_matrix(x, axis, taps)
    shape = (-1, *[1] * (x.ndim - 1 - axis))
    key = (*[slice(None)] * axis, Slot(0))
    total = None
    for k in range(spots.shape[1]):
        share = as_tensor(weights[:, k].astype(x._data.dtype).reshape(shape), device=x.device)
        places = as_tensor(np.ascontiguousarray(spots[:, k]), device=x.device)
        part = ew.mul(ix.index(x, places, key=key), share)
        total = part if total is None else ew.add(total, part)
    return total  # type: ignore[return-value]


def _matrix(taps: Taps, n: int, dtype: Any) -> np.ndarray:
    """(out, n): the taps as one matrix."""
    spots, weights = taps
    dense = np.zeros((len(spots), n))
    np.add.at(dense, (np.arange(len(spots))[:, None], spots), weights)
    return dense.astype(dtype)


def _by_matrix(x: Tensor, axis: int, taps: Taps) -> Tensor:
    dense = as_tensor(_matrix(taps, x.shape[axis], x._data.dtype), device=x.device)
    lead, n, tail = tuple(x.shape[:axis]), x.shape[axis], tuple(x.shape[axis + 1 :])
    if not tail:  # the last axis: one product over all rows
        rows = mv.reshape(x, shape=(math.prod(lead), n))
        y = matmul(rows, mv.permute(dense, axes=(1, 0)))
        return mv.reshape(y, shape=(*lead, dense.shape[0]))
    planes = mv.reshape(x, shape=(math.prod(lead), n, math.prod(tail)))
    return mv.reshape(matmul(dense, planes), shape=(*lead, dense.shape[0], *tail))


@keeps_names
def upsample(
    input: Tensor,
    size: Size = None,
    scale_factor: Scale = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` under its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


@keeps_names
def upsample_nearest(input: Tensor, size: Size = None, scale_factor: Scale = None) -> Tensor:
    """`interpolate` with mode "nearest"."""
    return interpolate(input, size, scale_factor, "nearest")


@keeps_names
def upsample_bilinear(input: Tensor, size: Size = None, scale_factor: Scale = None) -> Tensor:
    """`interpolate` with mode "bilinear" and aligned corners."""
    return interpolate(input, size, scale_factor, "bilinear", True)
