"""PNG files with several channels of 16 bits, of which Pillow alone keeps the upper 8."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np

from .read_mode import ImageReadMode, in_mode

__all__ = ["deep_pixels", "is_deep"]


def _opened(content: bytes) -> Any:
    from PIL import Image

    return Image.open(BytesIO(content), formats=("PNG",))


def _raw_mode(image: Any) -> str:
    tile = image.tile[0] if image.format == "PNG" and image.tile else None
    return str(tile[3]) if tile else ""


def is_deep(image: Any) -> bool:
    """Whether a PIL image is a PNG with several channels of 16 bits."""
    return _raw_mode(image) in _LOWER


# Layout of a deep PNG's samples, and the layout under which Pillow gives their lower bytes instead
# of the upper ones. A pixel has as many bytes in both, so the file's row filters are undone alike.
_LOWER = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": ""}


def deep_pixels(image: Any, content: bytes, mode: ImageReadMode) -> np.ndarray:
    """All 16 bits of each value.

    Args:
        image: the PIL image of a file, not loaded yet, for which `is_deep` holds.
        content: the bytes of the file.
        mode: the channels wanted.

    Returns:
        (h, w, c) uint16.
    """
    layout = _raw_mode(image)
    if layout == "LA;16B":
        # Four bytes a pixel, so the same data make an RGBA image of 8 bits: all bytes at once.
        both = np.asarray(_opened(_with_header(content, depth=8, colour_type=6)))
        upper, lower = both[..., ::2], both[..., 1::2]
    else:
        other = _opened(content)
        codec, box, offset, _ = tile = other.tile[0]
        changed = (codec, box, offset, _LOWER[layout])
        other.tile = [changed if type(tile) is tuple else type(tile)(*changed)]
        upper, lower = np.asarray(image), np.asarray(other)
    return in_mode(upper.astype(np.uint16) << 8 | lower, mode, image.info.get("transparency"))


def _with_header(png: bytes, depth: int, colour_type: int) -> bytes:
    """A PNG file that says something else about its samples; IHDR is bytes 12 to 29."""
    header = png[12:24] + bytes([depth, colour_type]) + png[26:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
