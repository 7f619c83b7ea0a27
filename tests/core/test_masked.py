"""triptych.masked: what a mask leaves out has no influence and gets no gradient."""

import numpy as np
import pytest
import scipy.special

import triptych as tp
from triptych import masked
from triptych.autograd import gradcheck

NUMBERS = np.array([[3.0, -1.0, 4.0, 1.5], [-5.0, 9.0, 2.0, -6.0], [5.5, 3.5, -8.0, 9.5]])
MASK = np.array([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 1]], bool)


def chosen(function, axis=1):
    """A NumPy function of the chosen elements of every row, or column."""
    rows = zip(NUMBERS, MASK, strict=True) if axis == 1 else zip(NUMBERS.T, MASK.T, strict=True)
    return np.array([function(r[m]) for r, m in rows])


REDUCTIONS = {
    "sum": np.sum,
    "prod": np.prod,
    "mean": np.mean,
    "amax": np.max,
    "amin": np.min,
    "norm": np.linalg.norm,
    "logsumexp": scipy.special.logsumexp,
    "median": lambda v: np.sort(v)[(v.size - 1) // 2],
}


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_are_those_of_the_chosen_elements(name, axis):
    x = tp.tensor(NUMBERS)
    got = getattr(masked, name)(x, dim=axis, mask=tp.tensor(MASK))
    np.testing.assert_allclose(got.numpy(), chosen(REDUCTIONS[name], axis % 2), rtol=1e-12)
    kept = getattr(masked, name)(x, dim=axis, keepdim=True, mask=tp.tensor(MASK))
    assert kept.shape == ((1, 4) if axis == 0 else (3, 1))


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_the_place_of_the_extreme_is_counted_in_the_whole_row(name):
    empty = np.inf if name == "argmin" else -np.inf
    expected = getattr(np, name)(np.where(MASK, NUMBERS, empty), axis=1)
    got = getattr(masked, name)(tp.tensor(NUMBERS), 1, mask=tp.tensor(MASK), dtype=tp.int64)
    np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("correction", [0, 1, 2])
def test_variance_divides_by_the_count_of_the_chosen(correction):
    with np.errstate(all="ignore"):
        expected = chosen(lambda v: ((v - v.mean()) ** 2).sum() / max(v.size - correction, 0))
    mask = tp.tensor(MASK)
    var = masked.var(tp.tensor(NUMBERS), 1, correction=correction, mask=mask)
    np.testing.assert_allclose(var.numpy(), expected)
    std = masked.std(tp.tensor(NUMBERS), 1, correction=correction, mask=mask)
    np.testing.assert_allclose(std.numpy(), np.sqrt(expected))


def test_functions_along_an_axis_leave_the_others_out():
    x, mask = tp.tensor(NUMBERS), tp.tensor(MASK)
    soft = masked.softmax(x, 1, mask=mask).numpy()
    assert (soft[~MASK] == 0).all()
    np.testing.assert_allclose(soft.sum(1), 1)
    np.testing.assert_allclose(soft[0][MASK[0]], scipy.special.softmax(NUMBERS[0][MASK[0]]))
    log = masked.log_softmax(x, 1, mask=mask).numpy()
    np.testing.assert_allclose(np.exp(log), soft)
    np.testing.assert_allclose(
        masked.softmin(x, 1, mask=mask).numpy(), masked.softmax(-x, 1, mask=mask).numpy()
    )
    np.testing.assert_array_equal(
        masked.cumsum(x, 1, mask=mask).numpy(), np.cumsum(np.where(MASK, NUMBERS, 0), 1)
    )
    np.testing.assert_array_equal(
        masked.cumprod(x, 0, mask=mask).numpy(), np.cumprod(np.where(MASK, NUMBERS, 1), 0)
    )
    unit = masked.normalize(x, 2.0, 1, mask=mask)
    np.testing.assert_allclose(unit.square().sum(1).numpy(), 1)


def test_logaddexp_takes_the_chosen_one_of_two():
    a, b = tp.tensor([1.0, 2.0, 3.0]), tp.tensor([4.0, 5.0, 6.0])
    got = masked.logaddexp(
        a,
        b,
        input_mask=tp.tensor([True, False, False]),
        other_mask=tp.tensor([True, True, False]),
    )
    np.testing.assert_allclose(got.numpy(), [np.logaddexp(1, 4), 5, -np.inf], rtol=1e-6)


def test_a_row_without_any_gives_the_neutral_element_or_nan():
    x, none = tp.tensor([[2.0, 3.0]]), tp.tensor([[False, False]])
    neutral = {"sum": 0, "prod": 1, "amax": -np.inf, "amin": np.inf, "norm": 0}
    for name, value in neutral.items():
        assert getattr(masked, name)(x, dim=1, mask=none).tolist() == [value], name
    for name in ("mean", "var", "std", "median"):
        assert np.isnan(getattr(masked, name)(x, dim=1, mask=none).item()), name
    assert masked.amax(x.long(), 1, mask=none).tolist() == [tp.iinfo(tp.int64).min]


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "amax", "norm", "var", "std", "logsumexp"])
def test_gradients_stay_inside_the_mask(name):
    mask = tp.tensor(MASK[[0, 2]])
    x = tp.tensor(NUMBERS[[0, 2]], requires_grad=True)
    function = getattr(masked, name)
    assert gradcheck(lambda t: function(t, dim=1, mask=mask), (x,))
    function(x, dim=1, mask=mask).sum().backward()
    assert (x.grad.numpy()[~MASK[[0, 2]]] == 0).all()


def test_a_mask_broadcasts_to_the_input_and_no_further():
    x = tp.tensor(NUMBERS)
    row = tp.tensor([True, False, True, False])
    np.testing.assert_array_equal(masked.sum(x, 1, mask=row).numpy(), NUMBERS[:, [0, 2]].sum(1))
    assert masked.sum(x).item() == NUMBERS.sum()
    with pytest.raises(tp.ShapeError, match=r"masked\.sum: the mask has shape \(3,\)"):
        masked.sum(x, mask=tp.ones(3, dtype=tp.bool))
    with pytest.raises(tp.ShapeError, match="does not broadcast"):
        masked.sum(x, mask=tp.ones(2, 3, 4, dtype=tp.bool))
    with pytest.raises(tp.DTypeError, match="mask must be a tensor"):
        masked.mean(x, mask=[True])


def test_what_has_no_answer_is_refused():
    whole, none = tp.tensor([[1, 2]]), tp.tensor([[False, False]])
    with pytest.raises(tp.DTypeError, match=r"masked\.mean: wanted floating"):
        masked.mean(whole)
    with pytest.raises(tp.DTypeError, match=r"masked\.median: somewhere along dim 1"):
        masked.median(whole, 1, mask=none)
    with pytest.raises(tp.DTypeError, match=r"masked\.amax: not defined for triptych\.complex64"):
        masked.amax(tp.tensor([1j]), mask=tp.tensor([True]))
    with pytest.raises(tp.DTypeError, match="unbiased or correction"):
        masked.var(tp.ones(2), unbiased=True, correction=1)
    with pytest.raises(tp.DTypeError, match=r"masked\.softmax: wanted floating"):
        masked.softmax(whole, 1)
