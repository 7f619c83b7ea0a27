"""Waveforms at another sample rate."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, GradError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["kernel_fits", "reduced", "resample", "resample_with_kernel", "sinc_kernel"]

LARGEST_KERNEL = 1 << 22  # numbers; beyond, each output sample gets its own filter
BLOCK = 1 << 16  # output samples that get their filters together
KAISER_BETA = 14.769656459379492  # torchaudio's default, that of the resampler "kaiser_best"


def _hann(x: np.ndarray, beta: float | None) -> np.ndarray:
    return np.cos(x * np.pi / 2) ** 2


def _kaiser(x: np.ndarray, beta: float | None) -> np.ndarray:
    beta = KAISER_BETA if beta is None else beta
    return np.i0(beta * np.sqrt(1 - x**2)) / np.i0(beta)


WINDOWS: dict[str, Callable[[np.ndarray, float | None], np.ndarray]] = {
    "sinc_interp_hann": _hann,
    "sinc_interp_kaiser": _kaiser,
}


def reduced(name: str, orig_freq: float, new_freq: float) -> tuple[int, int]:
    """The two rates without their common divisor.

    Args:
        name: of the caller, for errors.
        orig_freq: in Hz, a whole number.
        new_freq: in Hz, a whole number.

    Returns:
        orig_freq and new_freq divided by what divides both.

    Raises:
        ShapeError: a rate is not a positive whole number.
    """
    if int(orig_freq) != orig_freq or int(new_freq) != new_freq or min(orig_freq, new_freq) < 1:
        raise ShapeError(
            f"{name}: sample rates are positive whole numbers of Hz, got {orig_freq} and {new_freq}"
        )
    divisor = math.gcd(int(orig_freq), int(new_freq))
    return int(orig_freq) // divisor, int(new_freq) // divisor


def _width(orig: int, new: int, lowpass_filter_width: int, rolloff: float) -> int:
    """Samples of the waveform that a filter reaches on each side."""
    if lowpass_filter_width < 1 or not 0 < rolloff <= 1:
        raise ShapeError(
            "resample: wanted lowpass_filter_width > 0 and 0 < rolloff <= 1, got "
            f"{lowpass_filter_width} and {rolloff}"
        )
    return math.ceil(lowpass_filter_width * orig / (min(orig, new) * rolloff))


def _windowed_sinc(t: np.ndarray, width: int, method: str, beta: float | None) -> np.ndarray:
    """The filter at t zero crossings from its middle; zero from `width` on."""
    if method not in WINDOWS:
        raise DTypeError(
            f"resample: resampling_method is one of {[*sorted(WINDOWS), 'soxr']}, got {method!r}"
        )
    inside = np.abs(t) < width
    t = np.where(inside, t, 0)
    # Exact zeros outside, which native kernels leave out, where sinc has rounding errors.
    values: np.ndarray = np.where(inside, np.sinc(t) * WINDOWS[method](t / width, beta), 0)
    return values


@functools.lru_cache(maxsize=16)
def _sinc_values(
    orig: int, new: int, lowpass_filter_width: int, rolloff: float, method: str, beta: float | None
) -> np.ndarray:
    """(new, taps) in float64: row i gives sample i of every group of `new` output samples."""
    cutoff = min(orig, new) * rolloff
    width = _width(orig, new, lowpass_filter_width, rolloff)
    taps = np.arange(-width, width + orig) / orig
    t = (taps[None, :] - np.arange(new)[:, None] / new) * cutoff
    return _windowed_sinc(t, lowpass_filter_width, method, beta) * (cutoff / orig)


def kernel_fits(orig_freq: int, new_freq: int, lowpass_filter_width: int, rolloff: float) -> bool:
    """Whether `sinc_kernel` is small enough to be made at all.

    Args:
        orig_freq: rate of the waveform in Hz.
        new_freq: rate wanted in Hz.
        lowpass_filter_width: zero crossings of the sinc on each side.
        rolloff: cutoff as a fraction of the lower rate's half.

    Returns:
        False for rates with hardly a common divisor: 16000 and 15999 need 256 million numbers.
    """
    orig, new = reduced("resample", orig_freq, new_freq)
    return new * (2 * _width(orig, new, lowpass_filter_width, rolloff) + orig) <= LARGEST_KERNEL


def sinc_kernel(
    orig_freq: int,
    new_freq: int,
    lowpass_filter_width: int = 6,
    rolloff: float = 0.99,
    resampling_method: str = "sinc_interp_hann",
    beta: float | None = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """The windowed sinc filters that `resample` applies.

    Args:
        orig_freq: rate of the waveform in Hz.
        new_freq: rate wanted in Hz.
        lowpass_filter_width: zero crossings of the sinc on each side; more is sharper and slower.
        rolloff: cutoff as a fraction of the lower rate's half.
        resampling_method: "sinc_interp_hann" or "sinc_interp_kaiser", the window of the sinc.
        beta: shape of the Kaiser window.
        dtype: of the result; default float32.

    Returns:
        (new, 1, 2 * width + orig), new and orig being the rates without common divisor.

    Raises:
        DTypeError: the method is unknown.
        ShapeError: a number is out of range.

    Source: Smith, Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample/.
    """
    orig, new = reduced("resample", orig_freq, new_freq)
    values = _sinc_values(orig, new, lowpass_filter_width, rolloff, resampling_method, beta)
    return tp.as_tensor(values[:, None, :], dtype=tp.float32 if dtype is None else dtype)


def resample_with_kernel(waveform: Tensor, orig: int, new: int, kernel: Tensor) -> Tensor:
    """Apply the filters of `sinc_kernel`.

    Args:
        waveform: (..., t) samples, floating.
        orig: rate of the waveform, without common divisor.
        new: rate wanted, without common divisor.
        kernel: (new, 1, 2 * width + orig).

    Returns:
        (..., ceil(t * new / orig)) samples.
    """
    t = waveform.shape[-1]
    filters = kernel.to(waveform.dtype)[:, 0, :]
    width = (filters.shape[-1] - orig) // 2
    target = math.ceil(new * t / orig)
    count = -(-target // new)
    short = (count - 1) * orig + filters.shape[-1] - width - t
    ends = (
        tp.zeros((*waveform.shape[:-1], n), dtype=waveform.dtype, device=waveform.device)
        for n in (width, max(short, 0))
    )
    before, after = ends
    padded = tp.cat([before, waveform, after], -1)
    out = tp.signal.filter_bank(padded, filters, orig)[..., :count, :]
    joined: Tensor = out.reshape(*waveform.shape[:-1], -1)[..., :target]
    return joined


def _one_by_one(
    waveform: Tensor,
    orig: int,
    new: int,
    width: int,
    rolloff: float,
    method: str,
    beta: float | None,
) -> Tensor:
    """A filter for each output sample, made as it is needed: for rates without a small ratio."""
    t = waveform.shape[-1]
    target = math.ceil(new * t / orig)
    cutoff = min(orig, new) * rolloff
    reach = _width(orig, new, width, rolloff)
    options: dict[str, Any] = {"dtype": waveform.dtype, "device": waveform.device}
    silence = tp.zeros(*waveform.shape[:-1], reach + 1, **options)
    frames = tp.cat([silence, waveform, silence], -1).unfold(-1, 2 * reach + 2, 1)
    offsets = np.arange(-reach - 1, reach + 1)
    blocks = []
    for start in range(0, target, BLOCK):
        at = np.arange(start, min(start + BLOCK, target)) * orig
        nearest = at // new + 1  # the frame's first tap is reach + 1 samples before
        distance = (nearest[:, None] + offsets) / orig - at[:, None] / (orig * new)
        weights = _windowed_sinc(distance * cutoff, width, method, beta) * (cutoff / orig)
        index = tp.as_tensor(nearest, device=waveform.device)
        blocks.append((frames.index_select(-2, index) * tp.as_tensor(weights, **options)).sum(-1))
    return tp.cat(blocks, -1)


def _with_soxr(waveform: Tensor, orig: int, new: int) -> Tensor:
    if waveform.requires_grad:
        raise GradError(
            "resample: method 'soxr' has no gradient; detach() the waveform, or use "
            "'sinc_interp_hann'"
        )
    import soxr

    t = waveform.shape[-1]
    target = math.ceil(new * t / orig)
    channels = waveform.cpu().numpy().reshape(-1, t)
    out = np.zeros((len(channels), target), channels.dtype)
    for row, channel in zip(out, channels, strict=True):
        samples = soxr.resample(channel, orig, new, quality="HQ")[:target]
        row[: len(samples)] = samples
    shaped = out.reshape(*waveform.shape[:-1], target)
    return tp.as_tensor(shaped, device=waveform.device)


@same_kind
def resample(
    waveform: Tensor,
    orig_freq: int,
    new_freq: int,
    lowpass_filter_width: int = 6,
    rolloff: float = 0.99,
    resampling_method: str = "sinc_interp_hann",
    beta: float | None = None,
) -> Tensor:
    """The same sound at another sample rate.

    Args:
        waveform: (..., t) samples, floating.
        orig_freq: its rate in Hz.
        new_freq: rate wanted in Hz.
        lowpass_filter_width: zero crossings of the sinc on each side; more is sharper and slower.
        rolloff: cutoff as a fraction of the lower rate's half.
        resampling_method: "sinc_interp_hann" or "sinc_interp_kaiser" as in torchaudio, both with
            gradients; or "soxr", the SoX resampler in high quality, without.
        beta: shape of the Kaiser window.

    Returns:
        (..., ceil(t * new_freq / orig_freq)) samples.

    Raises:
        DTypeError: the method is unknown, or samples are integers.
        ShapeError: a number is out of range.
        GradError: "soxr" for a waveform that requires grad.

    Example:
        >>> resample(tp.zeros(2, 44100), 44100, 16000).shape
        Size([2, 16000])

    Source: Smith, Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample/.
    """
    if not waveform.is_floating_point():
        raise DTypeError(
            f"resample: wanted floating samples, got {waveform.dtype}; convert with .float()"
        )
    orig, new = reduced("resample", orig_freq, new_freq)
    if orig == new or waveform.numel() == 0:
        return waveform
    if resampling_method == "soxr":
        return _with_soxr(waveform, orig, new)
    design = (orig, new, lowpass_filter_width, rolloff, resampling_method, beta)
    if not kernel_fits(*design[:4]):
        return _one_by_one(waveform, *design)
    values = _sinc_values(*design)
    kernel = tp.as_tensor(values[:, None, :], dtype=waveform.dtype, device=waveform.device)
    return resample_with_kernel(waveform, orig, new, kernel)
