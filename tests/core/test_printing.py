"""What tensors look like."""

import numpy as np
import pytest

import triptych as tp


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (tp.tensor(1.5), "tensor(1.5)"),
        (tp.tensor([1.0, 2.5]), "tensor([1. , 2.5])"),
        (tp.tensor([1, 2]), "tensor([1, 2])"),
        (tp.tensor([True, False]), "tensor([ True, False])"),
        (tp.tensor([1 + 2j]), "tensor([1.+2.j])"),
        (tp.tensor([1], dtype=tp.uint8), "tensor([1], dtype=triptych.uint8)"),
        (tp.tensor([1.5], dtype=tp.float16), "tensor([1.5], dtype=triptych.float16)"),
        (tp.tensor([1.5], dtype=tp.bfloat16), "tensor([1.5], dtype=triptych.bfloat16)"),
        (tp.tensor([1.0], dtype=tp.float64), "tensor([1.], dtype=triptych.float64)"),
        (tp.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (tp.tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<MulBackward>)"),
        (tp.zeros(0), "tensor([])"),
        (tp.zeros(2, 0), "tensor([], size=(2, 0))"),
        (tp.zeros(0, dtype=tp.int64), "tensor([], dtype=triptych.int64)"),
        (tp.tensor([float("nan"), float("inf")]), "tensor([nan, inf])"),
        (tp.tensor([3.14159265]), "tensor([3.1416])"),
    ],
)
def test_repr(x, text):
    assert repr(x) == str(x) == text


def test_rows_line_up_under_the_bracket():
    assert repr(tp.tensor([[1, 20], [300, 4]])) == "tensor([[  1,  20],\n        [300,   4]])"


def test_long_tensors_are_shortened():
    text = repr(tp.arange(5000))
    assert "..." in text and len(text) < 100


def test_the_users_print_options_stay():
    before = np.get_printoptions()
    repr(tp.rand(3))
    assert np.get_printoptions() == before


def test_evaluating_the_repr_gives_the_numbers_back():
    x = tp.tensor([[0.5, -1.25]])
    assert tp.equal(eval(repr(x), {"tensor": tp.tensor}), x)


def test_views_of_something_written_to_print_their_new_history():
    y = tp.ones(2, requires_grad=True) * 1
    v = y[0]
    y.mul_(3)
    assert "grad_fn=<Slice" in repr(v) and repr(v).startswith("tensor(3.")


def test_format():
    assert f"{tp.tensor(3.14159):.2f}" == "3.14" and f"{tp.tensor(7):03d}" == "007"
    assert f"{tp.tensor([1.0])}" == "tensor([1.])"


def test_devices_dtypes_and_generators_print():
    assert repr(tp.device("cpu")) == "device(type='cpu')" and str(tp.device("cuda:1")) == "cuda:1"
    assert str(tp.float32) == "triptych.float32"
