"""Images read at the places of a grid in CUDA C, and both gradients, against NumPy's path."""

import numpy as np
import pytest
from gpu.checks import DTYPES, check, numbers, run
from gpu.fixtures import compiles

import triptych as tp
from triptych.nn import functional as F

pytestmark = compiles
MODES, PADDINGS = ["nearest", "bilinear", "bicubic"], ["zeros", "border", "reflection"]
NAMES = ["grid_sample", "grid_sample_dx", "grid_sample_dgrid"]
SHAPES = [((2, 3, 7, 9), (5, 13)), ((1, 1, 1, 1), (1, 1)), ((2, 1, 3, 1), (1, 17))]
SHAPES += [((1, 37, 4, 8), (2, 64))]


def arguments(name, x_shape, places, dtype="float32"):
    rng = np.random.default_rng([*x_shape, *places])
    grid = rng.uniform(-1.6, 1.6, (x_shape[0], *places, 2)).astype(DTYPES[dtype])
    x = numbers(*x_shape, dtype=dtype, scale=1.0)
    g = numbers(*x_shape[:2], *places, dtype=dtype, scale=1.0, seed=1)
    return (x, grid) if name == "grid_sample" else (g, x, grid)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("align", [True, False])
def test_as_numpy(cupy, mode, padding, align):
    ways = {"mode": mode, "padding": padding, "align": align}
    for name in NAMES:
        for shape, places in SHAPES:
            given = arguments(name, shape, places)
            check(cupy, name, *given, **ways, steps=64, floor=2000)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(cupy, mode, name, dtype):
    ways = {"mode": mode, "padding": "zeros", "align": False}
    floor = 2000 if dtype in ("float32", "float64") else 16
    check(cupy, name, *arguments(name, (2, 3, 6, 5), (4, 7), dtype), **ways, steps=64, floor=floor)


@pytest.mark.parametrize("mode", MODES)
def test_places_that_are_no_numbers(cupy, mode):
    x, grid = arguments("grid_sample", (1, 2, 5, 5), (2, 8))
    grid[0, 0, :3, 0] = [np.nan, np.inf, -np.inf]
    for padding in PADDINGS:
        ways = {"mode": mode, "padding": padding, "align": False}
        check(cupy, "grid_sample", x, grid, **ways, steps=64, floor=2000)


def test_what_is_refused_runs_over_cupy(cupy):
    ways = {"mode": "bilinear", "padding": "zeros", "align": False}
    x, grid = map(cupy.asarray, arguments("grid_sample", (2, 4, 6, 8), (3, 5)))
    want = run(cupy, "grid_sample", x[:, ::2].copy(), grid, **ways)[0]
    got, was_taken = run(cupy, "grid_sample", x[:, ::2], grid, **ways)
    assert not was_taken
    np.testing.assert_allclose(got.get(), want.get(), rtol=1e-4, atol=1e-5)
    got, was_taken = run(cupy, "grid_sample", x[:, :0], grid, **ways)
    assert not was_taken and got.shape == (2, 0, 3, 5)


def test_sums_in_one_order(cupy):
    given = arguments("grid_sample_dx", (2, 3, 6, 5), (9, 11))
    tp.use_deterministic_algorithms(True)
    try:
        for mode in MODES:
            ways = {"mode": mode, "padding": "border", "align": False}
            check(cupy, "grid_sample_dx", *given, **ways, steps=64, floor=2000)
    finally:
        tp.use_deterministic_algorithms(False)


def test_a_training_step(cupy):
    x, grid = (tp.tensor(v) for v in arguments("grid_sample", (2, 3, 6, 7), (4, 5)))
    found = []
    for device in ("cuda", "cpu"):
        leaves = [v.to(device).requires_grad_() for v in (x, grid)]
        F.grid_sample(*leaves, align_corners=False).sum().backward()
        found.append([v.grad.cpu() for v in leaves])
    for one, two in zip(*found, strict=True):
        assert tp.allclose(one, two, rtol=1e-4, atol=1e-4)
