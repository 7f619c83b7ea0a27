"""Matrices that take a spectrum to fewer bands, and what the bands are measured in."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["create_dct", "hz_to_mel", "linear_fbanks", "mel_to_hz", "melscale_fbanks", "triangles"]

# Slaney 1998, Auditory Toolbox, mfcc.m: linear up to 1 kHz, then 27 steps per factor of 6.4.
BREAK_HZ, BREAK_MEL = 1000.0, 15.0
HZ_PER_MEL = BREAK_HZ / BREAK_MEL
LOG_STEP = math.log(6.4) / 27

SCALES = ("htk", "slaney")


def _check_scale(name: str, mel_scale: str) -> None:
    if mel_scale not in SCALES:
        raise DTypeError(f"{name}: mel_scale is 'htk' or 'slaney', got {mel_scale!r}")


def hz_to_mel(frequency: Any, mel_scale: str = "htk") -> Any:
    """Pitch in mel of a frequency in Hz.

    Args:
        frequency: number, array or tensor, in Hz, not negative.
        mel_scale: "htk", 2595 log10(1 + f / 700); or "slaney", linear up to 1 kHz, then
            logarithmic.

    Returns:
        Mel, in the same shape. The two scales have different units.

    Example:
        >>> round(hz_to_mel(1000.0)), hz_to_mel(1000.0, "slaney")
        (1000, 15.0)

    Source: O'Shaughnessy 1987, p. 150; Slaney 1998, Auditory Toolbox.
    """
    _check_scale("hz_to_mel", mel_scale)
    if hasattr(frequency, "shape"):
        return _over_arrays(_hz_to_mel, frequency, mel_scale)
    return float(_hz_to_mel(np.array(frequency), mel_scale))


def mel_to_hz(mel: Any, mel_scale: str = "htk") -> Any:
    """Frequency in Hz of a pitch in mel: the inverse of `hz_to_mel`.

    Args:
        mel: number, array or tensor, in mel of the scale.
        mel_scale: "htk" or "slaney".

    Returns:
        Hz, in the same shape.

    Example:
        >>> mel_to_hz(15.0, "slaney")
        1000.0
    """
    _check_scale("mel_to_hz", mel_scale)
    if hasattr(mel, "shape"):
        return _over_arrays(_mel_to_hz, mel, mel_scale)
    return float(_mel_to_hz(np.array(mel), mel_scale))


@same_kind
def _over_arrays(function: Callable[[np.ndarray, str], np.ndarray], x: Tensor, scale: str) -> Any:
    return tp.as_tensor(function(x.detach().cpu().numpy(), scale), device=x.device)


def _hz_to_mel(hz: np.ndarray, mel_scale: str) -> np.ndarray:
    if mel_scale == "htk":
        mels: np.ndarray = 2595.0 * np.log10(1.0 + hz / 700.0)
        return mels
    above = BREAK_MEL + np.log(np.maximum(hz, BREAK_HZ) / BREAK_HZ) / LOG_STEP
    return np.where(hz < BREAK_HZ, hz / HZ_PER_MEL, above)


def _mel_to_hz(mels: np.ndarray, mel_scale: str) -> np.ndarray:
    if mel_scale == "htk":
        hz: np.ndarray = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
        return hz
    above = BREAK_HZ * np.exp(LOG_STEP * np.maximum(mels - BREAK_MEL, 0.0))
    return np.where(mels < BREAK_MEL, mels * HZ_PER_MEL, above)


def triangles(frequencies: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Filters over bins: filter i rises from corner i to i + 1 and falls to i + 2.

    Args:
        frequencies: (n_freqs,) of the bins.
        corners: (n_filters + 2,) rising, in the same unit.

    Returns:
        (n_freqs, n_filters) weights from 0 to 1.
    """
    widths = np.diff(corners)
    slopes = corners[None, :] - frequencies[:, None]  # (n_freqs, n_filters + 2)
    rising = -slopes[:, :-2] / widths[:-1]
    falling = slopes[:, 2:] / widths[1:]
    bank: np.ndarray = np.maximum(0.0, np.minimum(rising, falling))
    return bank


