"""Factorisations: they multiply back, match SciPy's LAPACK, and have derivatives of both orders."""

import numpy as np
import pytest
import scipy.linalg
import scipy.linalg.lapack as lapack

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(1)
KINDS = [np.float64, np.complex128]
SHAPES = [(3, 3), (5, 2), (2, 4), (0, 3), (3, 0), (2, 4, 3), (0, 2, 2), (2, 1, 3, 3)]


def normal(kind, *shape):
    array = RNG.normal(size=shape)
    return array if kind is np.float64 else array + 1j * RNG.normal(size=shape)


def wanting(array):
    return tp.tensor(array, dtype=array.dtype, requires_grad=True)


def constant(array):
    return tp.tensor(array, dtype=array.dtype)


def adjoint(array):
    return array.swapaxes(-1, -2).conj()


def definite(kind, *shape):
    array = normal(kind, *shape)
    return array @ adjoint(array) + 0.5 * np.eye(shape[-1])


# Cholesky


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_cholesky(kind, upper):
    a = definite(kind, 2, 4, 4)
    factor, info = tp.linalg.cholesky_ex(constant(a), upper=upper)
    lower = adjoint(factor.numpy()) if upper else factor.numpy()
    np.testing.assert_allclose(lower @ adjoint(lower), a)
    assert info.tolist() == [0, 0] and info.dtype is tp.int32
    assert tp.equal(tp.cholesky(constant(a), upper), factor)
    assert tp.equal(tp.linalg.cholesky(constant(a), upper=upper), factor)


def test_cholesky_reads_one_triangle():
    a = definite(np.float64, 3, 3)
    factor = tp.linalg.cholesky(constant(np.tril(a))).numpy()
    np.testing.assert_allclose(factor, np.linalg.cholesky(a))
    factor = tp.linalg.cholesky(constant(np.triu(a)), upper=True).numpy()
    np.testing.assert_allclose(factor, np.linalg.cholesky(a).T)


def test_cholesky_of_a_stack_says_which_matrix_is_not_definite():
    bad = np.array([[4.0, 2, 1], [2, 1, 3], [1, 3, 5]])
    a = constant(np.stack([np.eye(3), bad, -np.eye(3)]))
    factor, info = tp.linalg.cholesky_ex(a)
    assert info.tolist() == [0, 2, 1]
    np.testing.assert_array_equal(factor[0].numpy(), np.eye(3))
    with pytest.raises(tp.LinAlgError, match=r"\(Batch element 1\)"):
        tp.linalg.cholesky(a)
    with pytest.raises(tp.LinAlgError, match=r"\(Batch element 1\) .* minor of order 2"):
        tp.linalg.cholesky_ex(a, check_errors=True)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_solving_with_a_cholesky_factor(kind, upper):
    a, b = definite(kind, 2, 3, 3), normal(kind, 3, 2)
    factor = tp.cholesky(constant(a), upper)
    x = tp.cholesky_solve(constant(b), factor, upper)
    np.testing.assert_allclose(x.numpy(), np.linalg.solve(a, np.broadcast_to(b, (2, 3, 2))))
    inverse = tp.cholesky_inverse(factor, upper)
    np.testing.assert_allclose(inverse.numpy(), np.linalg.inv(a))
    junk = constant(np.tril(np.ones((3, 3)), -1).astype(kind))
    other = factor + (junk if upper else junk.mT)  # the other triangle is not read
    np.testing.assert_allclose(tp.cholesky_inverse(other, upper).numpy(), inverse.numpy())

    def through(a, b):
        return tp.cholesky_solve(b, tp.cholesky((a + a.H) / 2, upper), upper)

    pair = [wanting(a[0]), wanting(b)]
    assert gradcheck(through, pair)
    assert gradgradcheck(through, pair)


# QR and reflectors


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_qr(shape, kind):
    a = normal(kind, *shape)
    for mode in ("reduced", "complete"):
        q, r = (t.numpy() for t in tp.linalg.qr(constant(a), mode))
        rows = shape[-2] if mode == "complete" else min(shape[-2:])
        assert q.shape == (*shape[:-1], rows) and r.shape == (*shape[:-2], rows, shape[-1])
        np.testing.assert_allclose(q @ r, a, atol=1e-12)
        np.testing.assert_allclose(
            adjoint(q) @ q, np.broadcast_to(np.eye(rows), (*shape[:-2], rows, rows)), atol=1e-12
        )
        np.testing.assert_allclose(r, np.triu(r))
    only = tp.linalg.qr(constant(a), "r")
    assert only.Q.shape == (0,)
    np.testing.assert_allclose(only.R.numpy(), tp.qr(constant(a)).R.numpy())


def test_qr_derivatives():
    for shape in ((3, 3), (4, 2), (2, 3)):
        assert gradgradcheck(lambda a: tp.linalg.qr(a, "reduced"), [wanting(normal(float, *shape))])
    tall = wanting(normal(float, 3, 2))
    with pytest.raises(tp.GradError, match="'complete' of a tall matrix"):
        tp.linalg.qr(tall, "complete").R.sum().backward()
    with pytest.raises(tp.DTypeError, match="mode is"):
        tp.linalg.qr(tall, "full")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 5, 3), (3, 0), (0, 4, 2)])
