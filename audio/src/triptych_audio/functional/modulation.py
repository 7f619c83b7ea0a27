"""Delays that change in time: flanger, phaser, chorus."""

from __future__ import annotations

import functools
import math

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.functional.recursive import rows_of, solve_feedback
from triptych_audio.interop import same_kind

__all__ = ["chorus", "flanger", "phaser"]

MODULATIONS = ("sinusoidal", "triangular")
# Weights of the samples around a place, by the fraction f of the way to the next one
INTERPOLATIONS = {
    "linear": lambda f: np.stack([1 - f, f]),
    "quadratic": lambda f: np.stack(
        [1 - f * (3 - f) / 2, f * (2 - f), f * (f - 1) / 2]  # through three samples
    ),
}


def _one_of(name: str, what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DomainError(f"{name}: {what} is one of {sorted(known)}, got {value!r}")


@functools.lru_cache(maxsize=16)
def _wave(modulation: str, n: int, low: float, high: float, phase: float) -> np.ndarray:
    """(n,) one period between low and high; SoX, lsx_generate_wave_table."""
    point = (np.arange(n) + int(phase / (2 * math.pi) * n + 0.5)) % n
    if modulation == "sinusoidal":
        wave = (np.sin(point / n * 2 * math.pi) + 1) / 2
    else:
        quarter = 4 * point // n
        rising = point * 2 / n
        wave = np.select([quarter == 0, quarter == 3], [rising + 0.5, rising - 1.5], 1.5 - rising)
    return wave * (high - low) + low


def _delayed(rows: Tensor, delays: np.ndarray, weights: np.ndarray) -> Tensor:
    """sum over k of weights[k, t] rows[..., t - delays[k, t]]; silence before the start."""
    total = tp.zeros_like(rows)
    now = np.arange(rows.shape[-1])
    for delay, weight in zip(delays, weights, strict=True):
        before = now - delay
        gains = tp.from_numpy(np.where(before >= 0, weight, 0.0)).to(rows.device, rows.dtype)
        places = tp.from_numpy(np.maximum(before, 0)).to(rows.device)
        total = total + rows.index_select(-1, places) * gains
    return total


@same_kind
def flanger(
    waveform: Tensor,
    sample_rate: int,
    delay: float = 0.0,
    depth: float = 2.0,
    regen: float = 0.0,
    width: float = 71.0,
    speed: float = 0.5,
    phase: float = 25.0,
    modulation: str = "sinusoidal",
    interpolation: str = "linear",
) -> Tensor:
    """Mix a waveform with itself a little later, by a time that swings.

    Args:
        waveform: (..., c, t) samples, floating, at most 4 channels.
        sample_rate: in Hz.
        delay: shortest delay in ms, from 0 to 30.
        depth: how far it swings in ms, from 0 to 10.
        regen: share of the delayed sound that is delayed again, from -95 to 95 percent.
        width: share of the delayed sound in the mix, from 0 to 100 percent.
        speed: swings per second, from 0.1 to 10.
        phase: how much later each channel swings than the one before, in percent of a swing.
        modulation: "sinusoidal" or "triangular" swings.
        interpolation: "linear" or "quadratic", between samples.

    Returns:
        The same shape, in [-1, 1].

    Raises:
        DomainError: an unknown modulation or interpolation.
        ShapeError: there is no channel axis, or it is longer than 4.

    Source: SoX, effect flanger.
    """
    _one_of("flanger", "modulation", modulation, MODULATIONS)
    _one_of("flanger", "interpolation", interpolation, tuple(INTERPOLATIONS))
    if waveform.ndim < 2 or waveform.shape[-2] > 4:
        raise ShapeError(
            f"flanger: wanted (..., c, t) with at most 4 channels, got {tuple(waveform.shape)}"
        )
    feedback, share = regen / 100, width / 100
    longest = int((delay + depth) / 1000 * sample_rate + 0.5) + 2
    lowest = math.floor(delay / 1000 * sample_rate + 0.5)
    period = int(sample_rate / speed)
    table = _wave(modulation, period, lowest, longest - 2.0, 3 * math.pi / 2).astype(np.float32)
    channels = [
        _flanged(
            waveform[..., c, :],
            table[(np.arange(waveform.shape[-1]) + int(c * period * phase / 100 + 0.5)) % period],
            feedback,
            interpolation,
        )
        for c in range(waveform.shape[-2])
    ]
    late = tp.stack(channels, -2) * (share / (1 + share) * (1 - abs(feedback)))
    mixed: Tensor = (waveform / (1 + share) + late).clamp(-1.0, 1.0)
    return mixed


def _flanged(channel: Tensor, places: np.ndarray, feedback: float, interpolation: str) -> Tensor:
    """The delayed part of one channel, (..., t)."""
    rows = rows_of(channel)
    whole = np.floor(places).astype(np.int64)
    weights = INTERPOLATIONS[interpolation](places.astype(np.float64) - whole)
    delays = whole + np.arange(len(weights))[:, None]
    if feedback:  # what comes back is what the sample before took from the line
        earlier = np.concatenate([delays[:, :1], delays[:, :-1]], 1) + 1
        earlier_weights = np.concatenate([weights[:, :1], weights[:, :-1]], 1)
        rows = solve_feedback(rows, earlier, feedback * earlier_weights)
    return _delayed(rows, delays, weights).reshape(channel.shape)


@same_kind
def phaser(
    waveform: Tensor,
    sample_rate: int,
    gain_in: float = 0.4,
    gain_out: float = 0.74,
    delay_ms: float = 3.0,
    decay: float = 0.4,
    mod_speed: float = 0.5,
    sinusoidal: bool = True,
) -> Tensor:
    """Feed a waveform back after a time that swings.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        gain_in: factor before, from 0 to 1.
        gain_out: factor after.
        delay_ms: longest delay in ms, from 0 to 5.
        decay: share that is fed back, from 0 to 0.99.
        mod_speed: swings per second, from 0.1 to 2.
        sinusoidal: how it swings; if not, in straight lines, which is sharper.

    Returns:
        The same shape, in [-1, 1].

    Raises:
        DomainError: the delay is shorter than a sample.

    Source: SoX, effect phaser.
    """
    longest = int(delay_ms * 0.001 * sample_rate + 0.5)
    if longest < 1:
        raise DomainError(
            f"phaser: wanted a delay_ms of a sample at least, got {delay_ms} at {sample_rate} Hz"
        )
    period = int(sample_rate / mod_speed + 0.5)
    shape = "sinusoidal" if sinusoidal else "triangular"
    places = (_wave(shape, period, 1.0, longest, math.pi / 2) + 0.5).astype(np.int64)
    t = waveform.shape[-1]
    delays = (longest + 1 - places[np.arange(t) % period])[None]
    rows = rows_of(waveform) * gain_in
    fed_back = solve_feedback(rows, delays, np.full((1, t), decay))
    limited: Tensor = (fed_back * gain_out).clamp(-1.0, 1.0).reshape(waveform.shape)
    return limited


@same_kind
def chorus(
    waveform: Tensor,
    sample_rate: int,
    rate_hz: float = 1.0,
    depth: float = 0.25,
    centre_delay_ms: float = 7.0,
    feedback: float = 0.0,
    mix: float = 0.5,
) -> Tensor:
    """Several players at once: a waveform with a copy whose delay, and so pitch, swings.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        rate_hz: swings per second, above 0.
        depth: how far the delay swings, as a share of its middle, from 0 to 1.
        centre_delay_ms: middle of the delay in ms.
        feedback: share of the delayed sound that is delayed again, magnitude below 1.
        mix: share of the delayed sound in the result, from 0 to 1.

    Returns:
        The same shape.

    Raises:
        DomainError: a number is out of its range.

    Source: parameters of pedalboard's Chorus.
    """
    if not (0 <= depth <= 1 and 0 <= mix <= 1 and abs(feedback) < 1 and rate_hz > 0):
        raise DomainError(
            "chorus: wanted depth and mix from 0 to 1, feedback below 1 and rate_hz above 0, got "
            f"{depth}, {mix}, {feedback} and {rate_hz}"
        )
    t = waveform.shape[-1]
    swing = 1 + depth * np.sin(2 * math.pi * rate_hz / sample_rate * np.arange(t))
    places = np.maximum(centre_delay_ms / 1000 * sample_rate * swing, 0.0)
    late = _flanged(waveform, places, feedback, "linear")
    mixed: Tensor = waveform * (1 - mix) + late * mix
    return mixed
