"""Inputs at the edge: no axes, no elements, booleans, small integers, complex numbers, infinities.

Each fact is what torch does; where Triptych raises, torch does, too, or gives a number that means
nothing.
"""

import cmath
import math

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

INF, NAN = float("inf"), float("nan")
SCALAR = tp.tensor(3.0)


def test_triangles_of_booleans_are_booleans():
    mask = tp.ones(3, 3, dtype=tp.bool)
    assert mask.tril().dtype is mask.triu(1).dtype is tp.bool
    assert mask.triu(1).tolist() == [[False, True, True], [False, False, True], [False] * 3]


def test_any_and_all_of_bytes_are_bytes_and_no_dims_means_each_by_itself():
    x = tp.tensor([[0, 2], [3, 4]], dtype=tp.uint8)
    assert x.any(1).dtype is x.all().dtype is tp.uint8
    assert x.all(0).tolist() == [0, 1]
    assert tp.tensor([0.0, 2.0]).any(dim=()).tolist() == [False, True]
    assert tp.tensor([0.0, 2.0]).sum(dim=()).item() == 2


@pytest.mark.parametrize("value", [INF, -INF, NAN])
@pytest.mark.parametrize("name", ["sort", "cummax", "cummin", "mode", "max", "median"])
def test_a_number_without_axes_stands_at_index_zero(name, value):
    found = getattr(tp, name)(tp.tensor(value), dim=0)
    assert found.indices.item() == 0
    np.testing.assert_equal(found.values.item(), value)


@pytest.mark.parametrize(
    "name", ["sort", "argmax", "cumsum", "cumprod", "cummax", "mode", "median"]
)
def test_a_number_without_axes_has_no_dim_but_the_first(name):
    with pytest.raises(tp.ShapeError, match="dim 1 is out of range for 0 dims"):
        getattr(tp, name)(SCALAR, dim=1)


NO_AXES = {
    "split": lambda: SCALAR.split(1),
    "chunk": lambda: SCALAR.chunk(2),
    "unbind": lambda: SCALAR.unbind(),
    "tensor_split": lambda: SCALAR.tensor_split(2),
    "roll": lambda: SCALAR.roll(1, 0),
    "repeat_interleave": lambda: SCALAR.repeat_interleave(2, 0),
    "cat": lambda: tp.cat([SCALAR, SCALAR]),
}


@pytest.mark.parametrize("name", NO_AXES)
def test_what_needs_an_axis_says_so(name):
    with pytest.raises(tp.ShapeError, match=f"{name}: .*0-d tensor"):
        NO_AXES[name]()


def test_what_needs_none_takes_a_number_as_it_is():
    assert SCALAR.movedim(0, -1).item() == SCALAR.roll(1).item() == 3
    assert tp.tensor(7, dtype=tp.int32).cumprod(0).dtype is tp.int64


@pytest.mark.parametrize(
    "name", ["amax", "amin", "argmax", "argmin", "max", "min", "sort", "median", "cummax", "mode"]
)
def test_complex_numbers_have_no_order(name):
    args = () if name in ("amax", "amin", "argmax", "argmin", "max", "min") else (0,)
    with pytest.raises(tp.DTypeError, match="complex numbers have no order"):
        getattr(tp, name)(tp.tensor([1j, 2.0]), *args)


def test_logarithms_of_sums_of_complex_exponentials():
    numbers = [-200 + 1j, -200 + 2j, 3 - 1j, 100 + 0.5j]
    x = tp.tensor(numbers, dtype=tp.complex64)
    steps = x.logcumsumexp(0).tolist()
    for i, got in enumerate(steps):
        top = max(z.real for z in numbers[: i + 1])
        wanted = cmath.log(sum(cmath.exp(z - top) for z in numbers[: i + 1])) + top
        assert got == pytest.approx(wanted, rel=1e-5)
    assert x.logsumexp(0).item() == pytest.approx(steps[-1], rel=1e-6)
    leaf = tp.tensor([0.5 + 1j, -1.0 + 0.3j], requires_grad=True).detach().to(tp.complex128)
    assert gradcheck(lambda t: t.logcumsumexp(0), (leaf.requires_grad_(),))


