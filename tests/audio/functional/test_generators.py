"""Signals made from nothing."""

import numpy as np
import pytest
import scipy.signal

import triptych as tp
from triptych_audio import functional as F


def test_tone():
    t = np.arange(800) / 8000
    np.testing.assert_allclose(
        F.tone(440.0, 8000, 800).numpy(), np.sin(2 * np.pi * 440 * t), atol=1e-6
    )
    assert F.tone(440.0, 8000, duration_s=0.1, dtype=tp.float64).dtype == tp.float64
    assert F.tone(0.0, 8000, 3, phi=0.0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("linear", [True, False])
def test_chirp_like_scipy(linear):
    t = np.arange(4000) / 8000
    method = "linear" if linear else "logarithmic"
    want = scipy.signal.chirp(t, 100, 0.5, 2000, method=method, phi=-90)
    got = F.chirp(100.0, 2000.0, 8000, duration_s=0.5, linear=linear, dtype=tp.float64)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-9)


def test_clicks_stand_at_their_times():
    got = F.clicks([0.1, 0.2], sample_rate=1000, click=np.array([1.0, 0.5]), length=300)
    assert got.shape == (300,)
    assert got.nonzero().flatten().tolist() == [100, 101, 200, 201]
    by_frames = F.clicks(
        frames=[1, 2], sample_rate=1000, hop_length=100, click=tp.tensor([1.0, 0.5])
    )
    assert by_frames.shape == (202,)
    assert tp.equal(by_frames, got[:202])
    assert F.clicks([0.299], sample_rate=1000, length=300).shape == (300,)


def test_default_click_is_a_fading_sine():
    click = F.clicks([0.0], sample_rate=8000).numpy()
    n = np.arange(800)
    want = np.sin(2 * np.pi * n / 8) * 2.0 ** (-10 * n / 799)
    np.testing.assert_allclose(click, want, atol=1e-5)


@pytest.mark.parametrize(
    ("color", "slope"), [("pink", -3.01), ("brown", -6.02), ("violet", 6.02), (0.0, 0)]
)
def test_noise_has_its_slope(color, slope):
    generator = tp.Generator().manual_seed(3)
    x = F.colored_noise(4, 1 << 15, slope_db=color, generator=generator).numpy()
    freqs, power = scipy.signal.welch(x, 16000, nperseg=1024)
    band = (freqs > 200) & (freqs < 6000)
    fitted = np.polyfit(np.log2(freqs[band]), 10 * np.log10(power.mean(0)[band]), 1)[0]
    assert fitted == pytest.approx(slope, abs=0.3)
    assert np.sqrt(np.square(x).mean(-1)) == pytest.approx(1, abs=0.02)


def test_noise_is_drawn_from_its_generator():
    one, two = (
        F.colored_noise(9, slope_db="blue", generator=tp.Generator().manual_seed(1)) for _ in "ab"
    )
    assert tp.equal(one, two)


def test_errors():
    with pytest.raises(ValueError, match="either length or duration_s"):
        F.tone(1.0)
    with pytest.raises(ValueError, match="above 0 Hz"):
        F.chirp(0.0, 1.0, length=3)
    with pytest.raises(ValueError, match="either times or frames"):
        F.clicks()
    with pytest.raises(ValueError, match="must not be negative"):
        F.clicks([-1.0])
    with pytest.raises(ValueError, match="colours are"):
        F.colored_noise(3, slope_db="mauve")
