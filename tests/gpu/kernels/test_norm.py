"""Layer, RMS, group and batch normalisation in CUDA C, against NumPy's in double precision."""

import numpy as np
import pytest
from gpu.checks import DTYPES, check, numbers, run
from gpu.fixtures import compiles

import triptych as tp

pytestmark = compiles
ROWS = [((1, 1), 1), ((7, 197), 1), ((3, 5, 64), 1), ((4, 3, 8), 2), ((2, 1030), 1), ((67, 16), 1)]
CHANNELS = [(1, 2, 1), (3, 4, 5, 7), (2, 6, 32), (5, 4), (2, 8, 300)]
EPS = 1e-5


def vectors(shape, dtype, count=2):
    """Weights around one, and biases."""
    return [numbers(*shape, dtype=dtype, scale=0.5, seed=i) for i in range(count)]


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "dims"), ROWS)
def test_rows(cupy, name, dtype, shape, dims):
    x, g = numbers(*shape, dtype=dtype), numbers(*shape, dtype=dtype, seed=1)
    affine = vectors(shape[-dims:], dtype, 2 if name == "layer_norm" else 1)
    for some in ([], affine[:1], affine):
        check(cupy, name, x, *some, dims=dims, eps=EPS, steps=32)
    for weight in ([], affine[:1]):
        floor = 64 * x.size**0.5
        check(cupy, f"{name}_grad", g, x, *weight, dims=dims, eps=EPS, steps=32, floor=floor)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", CHANNELS)
@pytest.mark.parametrize("groups", [1, 2])
def test_groups(cupy, dtype, shape, groups):
    x, g = numbers(*shape, dtype=dtype), numbers(*shape, dtype=dtype, seed=1)
    affine = vectors(shape[1:2], dtype)
    for some in ([], affine[:1], affine):
        check(cupy, "group_norm", x, *some, groups=groups, eps=EPS, steps=32)
    for weight in ([], affine[:1]):
        floor = 64 * x.size**0.5
        check(cupy, "group_norm_grad", g, x, *weight, groups=groups, eps=EPS, steps=32, floor=floor)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [s for s in CHANNELS if s != (1, 2, 1)])
def test_batches(cupy, dtype, shape):
    x, g = numbers(*shape, dtype=dtype), numbers(*shape, dtype=dtype, seed=1)
    affine = vectors(shape[1:2], dtype)
    mean = numbers(shape[1], dtype=dtype, seed=2)
    var = abs(numbers(shape[1], dtype=dtype, seed=3)) + mean.dtype.type(0.5)
    levels = vectors(shape[1:2], dtype)
    for some in ([], affine[:1], affine):
        check(cupy, "batch_norm", x, *some, eps=EPS, steps=32)
        check(cupy, "batch_norm_eval", x, mean, var, *some, eps=EPS, steps=32)
    for weight in ([], affine[:1]):
        floor = 64 * x.size**0.5
        given = (g, *levels, x, mean, var, *weight)
        check(cupy, "batch_norm_grad", *given, eps=EPS, steps=32, floor=floor)


def test_a_mean_far_from_zero_costs_no_digits(cupy):
    x = numbers(4, 256) + np.float32(1000)
    got, _ = run(cupy, "layer_norm", x, dims=1, eps=EPS)
    wide = x.astype(np.float64)
    want = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + EPS)
    np.testing.assert_allclose(got.get(), want, atol=2e-4)


def test_what_is_refused_runs_over_cupy(cupy):
    x = cupy.asarray(numbers(6, 8))
    for refused in (x.T, x[:, ::2], x[:0]):
        y, was_taken = run(cupy, "layer_norm", refused, dims=1, eps=EPS)
        assert not was_taken and y.shape == refused.shape
        y, was_taken = run(cupy, "group_norm", refused, groups=1, eps=EPS)
        assert not was_taken and y.shape == refused.shape
    y, was_taken = run(cupy, "batch_norm", x.T, eps=EPS)
    assert not was_taken and y[0].shape == (8, 6)


def test_nan_stays_in_its_row(cupy):
    x = numbers(5, 40)
    x[2, 7] = np.nan
    got, _ = run(cupy, "layer_norm", x, dims=1, eps=EPS)
    assert np.isnan(got.get()[2]).all() and np.isfinite(np.delete(got.get(), 2, 0)).all()


def test_a_layer_trains_as_on_the_cpu(cupy):
    layers = [tp.nn.LayerNorm(16), tp.nn.BatchNorm1d(16), tp.nn.GroupNorm(4, 16)]
    for layer in layers:
        x = tp.from_numpy(numbers(6, 16))
        layer(x).square().sum().backward()
        want = layer.weight.grad.clone()
        layer.weight.grad = None
        moved = layer.to("cuda")
        moved.weight.grad = None
        moved(x.cuda()).square().sum().backward()
        assert tp.allclose(moved.weight.grad.cpu(), want, rtol=1e-4, atol=1e-4)