def test_gradients_of_logcumsumexp_far_apart():
    x = tp.tensor([-INF, 0.0, -100.0, 5.0, -120.0, 200.0], requires_grad=True)
    x.logcumsumexp(0).sum().backward()
    e5 = math.exp(-5)
    wanted = [0, 2 + 2 * e5 / (1 + e5), 0, 2 / (1 + e5), 0, 1]
    np.testing.assert_allclose(x.grad.numpy(), wanted, rtol=1e-6, atol=1e-40)
    leaf = tp.randn(2, 7, 3, dtype=tp.float64).mul(3).requires_grad_()
    assert gradcheck(lambda t: t.logcumsumexp(1), (leaf,))
    assert gradgradcheck(lambda t: t.logcumsumexp(1), (leaf,))


def test_parts_of_a_complex_number_do_not_spoil_each_other():
    z = tp.complex(tp.tensor([1.5, 0.0]), tp.tensor([-INF, INF]))
    assert z.real.tolist() == [1.5, 0.0] and z.imag.tolist() == [-INF, INF]
    assert tp.complex(tp.zeros(0, 2), tp.zeros(0, 2)).shape == (0, 2)


def test_the_slope_of_acosh_left_of_the_cut():
    z = tp.tensor([-5 - 1.5j, 2 + 1j], dtype=tp.complex128, requires_grad=True)
    assert gradcheck(tp.acosh, (z,))


def test_the_angle_of_real_numbers_is_recorded_and_keeps_nan():
    x = tp.tensor([-1.0, 2.0, NAN], requires_grad=True)
    y = tp.angle(x)
    np.testing.assert_allclose(y.numpy(force=True), [np.pi, 0, NAN], rtol=1e-6)
    y[:2].sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_statistics_of_nothing():
    empty = tp.zeros(0, 3)
    assert np.isnan(empty.median().item()) and np.isnan(empty.nanmedian().item())
    assert [t.shape for t in tp.zeros(2, 0).chunk(3, 1)] == [(2, 0)] * 3
    for call in (lambda: tp.quantile(empty, 0.5), lambda: empty.long().median()):
        with pytest.raises(tp.ShapeError, match="nothing to choose from"):
            call()
    leaf = tp.zeros(2, 0, requires_grad=True)
    leaf.logcumsumexp(1).sum().backward()
    assert leaf.grad.shape == (2, 0)


def test_integers_where_floats_are_meant():
    assert tp.cov(tp.tensor([[-2, -4], [-5, -4]])).tolist() == [[2, -1], [-1, 0.5]]
    assert tp.fmin(tp.tensor([1, 2]), 1.5).tolist() == [1, 1.5]
    assert tp.fmax(tp.tensor([NAN, 1.0]), 2).tolist() == [2, 2]
    assert tp.ldexp(tp.ones(1, dtype=tp.float16), tp.ones(1, dtype=tp.float16)).dtype is tp.float16
    assert tp.isclose(tp.tensor([True, False]), tp.tensor([True, True])).tolist() == [True, False]
    assert tp.tensor([True, True, False]).mode().values.item() is True
    with pytest.raises(tp.DTypeError, match="clamp: -1 does not fit uint8"):
        tp.tensor([1], dtype=tp.uint8).clamp(max=-1)


def test_batch_norm_of_no_samples_changes_nothing():
    mean, var = tp.zeros(3), tp.ones(3)
    x = tp.zeros(0, 3, requires_grad=True)
    out = tp.nn.functional.batch_norm(x, mean, var, training=True)
    out.sum().backward()
    assert out.shape == x.grad.shape == (0, 3)
    assert mean.tolist() == [0, 0, 0] and var.tolist() == [1, 1, 1]
    assert tp.nn.functional.batch_norm(tp.zeros(0), tp.zeros(0), tp.zeros(0)).shape == (0,)


