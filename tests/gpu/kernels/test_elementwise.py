"""The expressions of CUDA C in the table, each as an ElementwiseKernel, against NumPy's path."""

import numpy as np
import pytest
from gpu.checks import DTYPES, STEP, check, numbers, reference
from gpu.fixtures import compiles

import triptych as tp
from triptych.backends.cuda import elementwise
from triptych.nn import functional as F
from triptych.prims import TABLE

pytestmark = compiles
NAMES = sorted(prim.name for prim in elementwise.prims())
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan]


def inputs(name, dtype, shape=(7, 13)):
    """Arrays for a primitive, inside its domain."""
    prim = TABLE[name]
    low, high = prim.domain if isinstance(prim.domain, tuple) else (-2.0, 2.0)
    found = []
    for i in range(elementwise.arity(prim)):
        if prim.kind == "select" and i == 0:
            found.append(numbers(*shape) > 0)
        else:
            rng = np.random.default_rng([i, len(name)])
            found.append(rng.uniform(low, high, shape).astype(DTYPES[dtype]))
    return found


def compare(cupy, name, xs, dtype):
    kernel = elementwise.kernel(cupy, name)
    got = kernel(*map(cupy.asarray, xs)).get()
    want = reference(name, *xs)
    np.testing.assert_allclose(
        got.astype(np.float64),
        np.asarray(want, np.float64),
        rtol=8 * STEP[dtype],
        atol=8 * STEP[dtype],
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_as_numpy(cupy, name, dtype):
    compare(cupy, name, inputs(name, dtype), dtype)


# Slopes are written for values of their function, and where these are infinite they are not.
FINITE = [n for n in NAMES if n.endswith("_dx")]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in FINITE])
def test_special_values(cupy, name):
    prim = TABLE[name]
    grid = np.meshgrid(*[np.array(SPECIAL, np.float32)] * elementwise.arity(prim), indexing="ij")
    xs = [g.astype(bool) if prim.kind == "select" and i == 0 else g for i, g in enumerate(grid)]
    if name in ("gelu", "gelu_tanh", "silu"):
        xs = [x[np.isfinite(x)] for x in xs]  # -inf times 0 is NaN by one way of writing it
    compare(cupy, name, xs, "float32")


def test_overrides_broadcast_and_take_numbers(cupy):
    check(cupy, "silu", numbers(3, 4, dtype="float16"))
    check(cupy, "relu_dx", numbers(3, 4), numbers(3, 4, seed=1))
    check(cupy, "tanh_dx", numbers(3, 1), numbers(4))
    check(cupy, "sigmoid_dx", 1.0, numbers(3, 4))
    check(cupy, "gelu", numbers())
    check(cupy, "gelu", numbers(0, 3))


def test_where_keeps_bfloat16(cupy):
    condition, a = numbers(3, 4) > 0, numbers(3, 4, dtype="bfloat16")
    check(cupy, "where", condition, a, numbers(4, dtype="bfloat16", seed=1), steps=0)
    x = tp.from_numpy(numbers(5)).cuda().bfloat16()
    assert tp.where(x > 0, x, 0.5).dtype == tp.bfloat16 == F.relu(x).dtype


def test_rests_of_large_quotients_are_exact(cupy):
    a = np.array([1e10, -1e10, 123456.7, 5e5, -7, 7, -0.0], np.float32)
    b = np.array([3, 3, 0.3, 0.7, 2, -2, -3], np.float32)
    want = check(cupy, "remainder", a, b, steps=0)
    assert want[0] == 1
    check(cupy, "floor_divide", a, b, steps=1)
