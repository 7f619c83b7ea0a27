"""Images read at any place: sampling grids."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...errors import ShapeError
from ...ops.creation import as_tensor, cast_to
from ...ops.linalg import matmul
from ...ops.named import keeps_names
from ...prims import create
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims.index import Slot
from ...prims.precision import computes_in
from ...tensor import Tensor
from .interpolation import CUBIC

__all__ = ["affine_grid", "grid_sample"]


@computes_in("single")
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places that an affine map reads, for `grid_sample`.

    Args:
        theta: (n, 2, 3), or (n, 3, 4) for volumes; maps output places (x, y, 1) to input places.
        size: (n, c, h, w) or (n, c, d, h, w) of the output.
        align_corners: whether -1 and 1 are the centres of the corner pixels or their outer edges.

    Returns:
        (n, h, w, 2) or (n, d, h, w, 3) places (x, y[, z]) in [-1, 1].

    Raises:
        ShapeError: theta and size do not fit.
    """
    space = tuple(int(n) for n in size)[2:]
    dims = len(space)
    if dims not in (2, 3) or tuple(theta.shape) != (size[0], dims, dims + 1):
        raise ShapeError(
            "affine_grid: wanted theta (n, 2, 3) and size (n, c, h, w), or (n, 3, 4) and "
            f"(n, c, d, h, w), got {tuple(theta.shape)} and {tuple(size)}"
        )
    axes = [_places(n, bool(align_corners)) for n in space]
    grids = np.meshgrid(*axes, indexing="ij")
    base = np.stack([*reversed(grids), np.ones(space)], -1).reshape(-1, dims + 1)
    points = as_tensor(base.astype(theta._data.dtype), device=theta.device)
    out = matmul(points, mv.permute(theta, axes=(0, 2, 1)))
    return mv.reshape(out, shape=(theta.shape[0], *space, dims))


def _places(n: int, align_corners: bool) -> np.ndarray:
    if align_corners:
        return np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
    return (2 * np.arange(n) + 1) / n - 1


@computes_in("widest")
@keeps_names
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """An image read at the places of a grid.

    Args:
        input: (n, c, h, w) or (n, c, d, h, w).
        grid: (n, h', w', 2) or (n, d', h', w', 3) places (x, y[, z]) in [-1, 1].
        mode: "bilinear", "nearest", or for images "bicubic".
        padding_mode: what is outside: "zeros", "border" or "reflection".
        align_corners: whether -1 and 1 are the centres of the corner pixels or their outer edges.

    Returns:
        (n, c, h', w') or (n, c, d', h', w').

    Raises:
        ShapeError: input and grid do not fit, or a mode is another word.
    """
    dims = input.ndim - 2
    if mode not in _SAMPLERS or padding_mode not in _PADDINGS:
        raise ShapeError(
            f"grid_sample: mode is one of {sorted(_SAMPLERS)}, padding_mode of "
            f"{sorted(_PADDINGS)}, got {mode!r} and {padding_mode!r}"
        )
    fits = dims in (2, 3) and grid.ndim == dims + 2 and grid.shape[-1] == dims
    if not fits or grid.shape[0] != input.shape[0] or (mode == "bicubic" and dims == 3):
        raise ShapeError(
            "grid_sample: wanted input (n, c, h, w) and grid (n, h', w', 2), or (n, c, d, h, w) "
            f"and (n, d', h', w', 3) but not bicubic, got {tuple(input.shape)} and "
            f"{tuple(grid.shape)} in mode {mode!r}"
        )
    n, space = input.shape[0], tuple(input.shape[2:])
    count = math.prod(grid.shape[1:-1])
    flat = mv.reshape(grid, shape=(n, count, dims))
    where = [
        _pixels(mv.slice_(flat, key=(Ellipsis, dims - 1 - i)), length, bool(align_corners))
        for i, length in enumerate(space)
    ]
    source = Source(input, padding_mode, bool(align_corners))
    out = _SAMPLERS[mode](source, where)  # (c, n, count)
    out = mv.permute(out, axes=(1, 0, 2))
    return mv.reshape(out, shape=(n, input.shape[1], *grid.shape[1:-1]))


def _pixels(place: Tensor, length: int, align_corners: bool) -> Tensor:
    """Places in [-1, 1] as pixel numbers."""
    if align_corners:
        return ew.mul(ew.add(place, 1), (length - 1) / 2)
    return ew.mul(ew.sub(ew.mul(ew.add(place, 1), length), 1), 0.5)


def _border(p: Tensor, length: int, align_corners: bool) -> Tensor:
    """Pixel numbers brought inside; no gradient at the edge or beyond, as in torch."""
    top = float(length - 1)
    p = ew.where(ew.gt(p, 0), p, 0.0)
    return ew.where(ew.lt(p, top), p, top)


def _reflected(p: Tensor, length: int, align_corners: bool) -> Tensor:
    """Pixel numbers mirrored at the edges until they are inside."""
    low, span = (0.0, length - 1.0) if align_corners else (-0.5, float(length))
    if span == 0:
        return ew.mul(p, 0)
    away = ew.abs(ew.sub(p, low))
    turns = ew.floor(ew.div(away.detach(), span))
    rest = ew.sub(away, ew.mul(turns, span))
    even = ew.eq(ew.remainder(turns, 2.0), 0)
    p = ew.where(even, ew.add(rest, low), ew.sub(span + low, rest))
    return _border(p, length, align_corners)


