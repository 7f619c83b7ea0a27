"""Resizing: Pillow is the oracle, for tensors too."""

from collections.abc import Callable

import numpy as np
import PIL
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError, UnknownNameError
from triptych_vision.transforms import InterpolationMode
from triptych_vision.transforms import functional as F
from triptych_vision.transforms.filters import filter_matrix
from triptych_vision.transforms.functional.resizing import resized_size, rows_first

PILLOW = int(PIL.__version__.partition(".")[0])
Pixels = Callable[..., np.ndarray]
FILTERED = [m for m in InterpolationMode if not m.value.startswith("nearest")]


def pillow(array: np.ndarray, height: int, width: int, mode: InterpolationMode) -> np.ndarray:
    return np.asarray(Image.fromarray(array).resize((width, height), mode.pillow_code))


@pytest.mark.parametrize("mode", FILTERED)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((300, 451), (256, 384)),
        ((37, 53), (80, 101)),
        ((64, 64), (64, 20)),
        ((20, 30), (1, 1)),
        ((1, 1), (3, 5)),
        ((200, 10), (7, 10)),
    ],
)
def test_bytes_equal_pillow_bit_for_bit(
    mode: InterpolationMode, old: tuple[int, int], new: tuple[int, int], pixels: Pixels
) -> None:
    image = pixels(*old, 3)
    got = F.resize(tp.from_numpy(image.transpose(2, 0, 1).copy()), list(new), mode)
    assert got.dtype is tp.uint8
    assert np.array_equal(got.numpy().transpose(1, 2, 0), pillow(image, *new, mode))


@given(
    st.tuples(*[st.integers(1, 40)] * 4),
    st.sampled_from(FILTERED),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_bytes_equal_pillow_at_any_size(
    sizes: tuple[int, int, int, int], mode: InterpolationMode, seed: int
) -> None:
    h, w, new_h, new_w = sizes
    assume(PILLOW >= 13 or not rows_first((h, w), (new_h, new_w)))
    # Only black and white: the filters overshoot most.
    image = np.random.default_rng(seed).integers(0, 2, (h, w), dtype=np.uint8) * 255
    got = F.resize(tp.from_numpy(image)[None], [new_h, new_w], mode)[0]
    assert np.array_equal(got.numpy(), pillow(image, new_h, new_w, mode))


@pytest.mark.parametrize("mode", FILTERED)
def test_floats_equal_pillow(mode: InterpolationMode) -> None:
    image = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    got = F.resize(tp.from_numpy(image)[None], [21, 60], mode)[0]
    np.testing.assert_allclose(got.numpy(), pillow(image, 21, 60, mode), atol=2e-6)


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("mode", FILTERED)
def test_floats_are_two_matrix_products(mode: InterpolationMode, antialias: bool) -> None:
    image = np.random.default_rng(0).normal(size=(2, 3, 70, 90))
    down = filter_matrix(70, 33, mode, antialias)
    across = filter_matrix(90, 120, mode, antialias)
    got = F.resize(tp.from_numpy(image), [33, 120], mode, antialias=antialias)
    np.testing.assert_allclose(got.numpy(), down @ image @ across.T, atol=1e-12)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("dtype", [tp.uint8, tp.bool, tp.int64, tp.float32])
def test_nearest_copies_pixels_of_any_dtype(mode: str, dtype: tp.dtype) -> None:
    image = tp.arange(12).reshape(1, 3, 4).to(dtype)
    got = F.resize(image, [6, 2], mode)
    shift = 0 if mode == "nearest" else 1
    assert got.dtype is dtype
    assert np.array_equal(got.numpy(), np.repeat(image.numpy(), 2, axis=1)[:, :, shift::2])


@pytest.mark.parametrize(
    ("dtype", "limit"), [(tp.int16, 32767), (tp.uint16, 65535), (tp.int32, 2**31 - 1)]
)
def test_other_integers_are_rounded_and_kept_in_range(dtype: tp.dtype, limit: int) -> None:
    image = tp.tensor([[[0, limit, limit, 0, 0, limit]]]).to(dtype)
    got = F.resize(image, [1, 11], "bicubic")
    assert got.dtype is dtype
    assert int(got.to(tp.int64).max()) == limit


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16])
def test_short_floats_keep_their_dtype(dtype: tp.dtype) -> None:
    got = F.resize(tp.ones(1, 8, 8, dtype=dtype), 5)
    assert got.dtype is dtype
    np.testing.assert_allclose(got.to(tp.float32).numpy(), 1, atol=1e-2)


def test_gradients_flow_through_the_filter() -> None:
    x = tp.zeros(1, 6, 9, dtype=tp.float64).requires_grad_()
    F.resize(x, [4, 5], "bicubic").sum().backward()
    down = filter_matrix(6, 4, InterpolationMode.BICUBIC).sum(0)
    across = filter_matrix(9, 5, InterpolationMode.BICUBIC).sum(0)
    np.testing.assert_allclose(x.grad.numpy()[0], np.outer(down, across), atol=1e-12)


@pytest.mark.parametrize(
    ("old", "size", "max_size", "new"),
    [
        ((300, 451), 256, None, (256, 384)),  # 384.85 is cut
        ((451, 300), [256], None, (384, 256)),
        ((10, 20), (3, 4), None, (3, 4)),
        ((10, 40), 20, 50, (12, 50)),
        ((40, 10), 20, 50, (50, 12)),
        ((10, 40), None, 20, (5, 20)),
        ((7, 7), 7, None, (7, 7)),
    ],
)
def test_sizes(
    old: tuple[int, int], size: int | list[int], max_size: int | None, new: tuple[int, int]
) -> None:
    assert resized_size(old, size, max_size) == new


@pytest.mark.parametrize(
    ("size", "max_size"), [(0, None), ((1, 2, 3), None), (None, None), ((4, 4), 9), (8, 8)]
)
def test_wrong_sizes_are_refused(size: object, max_size: int | None) -> None:
    with pytest.raises(ShapeError, match="resize: "):
        F.resize(tp.zeros(1, 4, 4), size, max_size=max_size)  # type: ignore[arg-type]


def test_wrong_modes_and_dtypes_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="bilinear"):
        F.resize(tp.zeros(1, 4, 4), 2, "cubist")
    with pytest.raises(DTypeError, match="nearest"):
        F.resize(tp.zeros(1, 4, 4, dtype=tp.bool), 2)


def test_same_size_is_the_same_image() -> None:
    x, pil = tp.zeros(1, 4, 4), Image.new("L", (4, 4))
    assert F.resize(x, 4) is x
    assert F.resize(pil, [4, 4]) is pil
