"""Determinants: values, the cofactors as derivative, singular matrices."""

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(0)


def complex_normal(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def cofactors(a):
    def minor(i, j):
        return np.linalg.det(np.delete(np.delete(a, i, 0), j, 1))

    return np.array([[(-1) ** (i + j) * minor(i, j) for j in range(len(a))] for i in range(len(a))])


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 2, 0], [2, 4, 0], [1, 0, 3]],
        [[1, 2, 3], [1, 2, 3], [-4, 5, 6]],
        [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[2, 1, 0], [1, 3, 1], [0, 1, 4]],
    ],
)
def test_the_gradient_of_a_determinant_is_the_cofactors(rows):
    a = np.array(rows, dtype=float)
    A = tp.tensor(a, requires_grad=True)
    y = tp.linalg.det(A)
    y.backward()
    np.testing.assert_allclose(y.item(), np.linalg.det(a), atol=1e-12)
    np.testing.assert_allclose(A.grad.numpy(), cofactors(a), atol=1e-12)


def test_determinants_of_a_stack_with_one_singular_matrix():
    a = np.stack([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 1.0], [1.0, 3.0]]])
    A = tp.tensor(a, requires_grad=True)
    weight = tp.tensor([1.0, 2.0], dtype=tp.float64)
    y = tp.linalg.det(A)
    np.testing.assert_allclose(y.detach().numpy(), [0, -1], atol=1e-12)
    (y * weight).sum().backward()
    expected = np.stack([cofactors(a[0]), 2 * cofactors(a[1])])
    np.testing.assert_allclose(A.grad.numpy(), expected, atol=1e-12)


def test_the_second_derivative_of_a_singular_determinant():
    a = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [1.0, 0.0, 3.0]])
    assert gradgradcheck(tp.linalg.det, (tp.tensor(a, requires_grad=True),))


def wanting(array):
    return tp.tensor(array, dtype=array.dtype, requires_grad=True)


COLUMN = complex_normal(3, 1)
SINGULAR = {
    "rank two": np.concatenate([complex_normal(3, 2), COLUMN], 1) @ np.diag([1, 1, 0]),
    "rank one": COLUMN @ complex_normal(1, 3),
    "zero": np.zeros((3, 3), complex),
    "two of a stack": np.stack([np.ones((2, 2)), complex_normal(2, 2), np.zeros((2, 2))]),
}


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("name", SINGULAR)
def test_derivatives_of_both_orders_at_singular_matrices(name, real):
    array = np.ascontiguousarray(SINGULAR[name].real) if real else SINGULAR[name]
    assert gradcheck(tp.linalg.det, [wanting(array)])
    assert gradgradcheck(tp.linalg.det, [wanting(array)])


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_determinants_of_every_size(n):
    for array in (RNG.normal(size=(2, n, n)), complex_normal(n, n)):
        x = wanting(array)
        np.testing.assert_allclose(x.det().detach().numpy(), np.linalg.det(array))
        assert gradcheck(tp.det, [x])
        assert gradgradcheck(tp.det, [x])


def test_the_gradient_does_not_lose_digits_near_singularity():
    u, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    a = u @ np.diag([1.0, 1.0, 1e-13]) @ u.T
    x = wanting(a)
    x.det().backward()
    np.testing.assert_allclose(x.grad.numpy(), cofactors(a), rtol=1e-9, atol=1e-11)


def test_slogdet_and_logdet():
    a = RNG.normal(size=(4, 3, 3))
    sign, log = tp.linalg.slogdet(tp.tensor(a))
    wanted = np.linalg.slogdet(a)
    np.testing.assert_allclose(sign.numpy(), wanted[0])
    np.testing.assert_allclose(log.numpy(), wanted[1])
    got = tp.logdet(tp.tensor(a)).numpy()
    np.testing.assert_allclose(got, np.where(wanted[0] < 0, np.nan, wanted[1]))
    x = wanting(a @ a.swapaxes(-1, -2))
    assert gradcheck(tp.logdet, [x])
    assert gradgradcheck(tp.logdet, [x])
    z = complex_normal(3, 3)
    np.testing.assert_allclose(tp.logdet(wanting(z)).exp().detach().numpy(), np.linalg.det(z))
    assert gradcheck(lambda z: tp.logdet(z).exp(), [wanting(z)])


def test_logdet_of_a_singular_matrix_is_minus_infinity_with_an_infinite_gradient():
    x = wanting(np.array([[1.0, 2.0], [2.0, 4.0]]))
    y = tp.logdet(x)
    assert y.item() == -np.inf
    y.backward()
    assert np.isinf(x.grad.numpy()).all()


def test_determinants_of_what_is_no_square_matrix():
    for call in (tp.det, tp.slogdet, tp.logdet):
        with pytest.raises(tp.ShapeError, match="square matrices"):
            call(tp.zeros(2, 3))
        with pytest.raises(tp.DTypeError, match=r"use \.float"):
            call(tp.zeros(2, 2, dtype=tp.int64))