def _unmoved(p: Tensor, length: int, align_corners: bool) -> Tensor:
    return p


_PADDINGS: dict[str, Callable[[Tensor, int, bool], Tensor]] = {
    "border": _border,
    "reflection": _reflected,
    "zeros": _unmoved,
}


Step = tuple[Tensor, Tensor]  # pixel numbers times the stride of their axis, and weights


class Source:
    """An image with its channels in rows, to be read at pixel numbers.

    Args:
        image: (n, c, *space).
        padding_mode: what is outside.
        align_corners: where reflection mirrors.
    """

    def __init__(self, image: Tensor, padding_mode: str, align_corners: bool) -> None:
        self.n, self.space = image.shape[0], tuple(image.shape[2:])
        planes = mv.permute(image, axes=(1, 0, *range(2, image.ndim)))
        pixels = math.prod(self.space)
        self.planes = mv.reshape(planes, shape=(image.shape[1], self.n * pixels))
        self._move, self._align = _PADDINGS[padding_mode], align_corners
        first = create.arange(
            shape=(self.n,), dtype=dtypes.INT64, device=image.device, start=0, step=pixels
        )
        self.first = mv.reshape(first, shape=(self.n, 1))

    def moved(self, place: Tensor, axis: int) -> Tensor:
        """Pixel numbers along an axis, (n, count), under the padding rule."""
        return self._move(place, self.space[axis], self._align)

    def step(self, place: Tensor, axis: int, weight: Tensor | None = None) -> Step:
        """Whole pixel numbers along an axis, (n, count), and their weight; zero if outside."""
        place, length = place.detach(), self.space[axis]
        inside = ew.logical_and(ew.ge(place, 0), ew.le(place, length - 1))
        whole = cast_to(ew.where(inside, place, 0.0), dtypes.INT64)
        factor = ew.cast(inside, dtype=self.planes._data.dtype)
        stride = math.prod(self.space[axis + 1 :])
        whole = ew.mul(whole, stride) if stride > 1 else whole
        return whole, factor if weight is None else ew.mul(weight, factor)

    def read(self, steps: Sequence[Step]) -> Tensor:
        """(c, n, count) pixels at one step along each axis, times the weights of all."""
        flat, weight = self.first, None
        for whole, factor in steps:
            flat = ew.add(flat, whole)
            weight = factor if weight is None else ew.mul(weight, factor)
        return ew.mul(ix.index(self.planes, flat, key=(slice(None), Slot(0))), weight)


def _nearest(source: Source, where: list[Tensor]) -> Tensor:
    places = (ew.round(source.moved(p, i)) for i, p in enumerate(where))
    value = source.read([source.step(p, i) for i, p in enumerate(places)])
    return ew.add(value, _nothing(where))


def _nothing(where: list[Tensor]) -> Tensor:
    """Zeros that depend on the grid, so that its gradient is zero and not missing."""
    total: Any = None
    for p in where:
        flat = ew.sign(ew.mul(p, 0.0))
        total = flat if total is None else ew.add(total, flat)
    return ew.where(ew.isnan(total), 0.0, total)


def _bilinear(source: Source, where: list[Tensor]) -> Tensor:
    pairs = []
    for axis, given in enumerate(where):
        place = source.moved(given, axis)
        low = ew.floor(place.detach())
        share = ew.sub(place, low)
        near = source.step(low, axis, ew.sub(1, share))
        pairs.append((near, source.step(ew.add(low, 1), axis, share)))
    return _total(source.read(corner) for corner in itertools.product(*pairs))


def _total(parts: Iterable[Tensor]) -> Tensor:
    return functools.reduce(ew.add, parts)


def _cubic_weights(t: Tensor) -> list[Tensor]:
    """Weights of the four neighbours at distance t past the second. Source: Keys 1981, eq. 15."""

    def near(x: Tensor) -> Tensor:
        bent = ew.sub(ew.mul(x, CUBIC + 2), CUBIC + 3)
        return ew.add(ew.mul(ew.mul(bent, x), x), 1)

    def far(x: Tensor) -> Tensor:
        inner = ew.add(ew.mul(ew.sub(ew.mul(x, CUBIC), 5 * CUBIC), x), 8 * CUBIC)
        return ew.sub(ew.mul(inner, x), 4 * CUBIC)

    back = ew.sub(1, t)
    return [far(ew.add(t, 1)), near(t), near(back), far(ew.add(back, 1))]


def _bicubic(source: Source, where: list[Tensor]) -> Tensor:
    taps = []
    for axis, place in enumerate(where):
        low = ew.floor(place)
        weights = _cubic_weights(ew.sub(place, low.detach()))
        corners = (source.moved(ew.add(low, i - 1), axis) for i in range(4))
        rounded = map(ew.round, corners)  # reflection may leave a rounding error
        taps.append([source.step(p, axis, w) for p, w in zip(rounded, weights, strict=True)])
    return _total(source.read(corner) for corner in itertools.product(*taps))


_SAMPLERS: dict[str, Callable[[Source, list[Tensor]], Tensor]] = {
    "bicubic": _bicubic,
    "bilinear": _bilinear,
    "nearest": _nearest,
}
