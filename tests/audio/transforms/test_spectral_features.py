"""Transforms of spectral features: each row is a class, the same with functions, and its input."""

import math
import pickle

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio import functional as F
from triptych_audio import transforms as T
from triptych_audio.prototype import functional as prototype_functional
from triptych_audio.prototype import transforms as prototype

WINDOW = tp.hann_window(400)
FRAME = (0, WINDOW, 400, 200, 400)


def power(x, n_fft=400):
    window = tp.hann_window(n_fft)
    return F.spectrogram(x, 0, window, n_fft, n_fft // 2, n_fft, 2.0, False)


def banded(bank):
    return lambda x: tp.matmul(bank.mT, power(x))


def parts(x):
    spectra = tp.stft(x, 400, 100, 400, WINDOW, pad_mode="constant", return_complex=True)
    return tuple(tp.istft(p, 400, 100, 400, WINDOW, length=4000) for p in F.hpss(spectra, 7))


def whisper(x):
    return F.log_mel_spectrogram(F.pad_or_trim(x, 8000), 128)


# name: (transform, the same with functions)
WAVES = {
    "BarkSpectrogram": (
        T.BarkSpectrogram(16000, n_barks=20),
        banded(F.barkscale_fbanks(201, 0.0, 8000.0, 20, 16000)),
    ),
    "ChromaSpectrogram": (
        T.ChromaSpectrogram(16000, 400, n_chroma=24, octwidth=None),
        banded(F.chroma_filterbank(16000, 201, 24, octwidth=None)),
    ),
    "PitchShift": (T.PitchShift(16000, 3), lambda x: F.pitch_shift(x, 16000, 3)),
    "SpectralCentroid": (
        T.SpectralCentroid(16000),
        lambda x: F.spectral_centroid(x, 16000, *FRAME),
    ),
    "SpectralBandwidth": (
        T.SpectralBandwidth(16000, p=3.0),
        lambda x: F.spectral_bandwidth(x, 16000, *FRAME, 3.0),
    ),
    "SpectralRolloff": (
        T.SpectralRolloff(16000, roll_percent=0.5, pad_mode="constant"),
        lambda x: F.spectral_rolloff(x, 16000, *FRAME, 0.5, pad_mode="constant"),
    ),
    "SpectralFlatness": (
        T.SpectralFlatness(16000, power=1.0, center=False),
        lambda x: F.spectral_flatness(x, *FRAME, 1.0, center=False),
    ),
    "SpectralContrast": (
        T.SpectralContrast(16000, n_bands=4),
        lambda x: F.spectral_contrast(x, 16000, *FRAME, n_bands=4),
    ),
    "CQT": (
        T.CQT(16000, n_bins=40, f_min=100.0),
        lambda x: F.cqt(x, 16000, n_bins=40, f_min=100.0),
    ),
    "VQT": (
        T.VQT(16000, n_bins=40, f_min=100.0, gamma=9.0),
        lambda x: F.vqt(x, 16000, n_bins=40, f_min=100.0, gamma=9.0),
    ),
    "Chroma": (T.Chroma(16000, tuning=0.0), lambda x: F.chroma_stft(x, 16000, tuning=0.0)),
    "Chroma, cqt": (
        T.Chroma(16000, "cqt", norm=1, n_octaves=5),
        lambda x: F.chroma_cqt(x, 16000, norm=1, n_octaves=5),
    ),
    "HPSS": (T.HPSS(400, kernel_size=7), parts),
    "RMS": (T.RMS(400, 100), lambda x: F.rms(x, 400, 100)),
    "ZeroCrossingRate": (T.ZeroCrossingRate(400, 100), lambda x: F.zero_crossing_rate(x, 400, 100)),
    "ToMono": (T.ToMono(), F.to_mono),
    "Trim": (T.Trim(20.0, 400, 100), lambda x: F.trim(x, 20.0, None, 400, 100)[0]),
    "LogMelWhisper": (T.LogMelWhisper(128, 8000), whisper),
    "LogMelWhisper, as it is": (T.LogMelWhisper(length=None), F.log_mel_spectrogram),
}
SPECTRA = {
    "BarkScale": (
        T.BarkScale(20, bark_scale="wang"),
        lambda x: tp.matmul(F.barkscale_fbanks(201, 0.0, 8000.0, 20, 16000, "wang").mT, x),
    ),
    "ChromaScale": (
        T.ChromaScale(16000, 201),
        lambda x: tp.matmul(F.chroma_filterbank(16000, 201, 12).mT, x),
    ),
    "ComputeDeltas": (T.ComputeDeltas(7, "reflect"), lambda x: F.compute_deltas(x, 7, "reflect")),
    "SlidingWindowCmn": (
        T.SlidingWindowCmn(20, 5, True, True),
        lambda x: F.sliding_window_cmn(x, 20, 5, True, True),
    ),
    "PCEN": (T.PCEN(power=0.3), lambda x: F.pcen(x, 16000, power=0.3)),
}
ROWS = {**WAVES, **SPECTRA}


def the_input(name, stereo):
    return tp.tensor(stereo) if name in WAVES else power(tp.tensor(stereo))


def flat(x):
    return x if isinstance(x, tuple) else (x,)


@pytest.mark.parametrize("name", ROWS)
def test_equals_its_functions(name, stereo):
    transform, function = ROWS[name]
    x = the_input(name, stereo)
    for got, want in zip(flat(transform(x)), flat(function(x)), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ROWS)
def test_numpy_in_numpy_out_and_pickle(name, stereo):
    transform = pickle.loads(pickle.dumps(ROWS[name][0]))
    x = the_input(name, stereo)
    for got, want in zip(flat(transform(x.numpy())), flat(transform(x)), strict=True):
        assert isinstance(got, np.ndarray)
        np.testing.assert_array_equal(got, want.numpy())


@pytest.mark.parametrize("name", sorted(set(ROWS) - {"ToMono", "Trim"}))
def test_leading_axes(name, stereo):
    transform = ROWS[name][0]
    x = the_input(name, stereo)
    more = flat(transform(tp.stack([x, x])))
    for got, want in zip(more, flat(transform(x)), strict=True):
        np.testing.assert_allclose(got[1].numpy(), want.numpy(), rtol=1e-4, atol=1e-5)


def complex_spectra(x, n_fft=400):
    window = tp.hann_window(n_fft)
    return F.spectrogram(x, 0, window, n_fft, n_fft // 2, n_fft, None, False)


def test_time_stretch(stereo):
    spectra = complex_spectra(tp.tensor(stereo))
    advance = tp.linspace(0, math.pi * 200, 201)[:, None]
    want = F.phase_vocoder(spectra, 1.5, advance).numpy()
    np.testing.assert_allclose(T.TimeStretch(fixed_rate=1.5)(spectra).numpy(), want, atol=0.02)
    np.testing.assert_allclose(T.TimeStretch(200)(spectra, 1.5).numpy(), want, atol=0.02)
    with pytest.raises(ShapeError, match="no rate"):
        T.TimeStretch()(spectra)


@pytest.mark.parametrize("options", [{}, {"norm": "slaney", "mel_scale": "slaney"}])
@pytest.mark.parametrize("driver", ["gels", "gelsd"])
def test_inverse_mel(stereo, options, driver):
    """Bands of what comes out are the bands that went in, where no bin was negative."""
    spectra = power(tp.tensor(stereo)).unsqueeze(0) + 1.0
    mel = T.MelScale(20, n_stft=201, **options)
    bands = mel(spectra)
    inverse = T.InverseMelScale(201, 20, driver=driver, **options)
    found = inverse(bands)
    assert found.shape == spectra.shape and (found >= 0).all()
    want = np.linalg.pinv(mel.fb.numpy().T) @ bands.numpy()
    np.testing.assert_allclose(found.numpy(), np.maximum(want, 0), atol=1e-3 * want.max())


def test_inverse_bark(stereo):
    bark = T.BarkScale(20)
    bands = bark(power(tp.tensor(stereo)) + 1.0)
    found = T.InverseBarkScale(201, 20)(bands)
    want = np.linalg.pinv(bark.fb.numpy().T) @ bands.numpy()
    np.testing.assert_allclose(found.numpy(), np.maximum(want, 0), atol=1e-3 * want.max())


def test_icqt(stereo):
    x = tp.tensor(stereo)
    spectra = T.CQT(16000, 64, 220.0, 48)(x)
    got = T.ICQT(16000, 64, 220.0)(spectra, 4000)
    want = F.icqt(spectra, 16000, 64, 220.0, length=4000)
    np.testing.assert_array_equal(got.numpy(), want.numpy())
    assert "f_min=220.0" in repr(T.CQT(16000, 64, 220.0, 48))


def test_chords_and_pulses():
    chroma = tp.rand(12, 5)
    np.testing.assert_array_equal(T.Tonnetz()(chroma).numpy(), F.tonnetz(chroma).numpy())
    strength = tp.rand(2, 90)
    want = F.tempogram(strength, 20, False).numpy()
    np.testing.assert_array_equal(T.Tempogram(20, False)(strength).numpy(), want)


def test_masks():
    x = tp.ones(6, 3, 40, 50)
    seeds = {"generator": tp.Generator()}

    def hidden(transform):
        seeds["generator"].manual_seed(5)
        return transform(x).numpy() == 0

    bands = hidden(T.FrequencyMasking(30, **seeds))
    assert bands.any() and (bands == bands[:1, :1, :, :1]).all()
    own = hidden(T.FrequencyMasking(30, iid_masks=True, **seeds))
    assert (own == own[..., :1]).all() and not (own == own[:1]).all()
    times = hidden(T.TimeMasking(30, p=0.1, **seeds))
    assert (times == times[:1, :1, :1]).all() and times[0, 0, 0].sum() <= 5
    filled = T.TimeMasking(50, iid_masks=True)(x, 7.0)
    assert set(np.unique(filled.numpy())) == {1.0, 7.0}


@pytest.mark.parametrize("iid", [False, True])
def test_spec_augment(iid):
    x = tp.rand(4, 3, 40, 50) + 1.0
    transform = T.SpecAugment(3, 20, 2, 20, iid, zero_masking=True, generator=tp.Generator())
    out = transform(x).numpy()
    hidden = out == 0
    assert hidden.any() and (out[~hidden] == x.numpy()[~hidden]).all()
    assert (hidden == hidden[:1]).all() != iid
    mean = T.SpecAugment(1, 50, 0, 0, generator=tp.Generator().manual_seed(1))(x)
    changed = mean.numpy()[mean.numpy() != x.numpy()]
    np.testing.assert_allclose(changed, x.mean().item(), rtol=1e-6)
    one = T.SpecAugment(1, 30, 1, 30)(tp.ones(40, 50))
    assert one.shape == (40, 50)


def test_refuses():
    with pytest.raises(ShapeError, match="n_fft // 2 \\+ 1"):
        T.ChromaScale(16000, 201)(tp.ones(100, 4))
    with pytest.raises(ShapeError, match="20, frames"):
        T.InverseMelScale(201, 20)(tp.ones(30, 4))
    with pytest.raises(DTypeError, match="driver"):
        T.InverseMelScale(201, 20, driver="qr")
    with pytest.raises(DomainError, match="p is from 0 to 1"):
        T.TimeMasking(3, p=2.0)
    with pytest.raises(DomainError, match="p is from 0 to 1"):
        T.SpecAugment(1, 1, 1, 1, p=-1.0)
    with pytest.raises(DTypeError, match="method"):
        T.Chroma(method="vqt")
    with pytest.raises(DTypeError, match="80 or 128"):
        T.LogMelWhisper(40)


def test_prototype_names_lead_here():
    assert prototype.ChromaScale is T.ChromaScale
    assert prototype_functional.chroma_filterbank is F.chroma_filterbank
