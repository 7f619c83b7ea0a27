"""Random sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import BoundsError

from . import functional as F
from .filling import FillByKind, checked_fill_by_kind, fill_for
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .queries import query_size
from .transform import RandomApplyTransform, RandomTransform

__all__ = ["RandomResize", "RandomShortestSize", "RandomZoomOut", "ScaleJitter"]


class RandomZoomOut(RandomApplyTransform):
    """Put the image somewhere on a larger canvas, with probability p.

    Args:
        fill: of the canvas: one value, one per channel, or a dict of these by type.
        side_range: (least, most) side of the canvas, in sides of the image; at least 1.
        p: the probability.
        generator: of the draws.
        per_sample: one draw for each sample of a batch.

    Raises:
        BoundsError: side_range is not 1 or more, least first.

    Source: Liu et al. 2016, "SSD: Single shot multibox detector", section 3.6.
    """

    def __init__(
        self,
        fill: FillByKind = 0,
        side_range: Sequence[float] = (1.0, 4.0),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        if len(side_range) != 2 or not 1 <= side_range[0] <= side_range[1]:
            raise BoundsError(
                f"RandomZoomOut: side_range is (least, most), both at least 1, got {side_range!r}"
            )
        self.fill = checked_fill_by_kind("RandomZoomOut", fill)
        self.side_range = tuple(side_range)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The frame, as of `pad`."""
        height, width = query_size(flat_inputs)
        ratio = self.uniform(*self.side_range)
        across, down = int(width * ratio) - width, int(height * ratio) - height
        left, top = int(across * self.uniform()), int(down * self.uniform())
        return {"padding": [left, top, across - left, down - top]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image on the canvas."""
        return self.call_kernel(F.pad, inpt, **params, fill=fill_for(self.fill, inpt))


class _RandomSize(RandomTransform):
    """Resizes to a size that `make_params` draws.

    Args:
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.
    """

    def __init__(
        self,
        interpolation: Mode,
        antialias: bool | None,
        generator: tp.Generator | None,
        per_sample: bool,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.interpolation = interpolation_mode(interpolation)
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image resized."""
        return self.call_kernel(
            F.resize,
            inpt,
            params["size"],
            interpolation=self.interpolation,
            antialias=self.antialias,
        )


class ScaleJitter(_RandomSize):
    """Fit the image into a rectangle, times a random factor; the aspect ratio stays.

    Args:
        target_size: of the rectangle, (h, w). As in torchvision, the height is bound by its
            second number and the width by its first, which matters if they differ.
        scale_range: (least, most) factor.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.
        generator: of the draw.
        per_sample: one draw for each sample of a batch; they must come out in one size.

    Source: Ghiasi et al. 2021, "Simple copy-paste is a strong data augmentation method".
    """

    def __init__(
        self,
        target_size: Sequence[int],
        scale_range: Sequence[float] = (0.1, 2.0),
        interpolation: Mode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, antialias, generator, per_sample)
        self.target_size = tuple(target_size)
        self.scale_range = tuple(scale_range)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The new size."""
        height, width = query_size(flat_inputs)
        fit = min(self.target_size[1] / height, self.target_size[0] / width)
        ratio = fit * self.uniform(*self.scale_range)
        return {"size": (int(height * ratio), int(width * ratio))}


class RandomShortestSize(_RandomSize):
    """Resize the shorter side to a random one of some lengths.

    Args:
        min_size: the lengths, in pixels, one or several.
        max_size: bound of the longer side.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.
        generator: of the draw.
        per_sample: one draw for each sample of a batch; they must come out in one size.
    """

    def __init__(
        self,
        min_size: int | Sequence[int],
        max_size: int | None = None,
        interpolation: Mode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, antialias, generator, per_sample)
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self.max_size = max_size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The new size."""
        height, width = query_size(flat_inputs)
        ratio = self.min_size[self.integer(0, len(self.min_size) - 1)] / min(height, width)
        if self.max_size is not None:
            ratio = min(ratio, self.max_size / max(height, width))
        return {"size": (int(height * ratio), int(width * ratio))}


class RandomResize(_RandomSize):
    """Resize the shorter side to a random length.

    Args:
        min_size: least length, in pixels.
        max_size: one more than the largest length.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.
        generator: of the draw.
        per_sample: one draw for each sample of a batch; they must come out in one size.

    Raises:
        BoundsError: max_size is not above min_size.
    """

    def __init__(
        self,
        min_size: int,
        max_size: int,
        interpolation: Mode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, antialias, generator, per_sample)
        if not 0 < min_size < max_size:
            raise BoundsError(
                f"RandomResize: wanted 0 < min_size < max_size, got {min_size} and {max_size}"
            )
        self.min_size = min_size
        self.max_size = max_size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The new length of the shorter side."""
        return {"size": [self.integer(self.min_size, self.max_size - 1)]}
