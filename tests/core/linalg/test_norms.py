"""Norms and condition numbers against NumPy; slopes at zero; what there is of nothing."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(4)
REAL = RNG.normal(size=(2, 3, 4))
COMPLEX = REAL + 1j * RNG.normal(size=REAL.shape)
VECTOR_ORDS = [0, 0.5, 1, 2, 3.5, -1, -2, math.inf, -math.inf]
MATRIX_ORDS = ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf]


def constant(array):
    return tp.tensor(array, dtype=array.dtype)


def wanting(array):
    return tp.tensor(array, dtype=array.dtype, requires_grad=True)


@pytest.mark.parametrize("array", [REAL, COMPLEX], ids=["real", "complex"])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("ord", VECTOR_ORDS)
def test_vector_norms(ord, keepdim, array):
    x = constant(array)
    for dim in (0, -1, 1):
        wanted = np.linalg.norm(array, ord, dim, keepdim)
        for call in (tp.linalg.vector_norm, tp.linalg.norm):
            np.testing.assert_allclose(call(x, ord, dim, keepdim).numpy(), wanted)
    flat = np.linalg.norm(array.reshape(-1), ord)
    np.testing.assert_allclose(tp.linalg.vector_norm(x, ord).item(), flat)
    both = tp.linalg.vector_norm(x, ord, (0, 2)).numpy()
    np.testing.assert_allclose(both[1], np.linalg.norm(array[:, 1].reshape(-1), ord))


@pytest.mark.parametrize("array", [REAL, COMPLEX], ids=["real", "complex"])
@pytest.mark.parametrize("dims", [(-2, -1), (0, 1), (2, 0)])
@pytest.mark.parametrize("ord", MATRIX_ORDS)
def test_matrix_norms(ord, dims, array):
    x = constant(array)
    for keepdim in (False, True):
        wanted = np.linalg.norm(array, ord, dims, keepdim)
        for call in (tp.linalg.matrix_norm, tp.linalg.norm):
            np.testing.assert_allclose(call(x, ord, dims, keepdim).numpy(), wanted)
    assert gradcheck(lambda x: tp.linalg.matrix_norm(x, ord, dims), [wanting(array)])


@pytest.mark.parametrize("ord", VECTOR_ORDS)
def test_the_slope_of_a_vector_norm_at_zero_is_zero(ord):
    for array in (np.zeros(4), np.zeros(4, complex)):
        x = wanting(array)
        tp.linalg.vector_norm(x, ord).backward()
        assert not x.grad.numpy().any()


@pytest.mark.parametrize("ord", [0.5, 1.5, 2, 3.5, -2])
def test_one_zero_among_others(ord):
    x = wanting(np.array([0.0, 1.0, -2.0]))
    tp.linalg.vector_norm(x, ord).backward()
    assert x.grad[0].item() == 0
    if ord > 0:
        rest = wanting(np.array([1.0, -2.0]))
        tp.linalg.vector_norm(rest, ord).backward()
        np.testing.assert_allclose(x.grad[1:].numpy(), rest.grad.numpy())
        assert gradgradcheck(lambda x: tp.linalg.vector_norm(x, ord), [rest])


@pytest.mark.parametrize("ord", MATRIX_ORDS)
def test_the_slope_of_a_matrix_norm_at_zero_is_finite(ord):
    x = wanting(np.zeros((3, 3)))
    tp.linalg.matrix_norm(x, ord).backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_norms_of_nothing():
    for ord in (0, 1, 2, 3.5):
        assert tp.linalg.vector_norm(tp.zeros(0), ord).item() == 0
    for ord in (-1, math.inf, -math.inf):
        with pytest.raises(tp.ShapeError):
            tp.linalg.vector_norm(tp.zeros(0), ord)
    assert tp.linalg.vector_norm(tp.zeros(0, 3), -1, 1).shape == (0,)
    for ord in ("fro", "nuc", 2):
        assert tp.linalg.matrix_norm(tp.zeros(2, 0, 3), ord).tolist() == [0, 0]
    assert tp.linalg.matrix_norm(tp.zeros(3, 0), 1).item() == 0
    assert tp.linalg.matrix_norm(tp.zeros(0, 3), math.inf).item() == 0


@pytest.mark.parametrize("p", [None, *MATRIX_ORDS])
def test_condition_numbers(p):
    for array in (REAL[:, :, :3], COMPLEX[0, :, :3]):
        wanted = np.linalg.cond(array, p)
        np.testing.assert_allclose(tp.linalg.cond(constant(array), p).numpy(), wanted)
    singular = tp.linalg.cond(tp.tensor([[[1.0, 1], [1, 1]], [[0, 0], [0, 0]]]), p)
    if p not in (None, 2, -2):
        assert np.isinf(singular.numpy()).all()
    assert tp.linalg.cond(tp.zeros(2, 0, 0), p).tolist() == [0, 0]
    assert gradcheck(lambda x: tp.linalg.cond(x, p), [wanting(REAL[0, :, :3])])


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tp.linalg.matrix_norm(tp.ones(2, 2), 3), tp.DTypeError, "ord is 'fro', 'nuc'"),
        (lambda: tp.linalg.vector_norm(tp.ones(2), "fro"), tp.DTypeError, "a number for ord"),
        (lambda: tp.linalg.matrix_norm(tp.ones(2, 2), dim=(1, 1)), tp.ShapeError, "different dims"),
        (lambda: tp.linalg.matrix_norm(tp.ones(2, 2), dim=(1,)), tp.ShapeError, "wanted two dims"),
        (lambda: tp.linalg.norm(tp.ones(2, 2, 2), 2), tp.ShapeError, "a vector or a matrix"),
        (lambda: tp.linalg.cond(tp.ones(2, 3), 1), tp.ShapeError, "cond: wanted square"),
        (lambda: tp.linalg.norm(tp.ones(2, dtype=tp.int64)), tp.DTypeError, "use .float"),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
