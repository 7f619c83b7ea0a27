"""Features and filters of sound, beside torchaudio, librosa, soxr and SciPy."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from comparison import OURS, Make, Workload, compare, library
from timing import Call, Table

RATE, SECONDS = 16_000, 60
MEL = {"sample_rate": RATE, "n_fft": 400, "hop_length": 160, "n_mels": 80}


# Taps of each output's filter, the filter, and the quality of soxr that is nearest. Measured by
# tones, the loss at 6 and 7.2 kHz and the damping at 8.2 kHz, which would be heard at 7.8: default
# 0.1, 2.4 and 8 dB, for which soxr has no match that damps at all; Kaiser, fast 0.1, 16 and 88 dB,
# LQ 0.2, 21 and 118; Kaiser, best 0, 0 and 145 dB, HQ 0, 0 and 143.
KAISER = {"resampling_method": "sinc_interp_kaiser"}
FAST = {"lowpass_filter_width": 16, "rolloff": 0.85, "beta": 8.555504641634386}
BEST = {"lowpass_filter_width": 64, "rolloff": 0.9475937167399596, "beta": 14.769656459379492}
RESAMPLERS: dict[str, tuple[int, dict[str, Any], str]] = {
    "default": (34, {}, "LQ"),
    "Kaiser, fast": (104, KAISER | FAST, "LQ"),
    "Kaiser, best": (373, KAISER | BEST, "HQ"),
}


def run(quick: bool) -> list[Table]:
    """Milliseconds of a call."""
    workloads = [
        Workload(
            f"log-mel of {SECONDS} s, 80 bands",
            _pair(log_mel) | {"librosa": log_mel_librosa},
        ),
        Workload(f"MFCC of {SECONDS} s, 40 coefficients", _pair(mfcc), tolerance=5e-3),
        Workload(f"biquad over {SECONDS} s, stereo", _pair(biquad) | {"SciPy": biquad_scipy}),
        *(
            Workload(
                f"resample {SECONDS} s from 44.1 to 16 kHz, {name}",
                _pair(partial(resample, name)) | {"soxr": partial(resample_soxr, name)},
                tolerance=2.0,  # soxr has another filter
                flops=2 * 16_000 * SECONDS * taps,
            )
            for name, (taps, _, _) in RESAMPLERS.items()
        ),
        Workload("CTC loss, 8 x 200 frames, 40 labels", _pair(ctc)),
    ]
    return compare("Sound", workloads, quick)


def _pair(make: Callable[[str], Call]) -> dict[str, Make]:
    return {lib: partial(make, lib) for lib in (OURS, "torchaudio")}


def _audio(lib: str) -> tuple[Any, Any]:
    """The tensors and the audio package of a library."""
    name = "triptych_audio" if lib == OURS else "torchaudio"
    return library(OURS if lib == OURS else "torch"), importlib.import_module(name)


def _waves(rate: int = RATE, channels: int = 1) -> np.ndarray:
    """(channels, t) chirps with noise."""
    t = np.arange(SECONDS * rate) / rate
    rng = np.random.default_rng(0)
    chirp = 0.5 * np.sin(2 * np.pi * (200 + 20 * t) * t)
    return np.stack([chirp + 0.05 * rng.standard_normal(t.size) for _ in range(channels)]).astype(
        np.float32
    )


def _call(tensors: Any, fn: Callable[[Any], Any], array: np.ndarray) -> Call:
    given = tensors.from_numpy(array)
    return tensors.inference_mode()(lambda: fn(given).numpy())


def log_mel(lib: str) -> Call:
    """The logarithm of mel energies."""
    tensors, audio = _audio(lib)
    mel = audio.transforms.MelSpectrogram(**MEL)
    return _call(tensors, lambda x: (mel(x) + 1e-6).log(), _waves())


def log_mel_librosa() -> Call:
    """librosa's, with the same filters."""
    import librosa

    x = _waves()[0]
    options = {"sr": RATE, "n_fft": 400, "hop_length": 160, "n_mels": 80, "htk": True, "norm": None}
    mel = partial(librosa.feature.melspectrogram, pad_mode="reflect", **options)
    return lambda: np.log(mel(y=x) + 1e-6)[None]


def mfcc(lib: str) -> Call:
    """Cepstral coefficients."""
    tensors, audio = _audio(lib)
    melkwargs = {key: value for key, value in MEL.items() if key != "sample_rate"}
    return _call(tensors, audio.transforms.MFCC(RATE, 40, melkwargs=melkwargs), _waves())


def biquad(lib: str) -> Call:
    """A low-pass filter of second order."""
    tensors, audio = _audio(lib)
    return _call(
        tensors, lambda x: audio.functional.lowpass_biquad(x, RATE, 800.0), _waves(RATE, 2)
    )


def biquad_scipy() -> Call:
    """The same filter by SciPy, in its own precision."""
    from scipy import signal

    w0 = 2 * np.pi * 800 / RATE
    alpha, cosine = np.sin(w0) / 2 / 0.707, np.cos(w0)
    b = np.array([(1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2], np.float32)
    a = np.array([1 + alpha, -2 * cosine, 1 - alpha], np.float32)
    x = _waves(RATE, 2)
    return lambda: np.clip(signal.lfilter(b, a, x), -1, 1)


def resample(name: str, lib: str) -> Call:
    """Band-limited interpolation."""
    tensors, audio = _audio(lib)
    change = audio.transforms.Resample(44_100, 16_000, **RESAMPLERS[name][1])
    return _call(tensors, change, _waves(44_100))


def resample_soxr(name: str) -> Call:
    """soxr in the quality that is nearest."""
    import soxr

    x, quality = _waves(44_100)[0], RESAMPLERS[name][2]
    return lambda: soxr.resample(x, 44_100, 16_000, quality=quality)[None]


def ctc(lib: str) -> Call:
    """Loss and gradient."""
    tensors, _ = _audio(lib)
    rng = np.random.default_rng(0)
    logits = tensors.from_numpy(rng.standard_normal((200, 8, 40), np.float32)).requires_grad_()
    labels = tensors.from_numpy(rng.integers(1, 40, (8, 30)))
    lengths = tensors.tensor([200] * 8), tensors.tensor([30] * 8)

    def step() -> np.ndarray:
        logits.grad = None
        scores = tensors.nn.functional.log_softmax(logits, -1)
        tensors.nn.functional.ctc_loss(scores, labels, *lengths).backward()
        return logits.grad.numpy()

    return step
