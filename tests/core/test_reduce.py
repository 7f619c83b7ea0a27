"""Reductions, scans and order against NumPy, with NaN, ties, empty axes and every kind of dim."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import triptych as tp
from triptych.autograd import gradcheck

X = np.random.default_rng(0).normal(size=(2, 3, 4))
REDUCTIONS = {
    "sum": np.sum,
    "mean": np.mean,
    "amax": np.max,
    "amin": np.min,
    "prod": np.prod,
    "any": np.any,
    "all": np.all,
}
DIMS = [None, 0, 2, -1, (0, 1), (2, 0), (-1, 0, 1), ()]
EACH_BY_ITSELF = ("any", "all")  # what () means to these; to the others it means all dims


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("keepdim", [False, True])
def test_reductions(name, dim, keepdim):
    axis = None if dim == () and name not in EACH_BY_ITSELF else dim
    expected = REDUCTIONS[name](X, axis=axis, keepdims=keepdim)
    for call in (getattr(tp, name), getattr(tp.Tensor, name)):
        got = call(tp.tensor(X), dim, keepdim)
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-9, 9)))
@settings(max_examples=80, deadline=None)
def test_sums_of_any_layout(array):
    x = tp.tensor(array)
    for t, a in ((x, array), (x.T, array.T), (x[::-1], array[::-1])):
        np.testing.assert_allclose(t.sum(0).numpy(), a.sum(0), atol=1e-9)
        np.testing.assert_allclose(t.cumsum(-1).numpy(), a.cumsum(-1), atol=1e-9)
        assert t.argmax().item() == a.argmax() and t.amin().item() == a.min()


@pytest.mark.parametrize("correction", [0, 1, 2])
@pytest.mark.parametrize("dim", [None, 1, (0, 2)])
def test_variance_and_standard_deviation(dim, correction):
    x = tp.tensor(X, requires_grad=True)
    np.testing.assert_allclose(
        tp.var(x, dim, correction=correction).detach(), X.var(axis=dim, ddof=correction)
    )
    np.testing.assert_allclose(
        x.std(dim, correction=correction, keepdim=True).detach(),
        X.std(axis=dim, ddof=correction, keepdims=True),
    )
    assert gradcheck(lambda x: tp.std_mean(x, dim, correction=correction), [x])


def test_variance_takes_torchs_flags():
    x = tp.tensor(X)
    assert x.var(False).item() == pytest.approx(X.var())
    assert x.var(0, False)[0, 0].item() == pytest.approx(X[:, 0, 0].var())
    both = tp.var_mean(x, False)
    assert (both[0].item(), both[1].item()) == pytest.approx((X.var(), X.mean()))
    assert np.isnan(tp.ones(1).var().item()) and tp.ones(1).var(correction=0).item() == 0


def test_max_and_min_with_a_dim_give_places_too():
    x = tp.tensor(X, requires_grad=True)
    values, indices = x.max(1)
    np.testing.assert_array_equal(indices.numpy(), X.argmax(1))
    np.testing.assert_array_equal(values.detach().numpy(), X.max(1))
    found = x.min(-1, keepdim=True)
    assert found.indices.shape == (2, 3, 1) and found.values.requires_grad
    assert tp.max(x).item() == X.max() and tp.min(x, x * 0).shape == x.shape
    assert gradcheck(lambda x: (x.max(1).values, x.min(0).values), [x])
    assert tp.max(tp.tensor(3.0), 0).indices.item() == 0


def test_nan_wins():
    x = tp.tensor([[1.0, float("nan"), 3.0], [3.0, 2.0, 3.0]])
    assert np.isnan(x.max().item()) and np.isnan(x[0].amin().item())
    assert x.argmax(1).tolist() == [1, 0] and x.argmin(1).tolist() == [1, 1]
    assert x.max(1).indices.tolist() == [1, 0]
    assert x.nansum().item() == 12 and np.isnan(x.sum().item())
    assert x.sort(1).indices.tolist() == [[0, 2, 1], [1, 0, 2]]
    assert x.sort(1, descending=True).indices.tolist() == [[1, 2, 0], [0, 2, 1]]


def test_argmax_keeps_dims():
    x = tp.tensor(X)
    assert x.argmax().item() == X.argmax() and x.argmax(keepdim=True).shape == (1, 1, 1)
    assert x.argmin(2, keepdim=True).shape == (2, 3, 1)
    assert tp.tensor(5.0).argmax().item() == 0 and tp.tensor(5.0).argmax(0).item() == 0


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_sort_is_stable_and_has_a_gradient(dim, descending):
    array = np.round(X * 2)
    values, indices = tp.tensor(array).sort(dim, descending)
    order = np.argsort(-array if descending else array, axis=dim, kind="stable")
    np.testing.assert_array_equal(indices.numpy(), order)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(array, order, dim))
    x = tp.tensor(X, requires_grad=True)
    assert gradcheck(lambda x: x.sort(dim, descending).values, [x])
    assert tp.equal(x.argsort(dim, descending), x.sort(dim, descending).indices)


def test_topk():
    x = tp.tensor(X, requires_grad=True)
    values, indices = x.topk(2, 1)
    np.testing.assert_array_equal(values.detach().numpy(), -np.sort(-X, 1)[:, :2])
    np.testing.assert_array_equal(
        np.take_along_axis(X, indices.numpy(), 1), values.detach().numpy()
    )
    assert x.topk(1, largest=False).values[0, 0, 0].item() == X[0, 0].min()
    with pytest.raises(tp.ShapeError, match="topk: k = 5, but dim 1 has length 3"):
        x.topk(5, 1)
    assert tp.tensor(2.0).topk(1).values.item() == 2.0


@pytest.mark.parametrize("p", [1, 2, 3, 0.5, -1, float("inf"), -float("inf"), "fro"])
@pytest.mark.parametrize("dim", [None, 1, (0, 2)])
def test_norms(p, dim):
    x = tp.tensor(X, requires_grad=True)
    got = x.norm(p, dim)
    order = 2 if p == "fro" else p
    flat = np.abs(X.ravel() if dim is None else X)
    if np.isinf(order):
        expected = (flat.max if order > 0 else flat.min)(axis=dim)
    else:
        expected = (flat**order).sum(axis=dim) ** (1 / order)
    np.testing.assert_allclose(got.detach().numpy(), expected)
    assert gradcheck(lambda x: x.norm(p, dim), [x])
    assert tp.tensor([0.0, 3.0, -4.0]).norm(0).item() == 2


def test_logsumexp():
    x = tp.tensor(X, requires_grad=True)
    np.testing.assert_allclose(x.logsumexp((0, 2)).detach(), np.log(np.exp(X).sum((0, 2))))
    assert x.logsumexp(1, True).shape == (2, 1, 4) and gradcheck(lambda x: x.logsumexp(1), [x])
    assert tp.tensor([1000.0, 1000.0]).logsumexp(0).item() == pytest.approx(1000 + np.log(2))
    assert tp.full((2,), -float("inf")).logsumexp(0).item() == -float("inf")
    assert tp.tensor([0, 0]).logsumexp(0).item() == pytest.approx(np.log(2))


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax(dim):
    x = tp.tensor(X, requires_grad=True)
    e = np.exp(X - X.max(dim, keepdims=True))
    np.testing.assert_allclose(x.softmax(dim).detach(), e / e.sum(dim, keepdims=True))
    np.testing.assert_allclose(
        x.log_softmax(dim).detach(), np.log(e / e.sum(dim, keepdims=True)), atol=1e-14
    )
    big = tp.tensor([[1e4, 0.0], [-float("inf"), 0.0]])
    assert big.softmax(1).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert tp.tensor(3.0).softmax(0).item() == 1 and tp.zeros(0, 3).softmax(0).shape == (0, 3)


def test_integers_and_booleans():
    x = tp.tensor([[True, False], [True, True]])
    assert (
        x.sum().item() == 3
        and x.sum(0).tolist() == [2, 1]
        and x.count_nonzero(1).tolist() == [1, 2]
    )
    assert x.all(1).tolist() == [False, True] and x.any().item() is True
    assert tp.tensor([2, 3], dtype=tp.uint8).prod().item() == 6
    assert tp.tensor([200, 100], dtype=tp.uint8).cumsum(0).tolist() == [200, 300]
    assert tp.tensor([1, 2]).sum(dtype=tp.float32).dtype is tp.float32
    assert tp.tensor([1, 2]).mean(dtype=tp.float64).item() == 1.5
    for name in ("mean", "var", "std", "norm"):
        with pytest.raises(tp.DTypeError, match=r"wanted floating or complex.*use \.float\(\)"):
            getattr(tp.tensor([1, 2]), name)()


def test_empty_axes():
    e = tp.zeros(0, 3)
    assert (
        e.sum().item() == 0 and e.sum(0).tolist() == [0.0] * 3 and e.prod(0).tolist() == [1.0] * 3
    )
    assert (
        np.isnan(e.mean().item()) and e.mean(1).shape == (0,) and np.isnan(e.var(0).numpy()).all()
    )
    assert e.all().item() is True and e.any().item() is False
    assert (
        e.amax(1).shape == (0,) and e.cumsum(0).shape == (0, 3) and e.sort(0).values.shape == (0, 3)
    )
    for call in (e.amax, e.max, e.argmax, lambda: e.min(0), lambda: e.argmin(0)):
        with pytest.raises(tp.ShapeError, match="nothing to choose from"):
            call()


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "cumsum", "sort", "argmax", "logsumexp"])
def test_a_bad_dim_names_the_call_and_the_range(name):
    with pytest.raises(
        tp.ShapeError, match=rf"{name}: dim 2 is out of range for 2 dims; wanted -2 to 1"
    ):
        getattr(tp.zeros(2, 2), name)(2)


def test_an_axis_twice():
    with pytest.raises(tp.ShapeError, match=r"sum: dims \(0, -2\) name one axis twice"):
        tp.zeros(2, 2).sum((0, -2))


def test_gradients_of_the_rest():
    x = tp.tensor(X, requires_grad=True)
    assert gradcheck(
        lambda x: (x.prod(1), x.cumsum(2), x.mean((0, 2)), x.amax((0, 1)), x.amin()), [x]
    )
    zeros = tp.tensor([[0.0, 2.0, 3.0], [0.0, 0.0, 1.0]], dtype=tp.float64, requires_grad=True)
    assert gradcheck(lambda x: x.prod(1), [zeros])


@pytest.mark.parametrize("dtype", [tp.int32, tp.uint8, tp.bool, tp.float64])
def test_the_dtype_that_is_asked_for_comes(dtype):
    x = tp.tensor([3, 0, 2])
    for found in (x.sum(dtype=dtype), x.cumsum(0, dtype=dtype), x.cumprod(0, dtype=dtype)):
        assert found.dtype is dtype
    assert x.prod(dtype=dtype).dtype is dtype
    assert tp.tensor([200, 100]).sum(dtype=tp.uint8).item() == 300 - 256


def test_nan_comes_last_in_bfloat16():
    x = tp.tensor([float("nan"), 1.0, -2.0, 3.0]).bfloat16()
    assert x.argsort().tolist() == [2, 1, 3, 0]
    assert x.sort(descending=True).values[1:].tolist() == [3.0, 1.0, -2.0]
    assert x.nanmedian().item() == 1.0
