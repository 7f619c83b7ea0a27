"""Amplitudes, decibels and companding."""

from __future__ import annotations

import math

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind

__all__ = [
    "DB_to_amplitude",
    "amplitude_to_DB",
    "gain",
    "mu_law_decoding",
    "mu_law_encoding",
]


@same_kind
def amplitude_to_DB(
    x: Tensor, multiplier: float, amin: float, db_multiplier: float, top_db: float | None = None
) -> Tensor:
    """Amplitude or power to decibels.

    Args:
        x: (f, frames), (c, f, frames) or (n, c, f, frames), not negative.
        multiplier: 10 for power, 20 for amplitude.
        amin: smaller values count as this one.
        db_multiplier: log10 of the value that is 0 dB.
        top_db: nothing is further than this below the loudest value of the example, all channels
            together.

    Returns:
        The same shape, in dB.

    Example:
        >>> amplitude_to_DB(tp.tensor([1.0, 0.1]), 20.0, 1e-10, 0.0).tolist()
        [0.0, -20.0]
    """
    decibels: Tensor = x.clamp(min=amin).log10() * multiplier - multiplier * db_multiplier
    if top_db is None:
        return decibels
    example = tuple(range(-min(3, decibels.ndim), 0))
    limited: Tensor = tp.maximum(decibels, decibels.amax(example, keepdim=True) - top_db)
    return limited


@same_kind
def DB_to_amplitude(x: Tensor, ref: float, power: float) -> Tensor:
    """Decibels to amplitude or power.

    Args:
        x: any shape, in dB.
        ref: the value at 0 dB.
        power: 1 for power, 0.5 for amplitude.

    Returns:
        The same shape: ref * 10 ** (0.1 * power * x).
    """
    amplitude: Tensor = ref * tp.exp(x * (0.1 * power * math.log(10.0)))
    return amplitude


@same_kind
def gain(waveform: Tensor, gain_db: float = 1.0) -> Tensor:
    """Make a waveform louder or softer.

    Args:
        waveform: (..., t) samples.
        gain_db: in dB of amplitude; negative is softer.

    Returns:
        The same shape.
    """
    return waveform if gain_db == 0 else waveform * 10.0 ** (gain_db / 20)


def _check_channels(name: str, quantization_channels: int) -> None:
    if quantization_channels < 2:
        raise ShapeError(f"{name}: wanted at least 2 levels, got {quantization_channels}")


@same_kind
def mu_law_encoding(x: Tensor, quantization_channels: int) -> Tensor:
    """Samples to one of a few levels, finer where it is quiet.

    Args:
        x: any shape, in [-1, 1].
        quantization_channels: number of levels, usually 256.

    Returns:
        The same shape, int64 from 0 to quantization_channels - 1.

    Raises:
        ShapeError: fewer than two levels.

    Example:
        >>> mu_law_encoding(tp.tensor([-1.0, 0.0, 1.0]), 256).tolist()
        [0, 128, 255]

    Source: ITU-T G.711, continuous form.
    """
    _check_channels("mu_law_encoding", quantization_channels)
    mu = quantization_channels - 1.0
    x = x if x.is_floating_point() else x.float()
    compressed = x.sign() * (x.abs() * mu).log1p() / math.log1p(mu)
    levels: Tensor = ((compressed + 1) / 2 * mu + 0.5).to(tp.int64)
    return levels


@same_kind
def mu_law_decoding(x_mu: Tensor, quantization_channels: int) -> Tensor:
    """Levels of `mu_law_encoding` back to samples.

    Args:
        x_mu: any shape, levels from 0 to quantization_channels - 1.
        quantization_channels: number of levels, usually 256.

    Returns:
        The same shape, floating, in [-1, 1].

    Raises:
        ShapeError: fewer than two levels.
    """
    _check_channels("mu_law_decoding", quantization_channels)
    mu = quantization_channels - 1.0
    levels = x_mu if x_mu.is_floating_point() else x_mu.float()
    compressed = levels / mu * 2 - 1
    samples: Tensor = compressed.sign() * (compressed.abs() * math.log1p(mu)).expm1() / mu
    return samples
