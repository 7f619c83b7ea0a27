"""Boxes on a grid, which detectors start from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from .image_list import ImageList

__all__ = ["AnchorGenerator", "DefaultBoxGenerator"]


class AnchorGenerator(nn.Module):
    """At each pixel of each feature map, boxes of several sizes and shapes.

    Args:
        sizes: sides in pixels of the picture: for each feature map a tuple, or one number.
        aspect_ratios: height over width: for each feature map a tuple, or one tuple for all.

    Example:
        >>> anchors = AnchorGenerator(((32,), (64,)), ((0.5, 1.0, 2.0),) * 2)
        >>> anchors.num_anchors_per_location()
        [3, 3]

    Source: Ren, He, Girshick and Sun 2015, section 3.1.1.
    """

    def __init__(
        self,
        sizes: Sequence[Any] = ((128, 256, 512),),
        aspect_ratios: Sequence[Any] = ((0.5, 1.0, 2.0),),
    ) -> None:
        super().__init__()
        if not isinstance(sizes[0], list | tuple):
            sizes = tuple((size,) for size in sizes)
        if not isinstance(aspect_ratios[0], list | tuple):
            aspect_ratios = (tuple(aspect_ratios),) * len(sizes)
        self.sizes = sizes
        self.aspect_ratios = aspect_ratios
        pairs = zip(sizes, aspect_ratios, strict=False)  # torchvision lets the longer one be
        self.cell_anchors = [self.generate_anchors(s, a) for s, a in pairs]

    def generate_anchors(
        self,
        scales: Sequence[float],
        aspect_ratios: Sequence[float],
        dtype: Any = tp.float32,
        device: Any = "cpu",
    ) -> tp.Tensor:
        """Boxes around (0, 0), in whole pixels.

        Args:
            scales: sides of the square with the same area, in pixels.
            aspect_ratios: height over width.
            dtype: of the result.
            device: of the result.

        Returns:
            (aspect ratios * scales, 4), xyxy.
        """
        size = tp.tensor(list(scales), dtype=dtype, device=device)
        tall = tp.tensor(list(aspect_ratios), dtype=dtype, device=device).sqrt()
        height, width = (tall[:, None] * size).flatten(), ((1 / tall)[:, None] * size).flatten()
        return (tp.stack((-width, -height, width, height), 1) / 2).round()

    def num_anchors_per_location(self) -> list[int]:
        """Boxes at each pixel, for each feature map."""
        return [len(s) * len(a) for s, a in zip(self.sizes, self.aspect_ratios, strict=False)]

    def grid_anchors(
        self, grid_sizes: Sequence[Sequence[int]], strides: Sequence[Sequence[int]]
    ) -> list[tp.Tensor]:
        """Boxes at all pixels of each feature map.

        Args:
            grid_sizes: (h, w) of each feature map.
            strides: pixels of the picture for one of the map, down and across.

        Returns:
            For each map (h * w * boxes at each pixel, 4), xyxy in pixels of the picture.

        Raises:
            ShapeError: there are not as many maps as sizes.
        """
        if not len(grid_sizes) == len(strides) == len(self.cell_anchors):
            raise ShapeError(
                f"AnchorGenerator: {len(self.cell_anchors)} tuples of sizes and aspect ratios for "
                f"{len(grid_sizes)} feature maps; give one of each for every map"
            )
        return [
            (_shifts(size, stride, cell)[:, None] + cell).reshape(-1, 4)
            for size, stride, cell in zip(grid_sizes, strides, self.cell_anchors, strict=True)
        ]

    def forward(self, image_list: ImageList, feature_maps: Sequence[tp.Tensor]) -> list[tp.Tensor]:
        """For each image (anchors, 4), xyxy; all images have the same."""
        height, width = image_list.tensors.shape[-2:]
        sizes = [tuple(m.shape[-2:]) for m in feature_maps]
        like = feature_maps[0]
        self.cell_anchors = [c.to(like.device, like.dtype) for c in self.cell_anchors]
        anchors = self.grid_anchors(sizes, [(height // h, width // w) for h, w in sizes])
        return [tp.cat(anchors)] * len(image_list.image_sizes)


def _shifts(size: Sequence[int], stride: Sequence[int], like: tp.Tensor) -> tp.Tensor:
    """(h * w, 4): how far each pixel's boxes are from (0, 0)."""
    y, x = (
        (tp.arange(n, device=like.device) * step).to(like.dtype)
        for n, step in zip(size, stride, strict=True)
    )
    y, x = (t.flatten() for t in tp.meshgrid(y, x, indexing="ij"))
    return tp.stack((x, y, x, y), 1)