def melscale_fbanks(
    n_freqs: int,
    f_min: float,
    f_max: float,
    n_mels: int,
    sample_rate: int,
    norm: str | None = None,
    mel_scale: str = "htk",
) -> Tensor:
    """Triangular filters, evenly spaced in mel.

    Args:
        n_freqs: number of bins of the spectrum, n_fft // 2 + 1.
        f_min: lower edge of the first filter in Hz.
        f_max: upper edge of the last filter in Hz.
        n_mels: number of filters.
        sample_rate: in Hz; bins go up to half of it.
        norm: "slaney" divides each filter by its width in Hz, so that all have the same area.
        mel_scale: "htk" or "slaney"; librosa's defaults are "slaney" for both.

    Returns:
        (n_freqs, n_mels) float32; a spectrum (..., n_freqs) times it gives the bands.

    Raises:
        DTypeError: norm or mel_scale is unknown.
        ShapeError: no filters, or f_min is not below f_max.

    Example:
        >>> melscale_fbanks(201, 0.0, 8000.0, 80, 16000).shape
        Size([201, 80])

    Source: Young et al., The HTK Book, section 5.4; Slaney 1998, Auditory Toolbox.
    """
    if norm not in (None, "slaney"):
        raise DTypeError(f"melscale_fbanks: norm is None or 'slaney', got {norm!r}")
    _check_bands("melscale_fbanks", n_freqs, f_min, f_max, n_mels)
    low, high = (hz_to_mel(f, mel_scale) for f in (f_min, f_max))
    corners = _mel_to_hz(np.linspace(low, high, n_mels + 2), mel_scale)
    bank = triangles(np.linspace(0.0, sample_rate // 2, n_freqs), corners)
    if norm == "slaney":
        bank *= 2.0 / (corners[2:] - corners[:-2])
    if (bank.max(axis=0) == 0.0).any():
        warnings.warn(
            f"melscale_fbanks: {int((bank.max(axis=0) == 0.0).sum())} of {n_mels} filters are "
            f"narrower than a bin of the spectrum and all zero; n_mels={n_mels} is too many for "
            f"n_freqs={n_freqs}",
            stacklevel=2,
        )
    return tp.as_tensor(bank.astype(np.float32))


def linear_fbanks(
    n_freqs: int, f_min: float, f_max: float, n_filter: int, sample_rate: int
) -> Tensor:
    """Triangular filters, evenly spaced in Hz.

    Args:
        n_freqs: number of bins of the spectrum, n_fft // 2 + 1.
        f_min: lower edge of the first filter in Hz.
        f_max: upper edge of the last filter in Hz.
        n_filter: number of filters.
        sample_rate: in Hz.

    Returns:
        (n_freqs, n_filter) float32.

    Raises:
        ShapeError: no filters, or f_min is not below f_max.
    """
    _check_bands("linear_fbanks", n_freqs, f_min, f_max, n_filter)
    corners = np.linspace(f_min, f_max, n_filter + 2)
    bank = triangles(np.linspace(0.0, sample_rate // 2, n_freqs), corners)
    return tp.as_tensor(bank.astype(np.float32))


def _check_bands(name: str, n_freqs: int, f_min: float, f_max: float, count: int) -> None:
    if n_freqs < 1 or count < 1 or not 0 <= f_min < f_max:
        raise ShapeError(
            f"{name}: wanted n_freqs > 0, at least one filter and 0 <= f_min < f_max, got "
            f"n_freqs={n_freqs}, {count} filters, f_min={f_min}, f_max={f_max}"
        )


def create_dct(n_mfcc: int, n_mels: int, norm: str | None) -> Tensor:
    """The matrix of the discrete cosine transform of type 2.

    Args:
        n_mfcc: number of coefficients kept.
        n_mels: number of bands.
        norm: "ortho" for orthonormal columns; None for plain sums, times two.

    Returns:
        (n_mels, n_mfcc) float32; bands (..., n_mels) times it gives the coefficients.

    Raises:
        DTypeError: norm is neither.

    Example:
        >>> create_dct(13, 40, "ortho").shape
        Size([40, 13])

    Source: Ahmed, Natarajan and Rao 1974, eq. 1.
    """
    if norm not in (None, "ortho"):
        raise DTypeError(f"create_dct: norm is None or 'ortho', got {norm!r}")
    middles = np.arange(n_mels)[:, None] + 0.5
    matrix = np.cos(np.pi / n_mels * middles * np.arange(n_mfcc))  # (n_mels, n_mfcc)
    if norm is None:
        matrix *= 2.0
    else:
        matrix *= math.sqrt(2.0 / n_mels)
        matrix[:, 0] /= math.sqrt(2.0)
    return tp.as_tensor(matrix.astype(np.float32))
