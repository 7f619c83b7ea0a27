"""Encoded images to tensors (c, h, w); Pillow decodes.

A file is known by its content, not its name. Formats that would start another program (EPS runs
Ghostscript) are not read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DomainError, FileFormatError

from .deep_png import deep_pixels, is_deep
from .files import Encoded, content_of, name_of
from .read_mode import ImageReadMode, pixels, read_mode

__all__ = [
    "decode_avif",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "read_image",
]

Mode = ImageReadMode | str
UNCHANGED = ImageReadMode.UNCHANGED

# Pillow's names of formats that are known by their first bytes and decoded in this process.
FORMATS = (
    *("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "QOI", "SGI"),
    *("TIFF", "WEBP"),
)
# What Pillow's decoders raise for damaged files, besides its own errors.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, TypeError),
    *(RuntimeError, AttributeError, struct.error, zlib.error),
)
_ORIENTATION = 0x0112  # tag of EXIF
# How the stored rows and columns (h, w, ...) have to be turned; Exif 2.32, table 9.
_UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def decode_image(
    input: Encoded,
    mode: Mode = UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    max_pixels: int | None = None,
) -> tp.Tensor:
    """Decode an image: JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, PPM, JPEG 2000, ICO, QOI, SGI.

    Args:
        input: a path, the file's bytes, its bytes as a uint8 tensor, or a binary file object.
        mode: channels to return; UNCHANGED those of the file, where palettes become RGB, or RGBA
            if a colour is transparent, CMYK becomes RGB, and a GIF is always RGB.
        apply_exif_orientation: turn a photograph the way the camera was held; an EXIF block that
            cannot be read turns nothing.
        max_pixels: of all frames together; default twice `PIL.Image.MAX_IMAGE_PIXELS`, which is
            what Pillow refuses to go beyond anyway, for one frame.

    Returns:
        (c, h, w) uint8; uint16 for PNG, PPM and grey TIFF of 16 bits; int32 or float32 for TIFF of
        32-bit numbers; (frames, c, h, w) for a file of several frames.

    Raises:
        FileFormatError: no image, a damaged or cut-off one, one with too many pixels, or one whose
            pages differ in size.
        FileNotFoundError: there is no such file.
        UnknownNameError: no mode is called so.

    Example:
        >>> from triptych_vision.io import encode_png
        >>> decode_image(encode_png(tp.zeros(1, 2, 3, dtype=tp.uint8)), "RGB").shape
        Size([3, 2, 3])
    """
    return _decoded("decode_image", input, mode, apply_exif_orientation, max_pixels)


def read_image(
    path: Encoded,
    mode: Mode = UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    max_pixels: int | None = None,
) -> tp.Tensor:
    """Read an image file; errors as of `decode_image`.

    Args:
        path: a path, bytes, a binary file, or (number of bytes,) uint8.
        mode: of the result: an `ImageReadMode` or its name.
        apply_exif_orientation: turn the image as its EXIF data say.
        max_pixels: refuse larger images; default as of `decode_image`.

    Returns:
        (c, h, w) or (frames, c, h, w), of the dtypes that `decode_image` gives.
    """
    return _decoded("read_image", path, mode, apply_exif_orientation, max_pixels)


def decode_png(
    input: Encoded,
    mode: Mode = UNCHANGED,
    apply_exif_orientation: bool = False,
    *,
    max_pixels: int | None = None,
) -> tp.Tensor:
    """Decode a PNG file; arguments and result as of `decode_image`.

    Args:
        input: a path, bytes, a binary file, or (number of bytes,) uint8.
        mode: of the result: an `ImageReadMode` or its name.
        apply_exif_orientation: turn the image as its EXIF data say.
        max_pixels: refuse larger images; default as of `decode_image`.

    Returns:
        (c, h, w) uint8, or uint16 for 16-bit files; (frames, c, h, w) of an animation.

    Raises:
        FileFormatError: the bytes are of another format, or damaged.
    """
    return _decoded("decode_png", input, mode, apply_exif_orientation, max_pixels)


def decode_jpeg(
    input: Encoded | list[Encoded],
    mode: Mode = UNCHANGED,
    device: Any = "cpu",
    apply_exif_orientation: bool = False,
    *,
    max_pixels: int | None = None,
) -> Any:
    """Decode a JPEG file, or several.

    Args:
        input: as for `decode_image`, or a list of such.
        mode: channels to return.
        device: where the tensor goes; decoding itself happens on the CPU.
        apply_exif_orientation: turn a photograph the way the camera was held.
        max_pixels: as for `decode_image`.

    Returns:
        (c, h, w) uint8, or a list of them.

    Raises:
        FileFormatError: the bytes are of another format, or damaged.
        DomainError: an empty list.
    """
    if isinstance(input, list):
        if not input:
            raise DomainError("decode_jpeg: the list is empty; wanted at least one file")
        options = (mode, device, apply_exif_orientation)
        return [decode_jpeg(one, *options, max_pixels=max_pixels) for one in input]
    return _decoded("decode_jpeg", input, mode, apply_exif_orientation, max_pixels).to(device)


def decode_gif(
    input: Encoded, mode: Mode = UNCHANGED, *, max_pixels: int | None = None
) -> tp.Tensor:
    """Decode a GIF file; arguments as of `decode_image`.

    Args:
        input: a path, bytes, a binary file, or (number of bytes,) uint8.
        mode: of the result: an `ImageReadMode` or its name.
        max_pixels: refuse larger images; default as of `decode_image`.

    Returns:
        (3, h, w) for one frame, (frames, 3, h, w) for several; another mode gives its channels.

    Raises:
        FileFormatError: the bytes are of another format, or damaged.
    """
    return _decoded("decode_gif", input, mode, False, max_pixels)


def decode_webp(
    input: Encoded, mode: Mode = UNCHANGED, *, max_pixels: int | None = None
) -> tp.Tensor:
    """Decode a WebP file; arguments and result as of `decode_image`.

    Args:
        input: a path, bytes, a binary file, or (number of bytes,) uint8.
        mode: of the result: an `ImageReadMode` or its name.
        max_pixels: refuse larger images; default as of `decode_image`.

    Returns:
        (c, h, w) uint8; (frames, c, h, w) of an animation.

    Raises:
        FileFormatError: the bytes are of another format, or damaged.
    """
    return _decoded("decode_webp", input, mode, False, max_pixels)


def decode_avif(
    input: Encoded, mode: Mode = UNCHANGED, *, max_pixels: int | None = None
) -> tp.Tensor:
    """Decode an AVIF file to 8 bits; arguments and result as of `decode_image`.

    Args:
        input: a path, bytes, a binary file, or (number of bytes,) uint8.
        mode: of the result: an `ImageReadMode` or its name.
        max_pixels: refuse larger images; default as of `decode_image`.

    Returns:
        (c, h, w) uint8; (frames, c, h, w) of an animation.

    Raises:
        FileFormatError: the bytes are of another format, or damaged, or this Pillow was built
            without AVIF (11.3 and newer have it).
    """
    return _decoded("decode_avif", input, mode, False, max_pixels)


def _is_avif(content: bytes) -> bool:
    brands = content[8 : 8 + 4 * 16]  # major brand, version, compatible brands
    return content[4:8] == b"ftyp" and (b"avif" in brands or b"avis" in brands)


# What a function that is about one format takes, by how such a file begins.
_ONLY: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "decode_avif": ("AVIF", _is_avif),
    "decode_gif": ("GIF", lambda b: b[:6] in (b"GIF87a", b"GIF89a")),
    "decode_jpeg": ("JPEG", lambda b: b.startswith(b"\xff\xd8\xff")),
    "decode_png": ("PNG", lambda b: b.startswith(b"\x89PNG\r\n\x1a\n")),
    "decode_webp": ("WebP", lambda b: b[:4] == b"RIFF" and b[8:12] == b"WEBP"),
}


def _decoded(
    caller: str, input: Encoded, mode: Mode, turn: bool, max_pixels: int | None
) -> tp.Tensor:
    wanted = read_mode(mode)
    content, name = content_of(caller, input), name_of(input)
    kind, begins = _ONLY.get(caller, ("image", bool))
    if not begins(content):
        raise FileFormatError(
            f"{caller}: {name}: {'no bytes at all' if not content else f'no {kind} file'}"
        )
    with _explained(caller, name):
        image = _opened(content)
        _check_size(image, max_pixels)
        if is_deep(image) and _frame_count(image) == 1:
            frames = [deep_pixels(image, content, wanted)]
        else:
            frames = list(_frames(image, wanted))
        turned = _UPRIGHT.get(_orientation(image)) if turn else None
    sizes = sorted({frame.shape for frame in frames})
    if len(sizes) > 1:
        raise FileFormatError(
            f"{caller}: {name}: its {len(frames)} pages come in several shapes, {sizes[0]} and "
            f"{sizes[1]} for two; give a mode, or read a page with PIL.Image.open(...).seek(page)"
        )
    return _tensor(frames, turned)


@contextmanager
def _explained(caller: str, name: str) -> Iterator[None]:
    """What Pillow raises in the block becomes an error of ours."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except UnidentifiedImageError:
        raise FileFormatError(
            f"{caller}: {name}: no image, damaged from the start, or of a format that is not read "
            f"here ({', '.join(_formats())})"
        ) from None
    except Image.DecompressionBombError as error:
        raise FileFormatError(
            f"{caller}: {name}: too many pixels for Pillow ({error}); if you trust the file, raise "
            "PIL.Image.MAX_IMAGE_PIXELS"
        ) from error
    except FileFormatError as error:
        raise FileFormatError(f"{caller}: {name}: {error}") from None
    except _DAMAGE as error:
        raise FileFormatError(
            f"{caller}: {name}: damaged or cut off ({type(error).__name__}: {error})"
        ) from error


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _opened(content: bytes) -> Any:
    from PIL import Image

    return Image.open(BytesIO(content), formats=_formats())


