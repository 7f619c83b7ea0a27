"""Colour changes in CUDA C, against the same arithmetic over NumPy."""

import numpy as np
import pytest
from gpu.fixtures import compiles

from triptych.backends import Device, backend_for

pytestmark = compiles
KINDS = [np.uint8, np.float32]
SHAPES = [(3, 1, 1), (3, 17, 23), (2, 2, 3, 9, 31), (3, 16, 16)]


def kernel(name):
    return backend_for(Device("cuda")).fast[name]


def image(dtype, shape):
    x = np.random.default_rng(len(shape)).integers(0, 256, shape).astype(np.uint8)
    return x if dtype is np.uint8 else x.astype(np.float32) / np.float32(255)


def cut(x, dtype):
    return np.clip(x, 0, 255 if dtype is np.uint8 else 1).astype(dtype)


def grey(x):
    red, green, blue = (x[..., c, :, :].astype(np.float32) for c in range(3))
    light = red * np.float32(0.2989) + green * np.float32(0.587) + blue * np.float32(0.114)
    return (np.trunc(light) if x.dtype == np.uint8 else light)[..., None, :, :]


def mixed(x, other, factor):
    part = np.float32(1 - factor) * other.astype(np.float32)
    return cut(x.astype(np.float32) * np.float32(factor) + part, x.dtype.type)


def mean(x):
    return grey(x).mean((-3, -2, -1), dtype=np.float64, keepdims=True).astype(np.float32)


WANTED = {
    "color_scale": lambda x, f: mixed(x, np.zeros_like(x), f),
    "color_saturation": lambda x, f: mixed(x, grey(x), f),
    "color_contrast": lambda x, f: mixed(x, mean(x), f),
}


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [0.0, 0.3, 1.7])
def test_as_numpy(cupy, name, dtype, shape, factor):
    x = image(dtype, shape)
    got = kernel(name)(cupy.asarray(x), factor)
    assert got.dtype == dtype
    np.testing.assert_allclose(got.get(), WANTED[name](x, factor), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("copies", [1, 3])
def test_grey(cupy, dtype, shape, copies):
    x = image(dtype, shape)
    got = kernel("color_grey")(cupy.asarray(x), copies).get()
    np.testing.assert_array_equal(got, np.repeat(grey(x), copies, -3).astype(dtype))


def test_numbers_that_are_none_stay_so(cupy):
    x = image(np.float32, (3, 5, 5))
    x[1, 2, 3] = np.nan
    assert np.isnan(kernel("color_scale")(cupy.asarray(x), 0.5).get()).sum() == 1
    assert np.isnan(kernel("color_saturation")(cupy.asarray(x), 0.5).get()[:, 2, 3]).all()
    assert np.isnan(kernel("color_contrast")(cupy.asarray(x), 0.5).get()).all()


@pytest.mark.parametrize("name", [*WANTED, "color_grey"])
def test_what_they_are_not_for(cupy, name):
    x = cupy.asarray(image(np.float32, (3, 8, 8)))
    for other in (x.astype(np.float64), x[:, ::2], x[:, :0], x[0]):
        assert kernel(name)(other, 1) is NotImplemented
    if name != "color_scale":
        assert kernel(name)(x[:2], 1) is NotImplemented
