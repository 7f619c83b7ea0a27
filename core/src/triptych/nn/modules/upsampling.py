"""Larger and smaller images: interpolation, and pixels moved between space and channels."""

from __future__ import annotations

from typing import Any

from ...tensor import Tensor
from .. import functional as F
from .configured import Configured

__all__ = [
    "ChannelShuffle",
    "PixelShuffle",
    "PixelUnshuffle",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]


class Upsample(Configured):
    """Interpolate to another size.

    Args:
        size: of the output's spatial dims.
        scale_factor: instead of size; one number, or one per spatial dim.
        mode: "nearest", "linear", "bilinear", "bicubic", "trilinear" or "area".
        align_corners: map the centres of the corner pixels onto each other.
        recompute_scale_factor: derive the scale again from the rounded size.

    Example:
        >>> Upsample(scale_factor=2)(triptych.zeros(1, 3, 4, 4)).shape
        Size([1, 3, 8, 8])
    """

    size: Any = None
    scale_factor: Any = None
    mode: str = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    def _settle(self) -> None:
        factor = self.scale_factor
        if factor is not None:
            many = isinstance(factor, (tuple, list))
            self.scale_factor = tuple(map(float, factor)) if many else float(factor)

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        by_scale = self.scale_factor is not None
        first = f"scale_factor={self.scale_factor}" if by_scale else f"size={self.size}"
        return f"{first}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` with mode "nearest"."""


class UpsamplingBilinear2d(Upsample):
    """`Upsample` with mode "bilinear" and aligned corners."""

    def _settle(self) -> None:
        super()._settle()
        self.mode, self.align_corners = "bilinear", True


class PixelShuffle(Configured):
    """(..., c r², h, w) to (..., c, h r, w r) for r = upscale_factor.

    Example:
        >>> PixelShuffle(3)(triptych.zeros(1, 9, 4, 4)).shape
        Size([1, 1, 12, 12])

    Source: Shi et al. 2016, eq. 4.
    """

    upscale_factor: int
    _function = "pixel_shuffle"


class PixelUnshuffle(Configured):
    """(..., c, h r, w r) to (..., c r², h, w) for r = downscale_factor."""

    downscale_factor: int
    _function = "pixel_unshuffle"


class ChannelShuffle(Configured):
    """Interleave the channels of groups: (n, g c, ...) is read as g by c and transposed.

    Source: Zhang et al. 2018, section 3.1.
    """

    groups: int
    _function = "channel_shuffle"

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
