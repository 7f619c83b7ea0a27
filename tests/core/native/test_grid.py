"""Images read at the places of a grid by the native kernels, beside the way over NumPy."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native
from triptych.nn import functional as F
from triptych.prims import TABLE

pytestmark = pytest.mark.native
MODES, PADDINGS = ["nearest", "bilinear", "bicubic"], ["zeros", "border", "reflection"]
KERNELS = ["grid_sample", "grid_sample_dx", "grid_sample_dgrid"]


def arguments(name, x_shape, places, reach=1.5, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(x_shape).astype(np.float32)
    grid = rng.uniform(-reach, reach, (x_shape[0], *places, 2)).astype(np.float32)
    g = rng.standard_normal((*x_shape[:2], *places)).astype(np.float32)
    return (x, grid) if name == "grid_sample" else (g, x, grid)


def override(name):
    return TABLE[name].kernel(np.zeros(1, np.float32))


def taken(name, call):
    before = native.calls()[name]
    found = call()
    return found, native.calls()[name] - before


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("align", [True, False])
def test_equals_numpys_way(name, mode, padding, align):
    ways = {"mode": mode, "padding": padding, "align": align}
    shapes = [((2, 3, 7, 9), (5, 13)), ((1, 1, 1, 1), (1, 1)), ((1, 2, 30, 2), (19, 31))]
    shapes += [((2, 1, 3, 1), (1, 17)), ((1, 5, 2, 33), (67, 8))]
    for x_shape, places in shapes:
        given = arguments(name, x_shape, places)
        got, times = taken(name, lambda given=given: override(name)(*given, **ways))
        assert times == 1
        want = override(name).plain(*(v.astype(np.float64) for v in given), **ways)
        near = override(name).plain(*given, **ways)  # where steps are steep, float32 differs, too
        bound = 1e-4 * max(1.0, np.abs(want).max()) + 2 * np.abs(near - want)
        assert np.all(np.abs(got - want) <= bound), np.abs(got - want).max()


@pytest.mark.parametrize("mode", MODES)
def test_places_that_are_no_numbers(mode):
    given = arguments("grid_sample", (1, 2, 5, 5), (2, 8))
    given[1][0, 0, :4, 0] = [np.nan, np.inf, -np.inf, 1e30]
    for padding in PADDINGS:
        ways = {"mode": mode, "padding": padding, "align": False}
        got = override("grid_sample")(*given, **ways)
        with np.errstate(all="ignore"):
            want = override("grid_sample").plain(*given, **ways)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_what_is_left_to_numpy():
    ways = {"mode": "bilinear", "padding": "zeros", "align": False}
    x, grid = arguments("grid_sample", (1, 2, 5, 5), (3, 3))
    for given in ((x.astype(np.float64), grid.astype(np.float64)), (x[:, :0], grid)):
        assert override("grid_sample").fast(*given, **ways) is NotImplemented


def test_gradients_take_it_whatever_their_layout():
    x, grid = (tp.from_numpy(v) for v in arguments("grid_sample", (2, 3, 6, 7), (4, 5)))
    x.requires_grad_(), grid.requires_grad_()
    before = native.calls()
    F.grid_sample(x, grid, align_corners=False).sum().backward()
    F.grid_sample(x.transpose(2, 3), grid, align_corners=True)
    after = native.calls()
    assert [after[name] - before[name] for name in KERNELS] == [2, 1, 1]
    wide = [v.detach().double().requires_grad_() for v in (x, grid)]
    F.grid_sample(*wide, align_corners=False).sum().backward()
    for narrow, exact in zip((x, grid), wide, strict=True):
        np.testing.assert_allclose(narrow.grad.numpy(), exact.grad.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", KERNELS)
def test_threads_agree(name):
    given = arguments(name, (2, 5, 40, 50), (60, 40))
    before, found = tp.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            tp.set_num_threads(threads)
            found.append(override(name)(*given, mode="bicubic", padding="border", align=False))
    finally:
        tp.set_num_threads(before)
    for one, other in itertools.pairwise(found):
        np.testing.assert_array_equal(one, other)
