"""What pooling over regions of interest has in common.

Each bin of a region is a weighted mean of pixels, and the weights are those of its rows times
those of its columns. So a region is pooled by two small matrix products over the window of the
image that it touches: (bins, rows) @ window @ (columns, bins). The adjoint runs them backwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

import triptych as tp
from triptych.autograd import Function
from triptych.errors import BoundsError, CaptureError, DTypeError, ShapeError, TransformError
from triptych.library import accelerated, by_device

__all__ = [
    "AxisWeights",
    "Regions",
    "bin_weights",
    "memory",
    "output_pair",
    "pool_regions",
    "roi_table",
    "sample_weights",
]

Boxes = tp.Tensor | Sequence[tp.Tensor]


def output_pair(size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width, given one number or both."""
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def roi_table(name: str, input: tp.Tensor, boxes: Boxes) -> tuple[np.ndarray, np.ndarray]:
    """Image index and corners of each region.

    Args:
        name: of the function, for the error's text.
        input: (n, c, h, w) feature maps.
        boxes: (k, 5), image index and xyxy; or for each image (l, 4), xyxy.

    Returns:
        (k,) int64 and (k, 4) of the input's dtype, at least float32.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: boxes are neither.
        BoundsError: an image index is not from 0 to n - 1.
    """
    if input.ndim != 4:
        raise ShapeError(f"{name}: input is (n, c, h, w), got {tuple(input.shape)}")
    if isinstance(boxes, tp.Tensor):
        table = _checked(name, boxes, 5).detach().cpu().numpy()
        images, corners = table[:, 0], table[:, 1:]
    elif isinstance(boxes, list | tuple):
        parts = [_checked(name, b, 4).detach().cpu().numpy() for b in boxes]
        images = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
        corners = np.concatenate(parts) if parts else np.zeros((0, 4))
    else:
        raise DTypeError(f"{name}: boxes are a tensor or a list, got {type(boxes).__name__}")
    images = images.astype(np.int64)
    if len(images) and not 0 <= images.min() <= images.max() < input.shape[0]:
        raise BoundsError(
            f"{name}: boxes name images {images.min()} to {images.max()}, input has "
            f"{input.shape[0]}: 0 to {input.shape[0] - 1}"
        )
    return images, corners.astype(np.float64 if input.dtype == tp.float64 else np.float32)


def _checked(name: str, boxes: tp.Tensor, numbers: int) -> tp.Tensor:
    if boxes.ndim != 2 or boxes.shape[1] != numbers:
        form = "(k, 5): image, x1, y1, x2, y2" if numbers == 5 else "a list of (l, 4): x1, y1, ..."
        raise ShapeError(f"{name}: boxes are {form}; got {tuple(boxes.shape)}")
    return boxes


class AxisWeights(NamedTuple):
    """Weights of the rows (or columns) of a window for each bin.

    Args:
        first: (k,) first row of the window.
        stop: (k,) one after its last.
        weights: (k, bins, rows), zero after the window's end.
    """

    first: np.ndarray
    stop: np.ndarray
    weights: np.ndarray


def sample_weights(
    start: np.ndarray, extent: np.ndarray, bins: int, samples: int, size: int
) -> AxisWeights:
    """Weights of linear interpolation at evenly spaced points of each bin, along one axis.

    Args:
        start: (k,) edge of the region, in pixels of the map.
        extent: (k,) its length.
        bins: how many parts it has.
        samples: points in each bin; 0 or less for one each pixel.
        size: of the map. Points more than one pixel outside count as zero.

    Returns:
        The weights; they already divide by the number of points.
    """
    step = extent / bins
    points = np.full(len(start), samples) if samples > 0 else np.ceil(step).astype(np.int64)
    points = np.maximum(points, 0)
    place = np.arange(max(points.max(initial=0), 1), dtype=start.dtype)
    spacing = step / np.maximum(points, 1).astype(start.dtype)
    at = (  # (k, bins, points)
        start[:, None, None]
        + np.arange(bins, dtype=start.dtype)[:, None] * step[:, None, None]
        + (place + start.dtype.type(0.5)) * spacing[:, None, None]
    )
    valid = (at >= -1) & (at <= size) & (place < points[:, None, None])
    at = np.clip(at, 0, size - 1)
    low = at.astype(np.int64)
    part = at - low
    share = valid / np.maximum(points, 1).astype(start.dtype)[:, None, None]
    high = np.minimum(low + 1, size - 1)
    return _scatter((low, high), ((1 - part) * share, part * share), valid, size)


