"""Kaldi's features against a plain twin that goes frame by frame, as its documents say."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych_audio.compliance import kaldi

EPSILON = np.finfo(np.float32).eps
WINDOWS = {
    "hanning": lambda n, _: np.hanning(n),
    "hamming": lambda n, _: np.hamming(n),
    "povey": lambda n, _: np.hanning(n) ** 0.85,
    "rectangular": lambda n, _: np.ones(n),
    "blackman": lambda n, c: (
        c
        - 0.5 * np.cos(2 * np.pi * np.arange(n) / (n - 1))
        + (0.5 - c) * np.cos(4 * np.pi * np.arange(n) / (n - 1))
    ),
}


def frames_of(x, size, shift, snip_edges):
    if snip_edges:
        return [x[i : i + size] for i in range(0, len(x) - size + 1, shift)]
    mirrored = np.concatenate([x[::-1], x, x[::-1]])
    count = (len(x) + shift // 2) // shift
    first = len(x) - (size // 2 - shift // 2)
    return [mirrored[first + k * shift :][:size] for k in range(count)]


def naive_frames(
    x, rate=16000, length=25.0, shift=10.0, window="povey", snip_edges=True, raw_energy=True,
    dc=True, emphasis=0.97, floor=1.0, power_of_two=True, coeff=0.42,
):  # fmt: skip
    size, step = int(rate * length * 0.001), int(rate * shift * 0.001)
    padded = 1 << (size - 1).bit_length() if power_of_two else size
    spectra, energies = [], []
    for frame in frames_of(x, size, step, snip_edges):
        frame = frame - frame.mean() if dc else frame.copy()
        loud = frame
        frame = np.array([v - emphasis * frame[max(i - 1, 0)] for i, v in enumerate(frame)])
        frame = frame * WINDOWS[window](size, coeff)
        loud = loud if raw_energy else frame
        energy = math.log(max((loud**2).sum(), EPSILON))
        energies.append(max(energy, math.log(floor)) if floor else energy)
        spectra.append(np.abs(np.fft.rfft(frame, padded)))
    return np.array(spectra), np.array(energies)


def naive_bank(bins, padded, rate, low, high):
    mel = lambda f: 1127 * math.log(1 + f / 700)  # noqa: E731
    edges = np.linspace(mel(low), mel(high), bins + 2)
    bank = np.zeros((bins, padded // 2 + 1))
    for b in range(bins):
        for k in range(padded // 2):
            m = mel(k * rate / padded)
            up = (m - edges[b]) / (edges[b + 1] - edges[b])
            down = (edges[b + 2] - m) / (edges[b + 2] - edges[b + 1])
            bank[b, k] = max(0.0, min(up, down))
    return bank


FRAMINGS = [
    ({}, {}),
    ({"snip_edges": False}, {"snip_edges": False}),
    ({"snip_edges": False, "frame_shift": 30.0}, {"snip_edges": False, "shift": 30.0}),
    ({"raw_energy": False, "energy_floor": 0.0}, {"raw_energy": False, "floor": 0.0}),
    ({"remove_dc_offset": False}, {"dc": False}),
    ({"preemphasis_coefficient": 0.0}, {"emphasis": 0.0}),
    ({"round_to_power_of_two": False}, {"power_of_two": False}),
    ({"sample_frequency": 8000.0, "frame_length": 20.0}, {"rate": 8000, "length": 20.0}),
    ({"energy_floor": 1e6}, {"floor": 1e6}),
    *(({"window_type": name}, {"window": name}) for name in WINDOWS),
    ({"window_type": "blackman", "blackman_coeff": 0.3}, {"window": "blackman", "coeff": 0.3}),
]


@pytest.fixture
def sound(rng):
    return rng.standard_normal((2, 1300)) * 100


@pytest.mark.parametrize(("options", "plain"), FRAMINGS)
def test_spectrogram(sound, options, plain):
    spectra, energies = naive_frames(sound[0], **plain)
    want = np.log(np.maximum(spectra**2, EPSILON))
    want[:, 0] = energies
    np.testing.assert_allclose(kaldi.spectrogram(sound, **options), want, rtol=1e-6, atol=2e-5)


@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize("power", [False, True])
def test_fbank(sound, htk, power):
    spectra, energies = naive_frames(sound[1])
    bank = naive_bank(15, 512, 16000, 60.0, 7900.0)
    bands = np.log((spectra ** (2 if power else 1)) @ bank.T)
    want = np.column_stack([bands, energies] if htk else [energies, bands])
    got = kaldi.fbank(
        sound,
        channel=1,
        num_mel_bins=15,
        low_freq=60.0,
        high_freq=-100.0,
        use_energy=True,
        use_power=power,
        htk_compat=htk,
    )
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)
    plain = kaldi.fbank(sound, num_mel_bins=15, use_log_fbank=False)
    np.testing.assert_allclose(np.log(plain), kaldi.fbank(sound, num_mel_bins=15), rtol=1e-5)


@pytest.mark.parametrize("use_energy", [False, True])
@pytest.mark.parametrize("htk", [False, True])
def test_mfcc(sound, use_energy, htk):
    bands = kaldi.fbank(sound, num_mel_bins=20)
    k, m = np.arange(7), np.arange(20)[:, None]
    dct = np.sqrt(2 / 20) * np.cos(np.pi / 20 * (m + 0.5) * k)
    dct[:, 0] = np.sqrt(1 / 20)
    want = bands @ dct * (1 + 11 * np.sin(np.pi * k / 22))
    first = naive_frames(sound[0])[1] if use_energy else want[:, 0]
    if htk:
        scale = 1.0 if use_energy else math.sqrt(2)
        want = np.column_stack([want[:, 1:], first * scale])
    else:
        want[:, 0] = first
    got = kaldi.mfcc(sound, num_ceps=7, num_mel_bins=20, use_energy=use_energy, htk_compat=htk)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)
    flat = kaldi.mfcc(sound, num_ceps=7, num_mel_bins=20, cepstral_lifter=0.0)
    np.testing.assert_allclose(flat, bands @ dct, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["spectrogram", "fbank", "mfcc"])
def test_what_all_promise(sound, name):
    feature = getattr(kaldi, name)
    x = tp.tensor(sound, dtype=tp.float32)
    got = feature(x, subtract_mean=True)
    assert got.dtype == tp.float32 and got.shape[0] == 6
    np.testing.assert_allclose(got.mean(0).numpy(), 0, atol=1e-4)
    assert feature(x, min_duration=1.0).shape == (0,)
    generators = [tp.Generator().manual_seed(s) for s in (1, 1, 2)]
    noisy = [feature(x, dither=5.0, generator=g).numpy() for g in generators]
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert np.abs(noisy[0] - noisy[2]).max() > 0
    leaf = tp.tensor(sound, requires_grad=True)
    feature(leaf, num_mel_bins=6, num_ceps=4).sum().backward() if name == "mfcc" else feature(
        leaf
    ).sum().backward()
    assert leaf.grad[0].abs().max() > 0 and not leaf.grad[1].any()


def test_scales():
    for hertz in (0.0, 440.0, 7000.0):
        mel = kaldi.mel_scale_scalar(hertz)
        assert mel == pytest.approx(1127 * math.log(1 + hertz / 700))
        assert kaldi.inverse_mel_scale_scalar(mel) == pytest.approx(hertz)
    hertz = np.array([0.0, 440.0, 7000.0])
    np.testing.assert_allclose(kaldi.inverse_mel_scale(kaldi.mel_scale(hertz)), hertz, atol=1e-9)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_warping_is_piecewise_linear(factor):
    knees = (100.0, 7500.0, 20.0, 8000.0)
    hertz = np.linspace(0.0, 8200.0, 4101)
    warped = kaldi.vtln_warp_freq(*knees, factor, hertz)
    outside = (hertz < 20) | (hertz > 8000)
    np.testing.assert_array_equal(warped[outside], hertz[outside])
    lower, upper = 100 * max(1, factor), 7500 * min(1, factor)
    middle = (hertz >= lower) & (hertz < upper)
    np.testing.assert_allclose(warped[middle], hertz[middle] / factor)
    bends = np.abs(np.diff(warped, 2)) > 1e-6
    assert np.count_nonzero(bends) <= 8 and (np.diff(warped) > 0).all()
    mel = kaldi.vtln_warp_mel_freq(*knees, factor, kaldi.mel_scale(hertz))
    np.testing.assert_allclose(mel, kaldi.mel_scale(warped), atol=1e-9)


def test_warped_bank():
    bank, centres = kaldi.get_mel_banks(10, 512, 16000.0, 20.0, 0.0, 100.0, -500.0, 1.0)
    warped, moved = kaldi.get_mel_banks(10, 512, 16000.0, 20.0, 0.0, 100.0, -500.0, 1.1)
    assert bank.shape == warped.shape == (10, 256) and centres.shape == (10, 1)
    want = kaldi.vtln_warp_freq(100.0, 7500.0, 20.0, 8000.0, 1.1, centres)
    np.testing.assert_allclose(moved.numpy(), want.numpy(), rtol=1e-5)
    peaks = warped.argmax(1).numpy() * 16000 / 512
    np.testing.assert_allclose(peaks, moved[:, 0].numpy(), atol=31.25)
    assert (warped >= 0).all() and float(warped.max()) <= 1.0


BANK = (512, 16000.0, 20.0, 0.0, 100.0, -500.0, 1.1)
WRONG = [
    (lambda x: kaldi.fbank(x[0]), ValueError, "unsqueeze"),
    (lambda x: kaldi.fbank(x, channel=2), ValueError, "more than 2 channel"),
    (lambda x: kaldi.fbank(x.astype(int)), TypeError, "floating samples"),
    (lambda x: kaldi.fbank(x[:, :300]), ValueError, "do not fit a waveform of 300"),
    (lambda x: kaldi.fbank(x, frame_shift=0.01), ValueError, "milliseconds"),
    (lambda x: kaldi.fbank(x, preemphasis_coefficient=2.0), ValueError, "from 0 to 1"),
    (lambda x: kaldi.fbank(x, sample_frequency=-1.0), ValueError, "above 0"),
    (lambda x: kaldi.fbank(x, window_type="odd"), ValueError, "window_type is one of"),
    (
        lambda x: kaldi.spectrogram(x, round_to_power_of_two=False, frame_length=25.07),
        ValueError,
        "even length, got 401",
    ),
    (lambda x: kaldi.mfcc(x, num_ceps=24), ValueError, "at most num_mel_bins"),
    (lambda _: kaldi.get_mel_banks(3, *BANK), ValueError, "more than 3 bands"),
    (lambda _: kaldi.get_mel_banks(9, 511, *BANK[1:]), ValueError, "even length"),
    (lambda x: kaldi.fbank(x, high_freq=9000.0), ValueError, "high_freq <= 8000"),
    (lambda x: kaldi.fbank(x, vtln_warp=1.1, vtln_low=10.0), ValueError, "< vtln_low <"),
    (
        lambda x: kaldi.vtln_warp_freq(10.0, 7500.0, 20.0, 8000.0, 1.1, x),
        ValueError,
        "must lie between",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), WRONG)
def test_errors(sound, call, error, text):
    with pytest.raises(error, match=text):
        call(sound)
