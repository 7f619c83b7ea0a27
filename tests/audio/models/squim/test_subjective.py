"""SQUIM's opinion score: what is done around the features, whatever they are."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError
from triptych_audio import models
from triptych_audio.models import SquimSubjective, squim_subjective_base, squim_subjective_model
from triptych_audio.models.squim.subjective import Predictor


class Frames(nn.Module):
    """Features that are the samples themselves, four to a frame."""

    def extract_features(self, x):
        return [x * 0, x.reshape(x.shape[0], -1, 4)], None


@pytest.fixture
def model():
    tp.manual_seed(0)
    return SquimSubjective(Frames(), nn.Linear(4, 3), Predictor(6, 5)).eval()


def test_score_is_five_less_the_mean_difference(model, normal):
    x, y = normal(0, 2, 40), normal(1, 2, 40)
    pool = model.predictor.att_pool_layer
    with tp.no_grad():
        got = model(x, y).numpy()
        both = [model.projector(a.reshape(2, 10, 4)).numpy() for a in (y, x)]
        frames = np.concatenate(both, 2)
        scores = pool.linear1(tp.tensor(frames)).numpy()[..., 0]
        weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        logits = pool.linear2(tp.tensor((weights[..., None] * frames).sum(1))).numpy()
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(got, 5 - chances @ np.arange(5.0), rtol=1e-5)


def test_short_references_are_repeated_and_long_ones_cut(model, normal):
    x, y = normal(0, 1, 40), normal(1, 1, 16)
    np.testing.assert_allclose(
        model(x, y).detach(), model(x, tp.cat([y, y, y], 1)).detach(), rtol=1e-6
    )


def test_builder_asks_for_the_features_by_name(monkeypatch):
    monkeypatch.setattr(models, "wav2vec2_base", Frames, raising=False)
    model = squim_subjective_base()
    assert isinstance(model.ssl_model, Frames)
    assert model.projector.weight.shape == (32, 768)
    assert squim_subjective_model("wav2vec2_base", 4, 2, 3).predictor.att_dim == 3


def test_mistakes(model):
    with pytest.raises(ShapeError, match=r"wanted reference \(n, t\)"):
        model(tp.zeros(1, 40), tp.zeros(1, 0))


def test_each_waveform_wants_a_reference(model, normal):
    with pytest.raises(ShapeError, match=r"each of the 2 waveforms, got 3"):
        model(normal(0, 2, 40), normal(1, 3, 40))
