"""What every augmentation promises: one row each, the whole battery for all."""

import pickle

import numpy as np
import pytest

import triptych as tp
import triptych_audio
from triptych_audio import augmentations as A

RATE = 16000
# name: arguments; SOUNDS stands for a folder of sounds
ROWS = {
    "AddBackgroundNoise": {"sounds_path": "SOUNDS"},
    "AddColorNoise": {"p_apply_a_weighting": 0.5},
    "AddGaussianNoise": {},
    "AddGaussianSNR": {},
    "AddShortNoises": {
        "sounds_path": "SOUNDS",
        "min_time_between_sounds": 0.01,
        "max_time_between_sounds": 0.02,
    },
    "AdjustDuration": {"duration_samples": 3000},
    "AirAbsorption": {},
    "Aliasing": {"max_sample_rate": 12000},
    "ApplyImpulseResponse": {"ir_path": "SOUNDS"},
    "BandPassFilter": {},
    "BandStopFilter": {"zero_phase": True},
    "BitCrush": {},
    "Clip": {"a_min": -0.1, "a_max": 0.2},
    "ClippingDistortion": {"min_percentile_threshold": 10},
    "Gain": {},
    "GainTransition": {},
    "HighPassFilter": {},
    "HighShelfFilter": {},
    "Limiter": {},
    "LoudnessNormalization": {},
    "LowPassFilter": {},
    "LowShelfFilter": {},
    "Mp3Compression": {},
    "Padding": {},
    "PeakNormalize": {},
    "PeakingFilter": {},
    "PitchShift": {"min_semitones": 2.0},
    "PolarityInversion": {},
    "RepeatPart": {"min_part_duration": 0.05, "max_part_duration": 0.1},
    "Reverse": {},
    "RoomSimulator": {"max_order": 2},
    "SevenBandParametricEQ": {},
    "Shift": {},
    "TanhDistortion": {},
    "Trim": {"top_db": 20.0},
    "WaveTimeMask": {"min_band_part": 0.1},
    "WaveTimeStretch": {"max_rate": 0.9},
}
CONTAINERS = {"Augmentation", "Compose", "OneOf", "SomeOf", "PerExampleBatchAugment", "Mixup"}
NEW_LENGTH = {"AdjustDuration", "RepeatPart", "Trim"}
SAME_EACH_TIME = {"Clip", "PeakNormalize", "PolarityInversion", "Reverse", "Trim"}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(1)
    fading = np.exp(-np.arange(2000) / 1000) * rng.standard_normal((2, 2000))
    triptych_audio.save(folder / "a.wav", fading.astype(np.float32) * 0.1, 8000)
    (folder / "more").mkdir()
    noise = 0.1 * rng.standard_normal((1, 9000))
    triptych_audio.save(folder / "more" / "b.flac", noise.astype(np.float32), RATE)
    (folder / "notes.txt").write_text("no sound")
    return folder


@pytest.fixture
def quiet_ends(stereo):
    return np.pad(stereo, ((0, 0), (4000, 4000)), constant_values=1e-3)


@pytest.fixture(params=ROWS)
def row(request, sounds):
    """The class, its name and its arguments."""
    options = {k: sounds if v == "SOUNDS" else v for k, v in ROWS[request.param].items()}
    return getattr(A, request.param), request.param, options


def test_every_one_has_a_row():
    assert set(ROWS) == set(A.__all__) - CONTAINERS - {"Normalize"}


def test_keeps_kind_dtype_and_shape(row, quiet_ends):
    cls, name, options = row
    for x in (quiet_ends, quiet_ends[0].astype(np.float64), quiet_ends[None]):
        got = cls(p=1.0, **options)(x, RATE)
        assert isinstance(got, np.ndarray) and got.dtype == x.dtype
        assert got.shape[:-1] == x.shape[:-1]
        assert name in NEW_LENGTH or got.shape == x.shape
        assert np.isfinite(got).all()
        assert got.shape != x.shape or (got != x).any()
    assert isinstance(cls(p=1.0, **options)(tp.tensor(quiet_ends), RATE), tp.Tensor)


