"""Deep Speech: like torchaudio's."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio.models import DeepSpeech


def test_outputs_like_the_recorded_ones(filled, normal, agree):
    agree("deepspeech", filled(DeepSpeech(5, 6, 4))(normal(0, 2, 1, 7, 5)))


def test_probabilities_add_up_to_one(normal):
    scores = DeepSpeech(5, 6, 4, dropout=0.5)(normal(0, 2, 1, 7, 5))
    np.testing.assert_allclose(scores.exp().sum(-1).detach(), np.ones((2, 7)), rtol=1e-5)


def test_channels_are_refused():
    with pytest.raises(ShapeError, match=r"wanted \(n, 1, t, features\)"):
        DeepSpeech(5, 6, 4)(tp.zeros(2, 2, 7, 5))
