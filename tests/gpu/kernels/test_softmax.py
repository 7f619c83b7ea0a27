"""Softmax, its logarithm and their gradients in CUDA C, against NumPy's in double precision."""

import numpy as np
import pytest
from gpu.checks import DTYPES, check, numbers, reference, run
from gpu.fixtures import compiles

import triptych as tp

pytestmark = compiles
NAMES = ("softmax", "log_softmax")
SHAPES = [(1, 300), (7, 197), (64, 3), (3, 5, 67), (2, 16, 17), (2, 33, 64), (1, 1), (5, 1024)]
CASES = [(shape, axis) for shape in SHAPES for axis in range(len(shape))]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_as_numpy(cupy, name, dtype, shape, axis):
    x, g = numbers(*shape, dtype=dtype), numbers(*shape, dtype=dtype, seed=1)
    check(cupy, name, x, axis=axis, steps=8)
    y = reference(name, x, axis=axis).astype(x.dtype)
    check(cupy, f"{name}_dx", g, y, axis=axis, steps=8, floor=16 * shape[axis] ** 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_refused_runs_over_cupy(cupy, name):
    x = cupy.asarray(numbers(6, 8))
    for refused in (x.T, x[:, ::2], x[:0], x.astype(np.complex64)):
        y, was_taken = run(cupy, name, refused, axis=1)
        assert not was_taken and y.shape == refused.shape
    assert run(cupy, name, x[2:5], axis=1)[1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("axis", [0, 1])
def test_nan_and_infinities(cupy, name, axis):
    x = numbers(40, 40)
    x[3, 5], x[7, 9], x[11, 13], x[20], x[:, 21] = np.nan, np.inf, -np.inf, -np.inf, -np.inf
    check(cupy, name, x, axis=axis, steps=8)


def test_a_training_step_takes_two_kernels(cupy):
    x = tp.tensor(numbers(8, 16), device="cuda", requires_grad=True)
    y = tp.log_softmax(x, -1)
    y.backward(tp.ones(8, 16, device="cuda"))
    assert tp.allclose(x.grad.cpu(), 1 - 16 * tp.softmax(x.detach().cpu(), -1), atol=1e-5)
