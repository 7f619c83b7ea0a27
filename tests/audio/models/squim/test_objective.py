"""SQUIM's objective scores: like torchaudio's."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import squim_objective_base, squim_objective_model
from triptych_audio.models.squim.dual_path import DPRNN


def tiny(rnn_type="GRU"):
    return squim_objective_model(8, 16, 8, 2, 4, 2, rnn_type, 5)


def test_outputs_like_the_recorded_ones(filled, normal, agree):
    scores = filled(tiny())(normal(0, 2, 300))
    assert isinstance(scores, list)
    agree("squim", *scores)


def test_loudness_does_not_matter(filled, normal):
    model = filled(tiny("LSTM"))
    x = normal(0, 1, 300)
    for a, b in zip(model(x), model(x * 0.01), strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-4)


def test_scores_stay_in_their_ranges(normal):
    model = tiny("RNN").eval()
    with tp.no_grad():
        for branch in model.branches:
            branch[2][2].bias.fill_(100.0)
        stoi, pesq, sisdr = model(normal(0, 1, 300))
    assert float(stoi) == pytest.approx(1.0)
    assert float(pesq) == pytest.approx(0.999 + 4 / (1 + math.exp(-1.3669 * 4.5 + 3.8224)))
    assert float(sisdr) > 50


@pytest.mark.parametrize("frames", [1, 4, 5, 12, 25])
def test_chunks_hold_every_frame_twice(frames, normal):
    layer = DPRNN(3, 4, 1, "RNN", 3, chunk_size=5, chunk_stride=2)
    x = normal(0, 2, 3, frames)
    chunks, rest = layer.chunking(x)
    np.testing.assert_allclose(layer.merging(chunks, rest), 2 * x, rtol=1e-6)


def test_base():
    assert sum(p.numel() for p in squim_objective_base().parameters()) == 7_387_658


def test_mistakes():
    with pytest.raises(ShapeError, match=r"wanted \(n, t\)"):
        tiny()(tp.zeros(300))
    with pytest.raises(DomainError, match="rnn_type is one of"):
        tiny("QRNN")