def bin_weights(first: np.ndarray, stop: np.ndarray, size: int) -> AxisWeights:
    """Weights of the mean over the rows of each bin.

    Args:
        first: (k, bins) first row of each bin, from 0 to size.
        stop: (k, bins) one after its last; not more than first for an empty bin.
        size: of the map.

    Returns:
        The weights; all zero for an empty bin.
    """
    count = np.maximum(stop - first, 0)
    place = np.arange(max(count.max(initial=0), 1))
    at = np.clip(first[..., None] + place, 0, size - 1)  # (k, bins, rows)
    valid = place < count[..., None]
    return _scatter((at,), (valid / np.maximum(count, 1)[..., None],), valid, size)


def _scatter(
    places: Sequence[np.ndarray], shares: Sequence[np.ndarray], valid: np.ndarray, size: int
) -> AxisWeights:
    """Sum shares (k, bins, points) into windows."""
    regions, bins = valid.shape[:2]
    first = np.where(valid, places[0], size).min((1, 2), initial=size)
    stop = np.where(valid, places[-1] + 1, 0).max((1, 2), initial=0)
    first = np.minimum(first, stop)
    width = max(int((stop - first).max(initial=0)), 1)
    row = np.arange(regions * bins).reshape(regions, bins, 1) * width
    total = np.zeros(regions * bins * width)
    for at, share in zip(places, shares, strict=True):
        column = np.clip(at - first[:, None, None], 0, width - 1)
        total += np.bincount((row + column).ravel(), share.ravel(), total.size)[: total.size]
    weights = total.astype(shares[0].dtype).reshape(regions, bins, width)
    return AxisWeights(first, stop, weights)


class Regions:
    """How to pool each region, and how to spread a gradient back.

    Args:
        shape: (n, c, h, w) of the maps.
        images: (k,) index of each region's map.
        rows: weights of the rows.
        columns: weights of the columns.
        per_bin: each bin reads channels of its own, (n, c * bins, h, w).
    """

    def __init__(
        self,
        shape: Sequence[int],
        images: np.ndarray,
        rows: AxisWeights,
        columns: AxisWeights,
        per_bin: bool = False,
    ) -> None:
        self.shape = tuple(shape)
        self.images, self.rows, self.columns = images, rows, columns
        self.per_bin = per_bin
        self._moved: dict[Any, tuple[Any, ...]] = {}  # for the gradient, by device and dtype
        self.bins = rows.weights.shape[1], columns.weights.shape[1]
        area = self.bins[0] * self.bins[1]
        self.channels = self.shape[1] // area if per_bin else self.shape[1]

    def windows(self, like: tp.Tensor) -> Iterator[tuple[int, tuple[Any, ...], Any, Any]]:
        """For each region: its place, (image, rows, columns), and the weights of both axes."""
        across = tp.from_numpy(self.rows.weights).to(like.device, like.dtype)
        along = tp.from_numpy(self.columns.weights).to(like.device, like.dtype)
        top, bottom = self.rows.first.tolist(), self.rows.stop.tolist()
        left, right = self.columns.first.tolist(), self.columns.stop.tolist()
        for k, image in enumerate(self.images.tolist()):
            height, width = bottom[k] - top[k], right[k] - left[k]
            if height > 0 and width > 0:
                window = (image, slice(top[k], bottom[k]), slice(left[k], right[k]))
                yield k, window, across[k, :, :height], along[k, :, :width]

    @cached_property
    def axes(self) -> tuple[AxisWeights, AxisWeights]:
        """Rows and columns with weights in float32."""
        rows, columns = (
            axis._replace(weights=axis.weights.astype(np.float32, copy=False))
            for axis in (self.rows, self.columns)
        )
        return rows, columns

    def _placed(self, like: tp.Tensor) -> tuple[Any, ...]:
        """Images and both axes as tensors on a device, weights in the dtype of `like`."""
        where = like.device
        key = where, like.dtype
        if key in self._moved:
            return self._moved[key]
        rows, columns = (
            (
                *(tp.from_numpy(at.astype(np.int64)).to(where) for at in axis[:2]),
                tp.from_numpy(np.ascontiguousarray(axis.weights)).to(where, like.dtype),
            )
            for axis in (self.rows, self.columns)
        )
        self._moved[key] = tp.from_numpy(self.images).to(where), rows, columns
        return self._moved[key]

    def pool(self, x: tp.Tensor) -> tp.Tensor:
        """(n, c, h, w) to (k, c, bins, bins)."""
        if self.per_bin:
            return self._pool_per_bin(x)
        if x.device.type != "cpu":
            found = by_device("roi_pool", x.detach().contiguous(), *self._placed(x))
            return self._pool_shared(x) if found is None else found
        out = _pooled(memory(x), self.images, *self.axes)
        return self._pool_shared(x) if out is None else tp.from_numpy(out)

    def spread(self, g: tp.Tensor) -> tp.Tensor:
        """The adjoint: (k, c, bins, bins) to (n, c, h, w)."""
        if self.per_bin:
            return self._spread_per_bin(g)
        if g.device.type != "cpu":
            found = by_device("roi_spread", g.detach().contiguous(), *self._placed(g), self.shape)
            return self._spread_shared(g) if found is None else found
        out = _spread(memory(g), self.images, *self.axes, self.shape)
        return self._spread_shared(g) if out is None else tp.from_numpy(out)

    def _pool_shared(self, x: tp.Tensor) -> tp.Tensor:
        maps = x.permute(0, 2, 3, 1).contiguous()  # channels last, so that windows need no copy
        out = x.new_zeros((len(self.images), self.channels, *self.bins))
        for k, window, across, along in self.windows(x):
            strips = across @ maps[window].permute(1, 0, 2)  # (columns, bins, c)
            out[k] = (along @ strips.permute(1, 0, 2)).permute(2, 0, 1)
        return out

    def _spread_shared(self, g: tp.Tensor) -> tp.Tensor:
        n, c, h, w = self.shape
        out = g.new_zeros((n, h, w, c))
        for k, window, across, along in self.windows(g):
            strips = along.T @ g[k].permute(1, 2, 0).contiguous()  # (bins, columns, c)
            out[window] += (across.T @ strips.permute(1, 0, 2)).permute(1, 0, 2)
        return out.permute(0, 3, 1, 2).contiguous()

    def _pool_per_bin(self, x: tp.Tensor) -> tp.Tensor:
        maps = x.reshape(self.shape[0], self.channels, *self.bins, *self.shape[2:])
        out = x.new_zeros((len(self.images), self.channels, *self.bins))
        for k, (image, rows, columns), across, along in self.windows(x):
            strips = (maps[image, ..., rows, columns] @ along[:, :, None])[..., 0]
            out[k] = (strips * across[:, None, :]).sum(-1)
        return out

    def _spread_per_bin(self, g: tp.Tensor) -> tp.Tensor:
        out = g.new_zeros((self.shape[0], self.channels, *self.bins, *self.shape[2:]))
        for k, (image, rows, columns), across, along in self.windows(g):
            weights = across[:, None, :, None] * along[None, :, None, :]
            out[image, ..., rows, columns] += g[k][..., None, None] * weights
        return out.reshape(*self.shape)


