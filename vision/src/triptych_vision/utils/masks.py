"""Segmentation masks drawn on images."""

from __future__ import annotations

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from .canvas import check_image
from .colors import Colors, parsed_colors

__all__ = ["draw_segmentation_masks"]


def draw_segmentation_masks(
    image: tp.Tensor, masks: tp.Tensor, alpha: float = 0.8, colors: Colors = None
) -> tp.Tensor:
    """Tint parts of an image; where masks overlap, the tint is black.

    Args:
        image: (3, h, w), uint8 or floats from 0 to 1.
        masks: (n, h, w) or (h, w) bool.
        alpha: strength of the tint, from 0, none, to 1, opaque.
        colors: one for all, or a list with one for each mask; a name, "#rrggbb" or (r, g, b).
            Default torchvision's palette.

    Returns:
        (3, h, w), a new tensor of the image's dtype, on its device.

    Raises:
        ShapeError: other shapes, or fewer colors than masks.
        DTypeError: another dtype.

    Example:
        >>> mask = tp.tensor([[True, False]])
        >>> image = tp.full((3, 1, 2), 100, dtype=tp.uint8)
        >>> draw_segmentation_masks(image, mask, alpha=0.5, colors="red").tolist()
        [[[177, 100]], [[50, 100]], [[50, 100]]]
    """
    check_image("draw_segmentation_masks", image)
    layers = masks[None] if masks.ndim == 2 else masks
    if layers.ndim != 3 or layers.shape[1:] != image.shape[1:]:
        raise ShapeError(
            f"draw_segmentation_masks: wanted masks (n, h, w) or (h, w) with h and w of the image "
            f"{tuple(image.shape)}, got {tuple(masks.shape)}"
        )
    if layers.dtype is not tp.bool:
        raise DTypeError(
            f"draw_segmentation_masks: wanted bool masks, got {layers.dtype}; scores need a "
            "threshold, masks > 0.5"
        )
    pixels = image.detach()
    if layers.shape[0] == 0:
        return pixels.clone()
    tints = _tinted(pixels, layers, colors)
    return (pixels * (1 - alpha) + tints * alpha).to(image.dtype)


def _tinted(image: tp.Tensor, masks: tp.Tensor, colors: Colors) -> tp.Tensor:
    """The image with the colour of each mask in its place."""
    palette = tp.tensor(
        parsed_colors("draw_segmentation_masks", colors, masks.shape[0]), device=image.device
    )
    shades = (palette / 255 if image.dtype.is_floating_point else palette).to(image.dtype)
    depth = masks.sum(0)  # (h, w), how many masks lie on a pixel
    own = shades[masks.to(tp.uint8).argmax(0)].permute(2, 0, 1)
    return tp.where(depth == 0, image, tp.where(depth == 1, own, tp.zeros_like(own)))