def test_frozen_does_it_again(row, quiet_ends):
    cls, name, options = row
    augment = cls(p=1.0, **options)
    first = augment(quiet_ends, RATE)
    augment.freeze_parameters()
    np.testing.assert_array_equal(augment(quiet_ends, RATE), first)
    augment.unfreeze_parameters()
    if name not in SAME_EACH_TIME:
        again = [augment(quiet_ends, RATE) for _ in range(12)]
        assert any(g.shape != first.shape or (g != first).any() for g in again)


def test_draws_from_its_generator(row, quiet_ends):
    cls, _, options = row
    one, two = (
        cls(p=1.0, generator=tp.Generator().manual_seed(5), **options)(quiet_ends, RATE)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)


def test_may_do_nothing(row, quiet_ends):
    cls, _, options = row
    augment = cls(p=0.0, sample_rate=RATE, **options)
    assert augment(quiet_ends) is quiet_ends or (augment(quiet_ends) == quiet_ends).all()
    assert augment.drawn == {"should_apply": False}
    empty = tp.zeros(2, 0)
    assert cls(p=1.0, **options)(empty, RATE).shape == (2, 0)


def test_short_waveforms(row):
    cls, _, options = row
    got = cls(p=1.0, **options)(np.full((2, 5), 0.1), RATE)
    assert np.isfinite(got).all()


def test_prints_and_pickles(row, quiet_ends):
    cls, name, options = row
    augment = cls(p=1.0, sample_rate=RATE, **options)
    assert repr(augment).startswith(f"{name}(")
    augment.freeze_parameters()
    first = augment(quiet_ends)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(augment))(quiet_ends), first)


# class, bad arguments, what the error says
BAD = [
    ("Gain", {"min_gain_db": 3.0, "max_gain_db": 1.0}, "min_gain_db <= max_gain_db"),
    ("Gain", {"p": 2.0}, "p is from 0 to 1"),
    ("BitCrush", {"min_bit_depth": 0}, "1 <= min_bit_depth"),
    ("LowPassFilter", {"min_rolloff": 10}, "multiple of 6 dB"),
    ("LowPassFilter", {"zero_phase": True, "max_rolloff": 18}, "multiple of 12 dB.*zero_phase"),
    ("BandPassFilter", {"max_bandwidth_fraction": 2.0}, "bandwidth_fraction"),
    ("AdjustDuration", {}, "either duration_samples or"),
    ("AdjustDuration", {"duration_samples": -1}, "not be negative"),
    ("Shift", {"shift_unit": "days"}, "shift_unit is one of"),
    ("Shift", {"max_shift": 1.5}, "max_shift <= 1.0"),
    ("GainTransition", {"duration_unit": "days"}, "duration_unit is one of"),
    ("Mp3Compression", {"format": "doc"}, "format is one of"),
    ("RoomSimulator", {"min_size_z": 0.1}, "size_z"),
    ("SomeOf", {"num_transforms": 2, "transforms": [A.Gain()]}, "from 0 to 1 of"),
    ("OneOf", {"transforms": [A.Gain()], "weights": [0.0]}, "wanted 1 weights"),
    ("Compose", {"transforms": [3]}, "wanted a sequence of augmentations"),
    ("PerExampleBatchAugment", {"augment": A.Gain(), "mode": "x"}, "mode is"),
    ("Mixup", {"alpha": 0.0}, "alpha above 0"),
]


@pytest.mark.parametrize(("name", "options", "text"), BAD)
def test_bad_arguments(name, options, text):
    with pytest.raises(ValueError, match=text):
        getattr(A, name)(**options)


def test_bad_calls():
    with pytest.raises(TypeError, match="divide by their full scale"):
        A.Gain(p=1.0)(np.ones(5, np.int16))
    with pytest.raises(ValueError, match="wanted a sample_rate"):
        A.LowPassFilter()(np.ones(5))
    with pytest.raises(NotImplementedError, match="transform is not written"):
        A.Augmentation(p=1.0)(np.ones(5))


def test_sounds_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no"):
        A.AddBackgroundNoise(tmp_path / "none")
    with pytest.raises(ValueError, match=r"no sounds \(.aif"):
        A.ApplyImpulseResponse([tmp_path])
    empty = tmp_path / "e.wav"
    triptych_audio.save(empty, np.zeros((1, 0), np.float32), RATE)
    with pytest.raises(ValueError, match="is empty"):
        A.AddBackgroundNoise(empty, p=1.0)(np.ones(9), RATE)
