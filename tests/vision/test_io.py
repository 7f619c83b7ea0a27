"""Image files: Pillow is the oracle."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, FileFormatError, ShapeError, UnknownNameError
from triptych_vision import io as vio

Pixels = Callable[..., np.ndarray]


def chw(array: np.ndarray) -> np.ndarray:
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_round_trip_is_exact(channels: int, pixels: Pixels, tmp_path: Path) -> None:
    image = tp.from_numpy(chw(pixels(7, 5, channels)).copy())
    vio.write_png(image, tmp_path / "a.png")
    assert np.array_equal(vio.read_image(tmp_path / "a.png").numpy(), image.numpy())
    encoded = vio.encode_png(image, compression_level=9)
    assert np.array_equal(vio.decode_png(encoded).numpy(), image.numpy())


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_what_pillow_writes_and_reads(channels: int, tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 16 * 24 * channels).astype(np.uint8).reshape(16, 24, channels)
    path = tmp_path / "a.jpg"
    vio.write_jpeg(tp.from_numpy(chw(ramp).copy()), path, quality=90)
    buffer = io.BytesIO()
    Image.fromarray(ramp.squeeze()).save(buffer, "JPEG", quality=90)
    assert path.read_bytes() == buffer.getvalue()
    assert vio.encode_jpeg(tp.from_numpy(chw(ramp).copy()), 90).numpy().tobytes() == (
        buffer.getvalue()
    )
    with Image.open(path) as image:
        assert np.array_equal(vio.decode_jpeg(path.read_bytes()).numpy(), chw(np.asarray(image)))


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


def test_16_bit_grey(tmp_path: Path) -> None:
    array = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
    Image.fromarray(array).save(tmp_path / "a.png")
    assert np.array_equal(vio.read_image(tmp_path / "a.png").numpy(), array[None])
    grey = vio.read_image(tmp_path / "a.png", "GRAY")
    assert np.array_equal(grey.numpy(), (array >> 8).astype(np.uint8)[None])


def test_exif_orientation(tmp_path: Path) -> None:
    array = np.zeros((8, 16, 3), np.uint8)
    array[:, 8:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to view
    Image.fromarray(array).save(tmp_path / "a.png", exif=exif)
    lying = vio.read_image(tmp_path / "a.png")
    standing = vio.read_image(tmp_path / "a.png", apply_exif_orientation=True)
    assert lying.shape == (3, 8, 16)
    assert np.array_equal(standing.numpy(), np.rot90(lying.numpy(), -1, axes=(1, 2)))


def test_frames_of_an_animation_are_stacked(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 3), color) for color in ("red", "lime", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    got = vio.decode_gif((tmp_path / "a.gif").read_bytes(), "RGB")
    assert got.shape == (3, 3, 3, 4)
    assert got[:, :, 0, 0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_decoded_tensor_can_be_written_to(tmp_path: Path) -> None:
    vio.write_png(tp.zeros(1, 2, 2, dtype=tp.uint8), tmp_path / "a.png")
    image = vio.read_image(tmp_path / "a.png")
    image[0, 0, 0] = 9
    assert image.tolist() == [[[9, 0], [0, 0]]]


def test_bytes_go_in_and_out(tmp_path: Path) -> None:
    data = tp.arange(256).to(tp.uint8)
    vio.write_file(tmp_path / "raw", data)
    assert (vio.read_file(tmp_path / "raw") == data).all()
    with pytest.raises(DTypeError, match="uint8"):
        vio.write_file(tmp_path / "raw", tp.zeros(3))
    with pytest.raises(ShapeError, match="one axis"):
        vio.write_file(tmp_path / "raw", data.reshape(2, 128))


def test_hostile_bytes_are_refused(pixels: Pixels) -> None:
    whole = vio.encode_png(tp.from_numpy(pixels(3, 40, 40))).numpy().tobytes()
    for content in (b"", b"\x89PNG\r\n\x1a\n", b"no image at all", whole[: len(whole) // 2]):
        with pytest.raises(FileFormatError, match="decode_image"):
            vio.decode_image(content)
    with pytest.raises(FileFormatError, match="no JPEG file"):
        vio.decode_jpeg(whole)


@pytest.mark.parametrize("name", ["read_file", "read_image", "decode_image", "decode_png"])
def test_a_path_without_a_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{name}: there is no file 'no/such/file.png'"):
        getattr(vio, name)("no/such/file.png")
    with pytest.raises(IsADirectoryError, match=f"{name}: .* is a folder"):
        getattr(vio, name)(tmp_path)


def test_wrong_arguments_say_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="UNCHANGED, GRAY"):
        vio.decode_image(b"", "PINK")
    with pytest.raises(DTypeError, match="wanted uint8"):
        vio.encode_png(tp.zeros(3, 2, 2))
    with pytest.raises(ShapeError, match=r"c one of \(1, 3\)"):
        vio.encode_jpeg(tp.zeros(4, 2, 2, dtype=tp.uint8))
    with pytest.raises(ValueError, match="1 to 100"):
        vio.encode_jpeg(tp.zeros(3, 2, 2, dtype=tp.uint8), quality=0)
    with pytest.raises(ValueError, match="0 to 9"):
        vio.write_png(tp.zeros(3, 2, 2, dtype=tp.uint8), tmp_path / "a.png", compression_level=10)
    with pytest.raises(DTypeError, match="one axis"):
        vio.decode_image(tp.zeros(3, 3))
