"""The shape of a spectrum in one number per frame, or a few."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.functional.amplitude import amplitude_to_DB
from triptych_audio.functional.spectra import spectrogram
from triptych_audio.interop import same_kind

__all__ = [
    "spectral_bandwidth",
    "spectral_centroid",
    "spectral_contrast",
    "spectral_flatness",
    "spectral_rolloff",
]

SMALLEST_POWER = 1e-10  # -100 dB, librosa's floor


def _magnitudes(
    waveform: Tensor,
    pad: int,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
    framing: dict[str, Any],
    power: float = 1.0,
) -> Tensor:
    frame = (n_fft, hop_length, win_length)
    return spectrogram(waveform, pad, window, *frame, power, False, **framing)


def _bins(specgram: Tensor, top: float) -> Tensor:
    """(f, 1) Hz of the bins from 0 to `top`."""
    n = specgram.shape[-2]
    options: dict[str, Any] = {"dtype": specgram.dtype, "device": specgram.device}
    return tp.linspace(0, top, n, **options)[:, None]


def _share(name: str, what: str, value: float) -> None:
    if not 0 < value < 1:
        raise DomainError(f"{name}: {what} is between 0 and 1, got {value}")


@same_kind
def spectral_centroid(
    waveform: Tensor,
    sample_rate: int,
    pad: int,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
) -> Tensor:
    """The mean frequency of each frame, weighted by magnitude: how bright it sounds.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        pad: zeros put before and after the signal, in samples.
        window: (win_length,) weights of a frame.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.

    Returns:
        (..., frames) Hz; NaN for frames of exact silence.
    """
    frame = (pad, window, n_fft, hop_length, win_length)
    spectra = _magnitudes(waveform, *frame, {})
    centroid: Tensor = (_bins(spectra, sample_rate // 2) * spectra).sum(-2) / spectra.sum(-2)
    return centroid


@same_kind
def spectral_bandwidth(
    waveform: Tensor,
    sample_rate: int,
    pad: int,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
    p: float = 2.0,
    *,
    center: bool = True,
    pad_mode: str = "reflect",
) -> Tensor:
    """How far the frequencies of a frame lie from their mean.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        pad: zeros put before and after the signal, in samples.
        window: (win_length,) weights of a frame.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.
        p: exponent of the distance; 2 gives the standard deviation.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then: "reflect", "constant", "replicate", "circular".

    Returns:
        (..., frames) Hz; 0 for silence.

    Source: Klapuri and Davy 2007, chapter 5; librosa.feature.spectral_bandwidth.
    """
    framing = {"center": center, "pad_mode": pad_mode}
    spectra = _magnitudes(waveform, pad, window, n_fft, hop_length, win_length, framing)
    total = spectra.sum(-2, keepdim=True)
    weights = spectra / tp.where(total > 0, total, tp.ones_like(total))
    bins = _bins(spectra, sample_rate / 2)
    centroid = (bins * weights).sum(-2, keepdim=True)
    spread: Tensor = (weights * (bins - centroid).abs() ** p).sum(-2) ** (1 / p)
    return spread


@same_kind
def spectral_rolloff(
    waveform: Tensor,
    sample_rate: int,
    pad: int,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
    roll_percent: float = 0.85,
    *,
    center: bool = True,
    pad_mode: str = "reflect",
) -> Tensor:
    """The frequency below which most of a frame's magnitude lies.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        pad: zeros put before and after the signal, in samples.
        window: (win_length,) weights of a frame.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.
        roll_percent: which share, between 0 and 1.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then: "reflect", "constant", "replicate", "circular".

    Returns:
        (..., frames) Hz, the middle of a bin; 0 for silence.

    Raises:
        DomainError: roll_percent is not between 0 and 1.
    """
    _share("spectral_rolloff", "roll_percent", roll_percent)
    framing = {"center": center, "pad_mode": pad_mode}
    spectra = _magnitudes(waveform, pad, window, n_fft, hop_length, win_length, framing)
    sums = spectra.cumsum(-2)
    below = (sums < roll_percent * sums[..., -1:, :]).to(tp.int64).sum(-2)
    found: Tensor = _bins(spectra, sample_rate / 2)[:, 0][below]
    return found


@same_kind
def spectral_flatness(
    waveform: Tensor,
    pad: int,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
    power: float = 2.0,
    amin: float = SMALLEST_POWER,
    *,
    center: bool = True,
    pad_mode: str = "reflect",
) -> Tensor:
    """Whether a frame is rather noise, 1, or a tone, 0.

    Args:
        waveform: (..., t) samples, floating.
        pad: zeros put before and after the signal, in samples.
        window: (win_length,) weights of a frame.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.
        power: exponent of the magnitude.
        amin: smaller values count as this one.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then: "reflect", "constant", "replicate", "circular".

    Returns:
        (..., frames) from 0 to 1: the geometric mean of the bins over the arithmetic one.

    Raises:
        DomainError: amin is not positive.

    Source: Dubnov 2004; librosa.feature.spectral_flatness.
    """
    if amin <= 0:
        raise DomainError(f"spectral_flatness: wanted amin > 0, got {amin}")
    framing = {"center": center, "pad_mode": pad_mode}
    frame = (pad, window, n_fft, hop_length, win_length)
    levels = _magnitudes(waveform, *frame, framing, power).clamp(min=amin)
    flatness: Tensor = levels.log().mean(-2).exp() / levels.mean(-2)
    return flatness


def _bands(
    n_freqs: int, sample_rate: int, f_min: float, n_bands: int
) -> list[tuple[int, int, int]]:
    """Of each octave: its first bin, the one after the last, and how many bins it spans."""
    edges = [0.0, *(f_min * 2.0**k for k in range(n_bands + 1))]
    if f_min <= 0 or n_bands < 1 or edges[-2] >= sample_rate / 2:
        raise ShapeError(
            "spectral_contrast: wanted f_min > 0, n_bands > 0 and the last octave to start below "
            f"{sample_rate / 2} Hz, got f_min={f_min}, n_bands={n_bands}"
        )
    bins = np.linspace(0, sample_rate / 2, n_freqs)
    bands = []
    for k, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = np.flatnonzero((bins >= low) & (bins <= high))
        if not len(inside):
            raise ShapeError(
                f"spectral_contrast: no bin between {low} and {high} Hz; use a larger n_fft"
            )
        first, last = int(inside[0]) - (k > 0), int(inside[-1]) + 1
        if k == n_bands:
            last = n_freqs
        bands.append((first, last - (k < n_bands), last - first))
    return bands


@same_kind
def spectral_contrast(
    waveform: Tensor,
    sample_rate: int,
    pad: int,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
    f_min: float = 200.0,
    n_bands: int = 6,
    quantile: float = 0.02,
    linear: bool = False,
    *,
    center: bool = True,
    pad_mode: str = "reflect",
) -> Tensor:
    """How far peaks stand above valleys, octave by octave.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        pad: zeros put before and after the signal, in samples.
        window: (win_length,) weights of a frame.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.
        f_min: where the first octave starts in Hz; below it lies one more band.
        n_bands: number of octaves.
        quantile: the share of bins that make up a peak or a valley.
        linear: difference of magnitudes instead of decibels.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then: "reflect", "constant", "replicate", "circular".

    Returns:
        (..., n_bands + 1, frames), in dB unless linear.

    Raises:
        ShapeError: octaves leave the spectrum, or are narrower than a bin.
        DomainError: quantile is not between 0 and 1.

    Source: Jiang et al. 2002; bands and the 80 dB limit as librosa.feature.spectral_contrast.
    """
    _share("spectral_contrast", "quantile", quantile)
    framing = {"center": center, "pad_mode": pad_mode}
    spectra = _magnitudes(waveform, pad, window, n_fft, hop_length, win_length, framing)
    peaks, valleys = [], []
    for first, last, span in _bands(spectra.shape[-2], sample_rate, f_min, n_bands):
        n = max(int(np.rint(quantile * span)), 1)
        ranked = spectra[..., first:last, :].sort(-2).values
        valleys.append(ranked[..., :n, :].mean(-2))
        peaks.append(ranked[..., -n:, :].mean(-2))
    high, low = tp.stack(peaks, -2), tp.stack(valleys, -2)
    if linear:
        return high - low
    return _decibels(high) - _decibels(low)


def _decibels(x: Tensor) -> Tensor:
    return amplitude_to_DB(x, 10.0, SMALLEST_POWER, math.log10(1.0), 80.0)