def _frame_count(image: Any) -> int:
    if image.format in ("MPO", "ICO"):  # the same picture again, for a stereo viewer or smaller
        return 1
    return int(getattr(image, "n_frames", 1))


def _check_size(image: Any, max_pixels: int | None) -> None:
    from PIL import Image

    if max_pixels is None:
        if Image.MAX_IMAGE_PIXELS is None:
            return
        max_pixels = 2 * Image.MAX_IMAGE_PIXELS
    width, height = image.size
    if width * height > max_pixels or width * height * _frame_count(image) > max_pixels:
        raise FileFormatError(
            f"{width} x {height} pixels in {_frame_count(image)} frames are more than the limit of "
            f"{max_pixels:,}; if you trust the file, give a larger max_pixels"
        )


def _frames(image: Any, mode: ImageReadMode) -> Iterator[np.ndarray]:
    if image.format == "JPEG" and mode is ImageReadMode.GRAY:
        image.draft("L", None)  # the file's own luma; no colours are computed
    count = _frame_count(image)
    for place in range(count):
        if count > 1:
            image.seek(place)
        image.load()
        # Pillow gives up the palette of an animated PNG after its first frame.
        several = count > 1 and image.format == "PNG" and mode is UNCHANGED
        yield pixels(image, ImageReadMode.RGBA if several else mode)


def _orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:  # said in the docstring: what cannot be read turns nothing
        return 1


def _tensor(frames: list[np.ndarray], turn: Callable[[np.ndarray], np.ndarray] | None) -> tp.Tensor:
    upright = [turn(frame) for frame in frames] if turn else frames
    # Copied, as Pillow's memory is not for writing; the channels stay last in memory, as in
    # torchvision, since turning them round would take as long as decoding.
    pixels = np.stack(upright) if len(upright) > 1 else np.array(upright[0], order="C", copy=True)
    if frames[0].ndim == 2:
        return tp.from_numpy(pixels[..., None, :, :])
    return tp.from_numpy(np.moveaxis(pixels, -1, -3))