def test_a_row_of_one_number_has_no_slope_after_layer_norm():
    x = tp.tensor([-4.3228], requires_grad=True)
    tp.nn.functional.layer_norm(x, (1,), tp.tensor([-8.4784])).sum().backward()
    assert x.grad.item() == 0


def test_a_number_has_one_element_to_select():
    assert SCALAR.index_select(0, tp.tensor([0])).shape == ()


@pytest.mark.parametrize(("rows", "values"), [((0, 0), (0, 3)), ((2, 0), (2, 3)), ((2, 0), (2, 0))])
def test_searching_in_nothing_finds_the_start(rows, values):
    found = tp.searchsorted(tp.zeros(rows), tp.zeros(values))
    assert found.shape == values
    assert found.tolist() == np.zeros(values).tolist()


def test_products_with_an_addend_keep_integers_and_cut_their_factors():
    a, v = tp.ones(2, 3, dtype=tp.int64), tp.ones(3, dtype=tp.int64)
    assert tp.addmv(v[:2], a, v, alpha=1.5, beta=2.7).tolist() == [5, 5]
    batch = tp.stack([a, a])
    out = tp.addbmm(v[:2], batch, batch.mT, alpha=1.5, beta=2.7)
    assert (out.dtype, out.tolist()) == (tp.int64, [[8, 8], [8, 8]])


def test_integers_to_negative_powers_are_quotients_cut_to_integers():
    base, power = tp.tensor([2, 1, -1, -1, -1, 3, 0, 2]), tp.tensor([-1, -1, -1, -2, -5, -5, -1, 3])
    assert (base**power).tolist() == [0, 1, -1, 1, -1, 0, 0, 8]
    assert (2 ** tp.tensor([-1, 2])).tolist() == [0, 4]


def test_squares_of_booleans_are_integers_and_bytes_are_conditions():
    squares = tp.square(tp.tensor([True, False]))
    assert (squares.dtype, squares.tolist()) == (tp.int64, [1, 0])
    picks = tp.tensor([2, 0], dtype=tp.uint8)
    assert tp.where(picks, tp.tensor([1, 2]), tp.tensor([3, 4])).tolist() == [1, 4]


def test_coordinates_of_bytes_are_int64():
    rows, cols = tp.unravel_index(tp.tensor([3, 250], dtype=tp.uint8), (100, 300))
    assert rows.dtype is cols.dtype is tp.int64
    assert (rows.tolist(), cols.tolist()) == ([0, 0], [3, 250])


def test_logaddexp_of_complex_numbers():
    a, b = np.array([1 + 2j, 3 - 1j, 900j]), np.array([2 - 1j, 0.5j, 800 + 0j])
    got = tp.logaddexp(tp.tensor(a), tp.tensor(b)).numpy()
    np.testing.assert_allclose(got[:2], np.log(np.exp(a[:2]) + np.exp(b[:2])))
    assert got[2] == 800
    assert gradcheck(
        tp.logaddexp, (tp.tensor(a[:2], requires_grad=True), tp.tensor(b[:2], requires_grad=True))
    )


def test_fmax_and_fmin_give_a_tie_to_the_first():
    for call in (tp.fmax, tp.fmin):
        a = tp.tensor([2.0, NAN, 1.0], requires_grad=True)
        b = tp.tensor([2.0, 4.0, NAN], requires_grad=True)
        y = call(a, b)
        assert y.tolist() == [2, 4, 1]
        y.sum().backward()
        assert (a.grad.tolist(), b.grad.tolist()) == ([1, 0, 1], [0, 1, 0])


def test_einsum_of_bytes():
    a, b = tp.ones(2, 2, 3, dtype=tp.uint8), tp.ones(2, 4, dtype=tp.uint8)
    out = tp.einsum("...ik,...j->ij", a, b)
    assert (out.dtype, out.tolist()) == (tp.uint8, [[6] * 4] * 2)


def test_gradient_with_spacing_left_out():
    squares = tp.arange(5.0) ** 2
    assert tp.gradient(squares, spacing=None, dim=None)[0].tolist() == [1, 2, 4, 6, 7]
