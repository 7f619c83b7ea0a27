"""Recurrent layers beside their equations, written out step by step in NumPy."""

import numpy as np
import pytest

import triptych
from triptych import nn
from triptych.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from triptych.prims import TABLE
from triptych.testing import CHECKS

F64 = triptych.float64
KINDS = {
    "RNN": (nn.RNN, nn.RNNCell, {}),
    "RNN relu": (nn.RNN, nn.RNNCell, {"nonlinearity": "relu"}),
    "LSTM": (nn.LSTM, nn.LSTMCell, {}),
    "GRU": (nn.GRU, nn.GRUCell, {}),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(kind, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr=None):
    """One step; returns the next h and c."""
    gates, hidden = w_ih @ x + b_ih, w_hh @ h + b_hh
    if kind == "RNN":
        return np.tanh(gates + hidden), c
    if kind == "RNN relu":
        return np.maximum(gates + hidden, 0), c
    if kind == "LSTM":
        i, f, g, o = np.split(gates + hidden, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return (h if w_hr is None else w_hr @ h), c
    xr, xz, xn = np.split(gates, 3)
    hr, hz, hn = np.split(hidden, 3)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = np.tanh(xn + r * hn)
    return (1 - z) * n + z * h, c


def naive(kind, layer, x, h0, c0):
    """One sequence x (t, d) through all layers; states (layers · directions, h)."""
    last_h, last_c = [], []
    for index in range(layer.num_layers):
        outs = []
        for d in range(2 if layer.bidirectional else 1):
            weights = [w.detach().numpy() for w in layer.all_weights[len(last_h)]]
            h, c = h0[len(last_h)], c0[len(last_h)]
            ys = []
            for v in x[::-1] if d else x:
                h, c = step(kind, v, h, c, *weights)
                ys.append(h)
            outs.append(np.array(ys[::-1] if d else ys))
            last_h.append(h)
            last_c.append(c)
        x = np.concatenate(outs, 1)
        assert index < layer.num_layers
    return x, np.array(last_h), np.array(last_c)


def build(kind, **options):
    triptych.manual_seed(1)
    return KINDS[kind][0](3, 4, dtype=F64, **KINDS[kind][2], **options)


def states(kind, layer, n, rng):
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    h = rng.standard_normal((rows, n, layer.proj_size or layer.hidden_size))
    c = rng.standard_normal((rows, n, layer.hidden_size))
    given = (triptych.tensor(h), triptych.tensor(c)) if kind == "LSTM" else triptych.tensor(h)
    return h, c, given


@kinds
@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True}]
)
def test_layers_equal_the_equations(kind, options):
    rng = np.random.default_rng(0)
    layer = build(kind, **options)
    x = rng.standard_normal((5, 2, 3))
    h0, c0, given = states(kind, layer, 2, rng)
    turn = (1, 0, 2) if layer.batch_first else (0, 1, 2)
    out, last = layer(triptych.tensor(x.transpose(turn)), given)
    h, c = last if kind == "LSTM" else (last, None)
    for i in range(2):
        want, want_h, want_c = naive(kind, layer, x[:, i], h0[:, i], c0[:, i])
        np.testing.assert_allclose(out.detach().numpy().transpose(turn)[:, i], want, atol=1e-12)
        np.testing.assert_allclose(h[:, i].detach().numpy(), want_h, atol=1e-12)
        if c is not None:
            np.testing.assert_allclose(c[:, i].detach().numpy(), want_c, atol=1e-12)


def test_lstm_with_projection_equals_the_equations():
    rng = np.random.default_rng(0)
    layer = build("LSTM", proj_size=2, num_layers=2, bidirectional=True)
    assert layer.weight_hr_l1_reverse.shape == (2, 4)
    assert layer.weight_ih_l1.shape == (16, 4)
    x = rng.standard_normal((5, 1, 3))
    h0, c0, given = states("LSTM", layer, 1, rng)

    def ordered(weights):
        return [weights[0], weights[1], weights[2], weights[3], weights[4]]

    assert [len(ordered(w)) for w in layer.all_weights] == [5] * 4
    out, (h, c) = layer(triptych.tensor(x), given)
    want, want_h, want_c = naive("LSTM", layer, x[:, 0], h0[:, 0], c0[:, 0])
    np.testing.assert_allclose(out[:, 0].detach().numpy(), want, atol=1e-12)
    np.testing.assert_allclose(h[:, 0].detach().numpy(), want_h, atol=1e-12)
    np.testing.assert_allclose(c[:, 0].detach().numpy(), want_c, atol=1e-12)


