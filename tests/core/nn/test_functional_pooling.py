"""Pooling against loops over windows."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F

RNG = np.random.default_rng(0)


def lengths(n, k, s, p, d, ceil):
    room = n + 2 * p - d * (k - 1) - 1
    out = -(-room // s) + 1 if ceil else room // s + 1
    return out - 1 if ceil and (out - 1) * s >= n + p else out


def windows(space, k, s, p, d, ceil):
    """(output place, the input places its window meets) for every window."""
    out = [lengths(n, k, s, p, d, ceil) for n in space]
    for at in itertools.product(*map(range, out)):
        taps = itertools.product(*[[i * s - p + d * j for j in range(k)] for i in at])
        yield out, at, [t for t in taps if all(0 <= i < n for i, n in zip(t, space, strict=True))]


def naive_max(x, *options):
    space = x.shape[2:]
    for out, at, taps in windows(space, *options):
        if not any(at):
            y, where = np.zeros((*x.shape[:2], *out)), np.zeros((*x.shape[:2], *out), int)
        for n, c in np.ndindex(*x.shape[:2]):
            best = max(taps, key=lambda t: x[(n, c, *t)])
            y[(n, c, *at)] = x[(n, c, *best)]
            where[(n, c, *at)] = np.ravel_multi_index(best, space)
    return y, where


OPTIONS = [
    (2, 2, 0, 1, False),
    (3, 2, 1, 1, False),
    (3, 2, 1, 1, True),
    (2, 3, 0, 2, False),
    (3, 1, 1, 1, False),
    (2, 3, 1, 1, True),
]
MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("options", OPTIONS)
def test_max_pool(dims, options):
    k, s, p, d, ceil = options
    x = RNG.standard_normal((2, 2, *(8, 7, 5)[:dims]))
    y, where = naive_max(x, *options)
    t = tp.tensor(x)
    pair = MAX[dims](t, k, s, p, d, ceil, return_indices=True)
    np.testing.assert_array_equal(pair[0].numpy(), y)
    np.testing.assert_array_equal(pair[1].numpy(), where)
    np.testing.assert_array_equal(MAX[dims](t, k, s, p, d, ceil).numpy(), y)
    recorded = MAX[dims](tp.tensor(x, requires_grad=True), k, s, p, d, ceil)
    np.testing.assert_array_equal(recorded.detach().numpy(), y)
    np.testing.assert_array_equal(MAX[dims](t[0], k, s, p, d, ceil).numpy(), y[0])


def test_max_pool_gives_the_gradient_to_the_first_of_equals():
    x = tp.zeros(1, 1, 2, 2, requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy().ravel(), [1, 0, 0, 0])


def test_max_pool_of_nan_and_integers():
    x = tp.tensor([[[1.0, np.nan, 3.0, 4.0]]])
    np.testing.assert_array_equal(F.max_pool1d(x, 2).numpy(), [[[np.nan, 4.0]]])
    ints = tp.tensor([[[-5, -7, -1, -2]]])
    np.testing.assert_array_equal(F.max_pool1d(ints, 2, padding=1).numpy(), [[[-5, -1, -2]]])


def naive_avg(x, k, s, p, ceil, include, divisor):
    space = x.shape[2:]
    for out, at, taps in windows(space, k, s, p, 1, ceil):
        if not any(at):
            y = np.zeros((*x.shape[:2], *out))
        held = 1
        for i, n in zip(at, space, strict=True):
            held *= min(i * s - p + k, n + p) - (i * s - p)
        count = divisor or (held if include else len(taps))
        y[(..., *at)] = sum(x[(..., *t)] for t in taps) / count
    return y


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize(
    ("k", "s", "p", "ceil"),
    [
        (2, 2, 0, False),
        (3, 1, 1, False),
        (3, 2, 1, True),
        (2, 3, 1, True),
        (3, 3, 0, True),
        (5, 5, 0, False),
    ],
)
def test_avg_pool(dims, k, s, p, ceil, include):
    x = RNG.standard_normal((2, 3, *(8, 7, 5)[:dims]))
    got = AVG[dims](tp.tensor(x), k, s, p, ceil, include).numpy()
    np.testing.assert_allclose(got, naive_avg(x, k, s, p, ceil, include, None), atol=1e-12)
    if dims > 1:
        got = AVG[dims](tp.tensor(x[0]), k, s, p, ceil, include, 7).numpy()
        np.testing.assert_allclose(got, naive_avg(x, k, s, p, ceil, include, 7)[0], atol=1e-12)


def bounds(n, out):
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


ADAPTIVE = [(4, 6, 6), (4, 3, 2), (1, 1, 1), (5, 7, 3), (8, 6, 6), (10, 3, 1), (0, 2, 2)]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("out", ADAPTIVE)
def test_adaptive_pools(dims, out):
    space, out = (8, 6, 6)[:dims], out[:dims]
    x = RNG.standard_normal((2, 3, *space))
    mean, top = np.zeros((2, 3, *out)), np.zeros((2, 3, *out))
    spans = [bounds(n, o) for n, o in zip(space, out, strict=True)]
    for at in np.ndindex(*out):
        window = tuple(slice(*spans[i][j]) for i, j in enumerate(at))
        seen = x[(..., *window)].reshape(2, 3, -1)
        mean[(..., *at)], top[(..., *at)] = seen.mean(-1), seen.max(-1)
    t = tp.tensor(x)
    avg = getattr(F, f"adaptive_avg_pool{dims}d")
    largest = getattr(F, f"adaptive_max_pool{dims}d")
    np.testing.assert_allclose(avg(t, out).numpy(), mean, atol=1e-12)
    values, where = largest(t, out, return_indices=True)
    np.testing.assert_array_equal(values.numpy(), top)
    flat = x.reshape(2, 3, -1)
    picked = np.take_along_axis(flat, where.numpy().reshape(2, 3, -1), 2)
    np.testing.assert_array_equal(picked.reshape(top.shape), top)
    np.testing.assert_array_equal(largest(t[0], out).numpy(), top[0])


def test_adaptive_pool_keeps_an_axis_for_none():
    assert F.adaptive_avg_pool2d(tp.ones(1, 2, 5, 6), (None, 3)).shape == (1, 2, 5, 3)


POOLS = [
    lambda x: F.max_pool2d(x, 3, 2, 1),
    lambda x: F.max_pool2d(x, 2, ceil_mode=True),
    lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    lambda x: F.avg_pool2d(x, 2),
    lambda x: F.adaptive_avg_pool2d(x, 1),
    lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
    lambda x: F.adaptive_max_pool2d(x, (3, 2)),
    lambda x: F.lp_pool2d(x.abs() + 0.5, 3.0, 2),
]


@pytest.mark.parametrize("pool", POOLS)
def test_derivatives(pool):
    x = np.arange(40.0).reshape(1, 2, 5, 4) + RNG.uniform(0, 0.5, (1, 2, 5, 4))
    t = tp.tensor(RNG.permuted(x.ravel()).reshape(x.shape) / 10, requires_grad=True)
    assert gradcheck(pool, (t,))
    assert gradgradcheck(pool, (t,))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_lp_pool(dims):
    x = RNG.uniform(0.1, 2, (2, 3, *(6, 4, 4)[:dims]))
    got = getattr(F, f"lp_pool{dims}d")(tp.tensor(x), 3.0, 2).numpy()
    want = naive_avg(x**3, 2, 2, 0, False, True, 1) ** (1 / 3)
    np.testing.assert_allclose(got, want)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_max_unpool_puts_maxima_back(dims):
    x = tp.tensor(RNG.standard_normal((2, 3, *(7, 6, 4)[:dims])), requires_grad=True)
    values, where = MAX[dims](x, 2, return_indices=True)
    back = getattr(F, f"max_unpool{dims}d")(values, where, 2, output_size=x.shape)
    kept = np.zeros(x.shape).reshape(2, 3, -1)
    flat = where.numpy().reshape(2, 3, -1)
    np.put_along_axis(kept, flat, values.detach().numpy().reshape(2, 3, -1), 2)
    np.testing.assert_array_equal(back.detach().numpy(), kept.reshape(x.shape))
    back.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy() != 0, kept.reshape(x.shape) != 0)


def test_errors_say_what_fits():
    x = tp.ones(1, 2, 4, 4)
    with pytest.raises(tp.ShapeError, match="max_pool2d: a window of 5 does not fit"):
        F.max_pool2d(x, 5)
    with pytest.raises(tp.ShapeError, match="half the window"):
        F.avg_pool2d(x, 2, padding=2)
    with pytest.raises(tp.ShapeError, match="positive numbers"):
        F.max_pool2d(x, 2, stride=0)
    with pytest.raises(tp.ShapeError, match="wanted input"):
        F.max_pool2d(tp.ones(4, 4), 2)
    with pytest.raises(tp.ShapeError, match="divisor_override"):
        F.avg_pool2d(x, 2, divisor_override=0)
    with pytest.raises(tp.ShapeError, match="output_size wants one length or 2"):
        F.adaptive_avg_pool2d(x, (1, 2, 3))
    with pytest.raises(tp.ShapeError, match="within one stride"):
        F.max_unpool2d(tp.ones(1, 1, 2, 2), tp.zeros(1, 1, 2, 2).long(), 2, output_size=(9, 9))
    with pytest.raises(tp.BoundsError, match="16 places"):
        F.max_unpool2d(tp.ones(1, 1, 2, 2), tp.full((1, 1, 2, 2), 16), 2)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_means_of_integers_lose_their_fractions(dims):
    x = tp.tensor([4, 6, 8, 101, -3, 0]).reshape(1, 1, *[1] * (dims - 1), 6)
    size = (*[1] * (dims - 1), 2)
    got = AVG[dims](x, size)
    assert got.dtype is tp.int64
    assert got.flatten().tolist() == [5, 54, -1]
    padded = AVG[dims](x, size, 2, (*[0] * (dims - 1), 1), count_include_pad=False)
    assert padded.flatten().tolist() == [4, 7, 49, 0]
