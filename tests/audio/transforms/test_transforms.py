"""What every transform promises: one row each, the whole battery for all."""

import math
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F
from triptych_audio import transforms as T

WINDOW = tp.hann_window(200)


def bank(x, **options):
    return tp.matmul(F.melscale_fbanks(101, 0.0, 8000.0, 20, 16000, **options).mT, x)


def power(x):
    return F.spectrogram(x, 0, WINDOW, 200, 100, 200, 2.0, False)


def complex_spectra(x):
    return F.spectrogram(x, 0, WINDOW, 200, 100, 200, None, False)


def mfcc(x):
    decibels = F.amplitude_to_DB(bank(power(x)), 10.0, 1e-10, 0.0, 80.0)
    return tp.matmul(F.create_dct(13, 20, "ortho").mT, decibels)


def lfcc(x):
    bands = tp.matmul(F.linear_fbanks(101, 0.0, 8000.0, 20, 16000).mT, power(x))
    return tp.matmul(F.create_dct(13, 20, "ortho").mT, (bands + 1e-6).log())


MEL = {"n_fft": 200, "n_mels": 20}
# name: (transform, the same with functions, what goes in: waveform, spectra or complex spectra)
ROWS = {
    "Spectrogram": (T.Spectrogram(200), power, "waveform"),
    "Spectrogram, complex": (T.Spectrogram(200, power=None), complex_spectra, "waveform"),
    "InverseSpectrogram": (
        T.InverseSpectrogram(200),
        lambda x: F.inverse_spectrogram(x, None, 0, WINDOW, 200, 100, 200, False),
        "complex",
    ),
    "GriffinLim": (
        T.GriffinLim(200, 3, rand_init=False),
        lambda x: F.griffinlim(x, WINDOW, 200, 100, 200, 2.0, 3, 0.99, None, False),
        "spectra",
    ),
    "MelScale": (T.MelScale(20, 16000, n_stft=101), bank, "spectra"),
    "MelSpectrogram": (T.MelSpectrogram(16000, **MEL), lambda x: bank(power(x)), "waveform"),
    "MelSpectrogram, slaney": (
        T.MelSpectrogram(16000, norm="slaney", mel_scale="slaney", **MEL),
        lambda x: bank(power(x), norm="slaney", mel_scale="slaney"),
        "waveform",
    ),
    "MFCC": (T.MFCC(16000, 13, melkwargs=MEL), mfcc, "waveform"),
    "LFCC": (
        T.LFCC(16000, 20, n_lfcc=13, log_lf=True, speckwargs={"n_fft": 200}),
        lfcc,
        "waveform",
    ),
    "AmplitudeToDB": (
        T.AmplitudeToDB("magnitude", 60.0),
        lambda x: F.amplitude_to_DB(x, 20.0, 1e-10, 0.0, 60.0),
        "spectra",
    ),
    "MuLawEncoding": (T.MuLawEncoding(64), lambda x: F.mu_law_encoding(x, 64), "waveform"),
    "MuLawDecoding": (T.MuLawDecoding(64), lambda x: F.mu_law_decoding(x, 64), "levels"),
    "Resample": (T.Resample(16000, 12000), lambda x: F.resample(x, 16000, 12000), "waveform"),
    "Resample, kaiser": (
        T.Resample(16000, 22050, "sinc_interp_kaiser", 16, 0.9, 9.0),
        lambda x: F.resample(x, 16000, 22050, 16, 0.9, "sinc_interp_kaiser", 9.0),
        "waveform",
    ),
    "Resample, odd ratio": (
        T.Resample(16000, 15999, lowpass_filter_width=8, rolloff=0.9),
        lambda x: F.resample(x, 16000, 15999, 8, 0.9),
        "waveform",
    ),
    "Resample, soxr": (
        T.Resample(16000, 12000, "soxr"),
        lambda x: F.resample(x, 16000, 12000, resampling_method="soxr"),
        "waveform",
    ),
    "Resample, nothing to do": (T.Resample(16000, 16000), lambda x: x, "waveform"),
    "Preemphasis": (T.Preemphasis(0.9), lambda x: F.preemphasis(x, 0.9), "waveform"),
    "Deemphasis": (T.Deemphasis(0.9), lambda x: F.deemphasis(x, 0.9), "waveform"),
    "Vol": (T.Vol(-6.0, "db"), lambda x: F.gain(x, -6.0), "waveform"),
}
NO_GRADIENT = ("MuLawEncoding", "MuLawDecoding", "Resample, soxr")


