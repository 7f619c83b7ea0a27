"""NumPy's names of arguments, and out=."""

import numpy as np
import pytest

import triptych as tp
from triptych import spelling

X = tp.arange(6.0).reshape(2, 3)


def test_axis_and_keepdims_are_dim_and_keepdim():
    assert tp.sum(X, axis=1, keepdims=True).tolist() == [[3], [12]]
    assert X.mean(axis=0).tolist() == [1.5, 2.5, 3.5]
    assert X.sum(axis=(0, 1)).item() == 15
    assert tp.cat([X, X], axis=1).shape == (2, 6)
    assert tp.softmax(X, axis=0).shape == (2, 3)
    assert X.max(axis=1).indices.tolist() == [2, 2]
    assert tp.sum(a=X).item() == tp.sum(x=X).item() == tp.sum(input=X).item() == 15
    assert tp.mul(input=X, other=2).sum().item() == 30


def test_a_name_given_twice_is_refused():
    with pytest.raises(tp.DTypeError, match="sum: axis is another name of dim"):
        tp.sum(X, dim=1, axis=1)
    with pytest.raises(TypeError, match="axes"):
        tp.sum(X, axes=1)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda out: tp.exp(X, out=out), np.exp(X.numpy())),
        (lambda out: tp.mul(X, 2, out=out), 2 * X.numpy()),
        (lambda out: tp.add(X, X, alpha=2, out=out), 3 * X.numpy()),
        (lambda out: tp.where(X > 2, X, -X, out=out), np.where(X.numpy() > 2, X, -X.numpy())),
        (lambda out: tp.stack([X[0], X[1]], out=out), X.numpy()),
        (lambda out: tp.zeros(2, 3, out=out), np.zeros((2, 3))),
        (lambda out: tp.matmul(tp.eye(2), X, out=out), X.numpy()),
    ],
)
def test_out_is_written_to_and_returned(call, wanted):
    out = tp.full((2, 3), -1.0)
    address = out.data_ptr()
    assert call(out) is out and out.data_ptr() == address and out._version == 1
    np.testing.assert_allclose(out.numpy(), wanted, rtol=1e-6)
    empty = tp.empty(0)
    assert call(empty) is empty and empty.shape == (2, 3)


def test_several_results_go_to_several_tensors():
    values, places = tp.empty(0), tp.empty(0, dtype=tp.int64)
    found = tp.max(X, 0, out=(values, places))
    assert found.values is values and places.tolist() == [1, 1, 1]
    with pytest.raises(tp.DTypeError, match="out must be 2 tensors"):
        tp.max(X, 0, out=values)


def test_out_must_fit():
    with pytest.raises(
        tp.ShapeError, match=r"sum\(out=\): the result has shape \(2,\), out \(3,\)"
    ):
        tp.sum(X, 1, out=tp.zeros(3))
    with pytest.raises(tp.DTypeError, match=r"which a triptych\.int64 tensor cannot hold"):
        tp.exp(X, out=tp.zeros(2, 3, dtype=tp.int64))
    with pytest.raises(tp.GradError, match="leaf that requires grad"):
        tp.exp(X, out=tp.zeros(2, 3, requires_grad=True))
    with pytest.raises(tp.DTypeError, match="out must be a tensor, got int"):
        tp.exp(X, out=3)
    wide = tp.zeros(2, 3, dtype=tp.float64)
    assert tp.exp(X, out=wide).dtype is tp.float64


def test_what_is_written_keeps_its_history():
    x = tp.tensor([1.0, 2.0], requires_grad=True)
    out = tp.zeros(2)
    tp.mul(x, 3, out=out)
    out.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_functions_without_other_spellings_are_left_alone():
    assert spelling.spelled(tp.exp) is tp.exp and tp.Tensor.exp is tp.exp
    assert tp.sum is tp.Tensor.sum and tp.sum.__name__ == "sum"


def test_functions_that_write_in_place_have_names_of_their_own():
    x = tp.zeros(2)
    assert tp.exp_(x) is x and x.tolist() == [1, 1]
    assert tp.fill_(x, 3) is x and tp.zero_(x).tolist() == [0, 0]


@pytest.mark.parametrize("name", ["acosh", "asinh", "eq", "frac", "logit", "sgn"])
def test_methods_have_their_in_place_form(name):
    assert callable(getattr(tp.Tensor, f"{name}_"))


def test_in_place_forms_write_what_the_others_compute():
    for name, args in {"frac": (), "ge": (0.5,), "hypot": (tp.ones(2),), "cumsum": (0,)}.items():
        x = tp.tensor([1.25, 0.25])
        wanted = getattr(x, name)(*args).float()
        assert tp.equal(getattr(x, f"{name}_")(*args), wanted), name
