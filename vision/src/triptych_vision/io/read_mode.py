"""The channels an image is decoded to, and the way there from what Pillow holds."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np

from triptych.errors import FileFormatError, UnknownNameError

__all__ = ["ImageReadMode"]


class ImageReadMode(Enum):
    """Channels of a decoded image; a function that takes one takes its name as well."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = 4


_PIL_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}
# What becomes of Pillow's modes under UNCHANGED; one that is not here becomes RGB.
_KEPT = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "RGBA": "RGBA", "RGBa": "RGBA", "PA": "RGBA"}
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")
_SIXTEEN_BITS_AS_I = ("PNG", "PPM")  # formats whose 16 bits some versions of Pillow give as "I"


def read_mode(mode: ImageReadMode | str) -> ImageReadMode:
    """The mode that an argument means.

    Raises:
        UnknownNameError: no mode is called so.
    """
    if isinstance(mode, ImageReadMode):
        return mode
    try:
        return ImageReadMode[mode.upper()]
    except KeyError:
        names = ", ".join(ImageReadMode.__members__)
        raise UnknownNameError(f"mode: wanted one of {names}, got {mode!r}") from None


def pixels(image: Any, mode: ImageReadMode) -> np.ndarray:
    """The values of a loaded PIL image.

    Args:
        image: of any of Pillow's modes.
        mode: the channels wanted.

    Returns:
        (h, w) or (h, w, c): uint8; uint16 for 16-bit grey; int32 or float32 under UNCHANGED for
        an image of such numbers.

    Raises:
        FileFormatError: 32-bit numbers are to become something else, and their range is unknown.
    """
    if image.mode in _DEEP_GREY or (image.mode == "I" and image.format in _SIXTEEN_BITS_AS_I):
        deep = np.asarray(image).astype(np.uint16)[:, :, None]
        return in_mode(deep, mode, image.info.get("transparency"))
    if image.mode in ("I", "F"):
        if mode is not ImageReadMode.UNCHANGED:
            raise FileFormatError(
                f"mode {mode.name}: the image holds 32-bit numbers ({image.mode!r}) of unknown "
                "range; decode it with mode='UNCHANGED' and scale it yourself"
            )
        return np.asarray(image)
    wanted = _PIL_MODES.get(mode) or _unchanged(image)
    return np.asarray(image if image.mode == wanted else image.convert(wanted))


def _unchanged(image: Any) -> str:
    # A GIF is red, green and blue, as torchvision has it: whether one pixel of it is transparent
    # does not decide about the channels.
    if image.mode == "P" and "transparency" in image.info and image.format != "GIF":
        return "RGBA"
    if image.format == "GIF" and image.mode == "RGBA":
        return "RGB"
    return _KEPT.get(image.mode, "RGB")


def in_mode(deep: np.ndarray, mode: ImageReadMode, transparent: Any = None) -> np.ndarray:
    """Values of 16 bits with other channels.

    Args:
        deep: (h, w, c) uint16: grey, grey and alpha, RGB or RGBA.
        mode: the channels wanted.
        transparent: the colour that is transparent, or None.

    Returns:
        (h, w, c) uint16.
    """
    if mode is ImageReadMode.UNCHANGED:
        return deep
    colours = deep[..., : 3 if deep.shape[2] > 2 else 1]
    if mode in (ImageReadMode.RGB, ImageReadMode.RGBA):
        shown = np.broadcast_to(colours, (*colours.shape[:2], 3))
    else:
        shown = _grey(colours)
    if mode in (ImageReadMode.GRAY, ImageReadMode.RGB):
        return shown
    return np.concatenate([shown, _alpha(deep, colours, transparent)], axis=2)


def _grey(colours: np.ndarray) -> np.ndarray:
    if colours.shape[2] == 1:
        return colours
    # ITU-R BT.601 luma in 16 fractional bits, the numbers Pillow has for 8-bit images.
    weighted = colours.astype(np.uint64) @ np.array([19595, 38470, 7471], np.uint64)
    return ((weighted + 0x8000) >> 16).astype(np.uint16)[..., None]


def _alpha(deep: np.ndarray, colours: np.ndarray, transparent: Any) -> np.ndarray:
    if deep.shape[2] in (2, 4):
        return deep[..., -1:]
    if transparent is None:
        return np.full_like(colours[..., :1], 65535)
    clear = (colours == np.asarray(transparent)).all(axis=2, keepdims=True)
    return np.where(clear, 0, 65535).astype(np.uint16)