def inputs(kind, rng, dtype=np.float32):
    if kind == "levels":
        return rng.integers(0, 64, (2, 3, 50))
    if kind == "waveform":
        return rng.uniform(-0.9, 0.9, (2, 3, 1600)).astype(dtype)
    spectra = rng.random((2, 3, 101, 9)).astype(dtype)
    if kind == "complex":
        return spectra * np.exp(2j * np.pi * rng.random(spectra.shape)).astype(
            np.result_type(dtype, np.complex64)
        )
    return spectra


@pytest.mark.parametrize("name", ROWS)
def test_equals_its_functional_twin(name, rng):
    transform, twin, kind = ROWS[name]
    x = tp.from_numpy(inputs(kind, rng))
    got, want = transform(x), twin(x)
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    scale = float(want.abs().max())
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-4, atol=2e-6 * scale)


@pytest.mark.parametrize("name", ROWS)
def test_batch_equals_loop(name, rng):
    transform, _, kind = ROWS[name]
    x = inputs(kind, rng)
    whole = transform(x)
    assert whole.shape[:2] == (2, 3)
    scale = np.abs(whole).max()
    # top_db counts from the loudest of all channels of an example
    parts = [transform(example) for example in x]
    np.testing.assert_allclose(whole, np.stack(parts), rtol=1e-4, atol=2e-6 * scale)


