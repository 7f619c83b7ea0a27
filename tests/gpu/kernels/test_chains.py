"""Elementwise operations of a compiled function: one kernel that gives what eager mode gives."""

import numpy as np
import pytest
from gpu.checks import DTYPES, STEP, numbers, taken
from gpu.fixtures import CHOICE, compiles

import triptych as tp
from triptych.nn import functional as F

pytestmark = compiles


def replayed(fn, *args):
    """What a replay on the GPU gives, and whether it took the kernel of a chain once."""
    compiled = tp.compile(fn)
    compiled(*args), compiled(*args)
    return taken("chain", lambda: compiled(*args))


def on_gpu(*shape, dtype="float32", seed=0):
    return tp.from_numpy(numbers(*shape, dtype=dtype, seed=seed)).to("cuda")


def agrees(fn, *args, steps=8):
    """Assert that a replay takes one kernel and agrees with eager mode on the same device."""
    found, was_taken = replayed(fn, *args)
    assert was_taken
    want = fn(*args)
    step = steps * STEP[str(args[-1].dtype).removeprefix("triptych.")]
    for got, one in zip(
        *([x] if isinstance(x, tp.Tensor) else x for x in (found, want)), strict=True
    ):
        assert got.dtype == one.dtype and got.shape == one.shape
        np.testing.assert_allclose(
            got.cpu().double().numpy(), one.cpu().double().numpy(), rtol=step, atol=step
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7, 13), (4, 64), (1, 1), (0, 5)])
def test_as_eager(cupy, dtype, shape):
    a, b = on_gpu(*shape, dtype=dtype), on_gpu(*shape, dtype=dtype, seed=1)
    agrees(lambda a, b: F.gelu(a * b + 1.5) * 0.1 - a, a, b)


def test_rows_and_columns_are_stretched(cupy):
    a, row, column = on_gpu(5, 17), on_gpu(17, seed=1), on_gpu(5, 1, seed=2)
    agrees(lambda a, row, column: F.silu(a * row + column), a, row, column)
    agrees(lambda row, column: (row * column).tanh() + column, row, column)


def test_views_with_other_strides(cupy):
    a, b = on_gpu(16, 6).T, on_gpu(6, 32, seed=1)[:, ::2]
    agrees(lambda a, b: (a - b).exp() / (a.abs() + 1), a, b)


def test_conditions_and_several_results(cupy):
    def clipped(a, b):
        big = a > b
        y = tp.where(big, a.square(), b * 0.5)
        return y.sigmoid(), big, y

    agrees(clipped, on_gpu(9, 11), on_gpu(9, 11, seed=1))


def test_numbers_without_loss(cupy):
    a = on_gpu(33, dtype="float64")
    agrees(lambda a: (a * 0.1 + 1e-17) * float("inf") + tp.where(a > 0, a, a) * 3, a.abs() + 1)
    agrees(lambda a: a.maximum(a * 0) + float("nan"), a)


def test_other_dtypes_and_too_many_arrays_run_one_by_one(cupy):
    whole = tp.arange(6, device="cuda")
    found, was_taken = replayed(lambda x: (x + 1) * 2, whole)
    assert not was_taken and found.tolist() == [2, 4, 6, 8, 10, 12]

    many = [on_gpu(3, seed=i) for i in range(20)]

    def outer(*xs):
        products = [x * 2 for x in xs[:14]]
        return (sum(products[1:], products[0]), *products, *(products[0] * x for x in xs[14:]))

    found, _ = replayed(outer, *many)
    for got, want in zip(found, outer(*many), strict=True):
        assert tp.allclose(got, want)


@pytest.mark.skipif(CHOICE != "double", reason="only the double counts launches")
def test_one_launch_in_place_of_four(cupy):
    from gpu.double import COUNTS

    a, b = on_gpu(8, 8), on_gpu(8, seed=1)
    fn = tp.compile(lambda a, b: F.gelu(a * b + 1) + a)
    fn(a, b), fn(a, b)
    before = COUNTS.launches
    fn(a, b)
    assert COUNTS.launches - before == 1


def test_backward_in_a_compiled_step(cupy):
    w = on_gpu(16).requires_grad_()
    x = on_gpu(4, 16, seed=1)

    def step(x):
        w.grad = None
        F.silu(x * w).square().sum().backward()
        return w.grad

    want = step(x).cpu()
    compiled = tp.compile(step)
    compiled(x), compiled(x)
    assert tp.allclose(compiled(x).cpu(), want, rtol=1e-5)
    assert "fused" in compiled.explain()
