"""Sampling equals a loop over the new pixels."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych_vision.transforms import blockwise
from triptych_vision.transforms.blockwise import Places
from triptych_vision.transforms.interpolation import InterpolationMode
from triptych_vision.transforms.sampling import checked_fill, sample, sample_tensors


def naive(image: np.ndarray, x: float, y: float, mode: str, fill: np.ndarray | None) -> np.ndarray:
    """(c,) the image at one place."""
    height, width = image.shape[1:]
    if mode == "nearest":
        near = {(round(y), round(x)): 1.0}
    else:
        top, left = math.floor(y), math.floor(x)
        near = {
            (top + i, left + j): (i * (y - top) + (1 - i) * (top + 1 - y))
            * (j * (x - left) + (1 - j) * (left + 1 - x))
            for i in (0, 1)
            for j in (0, 1)
        }
    inside = {p: w for p, w in near.items() if 0 <= p[0] < height and 0 <= p[1] < width}
    value = sum((w * image[:, i, j] for (i, j), w in inside.items()), np.zeros(len(image)))
    share = sum(inside.values())
    return value if fill is None else (value - fill) * share + fill


def at(x: tp.Tensor, y: tp.Tensor, image: tp.Tensor) -> Places:
    """Places given in pixels."""
    height, width = image.shape[-2:]
    u, v = (2 * x + 1) / width - 1, (2 * y + 1) / height - 1
    return Places("given", (u, v))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill", [None, [2.5], [1.0, 2.0]])
def test_every_place(mode: str, fill: list[float] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blockwise, "BLOCK_ELEMENTS", 150)  # three rows at a time
    rng = np.random.default_rng(0)
    image = tp.from_numpy(rng.random((2, 5, 7)))
    x, y = tp.from_numpy(rng.uniform(-3, 10, (20, 25))), tp.from_numpy(rng.uniform(-3, 8, (20, 25)))
    want = [
        [naive(image.numpy(), *place, mode, fill) for place in zip(*row, strict=True)]
        for row in zip(x.tolist(), y.tolist(), strict=True)
    ]
    places = at(x, y, image)
    for way in (image, image.requires_grad_()):  # in blocks, and as tensors
        got = sample("test", way, places, (20, 25), InterpolationMode(mode), fill).detach()
        np.testing.assert_allclose(got.numpy(), np.moveaxis(np.array(want), -1, 0), atol=1e-12)


@pytest.mark.parametrize("dtype", [tp.uint8, tp.int16, tp.float32])
@pytest.mark.parametrize("mode", list(InterpolationMode)[:3:2])
def test_blocks_equal_tensors(dtype: tp.dtype, mode: InterpolationMode) -> None:
    rng = np.random.default_rng(0)
    image = tp.from_numpy(rng.integers(0, 200, (2, 3, 40, 50))).to(dtype)
    x, y = (tp.from_numpy(rng.uniform(-9, 59, (300, 90)).astype(np.float32)) for _ in range(2))
    places = at(x, y, image)
    for fill in (None, [3.0], [1.0, 2.4, 3.6]):
        got = sample("test", image, places, (300, 90), mode, fill)
        want = sample_tensors(image, places, (300, 90), mode, fill)
        assert got.dtype is dtype
        assert np.array_equal(got.numpy(), want.numpy())


def test_far_places_and_those_that_are_no_numbers_are_outside() -> None:
    image = tp.ones(1, 3, 3)
    x = tp.tensor([[math.inf, -math.inf, math.nan, 0.0]])
    for mode in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR):
        for way in (image, image.clone().requires_grad_()):
            out = sample("test", way, at(x, tp.zeros(1, 4), image), (1, 4), mode, 5)
            assert out.tolist() == [[[5, 5, 5, 1]]]


def test_integers_are_kept_by_nearest_and_rounded_by_bilinear() -> None:
    image = tp.tensor([[[2**40, 2**40 + 1]]])
    places = at(tp.tensor([[1.0, 0.0]]), tp.zeros(1, 2), image)
    out = sample("test", image, places, (1, 2), InterpolationMode.NEAREST)
    assert out.tolist() == [[[2**40 + 1, 2**40]]]
    image = tp.tensor([[[3, 6]]])
    places = at(tp.tensor([[0.6]]), tp.zeros(1, 1), image)
    half = sample("test", image, places, (1, 1), InterpolationMode.BILINEAR)
    assert (half.dtype, half.item()) == (tp.int64, 5)


def test_empty_images_and_fills() -> None:
    image = tp.zeros(0, 3, 3)
    places = at(tp.zeros(2, 2), tp.zeros(2, 2), image)
    assert sample("t", image, places, (2, 2), InterpolationMode.NEAREST).shape == (0, 2, 2)
    assert checked_fill("t", 3, 3) == [3.0]
    assert checked_fill("t", None, 3) is None
