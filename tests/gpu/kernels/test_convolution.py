"""Convolution by columns and of channels by themselves in CUDA C, against NumPy's path."""

import numpy as np
import pytest
from gpu.checks import DTYPES, check, numbers
from gpu.fixtures import compiles

import triptych as tp
from triptych.backends import Device, backend_for
from triptych.backends.cuda import convolution
from triptych.nn import functional as F

pytestmark = compiles
# x, weights; stride, padding, dilation, groups
CASES = {
    "one number": ((1, 1, 1, 1), (1, 1, 1, 1), 1, 0, 1, 1),
    "pixels": ((2, 5, 4, 7), (3, 5, 1, 1), 1, 0, 1, 1),
    "pixels, some left out": ((2, 4, 5, 7), (3, 4, 1, 1), 2, 0, 1, 1),
    "3x3": ((2, 3, 7, 9), (4, 3, 3, 3), 1, 1, 1, 1),
    "strides": ((1, 3, 11, 8), (2, 3, 5, 4), (3, 2), (2, 1), 1, 1),
    "dilation": ((1, 2, 9, 13), (3, 2, 3, 2), 1, (2, 0), (2, 3), 1),
    "groups": ((3, 4, 6, 5), (6, 2, 3, 3), 2, 1, 1, 2),
    "sound": ((2, 3, 17), (4, 3, 5), 2, 2, 1, 1),
    "tiles": ((2, 17, 9, 11), (35, 17, 3, 3), 1, 1, 1, 1),
    "tiles of groups": ((1, 40, 8, 10), (66, 20, 3, 2), 2, 1, 1, 2),
    "by itself": ((2, 5, 8, 9), (5, 1, 3, 3), 1, 1, 1, 5),
    "by itself, strides": ((1, 3, 13, 10), (3, 1, 5, 5), 2, 2, 1, 3),
    "by itself, twice": ((2, 3, 7, 6), (6, 1, 3, 2), (1, 2), 1, (2, 1), 3),
    "by itself, sound": ((2, 4, 33), (4, 1, 7), 1, 3, 1, 4),
}


def options(case):
    x, w, stride, padding, dilation, groups = CASES[case]
    dims = len(x) - 2
    pairs = {"stride": stride, "padding": padding, "dilation": dilation}
    found = {k: (v,) * dims if isinstance(v, int) else v for k, v in pairs.items()}
    found["padding"] = tuple((p, p) for p in found["padding"])
    return x, w, {**found, "groups": groups}


def outputs(x, w, o):
    axes = zip(x[2:], w[2:], o["stride"], o["padding"], o["dilation"], strict=True)
    return (x[0], w[0], *((n + 2 * p[0] - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes))


WAYS = {"columns of a sample": (1, 0), "columns of all": (1 << 26, 0), "implicit": (1, 1 << 26)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_as_numpy(cupy, case, dtype, way, monkeypatch):
    monkeypatch.setattr(convolution, "COLUMNS", WAYS[way][0])
    monkeypatch.setattr(convolution, "FEW", WAYS[way][1])
    x_shape, w_shape, params = options(case)
    x, w = numbers(*x_shape, dtype=dtype), numbers(*w_shape, dtype=dtype, seed=1)
    g = numbers(*outputs(x_shape, w_shape, params), dtype=dtype, seed=2)
    reach = np.prod(w_shape[1:])
    check(cupy, "conv", x, w, **params, steps=4, floor=12 * reach)
    check(cupy, "conv_dx", g, w, shape=x_shape, **params, steps=4, floor=12 * reach * w_shape[0])
    check(cupy, "conv_dw", g, x, shape=w_shape, **params, steps=4, floor=12 * g.size)


def test_padding_of_one_side_and_inputs_that_no_window_sees(cupy):
    x, w = numbers(1, 2, 6, 7), numbers(3, 2, 2, 2, seed=1)
    params = {"stride": (3, 3), "padding": ((1, 0), (0, 2)), "dilation": (1, 1), "groups": 1}
    y = check(cupy, "conv", x, w, **params, floor=100)
    dx = check(cupy, "conv_dx", y.astype(np.float32), w, shape=x.shape, **params, floor=5000)
    assert (dx == 0).any()


def test_views(cupy):
    x, w = cupy.asarray(numbers(2, 7, 3, 8)), cupy.asarray(numbers(3, 3, 3, 3, seed=1))
    turned = x.swapaxes(1, 2)
    params = {"stride": (1, 1), "padding": ((1, 1),) * 2, "dilation": (1, 1), "groups": 1}
    fast = backend_for(Device("cuda")).fast["conv"]
    got, want = fast(turned, w, **params), fast(turned.copy(), w, **params)
    np.testing.assert_array_equal(got.get(), want.get())


def test_what_they_are_not_for(cupy):
    fast = backend_for(Device("cuda")).fast["conv"]
    params = {"stride": (1,) * 3, "padding": ((0, 0),) * 3, "dilation": (1,) * 3, "groups": 1}
    volume, w = cupy.asarray(numbers(1, 1, 2, 2, 2)), cupy.asarray(numbers(1, 1, 1, 1, 1))
    assert fast(volume, w, **params) is NotImplemented
    flat = {k: v[:2] if k != "groups" else v for k, v in params.items()}
    x, w = cupy.asarray(numbers(1, 1, 2, 2)), cupy.asarray(numbers(1, 1, 1, 1))
    assert fast(x.astype(np.float64), w, **flat) is NotImplemented
    assert fast(x.astype(np.complex64), w.astype(np.complex64), **flat) is NotImplemented
    assert fast(x[:0], w, **flat) is NotImplemented


@pytest.mark.parametrize("groups", [1, 4])
def test_gradients_of_gradients(cupy, groups):
    found = []
    for device in ("cpu", "cuda"):
        x = tp.from_numpy(numbers(2, 4, 6, 6)).to(device).requires_grad_()
        w = tp.from_numpy(numbers(4, 4 // groups, 3, 3, seed=1)).to(device).requires_grad_()
        y = F.conv2d(x, w, stride=2, padding=1, groups=groups)
        dx, dw = tp.autograd.grad((y * y).sum(), (x, w), create_graph=True)
        ((dx * dx).sum() + (dw * dw).sum()).backward()
        found.append([t.detach().cpu() for t in (y, dx, dw, x.grad, w.grad)])
    for got, want in zip(found[1], found[0], strict=True):
        tp.testing.assert_close(got, want, rtol=1e-4, atol=1e-4 * float(want.abs().max()))
