"""WaveRNN's recursion: each sample is drawn before the next one can be scored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor, nn

__all__ = ["sample_waveform"]

SAMPLES_AT_ONCE = 2048  # what does not depend on drawn samples is computed for so many together


def sample_waveform(model: Any, columns: Tensor, blocks: Tensor, chances: Tensor) -> Tensor:
    """Samples of a waveform, drawn one after the other.

    Args:
        model: a `WaveRNN`.
        columns: (n, n_freq, s) of the spectrogram.
        blocks: (n, 4 * n_aux, s) of what the blocks see in it.
        chances: (s, n) uniform random numbers in [0, 1), one for each draw.

    Returns:
        (n, s) in [-1, 1].
    """
    n, _, s = columns.shape
    dtype = columns.numpy(force=True).dtype
    draws = chances.numpy(force=True)
    drawn = np.empty((s, n), dtype)
    cells = _gru(model.rnn1, model.n_rnn, dtype), _gru(model.rnn2, model.n_rnn, dtype)
    states = [np.zeros((n, model.n_rnn), dtype) for _ in cells]
    fc1, fc2, fc3 = (_weights(layer, dtype) for layer in (model.fc1, model.fc2, model.fc3))
    from_sample = _weights(model.fc, dtype)[0][0]  # (n_rnn,)
    sample = np.zeros((n, 1), dtype)
    top = 2**model.n_bits - 1.0
    for start in range(0, s, SAMPLES_AT_ONCE):
        stop = min(s, start + SAMPLES_AT_ONCE)
        known = _known_parts(model, columns[..., start:stop], blocks[..., start:stop])
        for i in range(stop - start):
            x = sample * from_sample + known[0][i]
            states[0] = cells[0](x, states[0], None)
            x = x + states[0]
            states[1] = cells[1](x, states[1], known[1][i])
            x = x + states[1]
            x = np.maximum(x @ fc1[0][: model.n_rnn] + known[2][i], 0)
            x = np.maximum(x @ fc2[0][: x.shape[1]] + known[3][i], 0)
            labels = _draw(x @ fc3[0] + fc3[1], draws[start + i])
            sample = (2 * labels / top - 1).astype(dtype)[:, None]
            drawn[start + i] = sample[:, 0]
    return tp.tensor(drawn.T.copy()).to(columns.device)


def _weights(layer: Any, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """(in, out) weights and (out,) biases."""
    return (
        np.ascontiguousarray(layer.weight.numpy(force=True).T.astype(dtype)),
        layer.bias.numpy(force=True).astype(dtype),
    )


def _known_parts(model: Any, columns: Tensor, blocks: Tensor) -> list[np.ndarray]:
    """What the spectrogram adds to the four layers that see it: (s, n, out) each."""
    aux = [a.permute(2, 0, 1) for a in blocks.split(model.n_aux, 1)]
    first = tp.cat([columns.permute(2, 0, 1), aux[0]], -1)
    layers = (
        (model.fc.weight[:, 1:], model.fc.bias, first),
        (model.rnn2.weight_ih_l0[:, model.n_rnn :], model.rnn2.bias_ih_l0, aux[1]),
        (model.fc1.weight[:, model.n_rnn :], model.fc1.bias, aux[2]),
        (model.fc2.weight[:, -model.n_aux :], model.fc2.bias, aux[3]),
    )
    return [nn.functional.linear(x, w, b).numpy(force=True) for w, b, x in layers]


def _gru(
    layer: nn.GRU, width: int, dtype: Any
) -> Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]:
    """One step of a recurrent layer over (n, width) inputs."""
    w_in, w_state, b_in, b_state = (
        p.numpy(force=True).astype(dtype)
        for p in (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    )
    w_in, w_state = np.ascontiguousarray(w_in[:, :width].T), np.ascontiguousarray(w_state.T)

    def step(x: np.ndarray, state: np.ndarray, known: np.ndarray | None) -> np.ndarray:
        a = x @ w_in + (b_in if known is None else known)
        b = state @ w_state + b_state
        gates = 0.5 * np.tanh(0.5 * (a[:, : 2 * width] + b[:, : 2 * width])) + 0.5  # sigmoid
        reset, keep = gates[:, :width], gates[:, width:]
        new = np.tanh(a[:, 2 * width :] + reset * b[:, 2 * width :])
        return new + keep * (state - new)

    return step


def _draw(logits: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """(n,) classes, one for each row of (n, classes), with the probabilities of a softmax."""
    weights = np.exp(logits - logits.max(1, keepdims=True), dtype=np.float64)
    steps = weights.cumsum(1)
    return (steps <= (chances * steps[:, -1])[:, None]).sum(1).clip(max=logits.shape[1] - 1)