@pytest.mark.parametrize("name", ROWS)
def test_same_kind_and_input_untouched(name, rng):
    transform, _, kind = ROWS[name]
    x = inputs(kind, rng)
    before = x.copy()
    from_numpy = transform(x)
    from_tensor = transform(tp.from_numpy(x))
    assert type(from_numpy) is np.ndarray
    assert isinstance(from_tensor, tp.Tensor)
    np.testing.assert_array_equal(from_numpy, from_tensor.numpy())
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("name", [n for n in ROWS if not n.startswith("MuLaw")])
def test_float64_stays(name, rng):
    transform, _, kind = ROWS[name]
    x = inputs(kind, rng, np.float64)
    wide, narrow = transform(x), transform(inputs(kind, np.random.default_rng(7)))
    assert wide.dtype in (np.float64, np.complex128)
    scale = np.abs(wide).max()
    np.testing.assert_allclose(wide, narrow, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("name", [n for n in ROWS if n not in NO_GRADIENT])
def test_gradient_reaches_the_input(name, rng):
    transform, _, kind = ROWS[name]
    x = tp.from_numpy(inputs(kind, rng)).requires_grad_()
    out = transform(x)
    loss = (out.abs() if out.is_complex() else out).sum()
    loss.backward()
    assert x.grad.shape == x.shape
    assert bool(x.grad.isfinite().all())
    assert float(x.grad.abs().max()) > 0


@pytest.mark.parametrize("name", ROWS)
def test_goes_to_another_process(name, rng):
    transform, _, kind = ROWS[name]
    x = inputs(kind, rng)
    twin = pickle.loads(pickle.dumps(transform))
    np.testing.assert_array_equal(twin(x), transform(x))


@pytest.mark.parametrize("name", ROWS)
def test_state_dict_round_trip(name, rng):
    transform, _, kind = ROWS[name]
    transform.load_state_dict(transform.state_dict())
    assert not list(transform.parameters())
    transform(inputs(kind, rng))


# The keys under which torchaudio's modules save their buffers
KEYS = {
    "Spectrogram": {"window": (200,)},
    "MelScale": {"fb": (101, 20)},
    "MelSpectrogram": {"spectrogram.window": (200,), "mel_scale.fb": (101, 20)},
    "MFCC": {
        "dct_mat": (20, 13),
        "MelSpectrogram.spectrogram.window": (200,),
        "MelSpectrogram.mel_scale.fb": (101, 20),
    },
    "LFCC": {"dct_mat": (20, 13), "filter_mat": (101, 20), "Spectrogram.window": (200,)},
    "Resample": {"kernel": (3, 1, 22)},
    "Resample, nothing to do": {},
}


@pytest.mark.parametrize("name", KEYS)
def test_state_dict_keys(name):
    state = ROWS[name][0].state_dict()
    assert {key: tuple(value.shape) for key, value in state.items()} == KEYS[name]


def test_every_transform_has_a_row():
    here = Path(__file__).parents[1]
    tests = "".join(f.read_text(encoding="utf-8") for f in here.rglob("test_*.py"))
    assert not [name for name in T.__all__ if not re.search(rf"\b{name}\b", tests)]


def test_defaults_are_torchaudios():
    spectrogram = T.Spectrogram()
    assert (spectrogram.n_fft, spectrogram.win_length, spectrogram.hop_length) == (400, 400, 200)
    assert spectrogram.power == 2.0
    with pytest.warns(UserWarning, match="narrower than a bin"):  # so are torchaudio's
        mel = T.MelScale()
    assert (mel.n_mels, mel.f_max, mel.norm, mel.mel_scale) == (128, 8000.0, None, "htk")
    assert T.MFCC(melkwargs={"n_fft": 2048}).n_mfcc == 40


# Fade


@pytest.mark.parametrize(
    "shape", ["linear", "exponential", "logarithmic", "quarter_sine", "half_sine"]
)
def test_fade(shape, rng):
    x = np.ones((2, 100))
    y = T.Fade(30, 20, shape)(x)
    assert y.shape == x.shape
    assert y[0, 0] == pytest.approx(0, abs=1e-12)
    assert y[0, -1] == pytest.approx(0, abs=1e-12)
    np.testing.assert_array_equal(y[:, 30:80], 1.0)
    assert (np.diff(y[0, :20]) > 0).all()
    assert (np.diff(y[0, :30]) >= 0).all()
    rise, fall = T.Fade(30, 0, shape)(x)[0, :30], T.Fade(0, 30, shape)(x)[0, -30:]
    np.testing.assert_allclose(rise, fall[::-1])


def test_fade_halfway():
    x = np.ones(101)
    assert T.Fade(101, 0, "linear")(x)[50] == pytest.approx(0.5)
    assert T.Fade(101, 0, "quarter_sine")(x)[50] == pytest.approx(math.sqrt(0.5))
    assert T.Fade(101, 0, "half_sine")(x)[50] == pytest.approx(0.5)
    assert T.Fade(101, 0, "exponential")(x)[50] == pytest.approx(0.5 / math.sqrt(2))
    assert T.Fade(101, 0, "logarithmic")(x)[50] == pytest.approx(1 + math.log10(0.6))


def test_vol_kinds_and_limits():
    x = np.float32([0.1, -0.9])
    np.testing.assert_allclose(T.Vol(2.0)(x), [0.2, -1.0])
    np.testing.assert_allclose(T.Vol(4.0, "power")(x), [0.2, -1.0])


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: T.Spectrogram(100, win_length=200), ValueError),
        (lambda: T.GriffinLim(momentum=1.0), ValueError),
        (lambda: T.MFCC(n_mfcc=200, melkwargs=MEL), ValueError),
        (lambda: T.MFCC(dct_type=3, melkwargs=MEL), TypeError),
        (lambda: T.AmplitudeToDB("loudness"), TypeError),
        (lambda: T.AmplitudeToDB(top_db=-1), ValueError),
        (lambda: T.Vol(1.0, "percent"), TypeError),
        (lambda: T.Vol(-1.0), ValueError),
        (lambda: T.Fade(fade_shape="square"), TypeError),
        (lambda: T.Fade(10, 0)(np.zeros(5)), ValueError),
        (lambda: T.MelScale(20, n_stft=201)(np.zeros((101, 5))), ValueError),
        (lambda: T.Resample(3.5, 2), ValueError),
        (lambda: T.Spectrogram()(np.zeros(1000, np.int16)), TypeError),
    ],
)
def test_errors(make, error):
    with pytest.raises(error, match=r"got|do not fit"):
        make()
