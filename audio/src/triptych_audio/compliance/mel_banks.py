"""Kaldi's mel scale, its warping for the length of a speaker's vocal tract, and its filter bank."""

from __future__ import annotations

import functools
import math

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import same_kind

__all__ = [
    "get_mel_banks",
    "inverse_mel_scale",
    "inverse_mel_scale_scalar",
    "mel_scale",
    "mel_scale_scalar",
    "vtln_warp_freq",
    "vtln_warp_mel_freq",
]

# Kaldi, feat/mel-computations.h: mel = 1127 ln(1 + f / 700).
MEL_PER_E, KNEE_HZ = 1127.0, 700.0


def inverse_mel_scale_scalar(mel_freq: float) -> float:
    """Frequency in Hz of a pitch in mel.

    Args:
        mel_freq: in mel.

    Example:
        >>> round(inverse_mel_scale_scalar(mel_scale_scalar(440.0)), 6)
        440.0
    """
    return KNEE_HZ * (math.exp(mel_freq / MEL_PER_E) - 1.0)


@same_kind
def inverse_mel_scale(mel_freq: Tensor) -> Tensor:
    """Frequencies in Hz of pitches in mel.

    Args:
        mel_freq: any shape, in mel.

    Returns:
        The same shape, in Hz.
    """
    return KNEE_HZ * ((mel_freq / MEL_PER_E).exp() - 1.0)


def mel_scale_scalar(freq: float) -> float:
    """Pitch in mel of a frequency in Hz.

    Args:
        freq: in Hz.

    Example:
        >>> round(mel_scale_scalar(1000.0))
        1000
    """
    return MEL_PER_E * math.log(1.0 + freq / KNEE_HZ)


@same_kind
def mel_scale(freq: Tensor) -> Tensor:
    """Pitches in mel of frequencies in Hz.

    Args:
        freq: any shape, in Hz.

    Returns:
        The same shape, in mel.
    """
    return MEL_PER_E * (1.0 + freq / KNEE_HZ).log()


@same_kind
def vtln_warp_freq(
    vtln_low_cutoff: float,
    vtln_high_cutoff: float,
    low_freq: float,
    high_freq: float,
    vtln_warp_factor: float,
    freq: Tensor,
) -> Tensor:
    """Frequencies as a speaker with another length of vocal tract would sound them.

    Piecewise linear: freq / vtln_warp_factor in the middle, bent at two knees so that low_freq and
    high_freq stay where they are. No band becomes empty.

    Args:
        vtln_low_cutoff: where the lower knee comes to lie, in Hz, above low_freq.
        vtln_high_cutoff: where the upper knee comes to lie, in Hz, below high_freq.
        low_freq: lower end of what is warped, in Hz.
        high_freq: upper end, in Hz.
        vtln_warp_factor: about 0.8 to 1.2; 1 changes nothing.
        freq: any shape, in Hz.

    Returns:
        The same shape, in Hz.

    Raises:
        DomainError: a cutoff, or the knee that follows from it, is outside low_freq to high_freq.

    Source: Kaldi, MelBanks::VtlnWarpFreq in feat/mel-computations.cc.
    """
    lower = vtln_low_cutoff * max(1.0, vtln_warp_factor)
    upper = vtln_high_cutoff * min(1.0, vtln_warp_factor)
    if not (min(vtln_low_cutoff, lower) > low_freq and max(vtln_high_cutoff, upper) < high_freq):
        raise DomainError(
            f"vtln_warp_freq: the knees {vtln_low_cutoff} and {vtln_high_cutoff} Hz, warped by "
            f"{vtln_warp_factor}, must lie between low_freq {low_freq} and high_freq {high_freq}"
        )
    scale = 1.0 / vtln_warp_factor
    left = (scale * lower - low_freq) / (lower - low_freq)
    right = (high_freq - scale * upper) / (high_freq - upper)
    warped = tp.where(freq < upper, scale * freq, high_freq + right * (freq - high_freq))
    warped = tp.where(freq < lower, low_freq + left * (freq - low_freq), warped)
    return tp.where((freq < low_freq) | (freq > high_freq), freq, warped)


