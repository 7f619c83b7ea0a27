"""Regions pooled from the level of a feature pyramid that fits their size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError, UnknownNameError

from .boxes import box_area
from .regions import output_pair
from .roi_align import roi_align

__all__ = ["LevelMapper", "MultiScaleRoIAlign"]


class LevelMapper:
    """Which level of a pyramid a box belongs to: twice the size, one level up.

    Args:
        k_min: finest level; level k has stride 2 ** k.
        k_max: coarsest level.
        canonical_scale: side of a box, in pixels, that belongs to canonical_level.
        canonical_level: that level.
        eps: added before rounding down.

    Source: Lin et al. 2017, equation 1.
    """

    def __init__(
        self,
        k_min: int,
        k_max: int,
        canonical_scale: int = 224,
        canonical_level: int = 4,
        eps: float = 1e-6,
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.s0 = canonical_scale
        self.lvl0 = canonical_level
        self.eps = eps

    def __call__(self, boxlists: Sequence[tp.Tensor]) -> tp.Tensor:
        """For each image (l, 4) xyxy, to (k,) int64, 0 for the finest level."""
        side = tp.cat([box_area(boxes) for boxes in boxlists]).sqrt()
        level = (self.lvl0 + (side / self.s0).log2() + self.eps).floor()
        return level.clamp(self.k_min, self.k_max).to(tp.int64) - self.k_min


class MultiScaleRoIAlign(nn.Module):
    """`roi_align` on several feature maps of one picture, each box on the one that fits it.

    Args:
        featmap_names: which maps to use, finest first.
        output_size: height and width of the result, in bins.
        sampling_ratio: points in each bin, along each axis; 0 or less for one each pixel.
        canonical_scale: side of a box, in pixels, that belongs to canonical_level.
        canonical_level: level of stride 2 ** canonical_level.

    Attributes:
        scales: pixels of each map for one of the picture; found at the first call.
        map_levels: the `LevelMapper`; likewise.

    Example:
        >>> pool = MultiScaleRoIAlign(["fine", "coarse"], 3, 2)
        >>> maps = {"fine": tp.ones(1, 5, 64, 64), "coarse": tp.ones(1, 5, 16, 16)}
        >>> pool(maps, [tp.tensor([[0.0, 0.0, 90.0, 60.0]])], [(512, 512)]).shape
        Size([1, 5, 3, 3])
    """

    scales: list[float] | None
    map_levels: LevelMapper | None

    def __init__(
        self,
        featmap_names: Sequence[str],
        output_size: int | Sequence[int],
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
    ) -> None:
        super().__init__()
        self.featmap_names = list(featmap_names)
        self.output_size = output_pair(output_size)
        self.sampling_ratio = sampling_ratio
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level
        self.scales = None
        self.map_levels = None

    def forward(
        self,
        x: Mapping[str, tp.Tensor],
        boxes: Sequence[tp.Tensor],
        image_shapes: Sequence[tuple[int, int]],
    ) -> tp.Tensor:
        """Pool.

        Args:
            x: (n, c, h, w) by name, all with the same c.
            boxes: for each image (l, 4), xyxy in pixels of the picture.
            image_shapes: (h, w) of each picture.

        Returns:
            (k, c, height, width), in the order of the boxes.

        Raises:
            UnknownNameError: none of x has a name of featmap_names.
            ShapeError: image_shapes is empty.
        """
        maps = [value for name, value in x.items() if name in self.featmap_names]
        if not maps:
            raise UnknownNameError(
                f"MultiScaleRoIAlign: wanted maps {self.featmap_names}, got {list(x)}"
            )
        scales, mapper = self._levels(maps, image_shapes)
        rois = _roi_rows(boxes)
        if len(maps) == 1:
            return self._align(maps[0], rois, scales[0])
        levels = mapper(boxes)
        places = [tp.where(levels == level)[0] for level in range(len(maps))]
        pooled = [
            self._align(value, rois[at], scale)
            for value, at, scale in zip(maps, places, scales, strict=True)
        ]
        return tp.cat(pooled)[tp.cat(places).argsort()]

    def _align(self, value: tp.Tensor, rois: tp.Tensor, scale: float) -> tp.Tensor:
        return roi_align(value, rois, self.output_size, scale, self.sampling_ratio)

    def _levels(
        self, maps: Sequence[tp.Tensor], image_shapes: Sequence[tuple[int, int]]
    ) -> tuple[list[float], LevelMapper]:
        if self.scales is None or self.map_levels is None:
            if not image_shapes:
                raise ShapeError("MultiScaleRoIAlign: image_shapes is empty; give (h, w) of each")
            height = max(shape[0] for shape in image_shapes)
            self.scales = [2.0 ** round(math.log2(m.shape[-2] / height)) for m in maps]
            finest, coarsest = (round(-math.log2(s)) for s in (self.scales[0], self.scales[-1]))
            self.map_levels = LevelMapper(
                finest, coarsest, self.canonical_scale, self.canonical_level
            )
        return self.scales, self.map_levels

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return (
            f"featmap_names={self.featmap_names}, output_size={self.output_size}, "
            f"sampling_ratio={self.sampling_ratio}"
        )


def _roi_rows(boxes: Sequence[tp.Tensor]) -> tp.Tensor:
    """(k, 5): image index and corners."""
    return tp.cat([tp.cat((tp.full_like(b[:, :1], i), b), 1) for i, b in enumerate(boxes)])
