"""Pitch classes: how much of each of the twelve notes sounds, whatever the octave."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.functional.constant_q import cqt
from triptych_audio.functional.spectra import spectrogram
from triptych_audio.functional.units import hz_to_midi, hz_to_octs, note_to_hz
from triptych_audio.interop import same_kind

__all__ = ["chroma_cqt", "chroma_filterbank", "chroma_stft", "estimate_tuning", "tonnetz"]

C1_HZ = 440.0 * 2.0 ** (-45 / 12)
INFINITE = float("inf")


def chroma_filterbank(
    sample_rate: int,
    n_freqs: int,
    n_chroma: int,
    *,
    tuning: float = 0.0,
    ctroct: float = 5.0,
    octwidth: float | None = 2.0,
    norm: int = 2,
    base_c: bool = True,
) -> Tensor:
    """Filters that add up the octaves of each pitch class.

    Args:
        sample_rate: in Hz.
        n_freqs: number of bins of the spectrum, n_fft // 2 + 1.
        n_chroma: number of pitch classes, usually 12.
        tuning: how far A4 is from 440 Hz, in classes.
        ctroct: the middle of the octaves that count most, in octaves above A0.
        octwidth: how many octaves around it count; None for all alike.
        norm: the norm that the weights of each bin have.
        base_c: start at C; else at A.

    Returns:
        (n_freqs, n_chroma) float32; a spectrum (..., n_freqs) times it gives the classes.

    Raises:
        ShapeError: fewer than two bins, or no class.

    Example:
        >>> chroma_filterbank(22050, 1025, 12).shape
        Size([1025, 12])

    Source: Ellis 2007, Chroma feature analysis and synthesis; arguments of torchaudio.prototype.
    """
    if n_freqs < 2 or n_chroma < 1:
        raise ShapeError(
            f"chroma_filterbank: wanted n_freqs > 1 and n_chroma > 0, got {n_freqs} and {n_chroma}"
        )
    bins = np.linspace(0, sample_rate // 2, n_freqs)[1:]
    places = n_chroma * hz_to_octs(bins, tuning, n_chroma)
    places = np.concatenate([places[:1] - 1.5 * n_chroma, places])  # 0 Hz lies far below
    widths = np.append(np.maximum(np.diff(places), 1.0), 1.0)[:, None]
    half = round(n_chroma / 2)
    distance = (places[:, None] - np.arange(n_chroma) + half) % n_chroma - half
    bank = np.exp(-0.5 * (2 * distance / widths) ** 2)
    bank /= np.maximum(np.linalg.norm(bank, norm, axis=1, keepdims=True), 1e-12)
    if octwidth is not None:
        bank *= np.exp(-0.5 * ((places / n_chroma - ctroct) / octwidth) ** 2)[:, None]
    if base_c:
        bank = np.roll(bank, -3 * (n_chroma // 12), axis=1)
    return tp.as_tensor(bank.astype(np.float32))


def _peaks(spectra: np.ndarray, sample_rate: int, n_fft: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies between bins, in Hz, and heights of all clear peaks from 150 to 4000 Hz."""
    left, middle, right = spectra[..., :-2, :], spectra[..., 1:-1, :], spectra[..., 2:, :]
    curve, slope = left + right - 2 * middle, (right - left) / 2
    inside = np.abs(slope) < np.abs(curve)
    shift = np.where(inside, -slope / np.where(inside, curve, 1), 0)
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)[1:-1, None]
    loud = spectra * (spectra > 0.1 * spectra.max(-2, keepdims=True))
    peak = (loud[..., 1:-1, :] > loud[..., :-2, :]) & (loud[..., 1:-1, :] >= loud[..., 2:, :])
    peak &= (bins >= 150) & (bins < min(4000, sample_rate / 2))
    hz = bins + shift * (sample_rate / n_fft)
    return hz[peak], (middle + 0.5 * slope * shift)[peak]


@same_kind
def estimate_tuning(
    specgram: Tensor, sample_rate: int, bins_per_octave: int = 12, resolution: float = 0.01
) -> float:
    """How far the instruments are from A4 = 440 Hz.

    Args:
        specgram: (..., f, frames) magnitude or power, f = n_fft // 2 + 1.
        sample_rate: in Hz.
        bins_per_octave: what the answer is measured in.
        resolution: of the answer, in bins.

    Returns:
        From -0.5 to 0.5 bins; 0 where there is no peak.

    Source: librosa.estimate_tuning: a histogram of the distances of spectral peaks from bins.
    """
    spectra = specgram.detach().cpu().numpy()
    hz, heights = _peaks(spectra, sample_rate, 2 * (spectra.shape[-2] - 1))
    if not len(hz):
        return 0.0
    hz = hz[heights >= np.median(heights)]
    distance = (bins_per_octave * np.asarray(hz_to_octs(hz))) % 1.0
    distance[distance >= 0.5] -= 1.0
    edges = np.linspace(-0.5, 0.5, int(np.ceil(1 / resolution)) + 1)
    return float(edges[np.argmax(np.histogram(distance, edges)[0])])


