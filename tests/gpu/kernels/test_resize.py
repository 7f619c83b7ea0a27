"""Images of bytes resized in CUDA C, against matrices over NumPy and Pillow itself."""

import numpy as np
import pytest
from gpu.fixtures import compiles

from triptych.backends import Device, backend_for

pytestmark = compiles
MODES = ("box", "bilinear", "bicubic")
SIZES = [((1, 1), (1, 1)), ((1, 1), (5, 3)), ((31, 47), (7, 16)), ((16, 16), (16, 5))]
SIZES += [((64, 20), (9, 20)), ((60, 90), (20, 30)), ((13, 11), (40, 29)), ((97, 30), (11, 60))]


def kernel():
    return backend_for(Device("cuda")).fast["resize_bytes"]


def image(*shape):
    return np.random.default_rng([*shape]).integers(0, 256, shape).astype(np.uint8)


def weights(before, after, mode):
    """(after, before) weights in fixed point."""
    support = {"box": 0.5, "bilinear": 1.0, "bicubic": 2.0}[mode]
    stretch = max(before / after, 1.0)
    center = (np.arange(after) + 0.5) * (before / after)
    low = np.maximum((center - support * stretch + 0.5).astype(int), 0)[:, None]
    high = np.minimum((center + support * stretch + 0.5).astype(int), before)[:, None]
    place = np.arange(before)
    at = (place - center[:, None] + 0.5) * (1 / stretch)
    x = np.abs(at)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    share = {
        "box": (at > -0.5) & (at <= 0.5),
        "bilinear": np.maximum(1 - x, 0),
        "bicubic": np.where(x < 1, near, np.where(x < 2, far, 0)),
    }[mode]
    share = np.where((place >= low) & (place < high), share, 0.0)
    share = share / share.sum(1, keepdims=True) * 2**22
    return np.trunc(share + np.copysign(0.5, share)).astype(np.int64)


def by_matrices(x, size, mode):
    """(..., h, w) bytes in another size."""
    lost = x.shape[-2] - size[0], x.shape[-1] - size[1]
    for axis in (-2, -1) if lost[0] > max(0, 2 * lost[1]) else (-1, -2):
        if x.shape[axis] != size[axis]:
            matrix = weights(x.shape[axis], size[axis], mode)
            wide = x.astype(np.int64)
            sums = matrix @ wide if axis == -2 else wide @ matrix.T
            x = np.clip((sums + (1 << 21)) >> 22, 0, 255).astype(np.uint8)
    return x


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("before", "after"), SIZES)
def test_as_numpy(cupy, mode, before, after):
    x = image(2, 3, *before)
    got = kernel()(cupy.asarray(x), after, mode, True).get()
    np.testing.assert_array_equal(got, by_matrices(x, after, mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("before", "after"), SIZES)
def test_as_pillow(cupy, mode, before, after):
    filters = pytest.importorskip("PIL.Image")
    x = image(2, 3, *before)
    got = kernel()(cupy.asarray(x), after, mode, True).get()
    how = getattr(filters.Resampling, mode.upper())
    for plane, new in zip(x.reshape(6, *before), got.reshape(6, *after), strict=True):
        want = filters.fromarray(plane).resize(after[::-1], how)
        np.testing.assert_array_equal(new, np.asarray(want))


@pytest.mark.parametrize("mode", MODES)
def test_flat_images_stay_flat(cupy, mode):
    x = np.full((3, 32, 48), 255, np.uint8)
    for size in ((7, 5), (64, 11), (40, 80)):
        got = kernel()(cupy.asarray(x), size, mode, True).get()
        np.testing.assert_array_equal(got, np.full((3, *size), 255, np.uint8))


def test_boxes_are_means(cupy):
    x = image(3, 32, 64)
    got = kernel()(cupy.asarray(x), (32, 16), "box", True).get()
    want = np.floor(x.reshape(3, 32, 16, 4).mean(-1) + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(got, want)


def test_what_it_is_not_for(cupy):
    x = cupy.asarray(image(3, 8, 8))
    for other in (x.astype(np.float32), x[:, ::2], x[:0]):
        assert kernel()(other, (4, 4), "box", True) is NotImplemented
    assert kernel()(x, (4, 4), "box", False) is NotImplemented
    assert kernel()(x, (4, 4), "lanczos", True) is NotImplemented
