"""Encoding: what is written is read again, and is what Pillow writes."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError
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


def test_16_bit_grey_round_trip() -> None:
    deep = tp.arange(0, 60000, 1000).to(tp.uint16).reshape(1, 6, 10)
    assert (vio.decode_png(vio.encode_png(deep)) == deep).all()


def test_several_and_file_objects(pixels: Pixels) -> None:
    image = tp.from_numpy(pixels(3, 8, 8))
    first, second = vio.encode_jpeg([image, image])
    assert (first == second).all()
    for write, encode in ((vio.write_png, vio.encode_png), (vio.write_jpeg, vio.encode_jpeg)):
        file = io.BytesIO()
        write(image, file)
        assert file.getvalue() == encode(image).numpy().tobytes()


def test_wrong_arguments_say_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(DTypeError, match=r"encode_png: wanted .*uint8"):
        vio.encode_png(tp.zeros(3, 2, 2))
    with pytest.raises(ShapeError, match=r"c one of \(1,\)"):
        vio.encode_png(tp.zeros(3, 2, 2, dtype=tp.uint16))
    with pytest.raises(ShapeError, match=r"c one of \(1, 3\)"):
        vio.encode_jpeg(tp.zeros(4, 2, 2, dtype=tp.uint8))
    with pytest.raises(ShapeError, match="no axis empty"):
        vio.encode_png(tp.zeros(3, 0, 2, dtype=tp.uint8))
    with pytest.raises(ValueError, match="1 to 100"):
        vio.encode_jpeg(tp.zeros(3, 2, 2, dtype=tp.uint8), quality=0)
    with pytest.raises(ValueError, match="0 to 9"):
        vio.write_png(tp.zeros(3, 2, 2, dtype=tp.uint8), tmp_path / "a.png", compression_level=10)
    with pytest.raises(ValueError, match="list is empty"):
        vio.encode_jpeg([])
