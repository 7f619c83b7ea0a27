"""Bounds of `clamp`: NaN among them, tensors as bounds, and their gradients."""

import math

import numpy as np
import pytest

import triptych as tp

NAN = math.nan


@pytest.mark.parametrize(
    "bounds", [{"min": NAN}, {"max": NAN}, {"min": 0.0, "max": NAN}, {"min": NAN, "max": 1.0}]
)
def test_a_bound_that_is_nan_gives_nan(bounds):
    x = tp.tensor([1.0, 2.0], requires_grad=True)
    out = x.clamp(**bounds)
    out.sum().backward()
    assert out.isnan().all()
    assert x.grad.tolist() == [0.0, 0.0]


def test_nan_in_tensors_of_bounds():
    x, bound = tp.tensor([1.0, 2.0, NAN, 0.5]), tp.tensor([NAN, 1.0, 0.0, 2.0])
    low, high = tp.clamp_min(x, bound), tp.clamp_max(x, bound)
    np.testing.assert_array_equal(low.numpy(), [NAN, 2.0, NAN, 2.0])
    np.testing.assert_array_equal(high.numpy(), [NAN, 1.0, NAN, 0.5])
    np.testing.assert_array_equal(x.clone().clamp_(bound).numpy(), low.numpy())


def test_gradients_at_and_beyond_bounds():
    x = tp.tensor([0.0, 1.0, 2.0, 3.0, 4.0], requires_grad=True)
    low = tp.tensor([1.0, 1.0, 1.0, 1.0, 1.0], requires_grad=True)
    high = tp.tensor(3.0, requires_grad=True)
    out = x.clamp(low, high)
    out.sum().backward()
    assert out.tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert low.grad.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert high.grad.tolist() == 1.0


def test_crossed_bounds_give_the_upper_one():
    assert tp.tensor([0.0, 1.5, 3.0]).clamp(2, 1).tolist() == [1.0, 1.0, 1.0]


def test_dtypes():
    whole = tp.tensor([1, 5, 9])
    assert whole.clamp(2, 6).dtype == tp.int64
    assert whole.clamp(max=4.5).tolist() == [1.0, 4.5, 4.5]
    assert tp.tensor([1.0, 5.0]).bfloat16().clamp(2, 4).tolist() == [2.0, 4.0]
