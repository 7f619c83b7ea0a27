"""Native normalisation against NumPy's in double precision."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.nn import functional as F
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def rows(name, shape, dims, vectors, eps=1e-5):
    return name, shape, [shape[len(shape) - dims :]] * vectors, {"dims": dims, "eps": eps}


def channels(name, shape, vectors, **params):
    return name, shape, [(shape[1],)] * vectors, {"eps": 1e-5, **params}


ROWS = [(7, 197), (200, 384), (3, 5, 8, 4), (5, 10_001), (2, 64)]
IMAGES = [(8, 12, 7, 7), (1, 16, 30, 31), (3, 6, 5000), (2, 4, 5, 3, 3)]
CASES = [rows("layer_norm", s, d, n) for s in ROWS for d in (1, 2) for n in (0, 1, 2) if d < len(s)]
CASES += [rows("rms_norm", s, 1, n) for s in ROWS for n in (0, 1)]
CASES += [
    channels("group_norm", s, n, groups=g) for s in IMAGES for n in (0, 2) for g in (1, 2, s[1])
]
CASES += [channels("batch_norm", s, n) for s in IMAGES for n in (0, 1, 2)]
CASES += [channels("batch_norm_eval", s, n) for s in IMAGES for n in (2, 3, 4)]


def inputs_of(name, shape, vectors):
    x, others = numbers(*shape) + 2, [numbers(*v) for v in vectors]
    if name == "batch_norm_eval":
        others[1] = np.abs(others[1]) + 0.5
    return [x, *others]


def grad_inputs(name, inputs, outs):
    g = numbers(*inputs[0].shape)
    if name != "batch_norm":
        return [g, *inputs[:2]]
    return [g, numbers(*outs[1].shape), numbers(*outs[1].shape), inputs[0], *outs[1:], *inputs[1:2]]


def check(name, arrays, params, atol):
    """The kernel is taken, and gives what NumPy gives for the same in double precision."""
    override = TABLE[name].kernel(arrays[0])
    before = native.calls()[name]
    found = override(*arrays, **params)
    assert native.calls()[name] == before + 1
    want = override.plain(*(a.astype(np.float64) for a in arrays), **params)
    several = isinstance(found, tuple)
    for one, two in zip(found if several else (found,), want if several else (want,), strict=True):
        assert one.shape == two.shape
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=atol * max(1, np.abs(two).max()))
    return found if several else (found,)


@pytest.mark.parametrize(("name", "shape", "vectors", "params"), CASES)
def test_as_numpy(name, shape, vectors, params):
    inputs = inputs_of(name, shape, vectors)
    outs = check(name, inputs, params, 2e-6)
    if name != "batch_norm_eval":
        check(f"{name}_grad", grad_inputs(name, inputs, outs), params, 3e-6)


def test_a_large_mean_costs_no_digits():
    x = numbers(4, 3, 50, 50) + 1000
    y, mean, var = TABLE["batch_norm"].kernel(x)(x, eps=1e-5)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(mean, wide.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(var, wide.var((0, 2, 3)), rtol=1e-3)
    assert abs(y.mean()) < 1e-3


def test_what_is_refused_goes_to_numpy():
    x = numbers(6, 4, 5, 5)
    kernel, before = TABLE["batch_norm"].kernel(x), native.calls()["batch_norm"]
    for refused in (x.astype(np.float64), x.transpose(0, 1, 3, 2), numbers(30, 8), x[:0]):
        if refused.size:
            kernel(refused, eps=1e-5)
    kernel(x, numbers(5, 1)[:4, 0].astype(np.float64), eps=1e-5)
    assert native.calls()["batch_norm"] == before


def test_threads_change_nothing(threads):
    x, g, w = numbers(2000, 96), numbers(2000, 96), numbers(96)
    image, up, per = numbers(8, 32, 40, 40), numbers(8, 32, 40, 40), numbers(32)
    found = []
    for count in (1, 2):
        threads(count)
        call = {n: TABLE[n].kernel(x) for n in TABLE if "norm" in n}
        y, mean, var = call["batch_norm"](image, per, per, eps=1e-5)
        found.append(
            (
                *call["layer_norm_grad"](g, x, w, dims=1, eps=1e-5),
                *call["group_norm_grad"](up, image, per, groups=4, eps=1e-5),
                *call["batch_norm_grad"](up, per, per, image, mean, var, per, eps=1e-5),
                y,
                mean,
                var,
            )
        )
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_nan_stays_in_its_row_and_channel():
    x = numbers(8, 4, 9, 9)
    x[2, 1, 3, 3] = np.nan
    y, _, _ = TABLE["batch_norm"].kernel(x)(x, eps=1e-5)
    assert np.isnan(y[:, 1]).all()
    assert np.isfinite(y[:, [0, 2, 3]]).all()
    z = TABLE["layer_norm"].kernel(x)(x, dims=1, eps=1e-5)
    assert np.isnan(z[2, 1, 3]).all()
    assert np.isnan(z).sum() == 9


LAYERS = {
    "batch_norm": lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
    "batch_norm, frozen": lambda x, w, b: F.batch_norm(x, w.detach(), b.detach() ** 2 + 1, w, b),
    "instance_norm": lambda x, w, b: F.instance_norm(x, None, None, w, b),
    "group_norm": lambda x, w, b: F.group_norm(x, 2, w, b),
    "layer_norm": lambda x, w, b: F.layer_norm(x.mT, (6,), w, b),
    "rms_norm": lambda x, w, b: F.rms_norm(x.mT, (6,), w) + b,
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_through_tensors(name):
    x, w, b = tp.randn(5, 6, 40), tp.randn(6), tp.randn(6)
    up, grads = tp.randn(5, 6, 40), []
    for dtype in (tp.float32, tp.float64):
        leaves = [v.to(dtype).detach().clone().requires_grad_() for v in (x, w, b)]
        y = LAYERS[name](*leaves)
        (y * up.reshape(y.shape).to(dtype)).sum().backward()
        grads.append([v.grad.numpy() for v in leaves])
    for one, two in zip(*grads, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=2e-5 * max(1, np.abs(two).max()))


def test_running_statistics():
    x = tp.randn(8, 3, 10, 10) * 2 + 1
    mean, var = tp.zeros(3), tp.ones(3)
    F.batch_norm(x, mean, var, training=True, momentum=0.25)
    wide = x.numpy().astype(np.float64)
    np.testing.assert_allclose(mean.numpy(), 0.25 * wide.mean((0, 2, 3)), rtol=1e-5)
    want = 0.75 + 0.25 * wide.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(var.numpy(), want, rtol=1e-5)
