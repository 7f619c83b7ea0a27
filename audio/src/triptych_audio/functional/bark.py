"""The Bark scale of critical bands."""

from __future__ import annotations

import math

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.functional.filterbanks import triangles

__all__ = ["bark_to_hz", "barkscale_fbanks", "hz_to_bark"]

# Bark = factor * asinh(Hz / unit)
ASINH = {"schroeder": (7.0, 650.0), "wang": (6.0, 600.0)}
SCALES = ("schroeder", "traunmuller", "wang")


def _check(name: str, bark_scale: str) -> None:
    if bark_scale not in SCALES:
        raise DTypeError(f"{name}: bark_scale is one of {list(SCALES)}, got {bark_scale!r}")


def hz_to_bark(frequency: float, bark_scale: str = "traunmuller") -> float:
    """The critical band rate of a frequency.

    Args:
        frequency: in Hz.
        bark_scale: "traunmuller", "schroeder" or "wang".

    Returns:
        Bark.

    Raises:
        DTypeError: the scale is unknown.

    Example:
        >>> round(hz_to_bark(1000.0), 2)
        8.53

    Source: Traunmueller 1990, eq. 6 with corrections at both ends; Schroeder, Atal and Hall 1979;
    Wang, Sekey and Gersho 1992.
    """
    _check("hz_to_bark", bark_scale)
    if bark_scale in ASINH:
        factor, unit = ASINH[bark_scale]
        return factor * math.asinh(frequency / unit)
    bark = 26.81 * frequency / (1960.0 + frequency) - 0.53
    return bark + 0.15 * max(2 - bark, 0) + 0.22 * max(bark - 20.1, 0)


def bark_to_hz(barks: np.ndarray, bark_scale: str = "traunmuller") -> np.ndarray:
    """The inverse of `hz_to_bark`.

    Args:
        barks: any shape.
        bark_scale: "traunmuller", "schroeder" or "wang".

    Returns:
        The same shape, in Hz.

    Raises:
        DTypeError: the scale is unknown.
    """
    _check("bark_to_hz", bark_scale)
    barks = np.asarray(barks, np.float64)
    if bark_scale in ASINH:
        factor, unit = ASINH[bark_scale]
        return np.asarray(unit * np.sinh(barks / factor))
    low, high = (barks - 0.3) / 0.85, (barks + 4.422) / 1.22
    plain = np.where(barks < 2, low, np.where(barks > 20.1, high, barks))
    return np.asarray(1960.0 * (plain + 0.53) / (26.28 - plain))


def barkscale_fbanks(
    n_freqs: int,
    f_min: float,
    f_max: float,
    n_barks: int,
    sample_rate: int,
    bark_scale: str = "traunmuller",
) -> Tensor:
    """Triangular filters, evenly spaced in Bark.

    Args:
        n_freqs: number of bins of the spectrum, n_fft // 2 + 1.
        f_min: lower edge of the first filter in Hz.
        f_max: upper edge of the last filter in Hz.
        n_barks: number of filters.
        sample_rate: in Hz.
        bark_scale: "traunmuller", "schroeder" or "wang".

    Returns:
        (n_freqs, n_barks) float32; a spectrum (..., n_freqs) times it gives the bands. Filters
        narrower than a bin can be zero. torchaudio.prototype left the upper end of the scale
        "traunmuller" uncorrected; here it is inverted at both ends.

    Raises:
        DTypeError: the scale is unknown.
        ShapeError: no filters, or f_min is not below f_max.
    """
    if n_freqs < 1 or n_barks < 1 or not 0 <= f_min < f_max:
        raise ShapeError(
            "barkscale_fbanks: wanted n_freqs > 0, n_barks > 0 and 0 <= f_min < f_max, got "
            f"n_freqs={n_freqs}, n_barks={n_barks}, f_min={f_min}, f_max={f_max}"
        )
    low, high = (hz_to_bark(f, bark_scale) for f in (f_min, f_max))
    corners = bark_to_hz(np.linspace(low, high, n_barks + 2), bark_scale)
    bank = triangles(np.linspace(0.0, sample_rate // 2, n_freqs), corners)
    return tp.as_tensor(bank.astype(np.float32))
