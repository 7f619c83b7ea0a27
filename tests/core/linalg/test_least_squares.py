"""Least squares by every driver, pseudo-inverses and ranks, against NumPy."""

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(3)
DRIVERS = [None, "gels", "gelsd", "gelss", "gelsy"]
KINDS = [np.float64, np.complex128]


def normal(kind, *shape):
    array = RNG.normal(size=shape)
    return array if kind is np.float64 else array + 1j * RNG.normal(size=shape)


def constant(array):
    return tp.tensor(array, dtype=array.dtype)


def wanting(array):
    return tp.tensor(array, dtype=array.dtype, requires_grad=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("m", "n"), [(4, 2), (2, 4), (3, 3)])
def test_lstsq(m, n, driver, kind):
    a, b = normal(kind, 2, m, n), normal(kind, 2, m, 3)
    found = tp.linalg.lstsq(constant(a), constant(b), driver=driver)
    for i in range(2):
        x, residuals, rank, values = np.linalg.lstsq(a[i], b[i])
        np.testing.assert_allclose(found.solution[i].numpy(), x)
        if m > n and driver in ("gels", "gelsd", "gelss"):
            np.testing.assert_allclose(found.residuals[i].numpy(), residuals)
        if driver in ("gelsd", "gelss"):
            np.testing.assert_allclose(found.singular_values[i].numpy(), values)
        if driver != "gels":
            assert found.rank[i].item() == rank
    if m <= n or driver in (None, "gelsy"):
        assert found.residuals.shape == (0,) and not found.residuals.is_complex()
    if driver not in ("gelsd", "gelss"):
        assert found.singular_values.shape == (0,)
    assert (found.rank.shape == (0,)) == (driver == "gels")


def test_vectors_and_tolerance():
    a, b = normal(float, 2, 4, 3), normal(float, 2, 4)
    x = tp.linalg.lstsq(constant(a), constant(b)).solution
    np.testing.assert_allclose(x[1].numpy(), np.linalg.lstsq(a[1], b[1])[0])
    cut = tp.linalg.lstsq(constant(a[0]), constant(b[0]), 0.6, driver="gelsd")
    wanted = np.linalg.lstsq(a[0], b[0], 0.6)
    np.testing.assert_allclose(cut.solution.numpy(), wanted[0])
    assert cut.rank.item() == wanted[2] < 3 and cut.residuals.shape == (0,)


def test_dependent_columns():
    a, b = tp.ones(4, 3, dtype=tp.float64), tp.arange(8.0, dtype=tp.float64).reshape(4, 2)
    found = tp.linalg.lstsq(a, b, driver="gelsd")
    np.testing.assert_allclose(found.solution.numpy(), np.linalg.lstsq(a.numpy(), b.numpy())[0])
    assert found.rank.item() == 1 and found.residuals.shape == (0,)
    with pytest.raises(tp.LinAlgError, match="full rank"):
        tp.linalg.lstsq(a, b, driver="gels")


def test_lstsq_of_nothing():
    assert tp.linalg.lstsq(tp.zeros(0, 3), tp.zeros(0, 2)).solution.tolist() == [[0, 0]] * 3
    assert tp.linalg.lstsq(tp.zeros(3, 0), tp.zeros(3, 2)).solution.shape == (0, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("m", "n"), [(4, 2), (2, 3)])
def test_lstsq_derivatives(m, n, kind):
    def solved(a, b):
        found = tp.linalg.lstsq(a, b, driver="gelsd")
        return found.solution, found.residuals

    inputs = [wanting(normal(kind, m, n)), wanting(normal(kind, m, 2))]
    assert gradcheck(solved, inputs)
    assert gradgradcheck(solved, inputs)


def test_lstsq_errors():
    with pytest.raises(tp.DTypeError, match="driver is one of"):
        tp.linalg.lstsq(tp.ones(3, 2), tp.ones(3, 1), driver="gelsx")
    with pytest.raises(tp.ShapeError, match="B needs 3 rows"):
        tp.linalg.lstsq(tp.ones(3, 2), tp.ones(2, 1))


# Pseudo-inverse and rank


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 2), (2, 3, 4), (3, 0), (0, 2, 2), (3, 3)])
def test_pinv(shape, kind):
    a = normal(kind, *shape)
    np.testing.assert_allclose(tp.linalg.pinv(constant(a)).numpy(), np.linalg.pinv(a), atol=1e-12)
    np.testing.assert_allclose(tp.pinverse(constant(a)).numpy(), np.linalg.pinv(a), atol=1e-12)


def test_tolerances():
    values = np.array([[4.0, 2.0, 0.5], [1.0, 0.9, 0.1]])
    a = constant(np.stack([np.diag(v) for v in values]))
    assert tp.linalg.matrix_rank(a).tolist() == [3, 3]
    assert tp.linalg.matrix_rank(a, 0.95).tolist() == [2, 1]
    assert tp.linalg.matrix_rank(a, rtol=0.3).tolist() == [2, 2]
    assert tp.linalg.matrix_rank(a, atol=3.0, rtol=0.05, hermitian=True).tolist() == [1, 0]
    limits = tp.tensor([0.6, 0.0], dtype=tp.float64)
    assert tp.linalg.matrix_rank(a, atol=limits).tolist() == [2, 3]
    inverse = tp.linalg.pinv(a, atol=limits)
    np.testing.assert_allclose(np.diagonal(inverse.numpy(), 0, -2, -1)[0], [0.25, 0.5, 0])
    np.testing.assert_allclose(np.diagonal(inverse.numpy(), 0, -2, -1)[1], 1 / values[1])
    for inverse in (tp.linalg.pinv(a, 0.3), tp.linalg.pinv(a, rtol=0.3, hermitian=True)):
        np.testing.assert_allclose(np.diagonal(inverse.numpy(), 0, -2, -1)[1], [1, 1 / 0.9, 0])


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 0), (0, 2, 3)])
def test_the_rank_of_nothing(shape):
    assert tp.linalg.matrix_rank(tp.zeros(*shape)).tolist() == np.zeros(shape[:-2], int).tolist()
    assert tp.linalg.matrix_rank(tp.zeros(*shape)).dtype is tp.int64


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hermitian", [False, True])
def test_pinv_derivatives_where_singular_values_coincide(hermitian, kind):
    """The singular vectors have no derivative there; the pseudo-inverse has."""
    low = normal(kind, 4, 2)

    def deficient(a):  # of rank two, with equal singular values at the start
        a = a @ (a.H if hermitian else constant(normal_fixed(kind)))
        return tp.linalg.pinv(a, rtol=1e-9, hermitian=hermitian)

    q, _ = np.linalg.qr(low)
    assert gradcheck(deficient, [wanting(q)])
    assert gradgradcheck(deficient, [wanting(q)])


def normal_fixed(kind):
    q, _ = np.linalg.qr(np.arange(12.0).reshape(4, 3)[:, :2] ** 1.5 + np.eye(4, 2))
    return np.ascontiguousarray(q.T).astype(kind)
