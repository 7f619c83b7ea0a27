"""Images read between their pixels, at the places of a grid."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import dtypes
from ..avals import Aval
from ..errors import ShapeError
from ..tensor import Tensor, box
from . import create
from . import elementwise as ew
from . import index as ix
from . import movement as mv
from .composite import composite, pulled_back
from .index import Slot
from .table import NA

CUBIC = -0.75  # how steep the cubic is at one; the same as torch


def sampled(input: Tensor, grid: Tensor, *, mode: str, padding: str, align: bool) -> Tensor:
    """An image or volume read at the places of a grid, by primitives.

    Args:
        input: (n, c, *space).
        grid: (n, *new space, len(space)) places (x, y[, z]) in [-1, 1].
        mode: one of `MODES`.
        padding: one of `PADDINGS`, what is outside.
        align: whether -1 and 1 are the centres of the corner pixels or their outer edges.

    Returns:
        (n, c, *new space).
    """
    n, space = input.shape[0], tuple(input.shape[2:])
    dims, count = len(space), math.prod(grid.shape[1:-1])
    flat = mv.reshape(grid, shape=(n, count, dims))
    where = [
        _pixels(mv.slice_(flat, key=(Ellipsis, dims - 1 - i)), length, align)
        for i, length in enumerate(space)
    ]
    out = MODES[mode](Source(input, padding, align), where)  # (c, n, count)
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


PADDINGS: dict[str, Callable[[Tensor, int, bool], Tensor]] = {
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
        self._move, self._align = PADDINGS[padding_mode], align_corners
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
        whole = ew.cast(ew.where(inside, place, 0.0), dtype=dtypes.INT64)
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


MODES: dict[str, Callable[[Source, list[Tensor]], Tensor]] = {
    "bicubic": _bicubic,
    "bilinear": _bilinear,
    "nearest": _nearest,
}


# The same as composites, for images


def _decomp(x: Any, grid: Any, **params: Any) -> Any:
    given = [v if isinstance(v, Tensor) else box(v) for v in (x, grid)]
    y = sampled(*given, **params)
    return y if isinstance(x, Tensor) or isinstance(grid, Tensor) else y._data


def _impl(xp: Any, x: Any, grid: Any, **params: Any) -> Any:
    return _decomp(x, grid, **params)


def _aval(x: Any, grid: Any, **params: Any) -> Aval:
    fits = x.ndim == grid.ndim == 4 and grid.shape[3] == 2 and x.shape[0] == grid.shape[0]
    if not fits or x.dtype != grid.dtype:
        raise ShapeError(
            f"grid_sample: wanted an image (n, c, h, w) and a grid (n, h', w', 2) of one dtype, "
            f"got {tuple(x.shape)} {x.dtype} and {tuple(grid.shape)} {grid.dtype}"
        )
    return Aval((x.shape[0], x.shape[1], *grid.shape[1:3]), x.dtype)


def _dx_decomp(g: Any, x: Any, grid: Any, **params: Any) -> Any:
    return pulled_back(lambda image: (_decomp(image, grid, **params),), (x,), (g,))[0]


def _dgrid_decomp(g: Any, x: Any, grid: Any, **params: Any) -> Any:
    return pulled_back(lambda places: (_decomp(x, places, **params),), (grid,), (g,))[0]


def _gradient(name: str, decomp: Any, which: int) -> Any:
    """The record of the gradient of the image or of the grid."""

    def impl(xp: Any, g: Any, x: Any, grid: Any, **params: Any) -> Any:
        return decomp(g, x, grid, **params)

    def aval(g: Any, *xs: Any, **params: Any) -> Aval:
        return Aval(xs[which].shape, xs[which].dtype)

    def vjp(g: Any, xs: Any, *, mode: str, padding: str, align: bool) -> list[Any]:
        params = {"mode": mode, "padding": padding, "align": align}
        return pulled_back(lambda *inputs: (decomp(*inputs, **params),), xs, (g,))

    names = NA("gradients have no names")
    return composite(name, decomp, impl, vjp, aval=aval, amp="widest", names=names)


grid_sample_dx = _gradient("grid_sample_dx", _dx_decomp, 0)
"""From the gradient of the result, image and grid, the gradient of the image."""
grid_sample_dgrid = _gradient("grid_sample_dgrid", _dgrid_decomp, 1)
"""The gradient of the grid, likewise."""


def _of_image(g: Any, a: Any, b: Any, *, mode: str, padding: str, align: bool) -> Any:
    return grid_sample_dx(g, a, b, mode=mode, padding=padding, align=align)


def _of_grid(g: Any, a: Any, b: Any, *, mode: str, padding: str, align: bool) -> Any:
    return grid_sample_dgrid(g, a, b, mode=mode, padding=padding, align=align)


grid_sample = composite(
    "grid_sample",
    _decomp,
    _impl,
    (_of_image, _of_grid),
    aval=_aval,
    amp="widest",
    names=NA("rows and columns are those of the grid, channels those of the image"),
)
"""image (n, c, h, w), grid (n, h', w', 2) of one dtype to (n, c, h', w'); see `sampled`."""
