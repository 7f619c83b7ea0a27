"""Convolution, batch norm or bias, and activation in one native call, against the three."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.prims import TABLE
from triptych.prims.conv_norm import ACTIVATIONS

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
# n, c, h, w; o, kernel, groups; stride, padding
SHAPES = [
    ((1, 3, 1, 1), (5, 1, 1), 1, 0),
    ((2, 4, 7, 7), (6, 1, 2), 1, 0),
    ((1, 8, 13, 11), (8, 3, 8), 2, 1),
    ((3, 16, 9, 9), (32, 3, 1), 1, 1),
    ((1, 3, 64, 67), (16, 3, 1), 2, 1),
    ((2, 17, 31, 5), (23, 5, 1), 1, 2),
]


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def threads(request):
    before = tp.get_num_threads()
    tp.set_num_threads(request.param)
    yield request.param
    tp.set_num_threads(before)


def case(shape, weight, stride, padding):
    o, k, groups = weight
    arrays = [RNG.normal(size=s) for s in (shape, (o, shape[1] // groups, k, k), o, o, o, o)]
    arrays[3] = np.abs(arrays[3]) + 0.3
    options = {"stride": (stride,) * 2, "padding": ((padding,) * 2,) * 2, "dilation": (1, 1)}
    return [a.astype(np.float32) for a in arrays], {**options, "groups": groups, "eps": 1e-3}


def kernels(arrays):
    found = TABLE["conv_norm"].kernel(arrays[0])
    return found.fast, found.plain


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("then", ["identity", *ACTIVATIONS])
def test_equals_the_three(shape, then, threads):
    arrays, options = case(*shape)
    fast, plain = kernels(arrays)
    before = native.calls()["conv_norm"]
    with tp.no_grad():
        got = fast(*arrays, **options, then=then)
        again = fast(*arrays, **options, then=then)
        want = plain(*(a.astype(np.float64) for a in arrays), **options, then=then)
    assert native.calls()["conv_norm"] == before + 2
    np.testing.assert_array_equal(got, again)
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=5e-5)


def test_nan_and_infinity():
    arrays, options = case((1, 2, 4, 4), (3, 1, 1), 1, 0)
    arrays[0][0, :, 0, 0], arrays[0][0, :, 1, 1] = np.nan, np.inf
    fast, plain = kernels(arrays)
    with np.errstate(all="ignore"):
        want = plain(*arrays, **options, then="relu6")
    np.testing.assert_allclose(fast(*arrays, **options, then="relu6"), want, 1e-5, 1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: [a[0], a[1].astype(np.float64), *a[2:]],
        lambda a: [*a[:2], a[2][:-1], *a[3:]],
        lambda a: [*a[:5], np.repeat(a[5], 2)[::2]],
        lambda a: [a[0][:, :1], *a[1:]],
        lambda a: [a[0][..., 0], a[1][..., 0], *a[2:]],
    ],
    ids=["float64", "short mean", "strided bias", "channels", "a sound"],
)
def test_left_to_numpy(change):
    arrays, options = case((1, 2, 4, 4), (3, 1, 1), 1, 0)
    fast, _ = kernels(arrays)
    changed = change(arrays)
    if changed[0].ndim == 3:
        options |= {"stride": (1,), "padding": ((0, 0),), "dilation": (1,)}
    assert fast(*changed, **options, then="relu") is NotImplemented


def of_bias(arrays, options):
    x, w, *_, bias = arrays
    return (x, w, bias), {name: v for name, v in options.items() if name != "eps"}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("then", ["identity", *ACTIVATIONS])
def test_a_bias_equals_the_three(shape, then, threads):
    arrays, options = of_bias(*case(*shape))
    found = TABLE["conv_bias"].kernel(arrays[0])
    before = native.calls()["conv_bias"]
    with tp.no_grad():
        got = found.fast(*arrays, **options, then=then)
        want = found.plain(*(a.astype(np.float64) for a in arrays), **options, then=then)
    assert native.calls()["conv_bias"] == before + 1
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=5e-5)


@pytest.mark.parametrize("then", ["identity", "relu", "relu6", "hardswish"])
def test_a_bias_keeps_what_is_not_finite(then):
    arrays, options = of_bias(*case((1, 2, 4, 4), (3, 1, 1), 1, 0))
    arrays[0][0, :, 0, 0], arrays[0][0, 0, 1, 1] = np.nan, np.inf
    found = TABLE["conv_bias"].kernel(arrays[0])
    with np.errstate(all="ignore"):
        want = found.plain(*arrays, **options, then=then)
    np.testing.assert_allclose(found.fast(*arrays, **options, then=then), want, 1e-5, 1e-5)


def test_a_bias_of_another_length_is_left_to_numpy():
    arrays, options = of_bias(*case((1, 2, 4, 4), (3, 1, 1), 1, 0))
    short = (*arrays[:2], arrays[2][:-1])
    assert TABLE["conv_bias"].kernel(arrays[0]).fast(*short, **options, then="relu") is (
        NotImplemented
    )