def memory(x: tp.Tensor) -> np.ndarray | None:
    """The numbers of x, one after the other, where they are in the memory of the CPU and known."""
    if x.device.type != "cpu":
        return None
    try:
        return np.ascontiguousarray(x.detach().numpy())
    except (CaptureError, TransformError):
        return None


@accelerated("roi_pool")
def _pooled(
    maps: np.ndarray | None, images: np.ndarray, rows: AxisWeights, columns: AxisWeights
) -> np.ndarray | None:
    """(n, c, h, w) to (k, c, bins, bins), or None for the way in operations of tensors."""
    return None


@accelerated("roi_spread")
def _spread(
    pooled: np.ndarray | None,
    images: np.ndarray,
    rows: AxisWeights,
    columns: AxisWeights,
    shape: tuple[int, ...],
) -> np.ndarray | None:
    """The adjoint of `_pooled`."""
    return None


class _Pool(Function):
    """Pooling; linear, so its derivative is its adjoint."""

    @staticmethod
    def forward(x: tp.Tensor, regions: Regions) -> tp.Tensor:
        return regions.pool(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.regions = inputs[1]

    @staticmethod
    def backward(ctx: Any, g: tp.Tensor) -> Any:
        return _Spread.apply(g, ctx.regions), None

    @staticmethod
    def jvp(ctx: Any, tangent: tp.Tensor, _: Any) -> Any:
        return _Pool.apply(tangent, ctx.regions)


class _Spread(Function):
    """The adjoint of pooling; its own adjoint is pooling."""

    @staticmethod
    def forward(g: tp.Tensor, regions: Regions) -> tp.Tensor:
        return regions.spread(g)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.regions = inputs[1]

    @staticmethod
    def backward(ctx: Any, x: tp.Tensor) -> Any:
        return _Pool.apply(x, ctx.regions), None

    @staticmethod
    def jvp(ctx: Any, tangent: tp.Tensor, _: Any) -> Any:
        return _Spread.apply(tangent, ctx.regions)


def pool_regions(input: tp.Tensor, regions: Regions) -> tp.Tensor:
    """Pool the regions; gradients flow to the input, not to the boxes.

    Args:
        input: (n, c, h, w) floats; half precision is computed in float32.
        regions: what to pool.

    Returns:
        (k, c, bins, bins), or (k, c / bins ** 2, bins, bins) where each bin has own channels.
    """
    exact = input if input.dtype in (tp.float32, tp.float64) else input.to(tp.float32)
    return _Pool.apply(exact, regions).to(input.dtype)
