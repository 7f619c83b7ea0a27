"""Means over the bins of regions, each bin from channels of its own, interpolated."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from .regions import Boxes, Regions, output_pair, pool_regions, roi_table, sample_weights

__all__ = ["PSRoIAlign", "check_channels", "ps_roi_align"]


def ps_roi_align(
    input: tp.Tensor,
    boxes: Boxes,
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> tp.Tensor:
    """`roi_align` in which each bin reads channels of its own.

    Args:
        input: (n, c, h, w) feature maps; c is a multiple of height * width of the result.
        boxes: (k, 5), image index and xyxy; or for each image (l, 4), xyxy.
        output_size: height and width of the result, in bins.
        spatial_scale: pixels of the map for one unit of the boxes.
        sampling_ratio: points in each bin, along each axis; 0 or less for one each pixel.

    Returns:
        (k, c / (height * width), height, width). Gradients flow to the input, not to the boxes.

    Raises:
        ShapeError: the shapes do not fit.
        BoundsError: an image index is too large.

    Source: Li et al. 2017 (Light-Head R-CNN); Dai, Li, He and Sun 2016, equation 1.
    """
    images, corners = roi_table("ps_roi_align", input, boxes)
    rows, columns = output_pair(output_size)
    check_channels("ps_roi_align", input, rows, columns)
    scaled = corners * corners.dtype.type(spatial_scale) - corners.dtype.type(0.5)
    start, extent = scaled[:, :2], scaled[:, 2:] - scaled[:, :2]
    height, width = input.shape[2:]
    across = sample_weights(start[:, 1], extent[:, 1], rows, sampling_ratio, height)
    along = sample_weights(start[:, 0], extent[:, 0], columns, sampling_ratio, width)
    return pool_regions(input, Regions(input.shape, images, across, along, per_bin=True))


def check_channels(name: str, input: tp.Tensor, rows: int, columns: int) -> None:
    """Raise if the channels cannot be shared out among the bins.

    Args:
        name: of the function, for the error's text.
        input: (n, c, h, w).
        rows: bins down.
        columns: bins across.

    Raises:
        ShapeError: c is no multiple of rows * columns.
    """
    if input.shape[1] % (rows * columns):
        raise ShapeError(
            f"{name}: channels are a multiple of {rows} * {columns} bins, got {input.shape[1]}"
        )


class PSRoIAlign(nn.Module):
    """Layer of `ps_roi_align`.

    Args:
        output_size: height and width of the result, in bins.
        spatial_scale: pixels of the map for one unit of the boxes.
        sampling_ratio: points in each bin, along each axis; 0 or less for one each pixel.
    """

    def __init__(
        self, output_size: int | Sequence[int], spatial_scale: float, sampling_ratio: int
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio

    def forward(self, input: tp.Tensor, rois: Boxes) -> tp.Tensor:
        """(n, c, h, w) and boxes to (k, c / bins, height, width)."""
        return ps_roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return (
            f"output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio}"
        )
