"""WaveRNN: like torchaudio's, and what it draws has the probabilities that it says."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import WaveRNN
from triptych_audio.models.wavernn import Stretch2d
from triptych_audio.models.wavernn_sampling import _draw


def tiny(n_classes=8):
    return WaveRNN([2, 3], n_classes, 6, 1, 5, 6, 5, 4, 3, 8)


def test_outputs_like_the_recorded_ones(filled, normal, agree):
    agree("wavernn", filled(tiny())(normal(0, 2, 1, 18), normal(1, 2, 1, 4, 7)))


def test_drawn_samples_are_the_likeliest_when_the_model_is_sure(filled, normal):
    """One step at a time through `forward`, whose best class is what `infer` must draw."""
    model = filled(tiny())
    with tp.no_grad():
        model.fc3.weight.mul_(1e4)  # leaves no doubt
        specgram = 4 * normal(3, 2, 4, 9)
        drawn, lengths = model.infer(specgram, tp.tensor([9, 5]))
        before = tp.nn.functional.pad(drawn[..., :-1], (1, 0))
        padded = tp.nn.functional.pad(specgram, (2, 2)).unsqueeze(1)
        best = model(before, padded).argmax(-1)
    np.testing.assert_allclose(drawn, 2 * best.numpy() / 7 - 1, rtol=1e-6)
    assert lengths.tolist() == [54, 30]
    assert len(np.unique(drawn)) > 2


def test_draws_follow_the_probabilities():
    logits = np.log(np.array([[0.1, 0.2, 0.7]], np.float32)).repeat(20000, 0)
    drawn = _draw(logits, np.random.default_rng(0).random(20000))
    np.testing.assert_allclose(np.bincount(drawn) / 20000, [0.1, 0.2, 0.7], atol=0.02)


def test_generator_decides(normal):
    model = tiny().eval()
    x = normal(0, 1, 4, 10)
    one, two, other = (
        model.infer(x, generator=tp.Generator().manual_seed(s))[0].numpy() for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    assert one.shape == (1, 1, 60)
    assert np.abs(one).max() <= 1


def test_more_samples_than_are_prepared_at_once(monkeypatch, normal):
    from triptych_audio.models import wavernn_sampling

    model, x = tiny().eval(), normal(0, 1, 4, 20)
    whole = model.infer(x, generator=tp.Generator().manual_seed(1))[0].numpy()
    monkeypatch.setattr(wavernn_sampling, "SAMPLES_AT_ONCE", 7)
    pieces = model.infer(x, generator=tp.Generator().manual_seed(1))[0].numpy()
    np.testing.assert_array_equal(whole, pieces)


def test_stretch():
    got = Stretch2d(2, 3)(tp.tensor([[1.0, 2.0]]))
    np.testing.assert_array_equal(got, np.array([[1, 1, 2, 2]] * 3, np.float32))


def test_mistakes():
    with pytest.raises(DomainError, match="give 6, hop_length is 7"):
        WaveRNN([2, 3], 8, 7)
    with pytest.raises(ShapeError, match="wanted waveform"):
        tiny()(tp.zeros(1, 2, 18), tp.zeros(1, 1, 4, 7))
    with pytest.raises(ShapeError, match="wanted specgram"):
        tiny()(tp.zeros(1, 1, 18), tp.zeros(1, 2, 4, 7))
    with pytest.raises(ShapeError, match="7 frames are 18 samples"):
        tiny()(tp.zeros(1, 1, 17), tp.zeros(1, 1, 4, 7))
