"""Pitch classes of notes that are known."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_audio import functional as F

RATE = 22050
NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


def chord(*notes, cents=0.0):
    t = np.arange(RATE) / RATE
    factor = 2 ** (cents / 1200)
    return sum(np.sin(2 * np.pi * F.note_to_hz(n) * factor * t) for n in notes)


@pytest.mark.parametrize("method", [F.chroma_stft, F.chroma_cqt])
@pytest.mark.parametrize("note", ["C4", "F#3", "A4", "B2"])
def test_a_note_is_its_class_in_any_octave(method, note):
    found = method(np.stack([chord(note), chord(note[:-1] + "5")]), RATE)
    assert found.shape[:2] == (2, 12)
    assert (found[:, :, 10:-10].argmax(1) == NAMES.index(note[:-1])).all()


@pytest.mark.parametrize("method", [F.chroma_stft, F.chroma_cqt])
def test_a_triad(method):
    mean = method(chord("C4", "E4", "G4"), RATE)[:, 10:-10].mean(-1)
    assert set(np.argsort(mean)[-3:]) == {0, 4, 7}


@pytest.mark.parametrize(("norm", "size"), [(1, 1.0), (2, 1.0), (np.inf, 1.0)])
def test_norms(norm, size):
    x = np.concatenate([chord("D4"), np.zeros(8192)])
    found = F.chroma_stft(x, RATE, norm=norm, tuning=0.0)
    lengths = np.linalg.norm(found, norm, axis=0)
    np.testing.assert_allclose(lengths[:20], size, rtol=1e-6)
    assert (lengths[-3:] == 0).all()
    assert F.chroma_stft(x, RATE, norm=None, tuning=0.0).max() > 100


@pytest.mark.parametrize("cents", [-30, 0, 20])
def test_tuning_is_found(cents):
    x = tp.tensor(chord("C4", "E4", "A4", cents=cents))
    power = F.spectrogram(x, 0, tp.hann_window(4096).double(), 4096, 1024, 4096, 1.0, False)
    assert F.estimate_tuning(power, RATE) == pytest.approx(cents / 100, abs=0.03)
    assert F.estimate_tuning(tp.zeros(129, 4), RATE) == 0.0


def test_cqt_estimates_tuning():
    x = chord("A4", cents=40)
    sharp = F.chroma_cqt(x, RATE, tuning=None)[:, 10:-10]
    assert (sharp.argmax(0) == 9).all()


def test_filterbank():
    bank = F.chroma_filterbank(RATE, 2049, 12, octwidth=None).numpy()
    np.testing.assert_allclose(np.linalg.norm(bank, axis=1), 1.0, rtol=1e-5)
    at_a = round(440 / (RATE / 4096))
    assert bank[at_a].argmax() == 9
    assert F.chroma_filterbank(RATE, 2049, 12, base_c=False).numpy()[at_a].argmax() == 0
    weighted = F.chroma_filterbank(RATE, 2049, 12).numpy()
    assert np.linalg.norm(weighted[5]) < np.linalg.norm(weighted[at_a])


def test_tonnetz_of_a_fifth():
    """C and G are neighbours on the circle of fifths: 30 degrees each side of their middle."""
    chroma = np.zeros((12, 1))
    chroma[[0, 7]] = 1.0
    x, y = F.tonnetz(chroma)[:2, 0]
    assert np.hypot(x, y) == pytest.approx(np.cos(np.pi / 12))
    assert (F.tonnetz(tp.zeros(12, 2)) == 0).all()


def test_refuses():
    with pytest.raises(ShapeError, match="multiple of n_chroma"):
        F.chroma_cqt(np.zeros(9000), RATE, bins_per_octave=40)
    with pytest.raises(ShapeError, match="n_freqs > 1"):
        F.chroma_filterbank(RATE, 1, 12)
