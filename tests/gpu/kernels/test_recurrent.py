"""Recurrent layers over time in CUDA C, and the way back, against NumPy's in double precision."""

import numpy as np
import pytest
from gpu.checks import STEP, numbers, run
from gpu.fixtures import compiles

import triptych as tp
from triptych.prims import TABLE

pytestmark = compiles
SIZES = [(1, 1, 1), (3, 2, 4), (5, 7, 13), (2, 33, 16)]  # steps, batch, features
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
DTYPES = ("float32", "float64")


def inputs(cell, sizes, dtype):
    """Gates, weight, and what a cell starts from."""
    t, n, d = sizes
    many = GATES[cell] * d
    shapes = [(t, n, many), (many, d), (n, d)]
    shapes += {"rnn": [], "lstm": [(n, d)], "gru": [(d,)]}[cell]
    return [numbers(*s, dtype=dtype, scale=0.7, seed=i) for i, s in enumerate(shapes)]


def compare(cupy, name, xs, **params):
    """Assert that the kernels are taken and agree with NumPy in double precision."""
    found, was_taken = run(cupy, name, *xs, **params)
    assert was_taken
    want = TABLE[name].impl(np, *(x.astype(np.float64) for x in xs), **params)
    step = 64 * STEP[xs[0].dtype.name]
    for got, one in zip(found, want, strict=True):
        assert got.dtype == xs[0].dtype
        np.testing.assert_allclose(got.get(), one, rtol=step, atol=step)
    return [one.astype(xs[0].dtype) for one in want]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("relu", [False, True])
def test_rnn(cupy, sizes, dtype, relu):
    xs = inputs("rnn", sizes, dtype)
    states, last = compare(cupy, "rnn", xs, relu=relu)
    g = numbers(*states.shape, dtype=dtype, seed=7), numbers(*last.shape, dtype=dtype, seed=8)
    compare(cupy, "rnn_grad", [*g, xs[1], states], relu=relu)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", SIZES)
def test_lstm(cupy, sizes, dtype):
    xs = inputs("lstm", sizes, dtype)
    states, cells = compare(cupy, "lstm", xs)
    g = numbers(*states.shape, dtype=dtype, seed=7), numbers(*cells.shape, dtype=dtype, seed=8)
    compare(cupy, "lstm_grad", [*g, *xs, states, cells])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", SIZES)
def test_gru(cupy, sizes, dtype):
    xs = inputs("gru", sizes, dtype)
    states, last = compare(cupy, "gru", xs)
    g = numbers(*states.shape, dtype=dtype, seed=7), numbers(*last.shape, dtype=dtype, seed=8)
    compare(cupy, "gru_grad", [*g, *xs, states])


def test_what_is_refused_runs_over_cupy(cupy):
    xs = inputs("lstm", (3, 2, 4), "float32")
    (states, _), was_taken = run(cupy, "lstm", *(x.astype(np.float16) for x in xs))
    assert not was_taken and states.dtype == np.float16
    projection = numbers(3, 4)
    xs[1], xs[2] = numbers(16, 3), numbers(2, 3)
    (states, _), was_taken = run(cupy, "lstm", *xs, projection)
    assert not was_taken and states.shape == (3, 2, 3)


def test_nan_stays_in_its_sample(cupy):
    xs = inputs("gru", (3, 4, 5), "float32")
    xs[0][1, 2] = np.nan
    (states, _), _ = run(cupy, "gru", *xs)
    assert np.isnan(states.get()[1:, 2]).all()
    assert np.isfinite(np.delete(states.get(), 2, 1)).all()


@pytest.mark.parametrize("layer", [tp.nn.LSTM, tp.nn.GRU, tp.nn.RNN])
def test_layers_train_as_on_the_cpu(cupy, layer):
    x = tp.from_numpy(numbers(6, 3, 5))

    def gradients(device):
        tp.manual_seed(0)
        net = layer(5, 8, num_layers=2, bidirectional=True).to(device)
        net(x.to(device))[0].square().sum().backward()
        return [p.grad.cpu() for p in net.parameters()]

    for got, want in zip(gradients("cuda"), gradients("cpu"), strict=True):
        assert tp.allclose(got, want, rtol=1e-3, atol=1e-4)
