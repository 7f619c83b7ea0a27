"""Limits on gradients."""

import math

import numpy as np
import pytest

import triptych
from triptych import nn
from triptych.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    get_total_norm,
    parameters_to_vector,
    skip_init,
    vector_to_parameters,
)


def parameters():
    a, b, c = (nn.Parameter(triptych.zeros(n)) for n in (2, 3, 1))
    a.grad, b.grad = triptych.tensor([3.0, -4.0]), triptych.tensor([0.0, 12.0, 0.0])
    return [a, b, c]


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, math.inf])
def test_norm(p):
    params = parameters()
    flat = np.concatenate([x.grad.numpy() for x in params[:2]])
    want = np.linalg.norm(flat, p)
    assert float(clip_grad_norm_(params, 1.0, p)) == pytest.approx(want, rel=1e-6)
    clipped = np.concatenate([x.grad.numpy() for x in params[:2]])
    np.testing.assert_allclose(clipped, flat / want, rtol=1e-5)
    assert params[2].grad is None


def test_small_gradients_stay():
    params = parameters()
    assert float(clip_grad_norm_((p for p in params), 100.0)) == 13
    assert params[0].grad.tolist() == [3.0, -4.0]
    assert float(clip_grad_norm_(params[0], 1.0)) == 5
    assert float(get_total_norm([])) == 0
    assert float(clip_grad_norm_([], 1.0)) == 0


def test_values():
    params = parameters()
    clip_grad_value_(params, 3.5)
    assert params[0].grad.tolist() == [3.0, -3.5]
    assert params[1].grad.tolist() == [0.0, 3.5, 0.0]


def test_not_finite():
    params = parameters()
    params[0].grad[0] = math.nan
    with pytest.raises(triptych.GradError, match="detect_anomaly"):
        clip_grad_norm_(params, 1.0, error_if_nonfinite=True)


def test_vector_round_trip():
    one, two = nn.Linear(3, 2), nn.Linear(3, 2)
    vector = parameters_to_vector(one.parameters())
    assert vector.shape == (8,)
    vector_to_parameters(vector, two.parameters())
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
        assert type(b) is nn.Parameter
    with triptych.no_grad():
        two.weight.fill_(0)
    assert one.weight.detach().numpy().all()
    with pytest.raises(ValueError, match=r"wanted shape \(8,\), got \(9,\)"):
        vector_to_parameters(triptych.zeros(9), one.parameters())


def test_skip_init_leaves_the_random_state_alone():
    triptych.manual_seed(0)
    skip_init(nn.Linear, 3, 4, bias=False)
    drawn = triptych.rand(3)
    triptych.manual_seed(0)
    assert triptych.equal(drawn, triptych.rand(3))
