"""Wav2Letter: like torchaudio's."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError
from triptych_audio.models import Wav2Letter


def test_outputs_like_the_recorded_ones(filled, normal, agree):
    agree("wav2letter", filled(Wav2Letter(3, "mfcc", 4))(normal(0, 1, 4, 30)))


def test_samples_have_a_layer_of_their_own():
    model = Wav2Letter(5)
    assert model.acoustic_model[0][0].weight.shape == (250, 1, 250)
    scores = model(tp.zeros(1, 1, 1600))
    np.testing.assert_allclose(scores.exp().sum(1).detach(), 1, rtol=1e-5)


def test_unknown_input():
    with pytest.raises(DomainError, match="input_type is one of waveform"):
        Wav2Letter(input_type="mel")
