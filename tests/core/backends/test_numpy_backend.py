"""The NumPy backend's own kernels against their plain twins."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends.numpy_backend import select

RNG = np.random.default_rng(0)
SHAPE = (40, 50)  # large enough for the mask of bits


def branches(dtype):
    a, b = (RNG.standard_normal(SHAPE).astype(dtype) for _ in range(2))
    a.flat[:3] = np.nan, np.inf, -0.0
    turned = np.ascontiguousarray(a.T).T
    return [
        (a, b),
        (a, 0.0),
        (0.0, b),
        (a, -0.0),
        (-2, b),
        (a[:, :1], b),
        (a, b[0]),
        (turned, b),
        (a[:, ::-1], b[::-1]),
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", range(len(branches(np.float32))))
def test_select_gives_the_bits_of_where(dtype, case):
    a, b = branches(dtype)[case]
    condition = RNG.random(SHAPE) > 0.5
    for chosen in (condition, condition[:, :1], condition.T.copy().T):
        got, want = select(chosen, a, b), np.where(chosen, a, b).astype(dtype)
        assert got.dtype == dtype
        assert got.tobytes() == want.tobytes()


def test_where_takes_the_override():
    kernel = tp.prims.TABLE["where"].kernel(np.ones(1))
    assert getattr(kernel, "plain", kernel) is select  # behind a native one, if there is one


def test_other_dtypes_fall_back():
    condition = RNG.random(SHAPE) > 0.5
    ints = RNG.integers(0, 9, SHAPE)
    np.testing.assert_array_equal(select(condition, ints, 0), np.where(condition, ints, 0))
    assert select(condition[0, 0], 1.0, 2.0).shape == ()
