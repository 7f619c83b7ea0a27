"""Encoded images, decoded and encoded: all of it, under the module path torchvision has."""

from .decoding import (
    decode_avif,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    decode_webp,
    read_image,
)
from .encoding import encode_jpeg, encode_png, write_jpeg, write_png
from .files import read_file, write_file
from .read_mode import ImageReadMode

__all__ = [
    "ImageReadMode",
    "decode_avif",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "encode_jpeg",
    "encode_png",
    "read_file",
    "read_image",
    "write_file",
    "write_jpeg",
    "write_png",
]
