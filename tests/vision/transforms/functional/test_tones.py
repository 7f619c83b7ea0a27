"""Changes of tone, by hand and against Pillow."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]
CALLS = {
    "invert": (),
    "posterize": (3,),
    "solarize": (100,),
    "autocontrast": (),
    "equalize": (),
}


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("high", [255, 200, 3, 1])
def test_bytes_equal_pillow(name: str, high: int, pixels: Pixels) -> None:
    hwc = pixels(40, 30, 3) % high + (17 if high < 200 else 0)
    hwc[0, 0] = 5
    image = Image.fromarray(hwc)
    want = np.asarray(getattr(ImageOps, name)(image, *CALLS[name]))
    function = getattr(F, name)
    assert np.array_equal(np.asarray(function(image, *CALLS[name])), want)
    assert np.abs(function(hwc, *CALLS[name]).astype(int) - want).max() <= (name == "autocontrast")
    chw = tp.from_numpy(hwc.transpose(2, 0, 1).copy())
    batch = function(tp.stack([chw, chw.flip(-1)]), *CALLS[name]).numpy()
    assert np.array_equal(batch[0].transpose(1, 2, 0), function(hwc, *CALLS[name]))
    assert np.array_equal(batch[1, :, :, ::-1], batch[0])


def test_floats_and_wide_integers(pixels: Pixels) -> None:
    x = tp.tensor([[[0.0, 0.3, 0.74, 1.0]]])
    assert F.posterize(x, 2).flatten().tolist() == [0.0, 0.25, 0.5, 0.75]
    np.testing.assert_allclose(F.solarize(x, 0.5).flatten().tolist(), [0.0, 0.3, 0.26, 0.0])
    np.testing.assert_allclose(F.autocontrast(x / 2 + 0.1).numpy(), x.numpy(), atol=1e-6)
    assert F.posterize(tp.tensor([32767], dtype=tp.int16), 1).item() == 16384
    assert F.solarize(tp.tensor([32767, 5], dtype=tp.int16), 6).tolist() == [0, 5]
    array = pixels(3, 20, 20)
    floats = F.equalize(tp.from_numpy(array.astype(np.float32) / np.float32(255)))
    assert np.array_equal(np.rint(floats.numpy() * 255), F.equalize(tp.from_numpy(array)).numpy())


def test_equalize_spreads_evenly() -> None:
    ramp = tp.arange(64, dtype=tp.uint8).repeat_interleave(64).reshape(1, 64, 64)
    out = F.equalize(ramp).numpy()
    assert (out.min(), out.max()) == (0, 255)
    steps = np.diff(out[0, :, 0].astype(int))
    assert set(steps[:60].tolist()) == {4, 5, 3}
    assert steps[60:].tolist() == [0, 0, 0]  # Pillow's steps reach white a little early


def test_flat_and_empty_images_stay() -> None:
    flat = tp.full((3, 4, 4), 9, dtype=tp.uint8)
    assert F.autocontrast(flat).tolist() == F.equalize(flat).tolist() == flat.tolist()
    assert F.autocontrast(flat / 10).tolist() == (flat / 10).tolist()
    empty = tp.zeros(3, 0, 2, dtype=tp.uint8)
    assert F.equalize(empty).shape == F.autocontrast(empty).shape == (3, 0, 2)


def test_wrong_arguments() -> None:
    x = tp.zeros(3, 2, 2, dtype=tp.uint8)
    for bits, kind in ((9, ValueError), (-1, ValueError), (2.0, DTypeError)):
        with pytest.raises(kind, match="posterize: bits"):
            F.posterize(x, bits)
    with pytest.raises(ValueError, match="at most 255"):
        F.solarize(x, 256)
    with pytest.raises(ValueError, match="at most 1 "):
        F.solarize(x / 2, 2)
    with pytest.raises(ShapeError, match="autocontrast"):
        F.autocontrast(x[:2])


def test_invert_of_every_dtype() -> None:
    assert F.invert(tp.tensor([True, False])).tolist() == [False, True]
    assert F.invert(tp.tensor([5], dtype=tp.int16)).item() == 32762
    assert F.invert(tp.tensor([[0.25]])).item() == 0.75