@same_kind
def vtln_warp_mel_freq(
    vtln_low_cutoff: float,
    vtln_high_cutoff: float,
    low_freq: float,
    high_freq: float,
    vtln_warp_factor: float,
    mel_freq: Tensor,
) -> Tensor:
    """`vtln_warp_freq` of pitches in mel.

    Args:
        vtln_low_cutoff: where the lower knee comes to lie, in Hz.
        vtln_high_cutoff: where the upper knee comes to lie, in Hz.
        low_freq: lower end of what is warped, in Hz.
        high_freq: upper end, in Hz.
        vtln_warp_factor: 1 changes nothing.
        mel_freq: any shape, in mel.

    Returns:
        The same shape, in mel.

    Raises:
        DomainError: as `vtln_warp_freq`.
    """
    settings = (vtln_low_cutoff, vtln_high_cutoff, low_freq, high_freq, vtln_warp_factor)
    return mel_scale(vtln_warp_freq(*settings, inverse_mel_scale(mel_freq)))


def get_mel_banks(
    num_bins: int,
    window_length_padded: int,
    sample_freq: float,
    low_freq: float,
    high_freq: float,
    vtln_low: float,
    vtln_high: float,
    vtln_warp_factor: float,
) -> tuple[Tensor, Tensor]:
    """Triangular bands, evenly spaced in mel.

    Args:
        num_bins: number of bands, more than 3.
        window_length_padded: length of the Fourier transform in samples, even.
        sample_freq: in Hz.
        low_freq: lower edge of the first band in Hz.
        high_freq: upper edge of the last band in Hz; 0 or less counts from half the sample rate.
        vtln_low: lower knee of the warping, in Hz.
        vtln_high: upper knee in Hz; negative counts from half the sample rate.
        vtln_warp_factor: 1 for no warping.

    Returns:
        (num_bins, window_length_padded // 2) weights, without the bin at half the sample rate, and
        (num_bins, 1) centres in Hz.

    Raises:
        ShapeError: too few bands or an odd length.
        DomainError: frequencies that are no frequencies of such a signal, or not in order.

    Source: Kaldi, feat/mel-computations.cc.
    """
    nyquist = 0.5 * sample_freq
    high_freq += nyquist if high_freq <= 0.0 else 0.0
    vtln_high += nyquist if vtln_high < 0.0 else 0.0
    warp = (vtln_low, vtln_high, low_freq, high_freq, vtln_warp_factor)
    _check(num_bins, window_length_padded, nyquist, *warp)
    lowest, highest = mel_scale_scalar(low_freq), mel_scale_scalar(high_freq)
    step = (highest - lowest) / (num_bins + 1)
    edges = [lowest + (tp.arange(num_bins).unsqueeze(1) + k) * step for k in (0.0, 1.0, 2.0)]
    if vtln_warp_factor != 1.0:
        edges = [vtln_warp_mel_freq(*warp, edge) for edge in edges]
    left, centre, right = edges  # (num_bins, 1) each
    width = sample_freq / window_length_padded
    mel = mel_scale(width * tp.arange(float(window_length_padded // 2))).unsqueeze(0)
    up, down = (mel - left) / (centre - left), (right - mel) / (right - centre)
    if vtln_warp_factor == 1.0:
        return tp.minimum(up, down).clamp(min=0.0), inverse_mel_scale(centre)
    # warping may change the order of the three edges, so where each slope counts is said outright
    rising, falling = (mel > left) & (mel <= centre), (mel > centre) & (mel < right)
    weights = tp.where(rising, up, 0.0) + tp.where(falling, down, 0.0)
    return weights, inverse_mel_scale(centre)


def _check(
    num_bins: int,
    length: int,
    nyquist: float,
    vtln_low: float,
    vtln_high: float,
    low_freq: float,
    high_freq: float,
    warp_factor: float,
) -> None:
    if num_bins <= 3 or length % 2:
        raise ShapeError(
            f"get_mel_banks: wanted more than 3 bands and an even length, got {num_bins} bands and "
            f"length {length}"
        )
    if not 0.0 <= low_freq < high_freq <= nyquist:
        raise DomainError(
            f"get_mel_banks: wanted 0 <= low_freq < high_freq <= {nyquist} Hz, got low_freq "
            f"{low_freq} and high_freq {high_freq}"
        )
    if warp_factor != 1.0 and not low_freq < vtln_low < vtln_high < high_freq:
        raise DomainError(
            f"get_mel_banks: wanted {low_freq} < vtln_low < vtln_high < {high_freq} Hz, got "
            f"vtln_low {vtln_low} and vtln_high {vtln_high}"
        )


@functools.lru_cache(maxsize=32)
def cached_weights(*settings: float) -> Tensor:
    """Weights of `get_mel_banks` with a zero for the last bin: (num_bins, length // 2 + 1)."""
    weights = get_mel_banks(int(settings[0]), int(settings[1]), *settings[2:])[0]
    return tp.nn.functional.pad(weights, (0, 1))
