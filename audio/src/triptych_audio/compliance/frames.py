"""Kaldi's way from samples to weighted frames, which all its features start with."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError

__all__ = ["FrameSettings", "floor_of", "subtract_column_mean", "weighted_frames"]


def floor_of(x: Tensor) -> Tensor:
    """x, but not below the distance of 1 and the next float32, so that it has a logarithm."""
    return x.clamp(min=tp.finfo(tp.float32).eps)


def subtract_column_mean(features: Tensor, subtract_mean: bool) -> Tensor:
    """(frames, n), each column less its mean if asked."""
    return features - features.mean(0, keepdim=True) if subtract_mean else features


@dataclass(frozen=True)
class FrameSettings:
    """The arguments that spectrogram, fbank and mfcc share.

    Args:
        name: the function that was called, for errors.
        others: as in `kaldi.fbank`.
    """

    name: str
    blackman_coeff: float
    channel: int
    dither: float
    energy_floor: float
    frame_length: float
    frame_shift: float
    min_duration: float
    preemphasis_coefficient: float
    raw_energy: bool
    remove_dc_offset: bool
    round_to_power_of_two: bool
    sample_frequency: float
    snip_edges: bool
    window_type: str

    @property
    def size(self) -> int:
        """Samples of a frame."""
        return int(self.sample_frequency * self.frame_length * 0.001)

    @property
    def shift(self) -> int:
        """Samples between the starts of neighbours."""
        return int(self.sample_frequency * self.frame_shift * 0.001)

    @property
    def padded_size(self) -> int:
        """Samples that are transformed: `size`, or the power of two that is not below it."""
        return 2 ** (self.size - 1).bit_length() if self.round_to_power_of_two else self.size


def weighted_frames(
    waveform: Tensor, settings: FrameSettings, generator: Any = None
) -> tuple[Tensor, Tensor] | None:
    """Frames, ready for the Fourier transform, and how loud each is.

    Args:
        waveform: (c, t) samples.
        settings: what to do.
        generator: source of the dither.

    Returns:
        (frames, padded_size) samples and (frames,) logarithms of energies; None if the waveform is
        shorter than min_duration.

    Raises:
        ShapeError, DTypeError, DomainError: settings that fit neither each other nor the waveform.

    Source: Kaldi, feat/feature-window.cc.
    """
    samples = _channel(waveform, settings)
    if len(samples) < settings.min_duration * settings.sample_frequency:
        return None
    frames = _framed(samples, settings)
    if settings.dither != 0.0:
        noise = tp.randn(*frames.shape, generator=generator, device=frames.device)
        frames = frames + noise.to(frames.dtype) * settings.dither
    if settings.remove_dc_offset:
        frames = frames - frames.mean(1, keepdim=True)
    energy = _log_energy(frames, settings.energy_floor) if settings.raw_energy else None
    if settings.preemphasis_coefficient != 0.0:
        before = tp.cat([frames[:, :1], frames[:, :-1]], 1)
        frames = frames - settings.preemphasis_coefficient * before
    shape = (settings.window_type, settings.size, settings.blackman_coeff)
    frames = frames * _window(*shape, frames.dtype).to(frames.device)
    if energy is None:
        energy = _log_energy(frames, settings.energy_floor)
    return tp.nn.functional.pad(frames, (0, settings.padded_size - settings.size)), energy


def _channel(waveform: Tensor, settings: FrameSettings) -> Tensor:
    """(t,) samples of the channel asked for, once the settings have been found to fit."""
    name, channel = settings.name, max(settings.channel, 0)
    if waveform.ndim != 2 or channel >= waveform.shape[0]:
        raise ShapeError(
            f"{name}: wanted (c, t) with more than {channel} channel(s), got "
            f"{tuple(waveform.shape)}; a mono waveform (t,) needs unsqueeze(0)"
        )
    if not waveform.is_floating_point():
        raise DTypeError(f"{name}: wanted floating samples, got {waveform.dtype}")
    if not (settings.sample_frequency > 0 and 0.0 <= settings.preemphasis_coefficient <= 1.0):
        raise DomainError(
            f"{name}: wanted sample_frequency above 0 and preemphasis_coefficient from 0 to 1, got "
            f"{settings.sample_frequency} and {settings.preemphasis_coefficient}"
        )
    if not 2 <= settings.size <= waveform.shape[1] or settings.shift < 1:
        raise ShapeError(
            f"{name}: frames of {settings.size} samples, {settings.shift} apart, do not fit a "
            f"waveform of {waveform.shape[1]}; frame_length and frame_shift are in milliseconds"
        )
    if settings.padded_size % 2:
        raise ShapeError(
            f"{name}: wanted frames of an even length, got {settings.padded_size}; use "
            "round_to_power_of_two or change frame_length"
        )
    return waveform[channel]


def _framed(samples: Tensor, settings: FrameSettings) -> Tensor:
    """(frames, size); without snip_edges the signal goes on mirrored at both ends."""
    size, shift = settings.size, settings.shift
    if settings.snip_edges:
        return samples.unfold(0, size, shift)
    count = (len(samples) + shift // 2) // shift
    mirrored = samples.flip(0)
    before = size // 2 - shift // 2
    parts = [mirrored[-before:], samples] if before > 0 else [samples[-before:]]
    return tp.cat([*parts, mirrored]).unfold(0, size, shift)[:count]


def _log_energy(frames: Tensor, energy_floor: float) -> Tensor:
    energy = floor_of(frames.square().sum(1)).log()
    return energy if energy_floor == 0.0 else energy.clamp(min=math.log(energy_floor))


def _blackman(size: int, coeff: float, dtype: Any) -> Tensor:
    turns = (2 * math.pi / (size - 1)) * tp.arange(size, dtype=dtype)
    return coeff - 0.5 * turns.cos() + (0.5 - coeff) * (2 * turns).cos()


# Kaldi, feat/feature-window.cc, FeatureWindowFunction. Povey's is like Hann's but less pointed.
WINDOWS: dict[str, Callable[[int, float, Any], Tensor]] = {
    "blackman": _blackman,
    "hamming": lambda n, _, dtype: tp.hamming_window(n, periodic=False, dtype=dtype),
    "hanning": lambda n, _, dtype: tp.hann_window(n, periodic=False, dtype=dtype),
    "povey": lambda n, _, dtype: tp.hann_window(n, periodic=False, dtype=dtype) ** 0.85,
    "rectangular": lambda n, _, dtype: tp.ones(n, dtype=dtype),
}


@functools.lru_cache(maxsize=32)
def _window(window_type: str, size: int, blackman_coeff: float, dtype: Any) -> Tensor:
    if window_type not in WINDOWS:
        raise DomainError(f"kaldi: window_type is one of {sorted(WINDOWS)}, got {window_type!r}")
    return WINDOWS[window_type](size, blackman_coeff, dtype)
