"""Tensors that say what they hold, so that a transform treats each part of a sample in its way."""

from .base import TVTensor, wrap
from .boxes import BoundingBoxes, BoundingBoxFormat, is_rotated_bounding_format
from .images import Image, Mask, Video
from .keypoints import KeyPoints
from .return_type import set_return_type

__all__ = [
    "BoundingBoxFormat",
    "BoundingBoxes",
    "Image",
    "KeyPoints",
    "Mask",
    "TVTensor",
    "Video",
    "is_rotated_bounding_format",
    "set_return_type",
    "wrap",
]
