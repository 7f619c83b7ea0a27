"""Noise at a given distance, and other speeds."""

from __future__ import annotations

import math

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.functional.resampling import resample
from triptych_audio.interop import floating_samples, same_kind

__all__ = ["add_noise", "speed", "speed_lengths", "speed_rates"]


@same_kind
def add_noise(
    waveform: Tensor, noise: Tensor, snr: Tensor, lengths: Tensor | None = None
) -> Tensor:
    """Add noise, scaled to a signal-to-noise ratio.

    Args:
        waveform: (..., t) samples, floating.
        noise: (..., t) samples.
        snr: (...) in dB of energy.
        lengths: (...) samples that count in the energies; default all.

    Returns:
        (..., t), leading axes of length 1 expanded.

    Raises:
        ShapeError: axes or lengths of the arguments do not fit.

    Example:
        >>> add_noise(tp.ones(1, 4), tp.full((1, 4), 5.0), tp.tensor([20.0])).tolist()
        [[1.100000023841858, 1.100000023841858, 1.100000023841858, 1.100000023841858]]
    """
    axes = [waveform.ndim - 1, noise.ndim - 1, snr.ndim]
    axes += [] if lengths is None else [lengths.ndim]
    if len(set(axes)) > 1 or waveform.shape[-1:] != noise.shape[-1:]:
        raise ShapeError(
            "add_noise: wanted waveform and noise (..., t), snr and lengths (...), got "
            f"{tuple(waveform.shape)}, {tuple(noise.shape)}, {tuple(snr.shape)}"
            f"{'' if lengths is None else f' and {tuple(lengths.shape)}'}"
        )
    parts = [waveform, noise]
    if lengths is not None:
        counts = tp.arange(waveform.shape[-1], device=lengths.device) < lengths.unsqueeze(-1)
        parts = [part * counts for part in parts]
    signal, disturbance = (10 * part.square().sum(-1).log10() for part in parts)
    scale = 10 ** ((signal - disturbance - snr) / 20)
    mixed: Tensor = waveform + scale.unsqueeze(-1) * noise
    return mixed


def speed_rates(name: str, orig_freq: float, factor: float) -> tuple[int, int]:
    """The two rates a change of speed resamples between.

    Args:
        name: of the caller, for errors.
        orig_freq: in Hz.
        factor: above 1 is faster.

    Returns:
        From and to, without their common divisor.

    Raises:
        ShapeError: they are not positive.
    """
    source, target = int(factor * orig_freq), int(orig_freq)
    if min(source, target) < 1:
        raise ShapeError(
            f"{name}: wanted orig_freq and orig_freq * factor of 1 Hz at least, got {orig_freq} "
            f"and {factor}"
        )
    divisor = math.gcd(source, target)
    return source // divisor, target // divisor


def speed_lengths(lengths: Tensor, source: int, target: int) -> Tensor:
    """Lengths after a change of speed.

    Args:
        lengths: any shape, in samples.
        source: first of `speed_rates`.
        target: second of `speed_rates`.

    Returns:
        The same shape and dtype, rounded up.
    """
    return (lengths * target / source).ceil().to(lengths.dtype)


@same_kind
def speed(
    waveform: Tensor, orig_freq: int, factor: float, lengths: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Play faster or slower, and higher or lower with it.

    Args:
        waveform: (..., t) samples, floating.
        orig_freq: in Hz.
        factor: above 1 is faster and shorter.
        lengths: (...) samples that count.

    Returns:
        (..., ceil(t / factor)) samples, and the new lengths, or None without lengths.

    Raises:
        DTypeError: samples are integers.
        ShapeError: orig_freq or factor is not positive.

    Example:
        >>> waveform, lengths = speed(tp.zeros(2, 16000), 16000, 1.25, tp.tensor([16000, 8000]))
        >>> waveform.shape, lengths.tolist()
        (Size([2, 12800]), [12800, 6400])
    """
    floating_samples("speed", waveform)
    source, target = speed_rates("speed", orig_freq, factor)
    new_lengths = None if lengths is None else speed_lengths(lengths, source, target)
    return resample(waveform, source, target), new_lengths
