"""Means over the bins of regions, by bilinear interpolation."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych import nn

from .regions import Boxes, Regions, output_pair, pool_regions, roi_table, sample_weights

__all__ = ["RoIAlign", "roi_align"]


def roi_align(
    input: tp.Tensor,
    boxes: Boxes,
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> tp.Tensor:
    """Cut regions out of feature maps and bring them to one size.

    Args:
        input: (n, c, h, w) feature maps.
        boxes: (k, 5), image index and xyxy; or for each image (l, 4), xyxy.
        output_size: height and width of the result, in bins.
        spatial_scale: pixels of the map for one unit of the boxes, 1 / 16 for stride 16.
        sampling_ratio: points to interpolate in each bin, along each axis; 0 or less takes one
            for each pixel of the bin.
        aligned: pixel centres are at half numbers, so shift by half a pixel; False is the older
            rule, in which regions are at least one pixel wide.

    Returns:
        (k, c, height, width). Gradients flow to the input, not to the boxes.

    Raises:
        ShapeError: the shapes do not fit.
        BoundsError: an image index is too large.

    Example:
        >>> roi_align(tp.ones(1, 2, 8, 8), [tp.tensor([[0.0, 0.0, 4.0, 4.0]])], 2).shape
        Size([1, 2, 2, 2])

    Source: He, Gkioxari, Dollar and Girshick 2017, section 3.
    """
    images, corners = roi_table("roi_align", input, boxes)
    scaled = corners * corners.dtype.type(spatial_scale)
    if aligned:
        scaled = scaled - corners.dtype.type(0.5)
    start, extent = scaled[:, :2], scaled[:, 2:] - scaled[:, :2]
    if not aligned:
        extent = extent.clip(1)
    (rows, columns), (height, width) = output_pair(output_size), input.shape[2:]
    across = sample_weights(start[:, 1], extent[:, 1], rows, sampling_ratio, height)
    along = sample_weights(start[:, 0], extent[:, 0], columns, sampling_ratio, width)
    return pool_regions(input, Regions(input.shape, images, across, along))


class RoIAlign(nn.Module):
    """Layer of `roi_align`.

    Args:
        output_size: height and width of the result, in bins.
        spatial_scale: pixels of the map for one unit of the boxes.
        sampling_ratio: points in each bin, along each axis; 0 or less for one each pixel.
        aligned: pixel centres are at half numbers.
    """

    def __init__(
        self,
        output_size: int | Sequence[int],
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool = False,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: tp.Tensor, rois: Boxes) -> tp.Tensor:
        """(n, c, h, w) and boxes to (k, c, height, width)."""
        return roi_align(
            input,
            rois,
            self.output_size,
            self.spatial_scale,
            self.sampling_ratio,
            self.aligned,
        )

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return (
            f"output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned}"
        )