def test_reflectors_make_q(shape, kind):
    a = normal(kind, *shape)
    packed, tau = tp.geqrf(constant(a))
    q, r = np.linalg.qr(a)
    np.testing.assert_allclose(np.triu(packed.numpy())[..., : shape[-1], :], r, atol=1e-12)
    np.testing.assert_allclose(tp.orgqr(packed, tau).numpy(), q, atol=1e-12)


def naive_product(a, tau):
    m = a.shape[-2]
    q = np.eye(m, dtype=a.dtype)
    for i, t in enumerate(tau):
        v = np.concatenate([np.zeros(i), [1], a[i + 1 :, i]])[:, None]
        q = q @ (np.eye(m) - t * v @ v.conj().T)
    return q


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [0, 1, 3])
def test_products_of_any_reflections(kind, k):
    a, tau = normal(kind, 5, 3), normal(kind, k)
    q = naive_product(a, tau)
    x, t = wanting(a), wanting(tau)
    got = tp.linalg.householder_product(x, t)
    np.testing.assert_allclose(got.detach().numpy(), q[:, :3], atol=1e-12)
    assert gradcheck(tp.linalg.householder_product, [x, t])
    assert gradgradcheck(tp.linalg.householder_product, [x, t])
    for left, turn in ((True, False), (True, True), (False, False), (False, True)):
        other = normal(kind, 5, 2) if left else normal(kind, 2, 5)
        matrix = adjoint(q) if turn else q
        got = tp.ormqr(constant(a), constant(tau), constant(other), left, turn)
        np.testing.assert_allclose(got.numpy(), matrix @ other if left else other @ matrix)


def test_ormqr_derivatives_and_errors():
    inputs = [wanting(normal(float, *s)) for s in ((4, 2), (2,), (4, 3))]
    assert gradcheck(tp.ormqr, inputs)
    assert gradgradcheck(tp.ormqr, inputs)
    with pytest.raises(tp.ShapeError, match="do not fit"):
        tp.ormqr(tp.zeros(4, 2), tp.zeros(2), tp.zeros(3, 4))
    with pytest.raises(tp.ShapeError, match="wanted m >= n"):
        tp.linalg.householder_product(tp.zeros(2, 4), tp.zeros(2))
    with pytest.raises(tp.ShapeError, match="wanted tau of shape"):
        tp.linalg.householder_product(tp.zeros(4, 2), tp.zeros(3))


# LU


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [*SHAPES, (70, 70), (40, 90), (90, 40)])
def test_lu(shape, kind):
    a = normal(kind, *shape)
    p, low, up = (t.numpy() for t in tp.linalg.lu(constant(a)))
    np.testing.assert_allclose(p @ low @ up, a, atol=1e-10)
    if a.size:
        wanted = scipy.linalg.lu(a)
        for got, w in zip((p, low, up), wanted, strict=True):
            np.testing.assert_allclose(got, w, atol=1e-10)
    packed, pivots = tp.linalg.lu_factor(constant(a))
    assert pivots.dtype is tp.int32 and pivots.shape == (*shape[:-2], min(shape[-2:]))
    for got, w in zip(tp.lu_unpack(packed, pivots), (p, low, up), strict=True):
        np.testing.assert_array_equal(got.numpy(), w)


def test_lu_without_exchanges():
    a = definite(np.float64, 2, 4, 4)
    p, low, up = tp.linalg.lu(constant(a), pivot=False)
    assert p.shape == (0,)
    np.testing.assert_allclose((low @ up).numpy(), a)
    assert tp.linalg.lu_factor(constant(a), pivot=False).pivots[0].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 3), (2, 2, 2)])
def test_lu_derivatives(shape, kind):
    x = wanting(normal(kind, *shape))
    for function in (tp.linalg.lu, lambda a: tp.linalg.lu_factor(a).LU):
        assert gradcheck(function, [x])
        assert gradgradcheck(function, [x])


def test_zero_pivots_are_reported():
    a = constant(np.stack([np.eye(2), np.ones((2, 2)), np.zeros((2, 2))]))
    assert tp.linalg.lu_factor_ex(a).info.tolist() == [0, 2, 1]
    assert len(tp.lu(a)) == 2 and tp.lu(a, get_infos=True).info.tolist() == [0, 2, 1]
    with pytest.raises(tp.LinAlgError, match=r"\(Batch element 1\) U\[2, 2\] is zero"):
        tp.linalg.lu_factor(a)
    with pytest.raises(tp.LinAlgError, match="lu_factor_ex"):
        tp.linalg.lu_factor_ex(a, check_errors=True)
    p, low, up = tp.linalg.lu(a)
    np.testing.assert_allclose((p @ low @ up).numpy(), a.numpy())


def test_unpacking_only_a_part():
    packed, pivots = tp.linalg.lu_factor(constant(normal(float, 3, 3)))
    p, low, up = tp.lu_unpack(packed, pivots, unpack_data=False)
    assert p.shape == (3, 3) and low.shape == up.shape == (0,)
    p, low, up = tp.lu_unpack(packed, pivots, unpack_pivots=False)
    assert p.shape == (0,) and low.shape == up.shape == (3, 3)


