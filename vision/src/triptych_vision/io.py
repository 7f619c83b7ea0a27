"""Image files to uint8 tensors (c, h, w) and back; Pillow decodes and encodes.

PNG, JPEG, GIF, WebP, AVIF, TIFF, BMP and whatever else the installed Pillow reads. A file is known
by its content, not its name.
"""

from __future__ import annotations

import io as _io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, FileFormatError, ShapeError, UnknownNameError

__all__ = [
    "ImageReadMode",
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

PathLike = str | os.PathLike[str]
Encoded = bytes | bytearray | memoryview | tp.Tensor | PathLike


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
# Pillow's modes that come as they are under UNCHANGED; every other one becomes RGB, or RGBA when
# it is a palette with a transparent colour.
_PLAIN_MODES = ("L", "LA", "RGB", "RGBA", "I;16")


def read_file(path: PathLike) -> tp.Tensor:
    """The bytes of a file.

    Args:
        path: the file.

    Returns:
        (number of bytes,) uint8.

    Raises:
        FileNotFoundError: there is no such file.
    """
    with _naming("read_file", os.fspath(path)):
        return tp.from_numpy(np.fromfile(path, dtype=np.uint8))


@contextmanager
def _naming(caller: str, path: str) -> Iterator[None]:
    """Errors about a path in the block name the public function."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{caller}: there is no file {path!r} (looked in {os.getcwd()!r})"
        ) from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{caller}: {path!r} is a folder; wanted a file") from None


def write_file(filename: PathLike, data: tp.Tensor) -> None:
    """Write bytes into a file.

    Args:
        filename: where.
        data: one axis, uint8.

    Raises:
        DTypeError: another dtype.
        ShapeError: another number of axes.
    """
    if data.dtype is not tp.uint8:
        raise DTypeError(f"write_file: wanted uint8, got {data.dtype}")
    if data.ndim != 1:
        raise ShapeError(f"write_file: wanted one axis, got shape {tuple(data.shape)}")
    Path(filename).write_bytes(data.cpu().numpy().tobytes())


def decode_image(
    input: Encoded,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> tp.Tensor:
    """Decode an image of any format Pillow reads.

    Args:
        input: a path, the file's bytes, or its bytes as a uint8 tensor.
        mode: channels to return; UNCHANGED those of the file, palettes as RGB or RGBA.
        apply_exif_orientation: turn a photograph the way the camera was held.

    Returns:
        (c, h, w) uint8; uint16 for 16-bit grey under UNCHANGED; (frames, c, h, w) for a file of
        several frames.

    Raises:
        FileFormatError: no image, or a damaged or cut-off one.
        FileNotFoundError: there is no such file.
        UnknownNameError: no mode is called so.
    """
    return _decoded("decode_image", input, mode, apply_exif_orientation)


def _decoded(caller: str, input: Encoded, mode: ImageReadMode | str, turn: bool) -> tp.Tensor:
    from PIL import Image, UnidentifiedImageError

    wanted = _read_mode(mode)
    name = os.fspath(input) if isinstance(input, str | os.PathLike) else "bytes"
    source = input if isinstance(input, str | os.PathLike) else _io.BytesIO(_bytes(input))
    try:
        with _naming(caller, name), Image.open(source) as image:
            frames = _decoded_frames(image, wanted, turn)
    except (FileNotFoundError, IsADirectoryError):
        raise
    except UnidentifiedImageError:
        raise FileFormatError(
            f"{caller}: {name}: no image, or of a format this Pillow does not read"
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise FileFormatError(f"{caller}: {name}: damaged or cut off ({error})") from error
    return frames[0] if len(frames) == 1 else tp.stack(frames)


def _read_mode(mode: ImageReadMode | str) -> ImageReadMode:
    if isinstance(mode, ImageReadMode):
        return mode
    try:
        return ImageReadMode[mode.upper()]
    except KeyError:
        names = ", ".join(ImageReadMode.__members__)
        raise UnknownNameError(f"mode: wanted one of {names}, got {mode!r}") from None


def _bytes(data: Any) -> Any:
    if not isinstance(data, tp.Tensor):
        return data
    if data.dtype is not tp.uint8 or data.ndim != 1:
        raise DTypeError(
            f"decode_image: wanted a file's bytes as uint8 of one axis, got {data.dtype} "
            f"{tuple(data.shape)}"
        )
    return data.cpu().numpy().tobytes()


def _decoded_frames(image: Any, mode: ImageReadMode, turn: bool) -> list[tp.Tensor]:
    from PIL import ImageOps, ImageSequence

    from .transforms.functional import pil_to_tensor

    several = getattr(image, "n_frames", 1) > 1 and image.format != "MPO"  # MPO: same shot, twice
    frames = []
    for frame in ImageSequence.Iterator(image) if several else (image,):
        frame.load()
        upright = ImageOps.exif_transpose(frame) if turn else frame
        frames.append(pil_to_tensor(_in_mode(upright, mode)))
    return frames


def _in_mode(image: Any, mode: ImageReadMode) -> Any:
    wanted = _PIL_MODES.get(mode)
    if wanted is None:
        if image.mode in _PLAIN_MODES:
            return image
        if image.mode == "1":
            return image.convert("L")
        wanted = "RGBA" if image.mode == "P" and "transparency" in image.info else "RGB"
    if image.mode == "I;16" and wanted != image.mode:  # Pillow would cut off at 255
        image = _upper_bytes(image)
    return image if image.mode == wanted else image.convert(wanted)


def _upper_bytes(image: Any) -> Any:
    from PIL import Image

    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def read_image(
    path: PathLike,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> tp.Tensor:
    """Read an image file; arguments, result and errors as of `decode_image`.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "dot.png"
        >>> write_png(tp.full((3, 1, 2), 7, dtype=tp.uint8), path)
        >>> read_image(path).shape
        Size([3, 1, 2])
    """
    return _decoded("read_image", path, mode, apply_exif_orientation)


def _decoder(format_name: str) -> Callable[..., tp.Tensor]:
    magic = _MAGIC[format_name]

    def decode(
        input: Encoded,
        mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
        apply_exif_orientation: bool = False,
    ) -> tp.Tensor:
        content: Any = input
        if isinstance(input, str | os.PathLike):
            with _naming(decode.__name__, os.fspath(input)):
                content = Path(input).read_bytes()
        content = bytes(_bytes(content))
        if not magic(content):
            raise FileFormatError(f"{decode.__name__}: the bytes are no {format_name} file")
        return _decoded(decode.__name__, content, mode, apply_exif_orientation)

    decode.__name__ = decode.__qualname__ = f"decode_{format_name.lower()}"
    decode.__doc__ = (
        f"Decode a {format_name} file; arguments and result as of `decode_image`.\n\n"
        f"    Raises:\n        FileFormatError: the bytes are of another format, or damaged.\n    "
    )
    return decode


_MAGIC: dict[str, Callable[[bytes], bool]] = {
    "PNG": lambda b: b.startswith(b"\x89PNG\r\n\x1a\n"),
    "JPEG": lambda b: b.startswith(b"\xff\xd8\xff"),
    "GIF": lambda b: b[:6] in (b"GIF87a", b"GIF89a"),
    "WebP": lambda b: b[:4] == b"RIFF" and b[8:12] == b"WEBP",
}
decode_png = _decoder("PNG")
decode_jpeg = _decoder("JPEG")
decode_gif = _decoder("GIF")
decode_webp = _decoder("WebP")


def _encoded(name: str, image: tp.Tensor, channels: tuple[int, ...], **options: Any) -> bytes:
    from PIL import Image

    if image.dtype is not tp.uint8:
        raise DTypeError(f"{name}: wanted uint8, got {image.dtype}; scale with to_dtype first")
    if image.ndim != 3 or image.shape[0] not in channels:
        raise ShapeError(
            f"{name}: wanted (c, h, w) with c one of {channels}, got {tuple(image.shape)}"
        )
    array = image.cpu().numpy()
    array = array[0] if array.shape[0] == 1 else array.transpose(1, 2, 0)
    buffer = _io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(buffer, **options)
    return buffer.getvalue()


def _png(name: str, image: tp.Tensor, compression_level: int) -> bytes:
    if not 0 <= compression_level <= 9:
        raise ValueError(f"{name}: compression_level is 0 to 9, got {compression_level}")
    return _encoded(name, image, (1, 2, 3, 4), format="PNG", compress_level=compression_level)


def _jpeg(name: str, image: tp.Tensor, quality: int) -> bytes:
    if not 1 <= quality <= 100:
        raise ValueError(f"{name}: quality is 1 to 100, got {quality}")
    return _encoded(name, image, (1, 3), format="JPEG", quality=quality)


def encode_png(input: tp.Tensor, compression_level: int = 6) -> tp.Tensor:
    """Encode as PNG, without loss.

    Args:
        input: (c, h, w) uint8, 1 to 4 channels.
        compression_level: 0, fast, to 9, small.

    Returns:
        (number of bytes,) uint8.
    """
    return tp.tensor(np.frombuffer(_png("encode_png", input, compression_level), np.uint8))


def encode_jpeg(input: tp.Tensor, quality: int = 75) -> tp.Tensor:
    """Encode as JPEG.

    Args:
        input: (c, h, w) uint8, 1 or 3 channels.
        quality: 1, small, to 100, good.

    Returns:
        (number of bytes,) uint8.
    """
    return tp.tensor(np.frombuffer(_jpeg("encode_jpeg", input, quality), np.uint8))


def write_png(input: tp.Tensor, filename: PathLike, compression_level: int = 6) -> None:
    """Write a PNG file; see `encode_png`."""
    Path(filename).write_bytes(_png("write_png", input, compression_level))


def write_jpeg(input: tp.Tensor, filename: PathLike, quality: int = 75) -> None:
    """Write a JPEG file; see `encode_jpeg`."""
    Path(filename).write_bytes(_jpeg("write_jpeg", input, quality))
