"""Distances of rows against SciPy; gradients of both orders, at distance zero, too."""

import math

import numpy as np
import pytest
from scipy.spatial import distance

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(5)
ORDERS = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, math.inf]
MODES = [
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
]


def naive(a, b, p):
    size = np.abs(a[..., :, None, :] - b[..., None, :, :])
    if p == 0:
        return (size != 0).sum(-1)
    return size.max(-1, initial=0) if math.isinf(p) else (size**p).sum(-1) ** (1 / p)


def wanting(array):
    return tp.tensor(array, requires_grad=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize(
    ("one", "two"),
    [((3, 2), (4, 2)), ((30, 3), (2, 3)), ((2, 1, 3, 2), (5, 4, 2)), ((3, 0), (2, 0))],
)
def test_cdist(one, two, p, mode):
    a, b = RNG.normal(size=one), RNG.normal(size=two)
    got = tp.cdist(tp.tensor(a), tp.tensor(b), p, mode).numpy()
    np.testing.assert_allclose(got, naive(a, b, p), atol=1e-7)


def test_cdist_against_scipy():
    a, b = RNG.normal(size=(40, 5)), RNG.normal(size=(50, 5))
    x, y = tp.tensor(a), tp.tensor(b)
    np.testing.assert_allclose(tp.cdist(x, y).numpy(), distance.cdist(a, b), atol=1e-6)
    for p in (1.0, 3.0):
        wanted = distance.cdist(a, b, "minkowski", p=p)
        np.testing.assert_allclose(tp.cdist(x, y, p).numpy(), wanted)
    far = tp.cdist(x, y, math.inf).numpy()
    np.testing.assert_allclose(far, distance.cdist(a, b, "chebyshev"))


def test_rows_taken_in_several_chunks(monkeypatch):
    from triptych.prims import distance as prims

    a, b = RNG.normal(size=(7, 3)), RNG.normal(size=(5, 3))
    monkeypatch.setattr(prims, "CHUNK", 31)
    got = tp.cdist(tp.tensor(a), tp.tensor(b), 1.0).numpy()
    np.testing.assert_allclose(got, naive(a, b, 1))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("p", ORDERS)
def test_derivatives(p, mode):
    inputs = [wanting(RNG.normal(size=(2, 3, 2))), wanting(RNG.normal(size=(4, 2)))]
    assert gradcheck(lambda a, b: tp.cdist(a, b, p, mode), inputs)
    assert gradgradcheck(lambda a, b: tp.cdist(a, b, p, mode), inputs)


@pytest.mark.parametrize("p", ORDERS)
def test_derivatives_at_distance_zero_are_zero(p):
    x, y = wanting(np.ones((1, 3))), wanting(np.ones((1, 3)))
    out = tp.cdist(x, y, p)
    assert out.item() == 0
    first = tp.autograd.grad(out.sum(), [x, y], create_graph=True)
    for g in first:
        assert not g.detach().numpy().any()
    if any(g.requires_grad for g in first):
        second = tp.autograd.grad(sum(g.sum() for g in first), [x, y], materialize_grads=True)
        for g in second:
            assert not g.numpy().any()


def test_one_coordinate_that_agrees():
    x = wanting(np.array([[0.0, 0.0]]))
    for p, slope in ((0.5, 1.0), (1.0, 1.0), (1.5, 1.0), (2.0, 1.0), (math.inf, 1.0)):
        (g,) = tp.autograd.grad(tp.cdist(x, tp.tensor([[0.0, -2.0]]).double(), p).sum(), [x])
        np.testing.assert_allclose(g.numpy(), [[0, slope]])


def test_dist():
    a, b = RNG.normal(size=(3, 1, 2)), RNG.normal(size=(4, 2))
    x, y = wanting(a), wanting(b)
    for p in (0.0, 1.0, 2.0, 3.5, math.inf, -math.inf):
        wanted = np.linalg.norm((a - b).reshape(-1), p)
        np.testing.assert_allclose(tp.dist(x, y, p).item(), wanted)
        assert gradcheck(lambda a, b, p=p: a.dist(b, p), [x, y])
    z = tp.ones(3, dtype=tp.float64, requires_grad=True)
    (g,) = tp.autograd.grad(tp.dist(z, z.detach()), [z])
    assert g.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tp.cdist(tp.ones(3, 2), tp.ones(3, 3)), tp.ShapeError, r"\(\.\.\., n, d\)"),
        (lambda: tp.cdist(tp.ones(3), tp.ones(3)), tp.ShapeError, r"\(\.\.\., n, d\)"),
        (lambda: tp.cdist(tp.ones(3, 2), tp.ones(3, 2), -1.0), tp.ShapeError, "p >= 0"),
        (lambda: tp.cdist(tp.ones(3, 2), tp.ones(3, 2), 2, "fast"), tp.DTypeError, "compute_mode"),
        (lambda: tp.cdist(tp.ones(3, 2), tp.ones(3, 2).double()), tp.DTypeError, "one dtype"),
        (
            lambda: tp.cdist(tp.ones(3, 2).int(), tp.ones(3, 2).int()),
            tp.DTypeError,
            "real floating",
        ),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
