"""Colour changes by the native kernels, beside the ways over NumPy and over tensors."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native

pytestmark = pytest.mark.native
kernels = pytest.importorskip("triptych_vision.transforms.functional.color_kernels")
blurring = pytest.importorskip("triptych_vision.transforms.functional.blurring")
F = pytest.importorskip("triptych_vision.transforms.functional")

CALLS = {
    "color_scale": lambda x: F.adjust_brightness(x, 1.3),
    "color_contrast": lambda x: F.adjust_contrast(x, 0.3),
    "color_saturation": lambda x: F.adjust_saturation(x, 1.7),
    "color_grey": lambda x: F.rgb_to_grayscale(x, 3),
}
SHAPES = [(3, 1, 1), (3, 17, 23), (2, 2, 3, 90, 131)]


def image(dtype, shape, seed=0):
    x = tp.from_numpy(np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8))
    return x if dtype is tp.uint8 else x.to(dtype) / 255


def taken(name, call):
    before = native.calls()[name]
    found = call()
    return found, native.calls()[name] - before


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [tp.uint8, tp.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_other_ways(name, dtype, shape, monkeypatch):
    x = image(dtype, shape)
    got, times = taken(name, lambda: CALLS[name](x))
    assert (times, got.dtype) == (1, dtype)
    monkeypatch.setattr("triptych_vision.transforms.functional.adjusting.by_kernel", _none)
    monkeypatch.setattr("triptych_vision.transforms.functional.color.by_kernel", _none)
    want, times = taken(name, lambda: CALLS[name](x))
    assert times == 0
    difference = np.abs(got.numpy().astype(np.float64) - want.numpy())
    assert difference.max() <= (1 if dtype is tp.uint8 else 1e-6)
    assert (difference > 1e-6).mean() < 0.001  # bytes right at the border of two


def _none(*args):
    return None


@pytest.mark.parametrize("name", CALLS)
def test_what_they_are_not_for(name):
    x = image(tp.float32, (3, 9, 9))
    for other in (x.double(), x.clone().requires_grad_()):
        out, times = taken(name, lambda other=other: CALLS[name](other))
        np.testing.assert_allclose(out.detach().numpy(), CALLS[name](x).numpy(), atol=1e-6)
        assert times == 0
    turned, times = taken(name, lambda: CALLS[name](x.transpose(1, 2)))  # of any layout
    assert times == 1
    np.testing.assert_allclose(turned.numpy(), CALLS[name](x).transpose(1, 2).numpy(), atol=1e-6)


def test_numbers_that_are_none_stay_so():
    x = image(tp.float32, (3, 5, 5))
    x[1, 2, 3] = float("nan")
    assert F.adjust_brightness(x, 0.5).isnan().sum().item() == 1
    assert F.adjust_saturation(x, 0.5)[:, 2, 3].isnan().all()
    assert F.adjust_contrast(x, 0.5).isnan().all()


@pytest.mark.parametrize("count", [0, 1, 2, 7, 1001])
def test_normal_numbers(count):
    pairs = np.random.default_rng(0).random((2, count), np.float32)
    got, times = taken("normal_pairs", lambda: blurring._normal_pairs(pairs, 0.5))
    assert times == 1
    radius = 0.5 * np.sqrt(-2 * np.log1p(-pairs[0].astype(np.float64)))
    angle = 2 * np.pi * pairs[1].astype(np.float64)
    want = np.concatenate((radius * np.cos(angle), radius * np.sin(angle)))
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("name", CALLS)
def test_threads_agree(name):
    x, before, found = image(tp.float32, (2, 3, 200, 300)), tp.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            tp.set_num_threads(threads)
            found.append(CALLS[name](x).numpy())
    finally:
        tp.set_num_threads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)
