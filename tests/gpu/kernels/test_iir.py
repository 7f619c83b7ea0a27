"""Filters with feedback in CUDA C, against the recursion one sample after the other."""

import numpy as np
import pytest
from gpu.fixtures import compiles

import triptych as tp
from triptych.backends import Device, backend_for, cuda

pytestmark = compiles
LENGTHS = [1, 15, 16, 17, 2047, 2048, 2049, 5000]


def kernel():
    return backend_for(Device("cuda")).fast["iir"]


def filters(count, order):
    """Feedforward and feedback coefficients (count, order) of stable filters."""
    rng = np.random.default_rng([count, order])
    poles = np.ones((count, order))
    for i in range(count):
        angles, radii = rng.uniform(0, np.pi, order // 2), rng.uniform(0.3, 0.98, order // 2)
        roots = [
            r * np.exp(s * 1j * a) for r, a in zip(radii, angles, strict=True) for s in (1, -1)
        ]
        poles[i] = np.real(np.poly(roots[: order - 1] if order % 2 else [*roots[:-2], 0.7]))
    return rng.normal(size=(count, order)), poles


def recursed(x, zeros, poles):
    """x (n, channels, t) in double precision."""
    y = np.zeros(x.shape)
    for channel in range(x.shape[1]):
        b, a = zeros[channel % len(zeros)], poles[channel % len(poles)]
        state = np.zeros((len(x), len(b)))
        for t in range(x.shape[2]):
            y[:, channel, t] = b[0] * x[:, channel, t] + state[:, 0]
            late = np.pad(state[:, 1:], ((0, 0), (0, 1)))
            parts = x[:, channel, t, None] * b[1:] - y[:, channel, t, None] * a[1:]
            state[:, : len(b) - 1] = late[:, : len(b) - 1] + parts
    return y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", LENGTHS)
def test_as_one_by_one(cupy, length, dtype):
    x = np.random.default_rng(length).normal(size=(2, 3, length)).astype(dtype)
    zeros, poles = filters(3, 3)
    got = kernel()(*map(cupy.asarray, (x, zeros, poles)))
    assert got.dtype == x.dtype
    want, near = recursed(x.astype(float), zeros, poles), 1e-11 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(got.get(), want, rtol=near, atol=near)


@pytest.mark.parametrize("order", [*range(1, 11), 16, 17])
def test_orders(cupy, order):
    x = np.random.default_rng(order).normal(size=(1, 2, 4500))
    zeros, poles = filters(1, order)
    got = kernel()(*map(cupy.asarray, (x, zeros, poles))).get()
    want = recursed(x, zeros, poles)
    np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-8 * np.abs(want).max())


def test_many_tiles(cupy):
    """More tiles than the threads that put them together; a long memory."""
    x = np.zeros((1, 1, 130 * 2048 + 5))
    x[0, 0, 3] = 1
    zeros, poles = np.array([[1.0, 0.0]]), np.array([[1.0, -0.99999]])
    got = kernel()(*map(cupy.asarray, (x, zeros, poles))).get()[0, 0]
    np.testing.assert_allclose(got[3:], 0.99999 ** np.arange(x.size - 3), rtol=1e-8)


def test_what_it_is_not_for(cupy):
    x, (zeros, poles) = np.ones((1, 2, 8)), filters(2, 3)
    given = [cupy.asarray(v) for v in (x, zeros, poles)]
    assert kernel()(given[0].astype(np.float16), *given[1:]) is NotImplemented
    assert kernel()(given[0][..., ::2], *given[1:]) is NotImplemented
    assert kernel()(given[0][:, :, :0], *given[1:]) is NotImplemented
    assert kernel()(given[0][:, :1], *given[1:]) is NotImplemented
    assert kernel()(given[0], given[1].astype(np.float32), given[2]) is NotImplemented
    long = [cupy.asarray(v) for v in filters(2, 18)]
    assert kernel()(given[0], *long) is NotImplemented


@pytest.mark.parametrize("order", [3, 11, 19])
def test_lfilter_and_its_gradients(cupy, order):
    audio = pytest.importorskip("triptych_audio.functional")
    zeros, poles = (tp.from_numpy(v[0]) for v in filters(1, order))
    waveform = tp.from_numpy(np.random.default_rng(0).uniform(-0.1, 0.1, (2, 300)))
    found = []
    before = cuda.calls().get("iir", 0)
    for device in ("cpu", "cuda"):
        given = [v.detach().to(device).requires_grad_() for v in (waveform, poles, zeros)]
        y = audio.lfilter(*given, clamp=False)
        (y * y).sum().backward()
        assert y.device.type == device
        found.append([y.detach().cpu(), *(v.grad.cpu() for v in given)])
    assert (cuda.calls().get("iir", 0) > before) == (order < 18)  # else on the host
    for got, want in zip(found[1], found[0], strict=True):
        tp.testing.assert_close(got, want, rtol=1e-6, atol=1e-6 * float(want.abs().max()))


@pytest.mark.parametrize(
    ("order", "cutoff"), [(1, 0.01), (2, 0.0001), (3, 0.01), (4, 0.001), (6, 0.02), (7, 0.05)]
)
def test_poles_that_lie_close_together(cupy, order, cutoff):
    """Lowpass filters, whose powers of the state's matrix lose most of their digits."""
    signal = pytest.importorskip("scipy.signal")
    b, a = signal.butter(order, cutoff)
    x = np.random.default_rng(0).normal(size=(1, 1, 3 * 2048))
    got = kernel()(*map(cupy.asarray, (x, b[None], a[None]))).get()
    want = signal.lfilter(b, a, x)
    np.testing.assert_allclose(got, want, atol=1e-8 * np.abs(want).max())
