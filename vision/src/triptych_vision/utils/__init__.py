"""Showing images: grids of them, files, boxes, masks, points and flows drawn on them."""

from .boxes import draw_bounding_boxes
from .detections import draw_detections
from .flow import flow_to_image
from .grid import make_grid, save_image
from .keypoints import draw_keypoints
from .masks import draw_segmentation_masks

__all__ = [
    "draw_bounding_boxes",
    "draw_detections",
    "draw_keypoints",
    "draw_segmentation_masks",
    "flow_to_image",
    "make_grid",
    "save_image",
]
