"""Smooth functions have smooth derivatives where an input is exactly zero."""

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import grad, gradcheck, gradgradcheck
from triptych.nn import functional as F

POINTS = np.array([[0.0, 0.4, -0.7], [1.1, 0.0, -0.2]])
TARGET = tp.tensor([[1.0, 0.0, 1.0], [0.0, 0.3, 1.0]], dtype=tp.float64)
OTHER = tp.tensor([[0.5, 0.0, 1.3], [0.0, 0.8, -0.6]], dtype=tp.float64)

SMOOTH = {
    "bce_with_logits": lambda x: F.binary_cross_entropy_with_logits(x, TARGET),
    "bce_with_logits, pos_weight": lambda x: F.binary_cross_entropy_with_logits(
        x, TARGET, pos_weight=tp.tensor([1.0, 2.0, 0.5], dtype=tp.float64)
    ),
    "logsigmoid": F.logsigmoid,
    "softplus": F.softplus,
    "mish": F.mish,
    "soft_margin_loss": lambda x: F.soft_margin_loss(x, TARGET),
    "multilabel_soft_margin_loss": lambda x: F.multilabel_soft_margin_loss(x, TARGET),
    "huber_loss": lambda x: F.huber_loss(x, 0 * x.detach(), delta=2.0),
    "smooth_l1_loss": lambda x: F.smooth_l1_loss(x, 0 * x.detach(), beta=2.0),
    "norm": lambda x: x.norm(dim=1),
    "vector_norm": lambda x: tp.linalg.vector_norm(x, 2, 1),
    "matrix_norm": lambda x: tp.linalg.norm(x, "fro"),
    "normalize": F.normalize,
    "cosine_similarity": lambda x: F.cosine_similarity(x, OTHER),
    "pairwise_distance": lambda x: F.pairwise_distance(x, OTHER, eps=0.0),
    "std": lambda x: x.std(1),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_of_both_orders_at_exact_zeros(name):
    x = tp.tensor(POINTS, requires_grad=True)
    assert gradcheck(SMOOTH[name], (x,))
    assert gradgradcheck(SMOOTH[name], (x,))


@pytest.mark.parametrize("p", ["fro", 2])
def test_norm_of_complex_numbers_with_zero_parts(p):
    z = tp.tensor([0.0, 1 + 0j, 2j, 0.3 - 0.4j], dtype=tp.complex128, requires_grad=True)
    assert gradgradcheck(lambda z: tp.norm(z, p), (z,))


def test_the_curvature_of_logistic_loss_at_zero_is_a_quarter():
    x = tp.zeros(3, dtype=tp.float64, requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, tp.ones(3).double(), reduction="sum")
    (slope,) = grad(loss, x, create_graph=True)
    (curve,) = grad(slope.sum(), x)
    np.testing.assert_allclose(slope.detach().numpy(), -0.5)
    np.testing.assert_allclose(curve.numpy(), 0.25)


def test_logsigmoid_of_numbers_far_from_zero():
    x = tp.tensor([-800.0, -30.0, 30.0, 800.0, -np.inf, np.inf]).double().requires_grad_()
    y = F.logsigmoid(x)
    expected = -np.logaddexp(0, -x.detach().numpy())
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-15)
    (slope,) = grad(y[:4].sum(), x)
    np.testing.assert_allclose(slope.numpy()[:4], [1, 1, np.exp(-30.0), 0], rtol=1e-12)


def test_softplus_of_half_floats_does_not_overflow():
    x = tp.tensor([9.0, 12.0, 15.0, 25.0]).half()
    np.testing.assert_array_equal(F.softplus(x).float().numpy(), [9, 12, 15, 25])
