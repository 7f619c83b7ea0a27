"""Operators and elementwise functions against NumPy, with numbers of every sort."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import triptych as tp
from triptych.autograd import gradcheck

BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}
UNARY = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "log",
    "log10",
    "log1p",
    "log2",
    "neg",
    "reciprocal",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]
NUMPY = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "neg": np.negative,
}
SPECIAL = [0.0, -0.0, 1.0, -1.5, 0.3, 7e4, float("inf"), -float("inf"), float("nan"), 1e-300]


@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3),
    st.sampled_from(sorted(BINARY)),
)
@settings(max_examples=150, deadline=None)
def test_binary_operators_broadcast_as_numpy(shapes, name):
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0.5, 3, shape) for shape in shapes.input_shapes)
    op = getattr(operator, name)
    with np.errstate(all="ignore"):
        expected = BINARY[name](a, b)
    for one, two in ((tp.tensor(a), tp.tensor(b)), (tp.tensor(a), b), (a, tp.tensor(b))):
        got = op(one, two)
        assert isinstance(got, tp.Tensor)
        np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("scalar", [2, 2.5, -3, 0, True, np.float64(1.5), np.int64(2)])
def test_python_and_numpy_scalars_on_either_side(name, scalar):
    array = np.array(SPECIAL)
    x, op = tp.tensor(array), getattr(operator, name)
    with np.errstate(all="ignore"):
        left, right = BINARY[name](array, scalar), BINARY[name](scalar, array)
    np.testing.assert_array_equal(op(x, scalar).numpy(), left)
    np.testing.assert_array_equal(op(scalar, x).numpy(), right)


@pytest.mark.parametrize("name", UNARY)
def test_unary_functions_on_special_values_raise_no_warning(name):
    array = np.array(SPECIAL)
    with np.errstate(all="ignore"):
        expected = NUMPY.get(name, getattr(np, name, None))(array)
    x = tp.tensor(array)
    for got in (getattr(tp, name)(x), getattr(x, name)()):
        np.testing.assert_array_equal(got.numpy(), expected)
    strided = tp.tensor(np.stack([array, array], 1)).T[0][::-1]
    np.testing.assert_allclose(getattr(tp, name)(strided).numpy(), expected[::-1], rtol=4e-16)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1, 1, 1)])
def test_unary_functions_on_0d_and_empty_tensors(name, shape):
    x = tp.full(shape, 0.5)
    out = getattr(tp, name)(x)
    assert out.shape == x.shape and isinstance(out._data, np.ndarray)


def test_integer_operators():
    a, b = tp.tensor([7, -7, 6]), tp.tensor([2, 2, -4])
    assert (a // b).tolist() == [3, -4, -2] and (a % b).tolist() == [1, 1, -2]
    assert tp.fmod(a, b).tolist() == [1, -1, 2]
    assert (a & 3).tolist() == [3, 1, 2] and (a | 1).tolist() == [7, -7, 7]
    assert (a ^ b).tolist() == [7 ^ 2, -7 ^ 2, 6 ^ -4] and (~a).tolist() == [-8, 6, -7]
    assert (a << 1).tolist() == [14, -14, 12] and (a >> 1).tolist() == [3, -4, 3]
    assert (1 << tp.tensor([2])).tolist() == [4] and (6 & tp.tensor([3])).tolist() == [2]
    assert (-a).tolist() == [-7, 7, -6] and abs(a).tolist() == [7, 7, 6] and (+a) is a


def test_boolean_operators():
    a, b = tp.tensor([True, True, False]), tp.tensor([True, False, False])
    assert (a & b).tolist() == [True, False, False] and (a | b).tolist() == [True, True, False]
    assert (a ^ b).tolist() == [False, True, False] and (~a).tolist() == [False, False, True]
    assert tp.logical_xor(a, 1).tolist() == [False, False, True]
    assert tp.logical_and(tp.tensor([2.0, 0.0, 1.0]), b).tolist() == [True, False, False]


def test_matmul_operator_with_arrays():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for one, two in ((tp.tensor(a), tp.tensor(b)), (a, tp.tensor(b)), (tp.tensor(a), b)):
        got = one @ two
        assert isinstance(got, tp.Tensor)
        np.testing.assert_array_equal(got.numpy(), a @ b)


def test_comparison_with_something_else_entirely():
    x = tp.ones(2)
    assert (x == None) is False and (x != "a") is True  # noqa: E711
    with pytest.raises(TypeError):
        x < "a"  # noqa: B015
    for other in ("a", None, [1, 2], {}):
        with pytest.raises(TypeError, match="unsupported operand"):
            x + other
    assert x in [x] and len({x, x, tp.ones(2)}) == 2


def test_a_type_of_the_user_may_take_over():
    class Money:
        def __radd__(self, other):
            return "taken"

        __array_ufunc__ = None

    assert tp.ones(1) + Money() == "taken"


def test_alpha_rounding_and_combined_functions():
    a, b = tp.tensor([1.0, -2.5]), tp.tensor([2.0, 4.0])
    assert tp.add(a, b, alpha=2).tolist() == [5.0, 5.5]
    assert tp.sub(a, b, alpha=0.5).tolist() == [0.0, -4.5]
    assert tp.div(b, a, rounding_mode="trunc").tolist() == [2.0, -1.0]
    assert tp.div(b, a, rounding_mode="floor").tolist() == [2.0, -2.0]
    with pytest.raises(tp.DTypeError, match="rounding_mode is None, 'trunc' or 'floor'"):
        tp.div(a, b, rounding_mode="up")
    assert tp.lerp(a, b, 0.5).tolist() == [1.5, 0.75]
    assert tp.addcmul(a, b, b, value=2).tolist() == [9.0, 29.5]
    assert tp.addcdiv(a, b, b).tolist() == [2.0, -1.5]
    assert tp.round(tp.tensor([0.5, 1.5, -2.5])).tolist() == [0.0, 2.0, -2.0]
    assert tp.round(tp.tensor([1.256]), decimals=2).item() == pytest.approx(1.26)


def test_clamp():
    x = tp.tensor([float("nan"), -1.0, 0.5, 2.0])
    np.testing.assert_array_equal(x.clamp(0, 1).numpy(), [np.nan, 0, 0.5, 1])
    assert x[1:].clamp(min=0).tolist() == [0.0, 0.5, 2.0]
    assert x[1:].clamp(max=tp.tensor([0.0, 0.0, 3.0])).tolist() == [-1.0, 0.0, 2.0]
    assert x[1:].clamp(3, 1).tolist() == [1.0, 1.0, 1.0]  # max wins, as in torch
    with pytest.raises(tp.DTypeError, match="give min, max or both"):
        x.clamp()


def test_where():
    mask = tp.tensor([[True], [False]])
    assert tp.where(mask, tp.ones(2, 1), tp.zeros(3)).tolist() == [[1.0] * 3, [0.0] * 3]
    assert tp.where(mask, 1, 2.5).tolist() == [[1.0], [2.5]]
    assert tp.where(mask, 1, 2).dtype is tp.int64
    nan = tp.where(tp.tensor([True, False]), tp.tensor([1.0, 2.0]), float("nan"))
    assert nan[0].item() == 1.0 and nan[1].isnan().item()
    with pytest.raises(tp.DTypeError, match="condition must be bool"):
        tp.where(tp.ones(2), 1, 2)


def test_complex_functions():
    z = np.array([1 + 2j, -0.5 - 1j, 0j])
    x = tp.tensor(z, dtype=tp.complex128)
    np.testing.assert_allclose(x.abs().numpy(), np.abs(z))
    np.testing.assert_allclose(x.angle().numpy(), np.angle(z))
    np.testing.assert_allclose((x * x.conj()).real.numpy(), np.abs(z) ** 2)
    np.testing.assert_allclose(x.exp().numpy(), np.exp(z))
    assert x.real.dtype is tp.float64 and x.imag.tolist() == z.imag.tolist()
    assert tp.tensor([-1.0, 2.0]).angle().tolist() == pytest.approx([np.pi, 0.0])
    with pytest.raises(tp.DTypeError, match="lt: not defined for complex128"):
        x < x  # noqa: B015


def test_comparisons_of_whole_tensors():
    a = tp.tensor([1.0, float("nan")])
    assert not tp.equal(a, a) and tp.equal(a[:1], tp.ones(1)) and not tp.equal(a, a[:1])
    assert tp.allclose(a, a, equal_nan=True) and not tp.allclose(a, a)
    assert (
        tp.isclose(tp.tensor([1.0, 1e9]), tp.tensor([1.0 + 1e-9, 1e9 + 1])).tolist() == [True] * 2
    )
    assert tp.isclose(tp.tensor([float("inf")]), tp.tensor([float("inf")])).item()


def test_fast_and_general_paths_agree():
    """Subclasses, traces and strided memory take the general path; results must be the same."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.5, 2, (3, 4)), rng.uniform(0.5, 2, (3, 4))
    for name in ("add", "mul", "div", "pow", "maximum", "atan2"):
        call = getattr(tp, name)
        for requires in (False, True):
            x, y = (tp.tensor(v, requires_grad=requires) for v in (a, b))
            plain = call(x, y)
            with tp.autograd.detect_anomaly():
                traced = call(x, y)
            assert plain.detach().numpy().tobytes() == traced.detach().numpy().tobytes()
            if requires:
                one = tp.autograd.grad(plain.sum(), [x, y])
                two = tp.autograd.grad(traced.sum(), [x, y])
                assert all(map(tp.equal, one, two))
    for call in (tp.exp, tp.abs, lambda v: v.sum(0), lambda v: v.T, lambda v: v[1:], tp.relu):
        x = tp.tensor(a, requires_grad=True)
        with tp.autograd.detect_anomaly():
            traced = call(x)
        assert tp.equal(call(x), traced)
        one, two = (tp.autograd.grad(t.sum(), x)[0] for t in (call(x), traced))
        assert tp.equal(one, two)


