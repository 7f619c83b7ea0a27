"""Image files: Pillow is the oracle."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import triptych as tp
from triptych.errors import DTypeError, FileFormatError, UnknownNameError
from triptych_vision import io as vio

Pixels = Callable[..., np.ndarray]


def chw(array: np.ndarray) -> np.ndarray:
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "pillow_mode"),
    [("GRAY", "L"), ("GRAY_ALPHA", "LA"), ("RGB", "RGB"), ("RGB_ALPHA", "RGBA"), ("rgba", "RGBA")],
)
def test_modes_convert_as_pillow_does(
    mode: str, pillow_mode: str, pixels: Pixels, tmp_path: Path
) -> None:
    image = Image.fromarray(pixels(6, 9, 4))
    image.save(tmp_path / "a.png")
    got = vio.read_image(tmp_path / "a.png", mode)
    assert np.array_equal(got.numpy(), chw(np.asarray(image.convert(pillow_mode))))


def test_palette_becomes_rgb(tmp_path: Path, pixels: Pixels) -> None:
    image = Image.fromarray(pixels(6, 9, 3)).quantize(16)
    image.save(tmp_path / "a.png")
    got = vio.read_image(tmp_path / "a.png")
    assert np.array_equal(got.numpy(), chw(np.asarray(image.convert("RGB"))))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda near: abs(guess - near))


def deep_png(array: np.ndarray, transparent: bytes = b"") -> bytes:
    """A PNG of 16 bits, (h, w, c), each row with another filter; PNG specification, part 9."""
    height, width, channels = array.shape
    step, lines, above = channels * 2, [], bytes(width * channels * 2)
    for y, row in enumerate(array.astype(">u2")):
        line = row.tobytes()
        left = bytes(step) + line[:-step]
        corner = bytes(step) + above[:-step]
        guesses = [
            bytes(len(line)),
            left,
            above,
            bytes((a + b) // 2 for a, b in zip(left, above, strict=True)),
            bytes(map(paeth, left, above, corner)),
        ][y % 5]
        rest = bytes((a - b) % 256 for a, b in zip(line, guesses, strict=True))
        lines.append(bytes([y % 5]) + rest)
        above = line
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"tRNS", transparent) if transparent else b"")
        + chunk(b"IDAT", zlib.compress(b"".join(lines)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_png_keeps_all_bits(channels: int) -> None:
    deep = np.random.default_rng(channels).integers(0, 65536, (11, 7, channels), dtype=np.uint16)
    got = vio.decode_png(deep_png(deep))
    assert got.dtype is tp.uint16
    assert np.array_equal(got.numpy(), chw(deep))
    for mode, count in (("GRAY", 1), ("GRAY_ALPHA", 2), ("RGB", 3), ("RGBA", 4)):
        changed = vio.decode_png(deep_png(deep), mode)
        assert (changed.dtype, changed.shape) == (tp.uint16, (count, 11, 7))
        # Its upper bytes are what the image of 8 bits gives, up to rounding.
        shallow = np.ascontiguousarray((deep >> 8).astype(np.uint8).squeeze())
        want = vio.decode_png(encoded(Image.fromarray(shallow), "PNG"), mode).numpy()
        assert np.abs((changed.numpy() >> 8).astype(int) - want).max() <= 1


def test_16_bit_colour_that_is_transparent() -> None:
    deep = np.full((2, 2, 3), 1000, np.uint16)
    deep[0, 1] = (1, 2, 300)
    got = vio.decode_png(deep_png(deep, transparent=struct.pack(">HHH", 1, 2, 300)), "RGBA")
    assert got[3].tolist() == [[65535, 0], [65535, 65535]]


def test_16_bit_grey_of_other_formats() -> None:
    array = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
    for format in ("PNG", "TIFF"):
        got = vio.decode_image(encoded(Image.fromarray(array), format))
        assert got.dtype is tp.uint16
        assert np.array_equal(got.numpy(), array[None])
    plain = b"P5 2 1 65535\n" + struct.pack(">HH", 7, 40000)
    assert vio.decode_image(plain).tolist() == [[[7, 40000]]]


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_32_bit_tiff_comes_as_it_is_and_not_otherwise(kind: type) -> None:
    array = np.array([[-1, 2], [300000, 4]], kind)
    content = encoded(Image.fromarray(array), "TIFF")
    assert vio.decode_image(content).tolist() == [array.tolist()]
    with pytest.raises(FileFormatError, match="unknown range"):
        vio.decode_image(content, "RGB")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_as_pillow_turns_it(orientation: int, format: str, pixels: Pixels) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(pixels(6, 9, 3)), format, exif=exif)
    with Image.open(io.BytesIO(content)) as image:
        lying, standing = np.asarray(image), np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(vio.decode_image(content).numpy(), chw(lying))
    got = vio.decode_image(content, apply_exif_orientation=True)
    assert np.array_equal(got.numpy(), chw(standing))


def test_frames_of_an_animation_are_stacked(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 3), color) for color in ("red", "lime", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    got = vio.decode_gif((tmp_path / "a.gif").read_bytes(), "RGB")
    assert got.shape == (3, 3, 3, 4)
    assert np.array_equal(vio.decode_image(tmp_path / "a.gif").numpy(), got.numpy())
    assert got[:, :, 0, 0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_frames_with_and_without_transparency(format: str, options: dict[str, bool]) -> None:
    clear, solid = Image.new("RGBA", (4, 3), (0, 0, 0, 0)), Image.new("RGBA", (4, 3), "red")
    content = encoded(solid, format, save_all=True, append_images=[clear], **options, disposal=2)
    got = vio.decode_image(content)
    assert got.shape == (2, 4, 3, 4)
    assert got[:, 3, 0, 0].tolist() == [255, 0]
    assert vio.decode_image(content, "RGB").shape == (2, 3, 3, 4)


def test_gif_is_rgb_and_has_alpha_when_asked(pixels: Pixels) -> None:
    image = Image.fromarray(pixels(6, 9, 3)).quantize(8)
    content = encoded(image, "GIF", transparency=image.getpixel((0, 0)))
    assert vio.decode_gif(content).shape == (3, 6, 9)
    assert vio.decode_gif(content, "RGBA")[3, 0, 0] == 0


def test_pages_of_several_sizes_are_refused() -> None:
    pages = [Image.new("L", (4, 3)), Image.new("L", (5, 3))]
    content = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    with pytest.raises(FileFormatError, match="2 pages come in several shapes"):
        vio.decode_image(content)


def test_grey_of_a_jpeg_is_its_own_luma(pixels: Pixels) -> None:
    content = encoded(Image.fromarray(pixels(16, 24, 3)), "JPEG")
    with Image.open(io.BytesIO(content)) as image:
        image.draft("L", None)
        assert np.array_equal(vio.decode_jpeg(content, "GRAY").numpy(), np.asarray(image)[None])


@pytest.mark.parametrize("format", ["BMP", "PPM", "SGI", "ICO", "JPEG2000"])
def test_other_formats(format: str, pixels: Pixels) -> None:
    image = Image.fromarray(pixels(16, 16, 3))
    got = vio.decode_image(encoded(image, format), "RGB")
    assert np.array_equal(got.numpy(), chw(np.asarray(image)))


Image.init()


@pytest.mark.skipif("AVIF" not in Image.SAVE, reason="this Pillow was built without AVIF")
def test_avif() -> None:
    ramp = np.broadcast_to(np.arange(0, 240, 10, dtype=np.uint8)[None, :, None], (20, 24, 3))
    content = encoded(Image.fromarray(np.ascontiguousarray(ramp)), "AVIF", quality=95)
    got = vio.decode_avif(content)
    assert np.abs(got.numpy().astype(int) - chw(ramp)).max() <= 8
    with pytest.raises(FileFormatError, match="no AVIF file"):
        vio.decode_avif(b"\0\0\0\x20ftypheic" + bytes(40))


def test_webp_and_cmyk(pixels: Pixels) -> None:
    image = Image.fromarray(pixels(9, 6, 4))
    got = vio.decode_webp(encoded(image, "WEBP", lossless=True, exact=True))
    assert np.array_equal(got.numpy(), chw(np.asarray(image)))
    ink = encoded(Image.fromarray(pixels(16, 16, 3)).convert("CMYK"), "JPEG")
    with Image.open(io.BytesIO(ink)) as opened:
        want = chw(np.asarray(opened.convert("RGB")))
    assert np.array_equal(vio.decode_jpeg(ink).numpy(), want)


def test_all_kinds_of_sources(tmp_path: Path, pixels: Pixels) -> None:
    image = pixels(5, 4, 3)
    content = encoded(Image.fromarray(image), "PNG")
    path = tmp_path / "a.jpeg"  # a name that lies
    path.write_bytes(content)
    tensor = tp.from_numpy(np.frombuffer(bytearray(content), np.uint8))
    sources = (path, str(path), content, bytearray(content), memoryview(content), tensor)
    for source in (*sources, io.BytesIO(content)):
        assert np.array_equal(vio.decode_image(source).numpy(), chw(image))
    with path.open("rb") as file:
        assert np.array_equal(vio.read_image(file).numpy(), chw(image))


def test_several_jpegs_at_once(pixels: Pixels) -> None:
    content = encoded(Image.fromarray(pixels(8, 8, 3)), "JPEG")
    first, second = vio.decode_jpeg([content, content], "RGB")
    assert np.array_equal(first.numpy(), vio.decode_jpeg(content).numpy())
    assert np.array_equal(second.numpy(), first.numpy())
    with pytest.raises(ValueError, match="list is empty"):
        vio.decode_jpeg([])


def test_decoded_tensor_can_be_written_to(tmp_path: Path) -> None:
    vio.write_png(tp.zeros(1, 2, 2, dtype=tp.uint8), tmp_path / "a.png")
    image = vio.read_image(tmp_path / "a.png")
    image[0, 0, 0] = 9
    assert image.tolist() == [[[9, 0], [0, 0]]]


@pytest.mark.parametrize("name", ["read_file", "read_image", "decode_image", "decode_png"])
def test_a_path_without_a_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{name}: there is no file 'no/such/file.png'"):
        getattr(vio, name)("no/such/file.png")
    with pytest.raises(IsADirectoryError, match=f"{name}: .* is a folder"):
        getattr(vio, name)(tmp_path)


def test_wrong_arguments_say_what_is_wanted() -> None:
    with pytest.raises(UnknownNameError, match="UNCHANGED, GRAY"):
        vio.decode_image(b"", "PINK")
    with pytest.raises(DTypeError, match="one axis"):
        vio.decode_image(tp.zeros(3, 3))
    with pytest.raises(DTypeError, match="got int"):
        vio.decode_image(7)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="got StringIO of text"):
        vio.decode_image(io.StringIO("text"))  # type: ignore[arg-type]
