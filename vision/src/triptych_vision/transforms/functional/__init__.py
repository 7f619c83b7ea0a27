"""The functions behind the transforms; each goes by the type of its first argument."""

from ..dispatch import register_kernel
from ..interpolation import InterpolationMode
from .color import grayscale_to_rgb, invert, rgb_to_grayscale, to_grayscale
from .conversion import (
    convert_image_dtype,
    normalize,
    pil_to_tensor,
    to_dtype,
    to_image,
    to_pil_image,
    to_tensor,
)
from .geometry import (
    center_crop,
    crop,
    five_crop,
    hflip,
    horizontal_flip,
    pad,
    resized_crop,
    ten_crop,
    vertical_flip,
    vflip,
)
from .resizing import resize
from .size import get_dimensions, get_image_num_channels, get_num_channels, get_size

__all__ = [
    "InterpolationMode",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "five_crop",
    "get_dimensions",
    "get_image_num_channels",
    "get_num_channels",
    "get_size",
    "grayscale_to_rgb",
    "hflip",
    "horizontal_flip",
    "invert",
    "normalize",
    "pad",
    "pil_to_tensor",
    "register_kernel",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "ten_crop",
    "to_dtype",
    "to_grayscale",
    "to_image",
    "to_pil_image",
    "to_tensor",
    "vertical_flip",
    "vflip",
]
