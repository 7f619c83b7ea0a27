"""Means over the bins of regions, each bin from channels of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import triptych as tp
from triptych import nn

from .ps_roi_align import check_channels
from .regions import AxisWeights, Boxes, Regions, bin_weights, output_pair, pool_regions, roi_table
from .roi_pool import whole_pixels

__all__ = ["PSRoIPool", "ps_roi_pool"]


def ps_roi_pool(
    input: tp.Tensor,
    boxes: Boxes,
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
) -> tp.Tensor:
    """The mean of each bin of each region, each bin from channels of its own.

    Args:
        input: (n, c, h, w) feature maps; c is a multiple of height * width of the result.
        boxes: (k, 5), image index and xyxy; or for each image (l, 4), xyxy. Corners are rounded
            to whole pixels.
        output_size: height and width of the result, in bins.
        spatial_scale: pixels of the map for one unit of the boxes.

    Returns:
        (k, c / (height * width), height, width), 0 for an empty bin. Gradients flow to the input,
        not to the boxes.

    Raises:
        ShapeError: the shapes do not fit.
        BoundsError: an image index is too large.

    Source: Dai, Li, He and Sun 2016, equation 1. As torchvision has it, the last row and the last
    column of the map belong to no bin.
    """
    images, corners = roi_table("ps_roi_pool", input, boxes)
    rows, columns = output_pair(output_size)
    check_channels("ps_roi_pool", input, rows, columns)
    scaled = whole_pixels(corners * corners.dtype.type(spatial_scale))
    across = _means(scaled[:, 1], scaled[:, 3], rows, input.shape[2])
    along = _means(scaled[:, 0], scaled[:, 2], columns, input.shape[3])
    return pool_regions(input, Regions(input.shape, images, across, along, per_bin=True))


def _means(first: np.ndarray, stop: np.ndarray, bins: int, size: int) -> AxisWeights:
    step = (np.maximum(stop - first, 1).astype(np.float32) / np.float32(bins))[:, None]
    place = np.arange(bins, dtype=np.float32)
    low = np.floor(place * step).astype(np.int64) + first[:, None]
    high = np.ceil((place + 1) * step).astype(np.int64) + first[:, None]
    return bin_weights(low.clip(0, size - 1), high.clip(0, size - 1), size)


class PSRoIPool(nn.Module):
    """Layer of `ps_roi_pool`.

    Args:
        output_size: height and width of the result, in bins.
        spatial_scale: pixels of the map for one unit of the boxes.
    """

    def __init__(self, output_size: int | Sequence[int], spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: tp.Tensor, rois: Boxes) -> tp.Tensor:
        """(n, c, h, w) and boxes to (k, c / bins, height, width)."""
        return ps_roi_pool(input, rois, self.output_size, self.spatial_scale)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"
