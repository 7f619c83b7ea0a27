"""Kernels that stand in for slow functions of NumPy, against those functions."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import numpy_kernels as kernels

RNG = np.random.default_rng(0)
ODD = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e20, -1e20, 1e-23]


@pytest.mark.parametrize("exponent", [*range(2, 9), 3.0, -1, -2, 0, 9, -3, 1.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_powers_are_those_of_numpy(dtype, exponent):
    x = np.concatenate([RNG.uniform(-3, 3, 1000), ODD[:5]]).astype(dtype)
    with np.errstate(all="ignore"):
        got, want = kernels.power(x, exponent), np.power(x, exponent)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(
        np.signbit(got[~np.isnan(want)]), np.signbit(want[~np.isnan(want)])
    )


@pytest.mark.parametrize("exponent", [2, 3, 5, 8])
def test_powers_of_half_types_round_once(exponent):
    for dtype in (tp.float16, tp.bfloat16):
        x = tp.tensor(RNG.uniform(-2, 2, 200)).to(dtype)
        want = (x.double() ** exponent).to(dtype)
        assert (x**exponent).dtype == dtype
        assert tp.equal(x**exponent, want)


def test_powers_of_a_half_are_roots():
    x = np.array([4.0, 0.0, 2.0], np.float32)
    np.testing.assert_array_equal(kernels.power(x, 0.5), np.sqrt(x))
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(kernels.power(x, -0.5), 1 / np.sqrt(x))
    assert tp.tensor(-tp.inf) ** 0.5 != tp.inf  # a root of a negative number is NaN


def test_powers_of_other_kinds_are_left_to_numpy():
    whole = RNG.integers(-5, 5, 50)
    np.testing.assert_array_equal(kernels.power(whole, 3), whole**3)
    turned = np.exp(1j * RNG.uniform(0, 6, 50))
    np.testing.assert_array_equal(kernels.power(turned, 3), np.power(turned, 3))
    np.testing.assert_array_equal(kernels.power(2.0, np.arange(3.0)), [1, 2, 4])


def test_powers_and_their_slopes():
    x = tp.tensor([-2.0, 0.0, 3.0], requires_grad=True)
    (x**3).sum().backward()
    assert x.grad.tolist() == [12.0, 0.0, 27.0]


INTEGERS = ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("digits", [1, 3, 6, 9, 18])
def test_products_of_integers_are_exact_or_wrap(dtype, digits, monkeypatch):
    monkeypatch.setattr(kernels, "PRODUCTS", 0)
    info = np.iinfo(dtype)
    low, high = max(-(10**digits), int(info.min)), min(10**digits, int(info.max))
    a = RNG.integers(low, high, (3, 4, 5), dtype, endpoint=True)
    b = RNG.integers(low, high, (5, 6), dtype, endpoint=True)
    got, want = kernels.matmul(a, b), np.matmul(a, b)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


def test_products_of_the_smallest_integers():
    a = np.full((40, 40), np.iinfo(np.int64).min)
    np.testing.assert_array_equal(kernels.matmul(a, a), np.matmul(a, a))
    none = kernels.matmul(np.zeros((2, 0), int), np.zeros((0, 40000), int))
    assert none.shape == (2, 40000)
    assert not none.any()


SUMS = [
    # shape of the memory, axis, shape of the places, shape of the values
    ((50, 30), 0, (200,), (200, 30)),
    ((50, 300), 0, (200,), (200, 300)),  # rows of their own
    ((50, 300), 0, (20, 10), (20, 10, 300)),
    ((50, 300), 0, (200,), (300,)),  # repeated for each place
    ((50, 300), 0, (200,), (1, 200, 300)),
    ((6, 50, 4), 1, (200,), (6, 200, 4)),
    ((6, 50), 1, (40, 5), (6, 40, 5)),
    ((50,), 0, (2000,), (2000,)),
    ((50,), 0, (200, 10), (10,)),
    ((5,), 0, (4, 2), (2,)),  # small
]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.complex64])
@pytest.mark.parametrize(("shape", "axis", "places", "values"), SUMS)
def test_sums_at_repeated_places(shape, axis, places, values, dtype):
    memory = RNG.integers(-9, 9, shape).astype(dtype)
    index = RNG.integers(-shape[axis], shape[axis], places)
    numbers = RNG.integers(-9, 9, values).astype(dtype)
    slots = (*shape[:axis], *places, *shape[axis + 1 :])
    spread = np.broadcast_to(numbers.reshape(values[-len(slots) :]), slots)
    want = memory.copy()
    for where in np.ndindex(places):
        one = (*[slice(None)] * axis, index[where])
        want[one] += spread[(*[slice(None)] * axis, *where)]
    kernels.add_at(memory, (*[slice(None)] * axis, index), numbers)
    np.testing.assert_array_equal(memory, want)


def test_sums_where_no_vector_of_places_is_given():
    memory = np.zeros((3, 400))
    kernels.add_at(memory, (np.array([0, 0, 2]), slice(0, 400)), np.ones((3, 400)))
    kernels.add_at(memory, (1,), np.ones(400))
    np.testing.assert_array_equal(memory.sum(1), [800, 400, 400])
    with pytest.raises(IndexError, match="out of bounds"):
        kernels.add_at(memory, (np.full(5, 7),), np.ones((5, 400)))


def test_the_table_takes_them():
    for name in ("pow", "matmul"):
        own = {"pow": kernels.power, "matmul": kernels.matmul}[name]
        kernel = tp.prims.TABLE[name].kernel(np.ones(1))
        assert getattr(kernel, "plain", kernel) is own  # behind a native one, if there is one
