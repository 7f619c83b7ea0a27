"""Anomaly mode: errors name the user's line, and the first NaN gradient stops backward."""

import re

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import detect_anomaly, grad


def leaf(*values):
    return tp.tensor(values, dtype=tp.float64, requires_grad=True)


def here():
    """The line below the call, as errors write it."""
    import sys

    frame = sys._getframe(1)
    return re.escape(f"{frame.f_code.co_filename}:{frame.f_lineno + 1}")


def test_the_first_nan_gradient_raises_and_names_the_line():
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        line = here()
        y = x.sqrt()
        z = (y * 0).sum()
        with pytest.raises(tp.GradError, match=f"sqrt, called at {line}, gives a NaN gradient"):
            z.backward()
    assert x.grad is None


def test_the_operation_that_made_the_nan_is_named_not_a_later_one():
    x = leaf(0.0)
    with detect_anomaly():
        y = x * 2
        line = here()
        z = y.sqrt()
        with pytest.raises(tp.GradError, match=f"sqrt, called at {line}"):
            (z * 0).sum().exp().backward()


def test_grad_and_create_graph_are_watched_too():
    x = leaf(0.0)
    with detect_anomaly():
        y = (x.sqrt() * 0).sum()
        for create_graph in (False, True):
            with pytest.raises(tp.GradError, match="sqrt"):
                grad(y, x, create_graph=create_graph, retain_graph=True)


def test_operations_with_joint_rules_and_several_outputs():
    x = leaf(3.0, 1.0)
    with detect_anomaly():
        values, _ = x.sort()
        bad = values[tp.tensor([0, 1])] * tp.tensor([float("nan"), 1.0], dtype=tp.float64)
        with pytest.raises(tp.GradError, match="mul, called at"):
            bad.sum().backward()


def test_what_was_recorded_outside_is_said_so():
    x = leaf(0.0)
    y = (x.sqrt() * 0).sum()
    with detect_anomaly(), pytest.raises(tp.GradError, match="sqrt, called outside detect_anomaly"):
        y.backward()


def test_infinities_and_nan_forward_values_pass():
    x = leaf(0.0, 4.0)
    with detect_anomaly():
        x.sqrt().sum().backward()
        assert x.grad.tolist() == [float("inf"), 0.25]
        nan = (x.detach() * float("nan")).sum()
    assert np.isnan(nan.item())


def test_the_check_can_be_left_out():
    x = leaf(0.0)
    with detect_anomaly(check_nan=False):
        (x.sqrt() * 0).sum().backward()
    assert np.isnan(x.grad.item())


def test_outside_nothing_is_checked():
    x = leaf(0.0)
    (x.sqrt() * 0).sum().backward()
    assert np.isnan(x.grad.item())


def test_a_stale_value_names_the_line_of_the_operation_that_saved_it():
    y = leaf(1.0) * 1
    with detect_anomaly():
        line = here()
        z = (y * y).sum()
        y += 1
        with pytest.raises(tp.GradError, match=f"mul was called at {line}") as caught:
            z.backward()
    assert "modified in place by" in str(caught.value)


def test_results_are_the_same_inside():
    x = leaf(0.5, -2.0)

    def fn(x):
        y = x * 2
        y[0] = x[1] ** 2
        y.add_(tp.zeros(2, dtype=tp.float64)).mul_(tp.rand(2, generator=tp.Generator()))
        return (y.exp() @ tp.eye(2, dtype=tp.float64)).softmax(0).std() + x.sum()

    plain = (fn(x), *grad(fn(x), x))
    with detect_anomaly():
        inside = (fn(x), *grad(fn(x), x))
    assert all(tp.equal(a, b) for a, b in zip(plain, inside, strict=True))


def test_results_of_every_sort_are_tensors_inside():
    with detect_anomaly():
        for t in (tp.zeros(2), tp.arange(3), tp.rand(1), tp.ones(2).sum(), tp.tensor(1.0).exp()):
            assert isinstance(t._data, np.ndarray)
        assert tp.ones(2, 2)[0, 0].item() == 1
        with pytest.raises(tp.ShapeError, match="add: shapes"):
            tp.ones(2) + tp.ones(3)
    assert not hasattr(tp.ones(1) * 1, "stack")


def test_a_graph_captured_inside_is_like_any_other():
    with detect_anomaly():
        graph = tp.graph.capture(lambda x: grad((x * x).sum(), x)[0], leaf(1.0, 2.0))
        assert tp.graph.replay(graph, leaf(1.0, 2.0)).tolist() == [2.0, 4.0]
