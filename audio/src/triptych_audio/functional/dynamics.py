"""Compressor and limiter."""

from __future__ import annotations

import math

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError
from triptych.nn.functional import avg_pool1d, max_pool1d, pad
from triptych_audio.functional.recursive import filtered
from triptych_audio.interop import same_kind

__all__ = ["compressor", "limiter"]

NOTHING = 1e-9  # dB of reduction that count as none
SILENCE = 1e-8  # amplitude of -160 dB, below which all is alike


def _kept(time_ms: float, sample_rate: int) -> float:
    """Share that is left after one sample of what falls to 1 / e in the time."""
    return math.exp(-1000 / (time_ms * sample_rate)) if time_ms > 0 else 0.0


def _released(reduction: Tensor, kept: float) -> Tensor:
    """y[t] = max(x[t], kept * y[t - 1]), of x that is not negative."""
    if not kept:
        return reduction
    ramp = tp.arange(reduction.shape[-1], dtype=tp.float64, device=reduction.device)
    ramp = ramp * -math.log(kept)
    logs = reduction.to(tp.float64).clamp(min=NOTHING).log() + ramp
    peaks = (logs.cummax(-1).values - ramp).exp()
    return tp.where(peaks > 2 * NOTHING, peaks, 0.0).to(reduction.dtype)


def _one_pole(x: Tensor, kept: float) -> Tensor:
    """y[t] = kept * y[t - 1] + (1 - kept) * x[t]."""
    a = tp.tensor([[1.0, -kept]], dtype=tp.float64, device=x.device)
    b = tp.tensor([[1.0 - kept, 0.0]], dtype=tp.float64, device=x.device)
    return filtered(x, a, b)


def _over(level: Tensor, threshold: float, knee: float) -> Tensor:
    """dB above the threshold; within the knee a parabola joins the two straight lines."""
    over = level - threshold
    straight: Tensor = over.clamp(min=0.0)
    if not knee:
        return straight
    return tp.where(over.abs() * 2 <= knee, (over + knee / 2).square() / (2 * knee), straight)


def _level(waveform: Tensor) -> Tensor:
    """dB of the loudest channel, one row per recording; (..., 1, t)."""
    loudest = waveform.abs() if waveform.ndim < 2 else waveform.abs().amax(-2, keepdim=True)
    decibels: Tensor = 20 * loudest.clamp(min=SILENCE).log10()
    return decibels


@same_kind
def compressor(
    waveform: Tensor,
    sample_rate: int,
    threshold_db: float = -20.0,
    ratio: float = 4.0,
    attack_ms: float = 5.0,
    release_ms: float = 100.0,
    knee_db: float = 0.0,
    makeup_db: float = 0.0,
) -> Tensor:
    """Make the loud parts softer.

    Args:
        waveform: (..., c, t) or (t,) samples, floating; the channels get one gain.
        sample_rate: in Hz.
        threshold_db: level above which it acts, in dB of full scale.
        ratio: 1 dB more comes out where `ratio` dB more come in; at least 1.
        attack_ms: time constant when it gets louder.
        release_ms: time constant when it gets softer.
        knee_db: width of the soft passage around the threshold.
        makeup_db: gain afterwards.

    Returns:
        The same shape; has gradients.

    Raises:
        DomainError: ratio is below 1, or a time or the knee is negative.

    Source: Giannoulis, Massberg and Reiss 2012, "Digital dynamic range compressor design": the
    decoupled peak detector after the gain computer.
    """
    if ratio < 1 or min(attack_ms, release_ms, knee_db) < 0:
        raise DomainError(
            "compressor: wanted a ratio of 1 at least, times and knee that are not negative, got "
            f"{ratio}, {attack_ms}, {release_ms} and {knee_db}"
        )
    if waveform.numel() == 0:
        return waveform
    wanted = _over(_level(waveform), threshold_db, knee_db) * (1 - 1 / ratio)
    held = _released(wanted, _kept(release_ms, sample_rate))
    smooth = _one_pole(held, _kept(attack_ms, sample_rate))
    softer: Tensor = waveform * 10 ** ((makeup_db - smooth) / 20)
    return softer


@same_kind
def limiter(
    waveform: Tensor,
    sample_rate: int,
    threshold_db: float = -1.0,
    attack_ms: float = 1.0,
    release_ms: float = 50.0,
) -> Tensor:
    """Keep every sample below a level, with a gain that is lowered before a peak comes.

    Args:
        waveform: (..., c, t) or (t,) samples, floating; the channels get one gain.
        sample_rate: in Hz.
        threshold_db: level that nothing exceeds, in dB of full scale.
        attack_ms: how long before a peak the gain starts to go down.
        release_ms: time constant of its return.

    Returns:
        The same shape, not delayed; has gradients.

    Raises:
        DomainError: a time is negative.
    """
    if min(attack_ms, release_ms) < 0:
        raise DomainError(
            f"limiter: times must not be negative, got {attack_ms} and {release_ms} ms"
        )
    if waveform.numel() == 0:
        return waveform
    wanted = (_level(waveform) - threshold_db).clamp(min=0.0)
    ahead = round(attack_ms / 1000 * sample_rate)
    rows = wanted.reshape(-1, 1, wanted.shape[-1])
    coming = max_pool1d(pad(rows, (0, ahead)), ahead + 1, 1)
    held = _released(coming, _kept(release_ms, sample_rate))
    smooth = avg_pool1d(pad(held, (ahead, 0), mode="replicate"), ahead + 1, 1)
    limited: Tensor = waveform * 10 ** (smooth.reshape(wanted.shape) / -20)
    return limited
