"""The functions behind the transforms; each goes by the type of its first argument."""

from typing import Any as _Any

from ..dispatch import dispatches as _dispatches
from ..dispatch import register_kernel
from ..dispatch import tensor_kernel as _tensor_kernel
from ..interpolation import InterpolationMode
from ..kinds import is_pure_tensor
from .adjusting import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    adjust_sharpness,
)
from .blurring import gaussian_blur, gaussian_noise
from .boxes import (
    clamp_bounding_boxes,
    convert_bounding_box_format,
    sanitize_bounding_boxes,
)
from .color import grayscale_to_rgb, permute_channels, rgb_to_grayscale, to_grayscale
from .color_spaces import (
    hls_to_rgb,
    hsv_to_rgb,
    lab_to_rgb,
    linear_rgb_to_rgb,
    luv_to_rgb,
    rgb_to_hls,
    rgb_to_hsv,
    rgb_to_lab,
    rgb_to_linear_rgb,
    rgb_to_luv,
    rgb_to_xyz,
    rgb_to_ycbcr,
    rgb_to_yuv,
    xyz_to_rgb,
    ycbcr_to_rgb,
    yuv_to_rgb,
)
from .contrast import adjust_brightness_contrast, clahe, shift_hsv
from .conversion import (
    convert_image_dtype,
    normalize,
    pil_to_tensor,
    to_dtype,
    to_image,
    to_pil_image,
    to_pure_tensor,
    to_tensor,
)
from .edges import (
    canny,
    laplacian,
    sobel,
    spatial_gradient,
)
from .erasing import cover, erase, jpeg, webp
from .filtering import (
    bilateral_blur,
    filter2d,
    median_blur,
    motion_kernel,
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
from .geometry_of_boxes import (
    affine_bounding_boxes,
    center_crop_bounding_boxes,
    crop_bounding_boxes,
    elastic_bounding_boxes,
    horizontal_flip_bounding_boxes,
    pad_bounding_boxes,
    perspective_bounding_boxes,
    resize_bounding_boxes,
    resized_crop_bounding_boxes,
    rotate_bounding_boxes,
    vertical_flip_bounding_boxes,
)
from .geometry_of_masks import (
    affine_mask,
    center_crop_mask,
    crop_mask,
    elastic_mask,
    horizontal_flip_mask,
    pad_mask,
    perspective_mask,
    resize_mask,
    resized_crop_mask,
    rotate_mask,
    vertical_flip_mask,
)
from .geometry_of_points import (
    affine_keypoints,
    center_crop_keypoints,
    crop_keypoints,
    elastic_keypoints,
    horizontal_flip_keypoints,
    pad_keypoints,
    perspective_keypoints,
    resize_keypoints,
    resized_crop_keypoints,
    rotate_keypoints,
    vertical_flip_keypoints,
)
from .keypoints import clamp_keypoints, sanitize_keypoints
from .patches import (
    combine_tensor_patches,
    extract_tensor_patches,
)
from .regions import (
    closing,
    connected_components,
    dilation,
    erosion,
    opening,
)
from .remapping import (
    remap,
    remap_bounding_boxes,
    warp_affine,
    warp_perspective,
)
from .resizing import resize
from .size import (
    get_dimensions,
    get_image_num_channels,
    get_image_size,
    get_num_channels,
    get_size,
    get_size_bounding_boxes,
    get_size_keypoints,
    get_size_mask,
)
from .temporal import get_num_frames, uniform_temporal_subsample
from .tones import autocontrast, equalize, invert, posterize, solarize
from .warping import affine, elastic, elastic_transform, perspective, rotate

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_brightness_contrast",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "affine",
    "affine_bounding_boxes",
    "affine_keypoints",
    "affine_mask",
    "autocontrast",
    "bilateral_blur",
    "canny",
    "center_crop",
    "center_crop_bounding_boxes",
    "center_crop_keypoints",
    "center_crop_mask",
    "clahe",
    "clamp_bounding_boxes",
    "clamp_keypoints",
    "closing",
    "combine_tensor_patches",
    "connected_components",
    "convert_bounding_box_format",
    "convert_image_dtype",
    "cover",
    "crop",
    "crop_bounding_boxes",
    "crop_keypoints",
    "crop_mask",
    "dilation",
    "elastic",
    "elastic_bounding_boxes",
    "elastic_keypoints",
    "elastic_mask",
    "elastic_transform",
    "equalize",
    "erase",
    "erosion",
    "extract_tensor_patches",
    "filter2d",
    "five_crop",
    "gaussian_blur",
    "gaussian_noise",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "get_num_channels",
    "get_num_frames",
    "get_size",
    "get_size_bounding_boxes",
    "get_size_keypoints",
    "get_size_mask",
    "grayscale_to_rgb",
    "hflip",
    "hls_to_rgb",
    "horizontal_flip",
    "horizontal_flip_bounding_boxes",
    "horizontal_flip_keypoints",
    "horizontal_flip_mask",
    "hsv_to_rgb",
    "invert",
    "is_pure_tensor",
    "jpeg",
    "lab_to_rgb",
    "laplacian",
    "linear_rgb_to_rgb",
    "luv_to_rgb",
    "median_blur",
    "motion_kernel",
    "normalize",
    "opening",
    "pad",
    "pad_bounding_boxes",
    "pad_keypoints",
    "pad_mask",
    "permute_channels",
    "perspective",
    "perspective_bounding_boxes",
    "perspective_keypoints",
    "perspective_mask",
    "pil_to_tensor",
    "posterize",
    "register_kernel",
    "remap",
    "remap_bounding_boxes",
    "resize",
    "resize_bounding_boxes",
    "resize_keypoints",
    "resize_mask",
    "resized_crop",
    "resized_crop_bounding_boxes",
    "resized_crop_keypoints",
    "resized_crop_mask",
    "rgb_to_grayscale",
    "rgb_to_hls",
    "rgb_to_hsv",
    "rgb_to_lab",
    "rgb_to_linear_rgb",
    "rgb_to_luv",
    "rgb_to_xyz",
    "rgb_to_ycbcr",
    "rgb_to_yuv",
    "rotate",
    "rotate_bounding_boxes",
    "rotate_keypoints",
    "rotate_mask",
    "sanitize_bounding_boxes",
    "sanitize_keypoints",
    "shift_hsv",
    "sobel",
    "solarize",
    "spatial_gradient",
    "ten_crop",
    "to_dtype",
    "to_grayscale",
    "to_image",
    "to_pil_image",
    "to_pure_tensor",
    "to_tensor",
    "uniform_temporal_subsample",
    "vertical_flip",
    "vertical_flip_bounding_boxes",
    "vertical_flip_keypoints",
    "vertical_flip_mask",
    "vflip",
    "warp_affine",
    "warp_perspective",
    "webp",
    "xyz_to_rgb",
    "ycbcr_to_rgb",
    "yuv_to_rgb",
]


def __getattr__(name: str) -> _Any:
    """`resize_image`, `resize_video` and so on: the kernel of a function for tensors."""
    base, _, kind = name.rpartition("_")
    function = globals().get(base) if kind in ("image", "video") and base in __all__ else None
    if function is get_num_channels:
        return function
    if function is not None and _dispatches(function):
        return _tensor_kernel(function)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