def _normed(x: Tensor, norm: float | None) -> Tensor:
    """Columns of norm one; those of silence stay zero."""
    if norm is None:
        return x
    length = x.abs().amax(-2, keepdim=True) if norm == INFINITE else x.norm(norm, -2, keepdim=True)
    return x / tp.where(length < tp.finfo(x.dtype).tiny, tp.ones_like(length), length)


@functools.lru_cache(maxsize=16)
def _stft_bank(sample_rate: int, n_freqs: int, n_chroma: int, tuning: float) -> Tensor:
    return chroma_filterbank(sample_rate, n_freqs, n_chroma, tuning=tuning).mT.contiguous()


@same_kind
def chroma_stft(
    waveform: Tensor,
    sample_rate: int,
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    n_chroma: int = 12,
    tuning: float | None = None,
    norm: float | None = INFINITE,
    pad_mode: str = "constant",
) -> Tensor:
    """Pitch classes of a waveform by its power spectrogram.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the Hann window in samples; default n_fft.
        n_chroma: number of pitch classes, from C.
        tuning: how far A4 is from 440 Hz, in classes; default is an estimate.
        norm: what each frame is scaled to: inf for a largest value of one, 1, 2, or None.
        pad_mode: how the signal is extended at both ends.

    Returns:
        (..., n_chroma, frames).

    Source: Ellis 2007; librosa.feature.chroma_stft.
    """
    win_length = n_fft if win_length is None else win_length
    window = tp.hann_window(win_length, dtype=waveform.dtype, device=waveform.device)
    frame = (n_fft, hop_length, win_length)
    power = spectrogram(waveform, 0, window, *frame, 2.0, False, pad_mode=pad_mode)
    if tuning is None:
        tuning = estimate_tuning(power, sample_rate, n_chroma)
    bank = _stft_bank(sample_rate, power.shape[-2], n_chroma, tuning)
    return _normed(tp.matmul(bank.to(power), power), norm)


@functools.lru_cache(maxsize=16)
def _cqt_bank(n_bins: int, bins_per_octave: int, n_chroma: int, f_min: float) -> Tensor:
    """(n_chroma, n_bins) of zeros and ones: which bin belongs to which class."""
    merged = bins_per_octave // n_chroma
    octave = np.roll(np.repeat(np.eye(n_chroma), merged, axis=1), -(merged // 2), axis=1)
    bank = np.tile(octave, -(-n_bins // bins_per_octave))[:, :n_bins]
    lowest = round(float(hz_to_midi(f_min)) % 12 * n_chroma / 12)
    return tp.as_tensor(np.roll(bank, lowest, axis=0).astype(np.float32))


@same_kind
def chroma_cqt(
    waveform: Tensor,
    sample_rate: int,
    hop_length: int = 512,
    f_min: float | None = None,
    norm: float | None = INFINITE,
    tuning: float | None = 0.0,
    n_chroma: int = 12,
    n_octaves: int = 7,
    bins_per_octave: int = 36,
) -> Tensor:
    """Pitch classes of a waveform by its constant-Q transform.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        f_min: the lowest note in Hz; default C1.
        norm: what each frame is scaled to: inf for a largest value of one, 1, 2, or None.
        tuning: how far A4 is from 440 Hz, in bins; None for an estimate.
        n_chroma: number of pitch classes, from C.
        n_octaves: octaves above f_min.
        bins_per_octave: bins in an octave, a multiple of n_chroma.

    Returns:
        (..., n_chroma, frames).

    Raises:
        ShapeError: bins and classes do not match, or the octaves leave the spectrum.

    Source: librosa.feature.chroma_cqt.
    """
    if bins_per_octave % n_chroma:
        raise ShapeError(
            f"chroma_cqt: bins_per_octave is a multiple of n_chroma={n_chroma}, got "
            f"{bins_per_octave}"
        )
    f_min = note_to_hz("C1") if f_min is None else f_min
    size = (n_octaves * bins_per_octave, bins_per_octave)
    magnitude = cqt(waveform, sample_rate, hop_length, f_min, *size, tuning).abs()
    bank = _cqt_bank(*size, n_chroma, f_min)
    return _normed(tp.matmul(bank.to(magnitude), magnitude), norm)


@same_kind
def tonnetz(chroma: Tensor) -> Tensor:
    """Chords as points: coordinates on the circles of fifths, minor and major thirds.

    Args:
        chroma: (..., n_chroma, frames), as `chroma_cqt` gives it.

    Returns:
        (..., 6, frames): two coordinates for each circle.

    Source: Harte, Sandler and Gasser 2006, eq. 1 to 4.
    """
    n = chroma.shape[-2]
    turns = np.outer([7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3], np.arange(n) * (12 / n))
    turns[::2] -= 0.5
    circles: Any = np.array([1, 1, 1, 1, 0.5, 0.5])[:, None] * np.cos(np.pi * turns)
    weights = tp.as_tensor(circles, dtype=chroma.dtype, device=chroma.device)
    return tp.matmul(weights, _normed(chroma, 1.0))