def test_the_angle_of_the_origin_has_no_slope():
    y = tp.tensor([0.0, 0.0, 1.0], dtype=tp.float64, requires_grad=True)
    x = tp.tensor([0.0, 2.0, 0.0], dtype=tp.float64, requires_grad=True)
    tp.atan2(y, x).sum().backward()
    np.testing.assert_allclose(y.grad.numpy(), [0, 0.5, 0])
    np.testing.assert_allclose(x.grad.numpy(), [0, 0, -1])


@pytest.mark.parametrize("base", [tp.zeros(4, dtype=tp.float64), 0.0, 0])
def test_powers_of_zero_are_flat_in_an_exponent_that_is_not_negative(base):
    exponent = tp.tensor([0.0, 1.0, 2.5, -1.0], dtype=tp.float64, requires_grad=True)
    tp.pow(base, exponent).sum().backward()
    np.testing.assert_array_equal(exponent.grad.numpy(), [0, 0, 0, -np.inf])


@pytest.mark.parametrize("base", [0.0 + 0.0j, 2.0 + 1.0j])
def test_powers_of_complex_numbers_differentiate_in_the_exponent(base):
    a = tp.tensor([base], dtype=tp.complex128)
    b = tp.tensor([1.5 + 0.5j], dtype=tp.complex128, requires_grad=True)
    if base == 0:
        (a**b).abs().sum().backward()
        assert b.grad.item() == 0
    else:
        assert gradcheck(lambda b: a**b, (b,))


def test_a_number_to_a_power_has_a_slope_in_full_precision():
    b = tp.tensor([3.0], dtype=tp.float64, requires_grad=True)
    (2.0**b).sum().backward()
    np.testing.assert_allclose(b.grad.numpy(), 8 * np.log(2), rtol=1e-15)