# LDL

ROUTINES = {
    (np.float64, False): lapack.dsytrf,
    (np.complex128, False): lapack.zsytrf,
    (np.complex128, True): lapack.zhetrf,
}


def symmetric(kind, hermitian, *shape):
    a = normal(kind, *shape)
    return a + (adjoint(a) if hermitian else a.swapaxes(-1, -2))


@pytest.mark.parametrize(("kind", "hermitian"), ROUTINES)
@pytest.mark.parametrize("n", [1, 2, 5, 9, 40])
def test_ldl_is_that_of_lapack(kind, hermitian, n):
    a = symmetric(kind, hermitian, 5, n, n)
    factor, pivots, info = tp.linalg.ldl_factor_ex(constant(a), hermitian=hermitian)
    assert not info.numpy().any()
    for i in range(5):
        wanted, exchanges, _ = ROUTINES[kind, hermitian](a[i], lower=1)
        np.testing.assert_array_equal(pivots[i].numpy(), exchanges)
        np.testing.assert_allclose(factor[i].numpy(), np.tril(wanted), rtol=1e-6, atol=1e-8)
    b = normal(kind, n, 2)
    x = tp.linalg.ldl_solve(factor, pivots, constant(b), hermitian=hermitian).numpy()
    np.testing.assert_allclose(a @ x, np.broadcast_to(b, x.shape), atol=1e-8)


@pytest.mark.parametrize(("kind", "hermitian"), ROUTINES)
def test_ldl_derivatives(kind, hermitian):
    a, b = wanting(normal(kind, 3, 3)), wanting(normal(kind, 3, 1))

    def through(a, b):
        a = a + (a.H if hermitian else a.mT)
        factor, pivots = tp.linalg.ldl_factor(a, hermitian=hermitian)
        return factor, tp.linalg.ldl_solve(factor, pivots, b, hermitian=hermitian)

    assert gradcheck(through, [a, b])
    assert gradgradcheck(through, [a, b])


def test_ldl_of_nothing_and_of_zeros():
    factor, pivots = tp.linalg.ldl_factor(tp.zeros(0, 0))
    assert factor.shape == (0, 0) and pivots.shape == (0,)
    assert tp.linalg.ldl_solve(factor, pivots, tp.zeros(0, 3)).shape == (0, 3)
    assert tp.linalg.ldl_factor_ex(tp.zeros(3, 3)).info.item() == 1
    with pytest.raises(tp.LinAlgError, match=r"D\[1, 1\]"):
        tp.linalg.ldl_factor(tp.zeros(3, 3))


# Spectra


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_svd(shape, kind):
    a = normal(kind, *shape)
    for full in (False, True):
        u, s, vh = (t.numpy() for t in tp.linalg.svd(constant(a), full))
        k = s.shape[-1]
        np.testing.assert_allclose((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a, atol=1e-12)
        np.testing.assert_allclose(
            adjoint(u) @ u,
            np.broadcast_to(np.eye(u.shape[-1]), adjoint(u).shape[:-1] + u.shape[-1:]),
            atol=1e-12,
        )
    np.testing.assert_allclose(tp.linalg.svdvals(constant(a)).numpy(), s)
    old = tp.svd(constant(a))
    np.testing.assert_allclose((old.U * old.S.unsqueeze(-2) @ old.V.mH).numpy(), a, atol=1e-12)
    without = tp.svd(constant(a), compute_uv=False)
    assert not without.U.numpy().any() and without.V.shape == (*shape[:-2], shape[-1], shape[-1])


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_gradients_through_full_singular_vectors(shape):
    def leading(a):
        u, s, vh = tp.linalg.svd(a)
        return (u[:, :2] * s**2) @ vh[:2], s

    x = wanting(normal(np.complex128, *shape))
    assert gradcheck(leading, [x])
    assert gradgradcheck(leading, [x])


def test_the_gradient_of_singular_values_of_zero_is_finite():
    x = wanting(np.zeros((2, 3)))
    tp.linalg.svdvals(x).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_eigenvalues_of_one_triangle_and_of_any_matrix():
    a = definite(np.complex128, 3, 3)
    for side, triangle in (("L", np.tril(a)), ("u", np.triu(a))):
        w, v = tp.linalg.eigh(constant(triangle), side)
        np.testing.assert_allclose(w.numpy(), np.linalg.eigvalsh(a))
        np.testing.assert_allclose((v * w @ v.mH).numpy(), a, atol=1e-12)
    b = constant(normal(float, 2, 3, 3))
    w, v = tp.linalg.eig(b)
    np.testing.assert_allclose(
        (b.to(w.dtype) @ v).numpy(), (v * w.unsqueeze(-2)).numpy(), atol=1e-12
    )
    np.testing.assert_array_equal(tp.linalg.eigvals(b).numpy(), w.numpy())
    with pytest.raises(tp.DTypeError, match="UPLO"):
        tp.linalg.eigh(b, "B")
