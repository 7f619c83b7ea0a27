"""Native max pooling against NumPy's."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.nn import functional as F
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)


def window(size, stride, padding, dilation=None):
    dilation = (1,) * len(size) if dilation is None else dilation
    return {"size": size, "stride": stride, "padding": padding, "dilation": dilation}


CASES = [
    ((2, 3, 20, 23), window((3, 3), (2, 2), ((1, 1), (1, 1)))),
    ((1, 5, 17, 40), window((2, 2), (2, 2), ((0, 0), (0, 0)))),
    ((2, 2, 30, 31), window((3, 5), (1, 3), ((1, 0), (2, 2)), (2, 1))),
    ((4, 3, 64), window((3,), (2,), ((1, 1),))),
    ((3, 9, 9), window((9, 9), (1, 1), ((0, 0), (0, 0)))),
    ((2, 40, 50), window((2, 3), (4, 5), ((1, 1), (0, 1)))),
]


def run(name, x, params, taken=True):
    override = TABLE[name].kernel(x)
    before = native.calls()[name]
    found = override(x, **params)
    assert (native.calls()[name] == before + 1) == taken
    return found, override.plain(x, **params)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("shape", "params"), CASES)
def test_as_numpy(shape, params, ties):
    x = RNG.standard_normal(shape).astype(np.float32)
    if ties:
        x = np.round(x)
    for one, two in zip(*run("max_pool", x, params), strict=True):
        np.testing.assert_array_equal(one, two)
        assert one.dtype == two.dtype
    np.testing.assert_array_equal(*run("max_pool_alone", x, params))


def test_nan_and_infinities():
    shape, params = CASES[0]
    x = RNG.standard_normal(shape).astype(np.float32)
    x[0, 0, 3, 4], x[0, 1, 7, :9], x[1] = np.nan, np.inf, -np.inf
    for one, two in zip(*run("max_pool", x, params), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(*run("max_pool_alone", x, params))


def test_what_is_refused_goes_to_numpy():
    shape, params = CASES[0]
    x = RNG.standard_normal(shape)
    cube = window((2, 2, 2), (1, 1, 1), ((0, 0),) * 3)
    run("max_pool", x, params, taken=False)
    run("max_pool", x.astype(np.float32)[..., ::2], params, taken=False)
    run("max_pool", x.astype(np.float32), cube, taken=False)
    blind = window((2, 2), (1, 1), ((2, 2), (0, 0)), (3, 1))  # some windows see padding alone
    run("max_pool_alone", np.ones((1, 1, 1, 100), np.float32), blind, taken=False)


def test_gradients_go_to_the_maxima():
    x = tp.randn(2, 3, 12, 14, requires_grad=True)
    before = native.calls()["ungather"]
    y, places = F.max_pool2d(x, 3, 2, 1, return_indices=True)
    up = tp.randn(*y.shape)
    (y * up).sum().backward()
    assert native.calls()["ungather"] == before + 1
    want = np.zeros((6, 12 * 14), np.float32)
    for row, at, g in zip(
        want, places.reshape(6, -1).numpy(), up.reshape(6, -1).numpy(), strict=True
    ):
        np.add.at(row, at, g)
    np.testing.assert_allclose(x.grad.numpy().reshape(6, -1), want, rtol=1e-6)


def test_places_outside_are_refused_as_numpy_refuses_them():
    g, places = np.ones((2, 50), np.float32), np.full((2, 50), 70)
    with pytest.raises(tp.TriptychError):
        TABLE["ungather"].call(tp.tensor(g), tp.tensor(places), shape=(2, 60), axis=1)


def test_threads_change_nothing():
    x, before, found = tp.randn(4, 16, 56, 56), tp.get_num_threads(), []
    for count in (1, 2):
        tp.set_num_threads(count)
        leaf = x.clone().requires_grad_()
        y = F.max_pool2d(leaf, 3, 1, 1)
        (y * y).sum().backward()
        found.append((y.detach().numpy(), leaf.grad.numpy()))
    tp.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
