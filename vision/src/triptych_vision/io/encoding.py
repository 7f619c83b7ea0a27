"""Tensors (c, h, w) to encoded images; Pillow encodes."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError

from .files import PathLike, write_bytes

__all__ = ["encode_jpeg", "encode_png", "write_jpeg", "write_png"]


def encode_png(input: tp.Tensor, compression_level: int = 6) -> tp.Tensor:
    """Encode as PNG, without loss.

    Args:
        input: (c, h, w) uint8, 1 to 4 channels, or uint16 with one.
        compression_level: 0, fast, to 9, small.

    Returns:
        (number of bytes,) uint8.

    Raises:
        DTypeError: another dtype.
        ShapeError: another number of axes or channels.
        DomainError: another level.
    """
    return _tensor(_png("encode_png", input, compression_level))


def encode_jpeg(input: Any, quality: int = 75) -> Any:
    """Encode as JPEG.

    Args:
        input: (c, h, w) uint8, 1 or 3 channels; or a list of such.
        quality: 1, small, to 100, good.

    Returns:
        (number of bytes,) uint8; for a list, a list.

    Raises:
        DTypeError: another dtype.
        ShapeError: another number of axes or channels.
        DomainError: another quality, or an empty list.
    """
    if isinstance(input, list):
        if not input:
            raise DomainError("encode_jpeg: the list is empty; wanted at least one image")
        return [encode_jpeg(image, quality) for image in input]
    return _tensor(_jpeg("encode_jpeg", input, quality))


def write_png(input: tp.Tensor, filename: PathLike | BinaryIO, compression_level: int = 6) -> None:
    """Write a PNG file, to a path or a binary file object; see `encode_png`.

    Args:
        input: (c, h, w) uint8, 1 to 4 channels, or uint16 with one.
        filename: a path or a binary file.
        compression_level: 0, fast, to 9, small.

    Example:
        >>> from triptych_vision.io import read_image
        >>> file = BytesIO()
        >>> write_png(tp.full((3, 1, 2), 7, dtype=tp.uint8), file)
        >>> read_image(file.getvalue()).shape
        Size([3, 1, 2])
    """
    write_bytes(filename, _png("write_png", input, compression_level))


def write_jpeg(input: tp.Tensor, filename: PathLike | BinaryIO, quality: int = 75) -> None:
    """Write a JPEG file, to a path or a binary file object; see `encode_jpeg`.

    Args:
        input: (c, h, w) uint8, 1 or 3 channels.
        filename: a path or a binary file.
        quality: 1, small, to 100, good.
    """
    write_bytes(filename, _jpeg("write_jpeg", input, quality))


def _png(name: str, image: tp.Tensor, compression_level: int) -> bytes:
    if not 0 <= compression_level <= 9:
        raise DomainError(f"{name}: compression_level is 0 to 9, got {compression_level}")
    channels = {tp.uint8: (1, 2, 3, 4), tp.uint16: (1,)}
    return _encoded(name, image, channels, format="PNG", compress_level=compression_level)


def _jpeg(name: str, image: tp.Tensor, quality: int) -> bytes:
    if not 1 <= quality <= 100:
        raise DomainError(f"{name}: quality is 1 to 100, got {quality}")
    return _encoded(name, image, {tp.uint8: (1, 3)}, format="JPEG", quality=quality)


def _encoded(
    name: str, image: tp.Tensor, channels: dict[tp.dtype, tuple[int, ...]], **options: Any
) -> bytes:
    from PIL import Image

    if image.dtype not in channels:
        raise DTypeError(
            f"{name}: wanted {' or '.join(str(d) for d in channels)}, got {image.dtype}; scale "
            "with transforms.functional.to_dtype(image, triptych.uint8, scale=True)"
        )
    if image.ndim != 3 or image.shape[0] not in channels[image.dtype] or 0 in image.shape:
        raise ShapeError(
            f"{name}: wanted (c, h, w) with c one of {channels[image.dtype]} and no axis empty, "
            f"got {tuple(image.shape)}"
        )
    array = image.cpu().numpy()
    array = array[0] if array.shape[0] == 1 else array.transpose(1, 2, 0)
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(buffer, **options)
    return buffer.getvalue()


def _tensor(content: bytes) -> tp.Tensor:
    return tp.from_numpy(np.frombuffer(bytearray(content), np.uint8))
