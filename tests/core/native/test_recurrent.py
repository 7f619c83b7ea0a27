"""Native recurrent layers against NumPy's in double precision."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.backends import native
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
SHAPES = [(1, 1, 1), (1, 1, 128), (3, 2, 5), (2, 3, 33), (7, 5, 64), (4, 17, 31), (5, 40, 97)]
NAMES = {"rnn": 1, "lstm": 4, "gru": 3}
RELU = {"relu": True}, {"relu": False}
KINDS = [("rnn", RELU[0]), ("rnn", RELU[1]), ("lstm", {}), ("gru", {})]


def kernel(name):
    return TABLE[name].kernel(np.zeros(1, np.float32))


def numbers(*shape, scale=1.0):
    return (scale * RNG.standard_normal(shape)).astype(np.float32)


def inputs(name, t, n, d):
    """Gates, weight, states to start from, and a bias of the GRU."""
    g = NAMES[name] * d
    last = {"rnn": [], "lstm": [numbers(n, d)], "gru": [numbers(d)]}[name]
    return [numbers(t, n, g), numbers(g, d, scale=d**-0.5), numbers(n, d), *last]


def wide(xs):
    return [x.astype(np.float64) for x in xs]


def taken(name, call):
    """What the call gives, and whether the kernel of that name was taken."""
    before = native.calls()[name]
    found = call()
    return found, native.calls()[name] == before + 1


@pytest.fixture
def threads():
    before = tp.get_num_threads()
    yield tp.set_num_threads
    tp.set_num_threads(before)


@pytest.mark.parametrize(("name", "params"), KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_as_numpy(name, params, shape):
    xs = inputs(name, *shape)
    got, was_taken = taken(name, lambda: kernel(name)(*xs, **params))
    assert was_taken
    for y, want in zip(got, kernel(name).plain(*wide(xs), **params), strict=True):
        np.testing.assert_allclose(y, want, rtol=2e-5, atol=5e-6)


@pytest.mark.parametrize(("name", "params"), KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_backward_as_numpy(name, params, shape):
    xs = inputs(name, *shape)
    ys = [y.astype(np.float32) for y in kernel(name).plain(*wide(xs), **params)]
    given = [xs[1], ys[0]] if name == "rnn" else [*xs, *ys[: 1 + (name == "lstm")]]
    given = [*(numbers(*y.shape) for y in ys), *given]
    got, was_taken = taken(f"{name}_grad", lambda: kernel(f"{name}_grad")(*given, **params))
    assert was_taken
    for y, want in zip(got, kernel(f"{name}_grad").plain(*wide(given), **params), strict=True):
        np.testing.assert_allclose(y, want, rtol=1e-4, atol=3e-5)


def test_what_is_refused_goes_to_numpy():
    lstm = inputs("lstm", 3, 2, 6)
    projected = [lstm[0], numbers(24, 2), numbers(2, 2), lstm[3], numbers(2, 6)]
    for xs in (wide(lstm), projected):
        got, was_taken = taken("lstm", lambda xs=xs: kernel("lstm")(*xs))
        assert not was_taken
        for y, want in zip(got, kernel("lstm").plain(*xs), strict=True):
            np.testing.assert_array_equal(y, want)
    empty = [x[:, :0] if x.ndim == 3 else x for x in lstm]
    empty[2], empty[3] = empty[2][:0], empty[3][:0]
    assert kernel("lstm")(*empty)[0].shape == (3, 0, 6)


def test_arrays_that_are_not_packed_are_copied():
    xs = inputs("gru", 4, 3, 8)
    other = [np.asfortranarray(x) for x in xs]
    got, was_taken = taken("gru", lambda: kernel("gru")(*other))
    assert was_taken
    for y, want in zip(got, kernel("gru")(*xs), strict=True):
        np.testing.assert_array_equal(y, want)


@pytest.mark.parametrize(("name", "params"), KINDS)
def test_not_a_number_stays_in_its_row(name, params):
    xs = inputs(name, 4, 6, 20)
    xs[0][1, 2, 0], xs[0][0, 4] = np.nan, 1e30
    states = kernel(name)(*xs, **params)[0]
    assert np.isnan(states[1:, 2]).any(-1).all()
    fine = np.delete(states, 2, 1) if params != RELU[0] else np.delete(states, (2, 4), 1)
    assert np.isfinite(fine).all()
    want = kernel(name).plain(*wide(xs), **params)[0]
    np.testing.assert_allclose(states[:, 3], want[:, 3], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "params"), KINDS)
@pytest.mark.parametrize("batch", [1, 9, 32])
def test_threads_change_nothing(name, params, batch, threads):
    xs, found = inputs(name, 6, batch, 70), []
    for count in (1, 2):
        threads(count)
        found.append(kernel(name)(*xs, **params)[0])
    np.testing.assert_allclose(*found, rtol=1e-5, atol=2e-6)
    np.testing.assert_array_equal(found[1], kernel(name)(*xs, **params)[0])


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"batch_first": True}])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_derivatives_of_layers(kind, options):
    tp.manual_seed(0)
    net = getattr(nn, kind)(5, 7, num_layers=2, **options)
    x = tp.randn(4, 3, 5)
    found = []
    for dtype in (tp.float32, tp.float64):
        net = net.to(dtype)
        net.zero_grad()
        leaf = x.to(dtype).detach().requires_grad_()
        (once,) = tp.autograd.grad(net(leaf)[0].square().sum(), [leaf], create_graph=True)
        once.square().sum().backward()
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        found.append([v.detach().numpy() for v in (once, leaf.grad, *grads)])
    for got, want in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4 * max(1, abs(want).max()))


def test_packed_sequences_take_the_kernel():
    net = nn.LSTM(4, 6, bidirectional=True)
    packed = nn.utils.rnn.pack_sequence([tp.randn(5, 4), tp.randn(3, 4), tp.randn(1, 4)])
    before = native.calls()["lstm"]
    out, (h, _) = net(packed)
    assert native.calls()["lstm"] == before + 2
    one = net(nn.utils.rnn.pad_packed_sequence(packed)[0][:3, 1:2])
    got = nn.utils.rnn.pad_packed_sequence(out)[0]
    np.testing.assert_allclose(got[:3, 1].detach(), one[0][:, 0].detach(), atol=1e-6)
    np.testing.assert_allclose(h[:, 1].detach(), one[1][0][:, 0].detach(), atol=1e-6)
