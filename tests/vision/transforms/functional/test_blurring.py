"""Blur against a plain double sum, noise against its moments."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from scipy.stats import kstest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


def blurred(x: np.ndarray, across: tuple[int, float], down: tuple[int, float]) -> np.ndarray:
    """The sum over a window of the mirrored image, float64."""
    weights = []
    for length, sigma in (down, across):
        place = np.arange(length) - length // 2
        bell = np.exp(-(place**2) / (2 * sigma**2))
        weights.append(bell / bell.sum())
    frame = [(0, 0)] * (x.ndim - 2) + [(n // 2,) * 2 for n in (down[0], across[0])]
    window = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, frame, mode="reflect"), (down[0], across[0]), axis=(-2, -1)
    )
    return np.einsum("...ij,i,j->...", window, *weights)


@pytest.mark.parametrize("shape", [(3, 40, 70), (2, 1, 33, 9), (2, 2, 3, 64, 5), (1, 4, 100)])
@pytest.mark.parametrize(("across", "down"), [(3, 3), (9, 5), (1, 7), (1, 1)])
def test_against_a_double_sum(
    shape: tuple[int, ...], across: int, down: int, pixels: Pixels
) -> None:
    if across // 2 >= shape[-1] or down // 2 >= shape[-2]:
        down = 5
    array = pixels(*shape)
    want = blurred(array.astype(np.float64), (across, 1.2), (down, 0.7))
    floats = F.gaussian_blur(tp.from_numpy(array.astype(np.float64)), (across, down), (1.2, 0.7))
    np.testing.assert_allclose(floats.numpy(), want, atol=1e-10)
    got = F.gaussian_blur(tp.from_numpy(array), (across, down), (1.2, 0.7)).numpy()
    clear = np.abs(want - np.floor(want) - 0.5) > 1e-3
    assert np.array_equal(got[clear], np.rint(want)[clear])
    assert np.abs(got - want).max() < 0.51


def test_every_kind_and_the_default_width(pixels: Pixels) -> None:
    hwc = pixels(12, 14, 3)
    want = F.gaussian_blur(tp.from_numpy(hwc.transpose(2, 0, 1)), 5).numpy().transpose(1, 2, 0)
    assert np.array_equal(F.gaussian_blur(hwc, 5, 5 * 0.15 + 0.35), want)
    assert np.array_equal(np.asarray(F.gaussian_blur(Image.fromarray(hwc), [5, 5])), want)
    assert F.gaussian_blur(Image.fromarray(hwc[..., 0]), 3).mode == "L"
    assert F.gaussian_blur(tp.zeros(3, 0, 4), 3).shape == (3, 0, 4)


def test_blur_has_gradients() -> None:
    x = tp.rand(1, 6, 7, dtype=tp.float64).requires_grad_()
    assert tp.autograd.gradcheck(lambda x: F.gaussian_blur(x, 3, 0.8), (x,))


@pytest.mark.parametrize("kernel_size", [2, 0, -1, (3, 4)])
def test_wrong_kernel_sizes(kernel_size: int) -> None:
    with pytest.raises(ValueError, match="odd and above zero"):
        F.gaussian_blur(tp.zeros(1, 9, 9), kernel_size)


def test_other_wrong_arguments() -> None:
    with pytest.raises(ShapeError, match="one number or two"):
        F.gaussian_blur(tp.zeros(1, 9, 9), (3, 3, 3))
    with pytest.raises(ShapeError, match="sigma is one number or two"):
        F.gaussian_blur(tp.zeros(1, 9, 9), 3, (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="sigma is above zero"):
        F.gaussian_blur(tp.zeros(1, 9, 9), 3, 0.0)
    with pytest.raises(ShapeError, match="mirrored"):
        F.gaussian_blur(tp.zeros(1, 4, 3), 7)


def test_noise_has_its_moments() -> None:
    generator = tp.Generator().manual_seed(3)
    x = tp.full((3, 100, 100), 128, dtype=tp.uint8)
    noise = F.gaussian_noise(x, 0.1, 0.05, generator=generator).numpy().astype(float) - 128
    assert abs(noise.mean() - 25.5) < 0.7
    assert abs(noise.std() - 12.75) < 0.2
    floats = F.gaussian_noise(x / 255, 0.0, 0.5, generator=generator)
    assert (floats.min().item(), floats.max().item()) == (0.0, 1.0)
    free = F.gaussian_noise(x / 255, 0.0, 0.5, False, generator=generator)
    assert free.max() > 1
    assert np.array_equal(F.gaussian_noise(x, sigma=0.0).numpy(), x.numpy())


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_noise_is_normal_and_without_pattern(dtype: str) -> None:
    generator = tp.Generator().manual_seed(5)
    x = tp.zeros(3, 101, 99, dtype=getattr(tp, dtype))  # an odd number of values
    noise = F.gaussian_noise(x, 0.0, 0.5, False, generator=generator)
    assert noise.dtype is x.dtype
    drawn = noise.numpy().astype(float).ravel() / 0.5
    assert kstest(drawn, "norm").pvalue > 0.01
    half = (len(drawn) + 1) // 2  # values are drawn in pairs, which must not show
    pairs = drawn[: len(drawn) - half], drawn[half:]
    for one, other in (pairs, (abs(pairs[0]), abs(pairs[1])), (drawn[:-1], drawn[1:])):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    assert F.gaussian_noise(x[:, :0], 0.0, 0.5).shape == (3, 0, 99)


def test_noise_refuses() -> None:
    with pytest.raises(ValueError, match="sigma is zero or more"):
        F.gaussian_noise(tp.zeros(1, 2, 2), sigma=-1)
    with pytest.raises(DTypeError, match="floats or uint8"):
        F.gaussian_noise(tp.zeros(1, 2, 2, dtype=tp.int32))
    with pytest.raises(DTypeError, match="to_image"):
        F.gaussian_noise(Image.new("L", (2, 2)))
