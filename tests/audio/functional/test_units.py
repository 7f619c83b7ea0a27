"""Conversions: known notes, inverses, and any kind of number."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError
from triptych_audio import functional as F


def test_notes():
    assert F.note_to_midi(["C4", "Db3", "f##2", "A", "B-1", "g!4"]).tolist() == [
        60,
        49,
        43,
        21,
        11,
        66,
    ]
    assert F.note_to_midi("A4+25", round_midi=False) == pytest.approx(69.25)
    assert F.midi_to_note([[0, 60], [61, 127]]) == [["C-1", "C4"], ["C♯4", "G9"]]
    assert F.midi_to_note(61, octave=False) == "C♯"
    assert F.hz_to_note(np.array([27.5, 61.0, 440.0]), cents=True) == ["A0+0", "B1-21", "A4+0"]
    assert F.note_to_hz(["A4", "A5"]).tolist() == [440.0, 880.0]
    assert [F.note_to_midi(F.midi_to_note(m)) for m in range(128)] == list(range(128))


def test_octaves_and_midi_are_inverse():
    hz = np.geomspace(20, 20000, 50)
    np.testing.assert_allclose(F.midi_to_hz(F.hz_to_midi(hz)), hz)
    np.testing.assert_allclose(F.octs_to_hz(F.hz_to_octs(hz, 0.3), 0.3), hz)
    assert F.hz_to_octs(880.0) == 5.0


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_mel_takes_arrays(scale):
    hz = np.linspace(0, 8000, 30)
    mel = F.hz_to_mel(hz, scale)
    np.testing.assert_allclose(F.mel_to_hz(mel, scale), hz, atol=1e-9)
    assert mel.tolist() == pytest.approx([F.hz_to_mel(f, scale) for f in hz.tolist()])
    assert isinstance(F.hz_to_mel(tp.tensor([1000.0]), scale), tp.Tensor)
    evenly = F.mel_frequencies(20, 50.0, 4000.0, scale).numpy()
    np.testing.assert_allclose(np.diff(F.hz_to_mel(evenly, scale), 2), 0, atol=1e-9)
    assert evenly[[0, -1]] == pytest.approx([50.0, 4000.0])


def test_times():
    assert F.frames_to_samples(3, 160) == 480
    assert F.frames_to_samples([0, 2], 160, 400).tolist() == [200, 520]
    assert F.samples_to_frames(np.array([5000, 70]), n_fft=2048).tolist() == [7, -2]
    assert F.time_to_frames([1.0, 2.5], 22050).tolist() == [43, 107]
    assert F.time_to_samples(0.5, 8000) == 4000
    assert F.samples_to_time(4000, 8000) == 0.5
    frames = tp.arange(5)
    seconds = F.frames_to_time(frames, 16000, 160)
    assert isinstance(seconds, tp.Tensor)
    assert seconds.tolist() == pytest.approx([0.0, 0.01, 0.02, 0.03, 0.04])


def test_bins():
    np.testing.assert_allclose(F.fft_frequencies(8000, 8).numpy(), [0, 1000, 2000, 3000, 4000])
    bins = F.cqt_frequencies(25, 100.0, 12, 1.0).numpy()
    np.testing.assert_allclose(bins[[11, 23]], [200, 400])
    with pytest.raises(DomainError, match="f_min > 0"):
        F.cqt_frequencies(3, 0.0)


def test_a_weighting():
    """IEC 61672-1, table 3."""
    hz = 1000 * 10.0 ** np.array([-1.5, -1.0, 0.0, 0.6, 1.2])
    np.testing.assert_allclose(F.a_weighting(hz), [-39.4, -19.1, 0.0, 1.0, -6.6], atol=0.06)
    assert F.a_weighting(0.001) == -80.0
    assert F.a_weighting(0.0, None) == -np.inf


def test_refuses():
    with pytest.raises(DTypeError, match="'A4'"):
        F.note_to_midi("H2")
    with pytest.raises(DTypeError, match="octave=True"):
        F.midi_to_note(60, octave=False, cents=True)
