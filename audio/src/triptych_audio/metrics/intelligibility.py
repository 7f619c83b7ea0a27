"""How well speech can be understood."""

from __future__ import annotations

import functools
import math

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind

__all__ = ["stoi"]

# Taal et al. 2011, section II: 10 kHz, frames of 256, 15 third-octave bands from 150 Hz, segments
# of 30 frames, clipping at -15 dB, speech within 40 dB of its loudest frame
RATE, FRAME, N_FFT, BANDS, LOWEST_HZ, SEGMENT = 10000, 256, 512, 15, 150.0, 30
CLIP_DB, RANGE_DB = -15.0, 40.0
EPS = float(np.finfo(np.float64).eps)


@functools.lru_cache(maxsize=16)
def _lowpass(up: int, down: int) -> np.ndarray:
    """The resampling filter of Octave's signal package: -60 dB, a tenth of the band wide."""
    cutoff = 1 / (2 * max(up, down))
    rejection_db = 60.0
    half = math.ceil((rejection_db - 8) / (28.714 * cutoff / 10))
    t = np.arange(-half, half + 1)
    window = np.kaiser(2 * half + 1, 0.1102 * (rejection_db - 8.7))
    taps = np.sinc(2 * cutoff * t) * window
    return np.asarray(taps / taps.sum())


def _at_rate(x: np.ndarray, sample_rate: int) -> np.ndarray:
    if sample_rate == RATE:
        return x
    from scipy.signal import resample_poly

    divisor = math.gcd(RATE, sample_rate)
    up, down = RATE // divisor, sample_rate // divisor
    return np.asarray(resample_poly(x, up, down, window=_lowpass(up, down)))


@functools.lru_cache(maxsize=1)
def _bands() -> np.ndarray:
    """(bands, bins) of zeros and ones."""
    bins = np.linspace(0, RATE, N_FFT + 1)[: N_FFT // 2 + 1]
    k = np.arange(BANDS)
    low, high = (
        np.abs(bins[None] - (LOWEST_HZ * 2.0 ** ((2 * k + side) / 6))[:, None]).argmin(1)
        for side in (-1, 1)
    )
    index = np.arange(len(bins))
    return np.asarray((index >= low[:, None]) & (index < high[:, None]), np.float64)


def _frames(x: np.ndarray) -> np.ndarray:
    """(frames, 256) with a Hann window, half of each shared with the next."""
    window = np.hanning(FRAME + 2)[1:-1]
    last = len(x) - FRAME
    if last <= 0:
        return np.zeros((0, FRAME))
    views = np.lib.stride_tricks.sliding_window_view(x, FRAME)
    return np.asarray(views[: last : FRAME // 2] * window)


def _joined(frames: np.ndarray) -> np.ndarray:
    half = FRAME // 2
    out = np.zeros((len(frames) + 1, half))
    out[:-1] += frames[:, :half]
    out[1:] += frames[:, half:]
    return out.reshape(-1)


def _without_silence(target: np.ndarray, degraded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wanted, got = _frames(target), _frames(degraded)
    if not len(wanted):
        return wanted.reshape(-1), got.reshape(-1)
    energy = 20 * np.log10(np.linalg.norm(wanted, axis=1) + EPS)
    speech = energy > energy.max() - RANGE_DB
    return _joined(wanted[speech]), _joined(got[speech])


def _segments(x: np.ndarray) -> np.ndarray:
    """(segments, bands, 30) magnitudes."""
    spectra = np.fft.rfft(_frames(x), N_FFT)
    bands = np.sqrt(_bands() @ (spectra.real**2 + spectra.imag**2).T)
    if bands.shape[1] < SEGMENT:
        raise ShapeError(
            f"stoi: wanted at least {SEGMENT} frames of speech (0.4 s), got {bands.shape[1]} after "
            "silence was taken out"
        )
    return np.lib.stride_tricks.sliding_window_view(bands, SEGMENT, 1).swapaxes(0, 1)


def _unit(x: np.ndarray, axis: int) -> np.ndarray:
    centred = x - x.mean(axis, keepdims=True)
    return np.asarray(centred / (np.linalg.norm(centred, axis=axis, keepdims=True) + EPS))


def _norm(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(x, axis=2, keepdims=True))


def _stoi(target: np.ndarray, degraded: np.ndarray, sample_rate: int, extended: bool) -> float:
    pair = _without_silence(_at_rate(target, sample_rate), _at_rate(degraded, sample_rate))
    wanted, got = (_segments(x) for x in pair)
    if extended:
        product = _unit(_unit(wanted, 2), 1) * _unit(_unit(got, 2), 1)
        return float(product.sum() / SEGMENT / len(wanted))
    scaled = got * (_norm(wanted) / (_norm(got) + EPS))
    clipped = np.minimum(scaled, wanted * (1 + 10 ** (-CLIP_DB / 20)))
    return float((_unit(clipped, 2) * _unit(wanted, 2)).sum() / (len(wanted) * BANDS))


@same_kind
def stoi(preds: Tensor, target: Tensor, sample_rate: int, extended: bool = False) -> Tensor:
    """Short-time objective intelligibility: how well speech can be understood, from 0 to 1.

    Args:
        preds: (..., t) degraded or enhanced speech.
        target: (..., t) clean speech.
        sample_rate: in Hz; 10 kHz is used inside.
        extended: the measure for noise that comes and goes.

    Returns:
        (...,) float64.

    Raises:
        ShapeError: shapes differ, or there are less than 0.4 s of speech.

    Source: Taal, Hendriks, Heusdens and Jensen 2011; Jensen and Taal 2016 for extended.
    """
    if preds.shape != target.shape or not preds.ndim:
        raise ShapeError(
            f"stoi: wanted two signals of the same shape (..., t), got {tuple(preds.shape)} and "
            f"{tuple(target.shape)}"
        )
    degraded, wanted = (
        v.detach().cpu().numpy().astype(np.float64).reshape(-1, v.shape[-1])
        for v in (preds, target)
    )
    scores = [_stoi(w, d, sample_rate, extended) for w, d in zip(wanted, degraded, strict=True)]
    return tp.as_tensor(np.array(scores).reshape(preds.shape[:-1]), device=preds.device)
