"""Sounds taken apart: tones and clicks; the steady and the new."""

from __future__ import annotations

import math

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError
from triptych_audio.functional.filters import deemphasis
from triptych_audio.interop import same_kind

__all__ = ["hpss", "pcen"]

BLOCK = 1 << 22  # numbers that are sorted together


def _median(x: np.ndarray, size: int, axis: int) -> np.ndarray:
    """The median of `size` neighbours along an axis, both ends mirrored."""
    rows = np.moveaxis(x, axis, -1)
    widths = [(0, 0)] * (rows.ndim - 1) + [(size // 2, size - 1 - size // 2)]
    padded = np.pad(rows, widths, mode="symmetric")
    around = np.lib.stride_tricks.sliding_window_view(padded, size, -1)
    flat = around.reshape(-1, *around.shape[-2:])
    out = np.empty(flat.shape[:-1], x.dtype)
    step = max(1, BLOCK // (flat.shape[1] * size))
    for i in range(0, len(flat), step):
        out[i : i + step] = np.partition(flat[i : i + step], size // 2, -1)[..., size // 2]
    return np.moveaxis(out.reshape(rows.shape), -1, axis)


def _soft_mask(x: np.ndarray, other: np.ndarray, power: float, at_zero: float) -> np.ndarray:
    """From 0 to 1: which share of the two is x."""
    if math.isinf(power):
        return (x > other).astype(x.dtype)
    largest = np.maximum(x, other)
    silent = largest < np.finfo(x.dtype).tiny
    scale = np.where(silent, 1, largest)
    mine, theirs = (x / scale) ** power, (other / scale) ** power
    return np.where(silent, at_zero, mine / np.where(silent, 1, mine + theirs))


def _pair(value: float | tuple[float, float]) -> tuple[float, float]:
    return value if isinstance(value, tuple) else (value, value)


@same_kind
def hpss(
    specgram: Tensor,
    kernel_size: int | tuple[int, int] = 31,
    power: float = 2.0,
    mask: bool = False,
    margin: float | tuple[float, float] = 1.0,
) -> tuple[Tensor, Tensor]:
    """Split a spectrogram in tones, which last, and clicks, which are broad.

    Args:
        specgram: (..., f, frames) magnitude, or complex.
        kernel_size: width of the medians, in frames for tones and in bins for clicks.
        power: exponent of the soft masks; inf for hard ones.
        mask: give the two masks instead.
        margin: how much one has to exceed the other; above 1, a rest is in neither.

    Returns:
        Tones and clicks, each in the shape and dtype of specgram. Gradients pass through the
        products with the masks; the masks count as constants.

    Raises:
        DomainError: margin is below 1, power or kernel_size is not positive.

    Source: Fitzgerald 2010; Driedger, Mueller and Disch 2014 for margins.
    """
    margins, sizes = _pair(margin), _pair(kernel_size)
    if min(margins) < 1 or power <= 0 or min(sizes) < 1:
        raise DomainError(
            "hpss: wanted margin >= 1, power > 0 and kernel_size > 0, got "
            f"{margin}, {power} and {kernel_size}"
        )
    magnitude = specgram.detach().abs().cpu().numpy()
    tones = _median(magnitude, int(sizes[0]), -1)
    clicks = _median(magnitude, int(sizes[1]), -2)
    at_zero = 0.5 if margins == (1, 1) else 0.0
    masks = [
        tp.as_tensor(
            _soft_mask(a, b * np.asarray(m, b.dtype), power, at_zero).astype(magnitude.dtype),
            device=specgram.device,
        )
        for a, b, m in ((tones, clicks, margins[0]), (clicks, tones, margins[1]))
    ]
    if mask:
        return masks[0], masks[1]
    return specgram * masks[0], specgram * masks[1]


def smoothing(sample_rate: float, hop_length: int, time_constant: float) -> float:
    """The share of the new frame in a running mean.

    Args:
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        time_constant: of the mean, in seconds.

    Returns:
        From 0 to 1.
    """
    frames = time_constant * sample_rate / hop_length
    return float((math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2))


@same_kind
def pcen(
    specgram: Tensor,
    sample_rate: int,
    hop_length: int = 512,
    gain: float = 0.98,
    bias: float = 2.0,
    power: float = 0.5,
    time_constant: float = 0.4,
    eps: float = 1e-6,
    b: float | None = None,
) -> Tensor:
    """Divide each band by its recent loudness, and compress: like a logarithm, but for noise.

    Args:
        specgram: (..., f, frames) magnitude or power, not negative. librosa's defaults expect
            samples of 32-bit integers: scale spectrograms of [-1, 1] by 2 ** 31.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        gain: how much of the loudness is removed, from 0 to 1.
        bias: what is added before the compression.
        power: exponent of the compression; 0 for a logarithm.
        time_constant: of the running mean, in seconds.
        eps: the loudness of silence.
        b: share of the new frame in the running mean, instead of time_constant.

    Returns:
        The same shape.

    Raises:
        DomainError: an argument is out of range.

    Source: Wang et al. 2017, Trainable frontend; Lostanlen et al. 2019.
    """
    if min(gain, bias, power) < 0 or eps <= 0 or time_constant <= 0:
        raise DomainError(
            "pcen: wanted gain, bias, power >= 0 and eps, time_constant > 0, got "
            f"{gain}, {bias}, {power}, {eps}, {time_constant}"
        )
    b = smoothing(sample_rate, hop_length, time_constant) if b is None else b
    if not 0 < b <= 1:
        raise DomainError(f"pcen: b is above 0 and at most 1, got {b}")
    faded = (1 - b) ** np.arange(1, specgram.shape[-1] + 1)  # the mean starts at one
    start = tp.as_tensor(faded, dtype=specgram.dtype, device=specgram.device)
    recent = deemphasis(specgram * b, 1 - b, clamp=False) + start
    quiet = (-gain * (math.log(eps) + (recent / eps).log1p())).exp()
    if power == 0:
        return (specgram * quiet).log1p()
    if bias == 0:
        return (specgram * quiet) ** power
    compressed: Tensor = bias**power * (power * (specgram * quiet / bias).log1p()).expm1()
    return compressed