class DefaultBoxGenerator(nn.Module):
    """SSD's boxes: at each pixel of each map two squares, and two boxes for each aspect ratio.

    Args:
        aspect_ratios: for each feature map, width over height; the inverse comes along.
        min_ratio: size of the boxes of the first map, as part of the picture.
        max_ratio: of the last one.
        scales: all of them, one more than maps, in place of min_ratio and max_ratio.
        steps: pixels of the picture for one of each map; default from the maps' sizes.
        clip: boxes are at most as large as the picture.

    Raises:
        ShapeError: steps has another length than aspect_ratios.

    Source: Liu et al. 2016, section 2.2.
    """

    def __init__(
        self,
        aspect_ratios: Sequence[Sequence[int]],
        min_ratio: float = 0.15,
        max_ratio: float = 0.9,
        scales: Sequence[float] | None = None,
        steps: Sequence[int] | None = None,
        clip: bool = True,
    ) -> None:
        super().__init__()
        if steps is not None and len(aspect_ratios) != len(steps):
            raise ShapeError(
                f"DefaultBoxGenerator: {len(aspect_ratios)} aspect_ratios and {len(steps)} steps; "
                "give one of each for every feature map"
            )
        self.aspect_ratios = aspect_ratios
        self.steps = steps
        self.clip = clip
        self.scales = list(scales) if scales is not None else self._spread(min_ratio, max_ratio)
        self._wh_pairs = [self._shapes(k) for k in range(len(aspect_ratios))]

    def _spread(self, low: float, high: float) -> list[float]:
        maps = len(self.aspect_ratios)
        if maps == 1:
            return [low, high]
        return [low + (high - low) * k / (maps - 1.0) for k in range(maps)] + [1.0]

    def _shapes(self, k: int) -> tp.Tensor:
        """(boxes, 2): width and height as parts of the picture."""
        size, larger = self.scales[k], math.sqrt(self.scales[k] * self.scales[k + 1])
        pairs = [(size, size), (larger, larger)]
        for ratio in self.aspect_ratios[k]:
            wide, narrow = size * math.sqrt(ratio), size / math.sqrt(ratio)
            pairs += [(wide, narrow), (narrow, wide)]
        return tp.tensor(pairs, dtype=tp.float32)

    def num_anchors_per_location(self) -> list[int]:
        """Boxes at each pixel, for each feature map."""
        return [2 + 2 * len(ratios) for ratios in self.aspect_ratios]

    def _map_boxes(self, k: int, grid: Sequence[int], image: Sequence[int]) -> tp.Tensor:
        """(h * w * boxes, 4): cxcywh as parts of the picture."""
        steps = grid if self.steps is None else [side / self.steps[k] for side in image]
        y, x = ((tp.arange(n) + 0.5) / s for n, s in zip(grid, steps, strict=True))
        y, x = (t.flatten() for t in tp.meshgrid(y, x, indexing="ij"))
        shapes = self._wh_pairs[k].clamp(0, 1) if self.clip else self._wh_pairs[k]
        centres = tp.stack((x, y), 1)[:, None].expand(-1, shapes.shape[0], -1)
        return tp.cat((centres, shapes[None].expand(centres.shape[0], -1, -1)), -1).flatten(0, 1)

    def forward(self, image_list: ImageList, feature_maps: Sequence[tp.Tensor]) -> list[tp.Tensor]:
        """For each image (boxes, 4), xyxy in pixels; all images have the same."""
        image, like = tuple(image_list.tensors.shape[-2:]), feature_maps[0]
        boxes = tp.cat(
            [self._map_boxes(k, tuple(m.shape[-2:]), image) for k, m in enumerate(feature_maps)]
        ).to(like.device, like.dtype)
        side = tp.tensor([image[1], image[0]], dtype=like.dtype, device=like.device)
        half = 0.5 * boxes[:, 2:]
        corners = tp.cat(((boxes[:, :2] - half) * side, (boxes[:, :2] + half) * side), -1)
        return [corners] * len(image_list.image_sizes)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return (
            f"aspect_ratios={self.aspect_ratios}, clip={self.clip}, scales={self.scales}, "
            f"steps={self.steps}"
        )
