"""Random filters: what they let through."""

import numpy as np
import pytest

from triptych_audio import augmentations as A

RATE = 16000
T = np.arange(RATE) / RATE


def gain_at(augment, freq):
    """dB, when it has settled."""
    x = np.sin(2 * np.pi * freq * T)
    middle = slice(RATE // 4, 3 * RATE // 4)
    return 20 * np.log10(augment(x, RATE)[middle].std() / x[middle].std())


@pytest.mark.parametrize("zero_phase", [False, True])
@pytest.mark.parametrize(("cls", "sign"), [(A.LowPassFilter, 1), (A.HighPassFilter, -1)])
def test_one_sided(cls, sign, zero_phase):
    augment = cls(1000.0, 1000.0, 24, 24, zero_phase, p=1.0)
    assert gain_at(augment, 1000) == pytest.approx(-6.02 if zero_phase else -3.01, abs=0.1)
    assert gain_at(augment, 1000 * 4.0**sign) < -40
    assert gain_at(augment, 1000 / 4.0**sign) == pytest.approx(0, abs=0.1)


def test_two_sided():
    keep = A.BandPassFilter(1000.0, 1000.0, 0.5, 0.5, 24, 24, p=1.0)
    stop = A.BandStopFilter(1000.0, 1000.0, 0.5, 0.5, 24, 24, p=1.0)
    assert gain_at(keep, 970) == pytest.approx(0, abs=0.1) and gain_at(keep, 3000) < -40
    assert gain_at(stop, 970) < -40 and gain_at(stop, 4000) == pytest.approx(0, abs=0.1)


def test_edges_beyond_the_band_are_pulled_in():
    high = A.LowPassFilter(20000.0, 30000.0, p=1.0)
    assert gain_at(high, 1000) == pytest.approx(0, abs=0.1)
    band = A.BandPassFilter(30000.0, 30000.0, 0.5, 0.5, p=1.0)
    assert np.isfinite(band(np.ones(100), RATE)).all()


def test_a_constant_stays_from_the_first_sample():
    got = A.LowPassFilter(p=1.0)(np.full((2, 50), 0.7), RATE)
    np.testing.assert_allclose(got, 0.7)


def test_frequencies_are_drawn_evenly_on_the_mel_scale():
    augment = A.LowPassFilter(100.0, 7000.0, p=1.0)
    freqs = [augment.make_params(None, RATE)["cutoff_freq"] for _ in range(1000)]
    mels = np.log1p(np.array(freqs) / 700)
    ends = np.log1p(np.array([100, 7000]) / 700)
    assert min(freqs) >= 100 and max(freqs) <= 7000
    assert mels.mean() == pytest.approx(ends.mean(), rel=0.05)
