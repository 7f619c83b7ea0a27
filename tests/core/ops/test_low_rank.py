"""Singular values by random projections, against the exact ones."""

import numpy as np
import pytest

import triptych as tp

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (2, 12, 9), (3, 9, 12)])
@pytest.mark.parametrize("kind", [np.float64, np.complex128])
def test_svd_lowrank_is_exact_for_matrices_of_low_rank(shape, kind):
    *lead, m, n = shape
    left, right = RNG.standard_normal((*lead, m, 4)), RNG.standard_normal((*lead, 4, n))
    A = (left @ right).astype(kind) * (1j if kind is np.complex128 else 1)
    U, S, V = tp.svd_lowrank(tp.tensor(A), q=5)
    assert (U.shape, S.shape, V.shape) == ((*lead, m, 5), (*lead, 5), (*lead, n, 5))
    np.testing.assert_allclose((U * S.unsqueeze(-2) @ V.mH).numpy(), A, atol=1e-10)
    exact = np.linalg.svd(A, compute_uv=False)[..., :5]
    np.testing.assert_allclose(S.numpy(), exact, atol=1e-10)
    np.testing.assert_allclose(
        (U.mH @ U).numpy(), np.broadcast_to(np.eye(5), (*lead, 5, 5)), atol=1e-10
    )


def test_svd_lowrank_takes_a_matrix_off():
    A, M = tp.tensor(RNG.standard_normal((7, 5))), tp.tensor(RNG.standard_normal((1, 5)))
    U, S, V = tp.svd_lowrank(A, q=5, M=M)
    np.testing.assert_allclose((U * S @ V.mT).numpy(), (A - M).numpy(), atol=1e-10)


def test_pca_lowrank_finds_the_variances_along_its_directions():
    samples = tp.tensor(RNG.standard_normal((50, 3)) @ RNG.standard_normal((3, 8)) + 5)
    _, S, V = tp.pca_lowrank(samples, q=3)
    covariance = np.cov(samples.numpy().T)
    np.testing.assert_allclose(
        (V.mT.numpy() @ covariance @ V.numpy()), np.diag(S.numpy() ** 2 / 49), atol=1e-9
    )
    assert tp.pca_lowrank(samples)[1].shape == (6,)
    plain = tp.pca_lowrank(samples, q=4, center=False)[1]  # the mean is a fourth direction
    np.testing.assert_allclose(plain.numpy(), np.linalg.svd(samples.numpy())[1][:4], rtol=1e-6)


def test_the_same_generator_gives_the_same_factors():
    A = tp.tensor(RNG.standard_normal((9, 9)))
    one, two = (tp.svd_lowrank(A, 3, generator=tp.Generator().manual_seed(1)) for _ in range(2))
    assert all(tp.equal(a, b) for a, b in zip(one, two, strict=True))


def test_refusals():
    A = tp.ones(4, 3)
    with pytest.raises(tp.DomainError, match="svd_lowrank: wanted q from 0 to 3, got 4"):
        tp.svd_lowrank(A, q=4)
    with pytest.raises(tp.DomainError, match="pca_lowrank: wanted niter >= 0"):
        tp.pca_lowrank(A, niter=-1)
    with pytest.raises(tp.ShapeError, match="pca_lowrank: wanted matrices"):
        tp.pca_lowrank(A[0])
