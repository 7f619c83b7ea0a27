"""How alike each pixel of one image is to each of another, at several sizes."""

from __future__ import annotations

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

__all__ = ["CorrBlock", "grid_sample", "make_coords_grid", "upsample_flow"]

FACTOR = 8  # sizes of images over those of features


def grid_sample(
    img: tp.Tensor,
    absolute_grid: tp.Tensor,
    mode: str = "bilinear",
    align_corners: bool | None = None,
) -> tp.Tensor:
    """`nn.functional.grid_sample` at places in pixels.

    Args:
        img: (n, c, h, w).
        absolute_grid: (n, h', w', 2), column and row from 0 on.
        mode: of the interpolation.
        align_corners: as there; places are right with True.

    Returns:
        (n, c, h', w').
    """
    h, w = img.shape[-2:]
    ends = tp.tensor([max(w - 1, 1), max(h - 1, 1)], dtype=img.dtype, device=img.device)
    return F.grid_sample(img, 2 * absolute_grid / ends - 1, mode, align_corners=align_corners)


def make_coords_grid(batch_size: int, h: int, w: int, device: tp.device | str = "cpu") -> tp.Tensor:
    """Column and row of each pixel.

    Args:
        batch_size: number of images.
        h: their height.
        w: their width.
        device: of the result.

    Returns:
        (batch_size, 2, h, w) float32.
    """
    columns = tp.arange(w, dtype=tp.float32, device=device).expand(h, w)
    rows = tp.arange(h, dtype=tp.float32, device=device)[:, None].expand(h, w)
    return tp.stack([columns, rows]).expand(batch_size, 2, h, w)


def upsample_flow(
    flow: tp.Tensor, up_mask: tp.Tensor | None = None, factor: int = FACTOR
) -> tp.Tensor:
    """Flow at a multiple of its size, in its pixels.

    Args:
        flow: (n, 2, h, w) in pixels of its own size.
        up_mask: (n, 9 * factor ** 2, h, w) logits of the weights of the 9 neighbours of each new
            pixel; None for bilinear interpolation.
        factor: new size over old size.

    Returns:
        (n, 2, factor * h, factor * w).

    Source: Teed and Deng 2020, section 3.3 and appendix B.
    """
    n, c, h, w = flow.shape
    size = (factor * h, factor * w)
    if up_mask is None:
        return factor * F.interpolate(flow, size=size, mode="bilinear", align_corners=True)
    weights = up_mask.reshape(n, 1, 9, factor, factor, h, w).softmax(2)
    near = F.unfold(factor * flow, kernel_size=3, padding=1).reshape(n, c, 9, 1, 1, h, w)
    fine = (weights * near).sum(2)  # (n, c, factor, factor, h, w)
    return fine.permute(0, 1, 4, 2, 5, 3).reshape(n, c, *size)


class CorrBlock(nn.Module):
    """Products of the features of all pairs of pixels, looked up around given places.

    Args:
        num_levels: sizes, each half of the one before.
        radius: of the square around a place, in pixels of each size.

    Attributes:
        out_channels: features that a place gets.
    """

    def __init__(self, *, num_levels: int = 4, radius: int = 4) -> None:
        super().__init__()
        self.num_levels = num_levels
        self.radius = radius
        self.corr_pyramid: list[tp.Tensor] = []
        self.out_channels = num_levels * (2 * radius + 1) ** 2

    def build_pyramid(self, fmap1: tp.Tensor, fmap2: tp.Tensor) -> None:
        """Compute the products of two maps of features, at all sizes.

        Args:
            fmap1: (n, c, h, w) of the first image.
            fmap2: the same of the second.

        Raises:
            ShapeError: their shapes differ, or they are too small for so many sizes.
        """
        least = 2**self.num_levels
        if fmap1.shape != fmap2.shape:
            raise ShapeError(
                f"CorrBlock: both maps have one shape, got {tuple(fmap1.shape)} and "
                f"{tuple(fmap2.shape)}"
            )
        n, c, h, w = fmap1.shape
        if min(h, w) < least:
            raise ShapeError(
                f"CorrBlock: features of {h} x {w} are too small for {self.num_levels} sizes; "
                f"wanted {least} or more, that is images of {FACTOR * least} pixels or more"
            )
        products = fmap1.flatten(2).transpose(1, 2) @ fmap2.flatten(2)  # (n, h * w, h * w)
        volume = (products / c**0.5).reshape(n * h * w, 1, h, w)
        self.corr_pyramid = [volume]
        for _ in range(self.num_levels - 1):
            volume = F.avg_pool2d(volume, kernel_size=2, stride=2)
            self.corr_pyramid.append(volume)

    def index_pyramid(self, centroids_coords: tp.Tensor) -> tp.Tensor:
        """Look up the products around places of the second image.

        Args:
            centroids_coords: (n, 2, h, w) column and row for each pixel of the first image.

        Returns:
            (n, out_channels, h, w).
        """
        n, _, h, w = centroids_coords.shape
        side = 2 * self.radius + 1
        line = tp.arange(-self.radius, self.radius + 1, dtype=centroids_coords.dtype)
        # the first number goes to the columns, as in the published weights
        square = tp.stack([line[:, None].expand(side, side), line.expand(side, side)], dim=-1)
        square = square.to(centroids_coords.device)
        places = centroids_coords.permute(0, 2, 3, 1).reshape(n * h * w, 1, 1, 2)
        found = []
        for volume in self.corr_pyramid:
            seen = grid_sample(volume, places + square, align_corners=True)
            found.append(seen.reshape(n, h, w, side * side))
            places = places / 2
        return tp.cat(found, dim=-1).permute(0, 3, 1, 2)
