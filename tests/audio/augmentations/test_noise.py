"""Noise on top: how loud it is, and what it is made of."""

import numpy as np
import pytest

import triptych as tp
import triptych_audio
from triptych_audio import augmentations as A

RATE = 8000


def level(x):
    return 10 * np.log10(np.square(x).mean())


@pytest.fixture
def files(tmp_path, rng):
    noise = 0.1 * rng.standard_normal((2, 3 * RATE))
    triptych_audio.save(tmp_path / "long.wav", noise.astype(np.float32), RATE)
    return tmp_path


def test_white_noise(rng):
    augment = A.AddGaussianNoise(0.01, 0.01, p=1.0)
    noise = augment(np.zeros((2, 20000)))
    assert noise.std() == pytest.approx(0.01, rel=0.02)
    assert (noise[0] != noise[1]).any()


@pytest.mark.parametrize("weighting", [0.0, 1.0])
def test_ratios(rng, weighting):
    x = rng.standard_normal((2, 20000))
    for augment in (
        A.AddGaussianSNR(12.0, 12.0, p=1.0),
        A.AddColorNoise(12.0, 12.0, -6.0, 6.0, weighting, p=1.0),
    ):
        assert level(x) - level(augment(x, RATE) - x) == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize("t", [1000, 50000])
def test_background_at_a_ratio(files, rng, t):
    x = rng.standard_normal((2, t))
    noise = A.AddBackgroundNoise(files, 9.0, 9.0, p=1.0)(x, RATE) - x
    assert level(x) - level(noise) == pytest.approx(9, abs=1e-3)
    np.testing.assert_allclose(noise[0], noise[1], atol=1e-12)
    if t > 3 * RATE:
        np.testing.assert_allclose(noise[0, : t - 3 * RATE], noise[0, 3 * RATE :], atol=1e-12)


def test_background_at_a_level_and_changed(files):
    options = {"noise_rms": "absolute", "min_absolute_rms_db": -30.0, "max_absolute_rms_db": -30.0}
    augment = A.AddBackgroundNoise(files / "long.wav", **options, p=1.0)
    assert level(augment(np.zeros(5000), RATE)) == pytest.approx(-30, abs=1e-3)
    options["noise_transform"] = lambda noise, rate: tp.ones_like(noise) * rate
    constant = A.AddBackgroundNoise([files], **options, p=1.0)(np.zeros(50), RATE)
    np.testing.assert_allclose(constant, 10 ** (-30 / 20))


def test_background_is_taken_from_anywhere(files):
    x = np.zeros(100)
    options = {"noise_rms": "absolute", "p": 1.0}
    a, b = (A.AddBackgroundNoise(files, **options)(x, RATE) for _ in range(2))
    assert (a / a.std() != b / b.std()).any()


def test_silent_background(tmp_path):
    triptych_audio.save(tmp_path / "s.wav", np.zeros((1, 100), np.float32), RATE)
    x = np.ones(50)
    with pytest.warns(UserWarning, match="silent there"):
        np.testing.assert_array_equal(A.AddBackgroundNoise(tmp_path, p=1.0)(x, RATE), x)
    np.testing.assert_array_equal(A.AddShortNoises(tmp_path, p=1.0)(x, RATE), x)


@pytest.mark.parametrize("way", ["relative", "relative_to_whole_input", "absolute"])
def test_short_noises_have_pauses(tmp_path, rng, way):
    triptych_audio.save(tmp_path / "n.wav", np.full((1, 400), 0.1, np.float32), RATE)
    augment = A.AddShortNoises(
        tmp_path,
        6.0,
        6.0,
        0.1,
        0.1,
        way,
        min_absolute_noise_rms_db=-40.0,
        max_absolute_noise_rms_db=-40.0,
        fade_duration=0.0,
        noise_transform=lambda noise, rate: noise * 2,
        p=1.0,
    )
    x = np.ones((2, 3 * RATE))
    noise = augment(x, RATE) - x
    starts = np.array([round(s[1] * RATE) for s in augment.drawn["sounds"]])
    assert np.allclose(np.diff(starts), 400 + 0.1 * RATE, atol=1)
    middle = next(s for s in starts if s > 0) + 200
    want = -40 if way == "absolute" else -6
    assert 20 * np.log10(noise[0, middle]) == pytest.approx(want, abs=0.1)
    assert noise[0, middle + 200 + 10] == 0