@kinds
def test_cells_equal_one_step_of_the_layer(kind):
    layer = build(kind)
    cell = KINDS[kind][1](3, 4, dtype=F64, **KINDS[kind][2])
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = triptych.randn(2, 3, dtype=F64)
    first, again = layer(x.unsqueeze(0))[1], cell(x)
    pairs = zip(first, again, strict=True) if kind == "LSTM" else [(first, again)]
    for one, two in pairs:
        np.testing.assert_array_equal(one[0].detach().numpy(), two.detach().numpy())
    single = cell(x[0])
    h = single[0] if kind == "LSTM" else single
    assert h.shape == (4,)
    onward = cell(x, again)
    assert (onward[0] if kind == "LSTM" else onward).shape == (2, 4)


@kinds
def test_unbatched_input(kind):
    layer = build(kind)
    x = triptych.randn(5, 3, dtype=F64)
    out, last = layer(x)
    batched, last_batched = layer(x.unsqueeze(1))
    np.testing.assert_array_equal(out.detach().numpy(), batched[:, 0].detach().numpy())
    one, two = (last[1], last_batched[1]) if kind == "LSTM" else (last, last_batched)
    np.testing.assert_array_equal(one.detach().numpy(), two[:, 0].detach().numpy())
    again, _ = layer(x, last)
    assert again.shape == out.shape


@kinds
@pytest.mark.parametrize("enforce_sorted", [True, False])
def test_packed_sequences_equal_each_sequence_alone(kind, enforce_sorted):
    rng = np.random.default_rng(0)
    layer = build(kind, num_layers=2, bidirectional=True)
    lengths = [5, 3, 1] if enforce_sorted else [3, 5, 1]
    x = triptych.tensor(rng.standard_normal((5, 3, 3)))
    h0, c0, given = states(kind, layer, 3, rng)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted)
    out, last = layer(packed, given)
    padded, found = pad_packed_sequence(out)
    assert found.tolist() == lengths
    h, c = last if kind == "LSTM" else (last, None)
    for i, n in enumerate(lengths):
        want, want_h, want_c = naive(kind, layer, x.numpy()[:n, i], h0[:, i], c0[:, i])
        np.testing.assert_allclose(padded[:n, i].detach().numpy(), want, atol=1e-12)
        assert not padded[n:, i].detach().numpy().any()
        np.testing.assert_allclose(h[:, i].detach().numpy(), want_h, atol=1e-12)
        if c is not None:
            np.testing.assert_allclose(c[:, i].detach().numpy(), want_c, atol=1e-12)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("check", CHECKS)
def test_primitives(name, check):
    assert CHECKS[check](TABLE[name]) > 0


@pytest.mark.parametrize("dtype", [triptych.float16, triptych.bfloat16])
def test_half_precision_is_rounded_once(dtype):
    layer = nn.LSTM(3, 4)
    exact, _ = layer(triptych.ones(6, 2, 3))
    half, (h, _) = layer.to(dtype)(triptych.ones(6, 2, 3, dtype=dtype))
    assert half.dtype == h.dtype == dtype
    gap = (half.float() - exact).detach().abs().max()
    assert float(gap) < 0.02


def test_dropout_acts_between_layers_in_training_only():
    layer = nn.GRU(3, 4, 2, dropout=0.9)
    x = triptych.randn(5, 2, 3)
    assert not triptych.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert triptych.equal(layer(x)[0], layer(x)[0])
    with pytest.warns(UserWarning, match="no effect with one layer"):
        nn.GRU(3, 4, dropout=0.5)


def test_mistakes():
    layer = nn.LSTM(3, 4)
    with pytest.raises(ValueError, match="wanted input with 3 features, got 5"):
        layer(triptych.zeros(2, 2, 5))
    with pytest.raises(ValueError, match=r"wanted states of shapes \[\(1, 2, 4\), \(1, 2, 4\)\]"):
        layer(triptych.zeros(2, 2, 3), (triptych.zeros(1, 3, 4), triptych.zeros(1, 2, 4)))
    with pytest.raises(ValueError, match="wanted 2 or 3 dims"):
        layer(triptych.zeros(3))
    with pytest.raises(ValueError, match="at least one time step"):
        layer(triptych.zeros(0, 2, 3))
    with pytest.raises(ValueError, match="hidden_size > proj_size"):
        nn.LSTM(3, 4, proj_size=4)
    with pytest.raises(KeyError, match="nonlinearity is 'tanh' or 'relu'"):
        nn.RNN(3, 4, nonlinearity="gelu")
    with pytest.raises(ValueError, match=r"wanted 1 state\(s\) of shape \(4,\)"):
        nn.GRUCell(3, 4)(triptych.zeros(3), triptych.zeros(5))
    with pytest.raises(ValueError, match=r"wanted input \(n, 3\) or \(3,\)"):
        nn.GRUCell(3, 4)(triptych.zeros(4))
