"""Files that nobody should trust: each is decoded right or refused with a clear error."""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from triptych.errors import FileFormatError
from triptych_vision.io import decode_image, decode_jpeg

IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8))


def encoded(format: str, image: Image.Image = IMAGE, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int = 8, colour_type: int = 2, data: bytes = b"") -> bytes:
    """A PNG that claims a size and has whatever data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIIIII", 54, 0, 0, 54, 40, width, height, 1, 24, *[0] * 6)


def gif_of_giants() -> bytes:
    """A screen of 1 x 1, and a frame on it of 65535 x 65535."""
    frame = b",\0\0\0\0" + struct.pack("<HH", 65535, 65535) + b"\0\x02\x02D\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame + b";"


def tiff_in_a_circle() -> bytes:
    """Its only directory names itself as the next one."""
    entries = [(256, 3, 1, 2), (257, 3, 1, 2), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 90), (277, 3, 1, 1), (278, 3, 1, 2), (279, 4, 1, 4)]
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    head = b"II*\0" + struct.pack("<I", 8) + table + struct.pack("<I", 8)
    return head.ljust(90, b"\0") + bytes([1, 2, 3, 4])


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no bytes": (lambda: b"", "no bytes at all"),
    "text": (lambda: b"no image at all", "no image"),
    "only a signature": (lambda: b"\x89PNG\r\n\x1a\n", "decode_image"),
    "a program that draws": (
        lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        "format that is not read here",
    ),
    "PNG of no width": (lambda: png(0, 5), "decode_image"),
    "PNG without data": (lambda: png(9, 9), "cut off"),
    "PNG of an odd depth": (lambda: png(9, 9, depth=3), "decode_image"),
    "16-bit PNG without data": (lambda: png(9, 9, depth=16), "cut off"),
    "PNG of 2**31 pixels a side": (lambda: png(2**31 - 1, 2**31 - 1), "too many pixels"),
    "PNG of 20000 pixels a side": (lambda: png(20000, 20000), "MAX_IMAGE_PIXELS"),
    "BMP of 100000 pixels a side": (lambda: bmp(100000, 100000), "too many pixels"),
    "GIF with a giant frame": (gif_of_giants, "decode_image"),
    "PPM of an absurd size": (lambda: b"P6 99999999 99999999 255\n", "too many pixels"),
    "JPEG cut off": (lambda: encoded("JPEG")[:600], "cut off"),
    "WebP cut off": (lambda: encoded("WEBP")[:300], "decode_image"),
    "TIFF cut off": (lambda: encoded("TIFF")[:200], "decode_image"),
    "BMP cut off": (lambda: encoded("BMP")[:300], "cut off"),
    "AVIF cut off": (lambda: b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf", "decode_image"),
    "PNG with a wrong checksum": (
        lambda: encoded("PNG").replace(b"IHDR\0\0\0\x32", b"IHDR\0\0\0\x33"),
        "decode_image",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.filterwarnings("ignore:.*decompression bomb:Warning")
def test_refused(case: str) -> None:
    content, text = REFUSED[case]
    with pytest.raises(FileFormatError, match=text):
        decode_image(content())


READ: dict[str, tuple[Callable[[], bytes], tuple[int, ...]]] = {
    "one pixel": (lambda: encoded("PNG", Image.new("1", (1, 1))), (1, 1, 1)),
    "1 x 60000": (lambda: encoded("PNG", Image.new("L", (60000, 1))), (1, 1, 60000)),
    "palette with alpha": (
        lambda: encoded("PNG", IMAGE.quantize(16), transparency=bytes(range(16))),
        (4, 40, 50),
    ),
    "alpha with a palette": (lambda: encoded("TIFF", IMAGE.convert("LA")), (2, 40, 50)),
    "CMYK JPEG": (lambda: encoded("JPEG", IMAGE.convert("CMYK")), (3, 40, 50)),
    "LAB TIFF": (lambda: encoded("TIFF", IMAGE.convert("LAB")), (3, 40, 50)),
    "animated WebP": (
        lambda: encoded("WEBP", save_all=True, append_images=[IMAGE.rotate(180)]),
        (2, 3, 40, 50),
    ),
    "JPEG with junk behind": (lambda: encoded("JPEG") + b"junk" * 99, (3, 40, 50)),
    "broken EXIF": (lambda: encoded("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), (3, 40, 50)),
    "EXIF of nothing": (lambda: encoded("JPEG", exif=b"Exif\0\0"), (3, 40, 50)),
    "EXIF that turns by 99": (lambda: encoded("PNG", exif=_turned(99)), (3, 40, 50)),
    "TIFF in a circle": (tiff_in_a_circle, (1, 2, 2)),
}


def _turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("case", READ)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")  # Pillow says so, too
def test_read(case: str) -> None:
    content, shape = READ[case]
    assert decode_image(content(), apply_exif_orientation=True).shape == shape


def test_orientation_of_another_type_turns_nothing() -> None:
    entry = struct.pack("<HHI", 0x0112, 2, 4) + b"six\0"  # text
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    lying = decode_image(encoded("JPEG", exif=exif), apply_exif_orientation=True)
    assert lying.shape == (3, 40, 50)


def test_another_format_is_refused_by_name() -> None:
    with pytest.raises(FileFormatError, match="decode_jpeg: the bytes: no JPEG file"):
        decode_jpeg(encoded("PNG"))


def test_limits_on_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    still = encoded("PNG")
    frames = [IMAGE.rotate(90 * turn) for turn in range(3)]
    film = encoded("GIF", frames[0], save_all=True, append_images=frames[1:])
    assert decode_image(still, max_pixels=2000).shape == (3, 40, 50)
    assert decode_image(film, max_pixels=6000).shape == (3, 3, 40, 50)
    for content, limit in ((still, 1999), (film, 5999)):
        with pytest.raises(FileFormatError, match=f"limit of {limit:,}; .* larger max_pixels"):
            decode_image(content, max_pixels=limit)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # Pillow's own: twice that for all frames
    assert decode_image(still).shape == (3, 40, 50)
    with pytest.raises(FileFormatError, match="3 frames are more than the limit of 4,000"):
        decode_image(film)


FUZZED = {
    **{name: encoded(name) for name in ("JPEG", "PNG", "WEBP", "BMP", "PPM", "TIFF", "GIF")},
    "palette": encoded("PNG", IMAGE.quantize(16), transparency=3),
    "animation": encoded("GIF", save_all=True, append_images=[IMAGE.rotate(180)]),
    "compressed TIFF": encoded("TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("name", FUZZED)
@pytest.mark.filterwarnings("ignore")  # Pillow warns of odd metadata
def test_any_damage_is_an_error_of_ours_or_none(name: str) -> None:
    rng, whole = np.random.default_rng(len(name)), FUZZED[name]
    for _ in range(40):
        content = bytearray(whole)
        for place in rng.integers(0, min(len(content), rng.choice([40, 400, 10**6])), 4):
            content[place] = rng.integers(256)
        content = content[: rng.integers(1, 2 * len(content))]
        with contextlib.suppress(FileFormatError):  # any other error fails
            image = decode_image(
                bytes(content), "RGB", apply_exif_orientation=True, max_pixels=10**6
            )
            assert image.shape[-3] == 3
