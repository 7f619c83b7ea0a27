"""Signals made from nothing: tones, sweeps, clicks, noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError

__all__ = ["chirp", "clicks", "colored_noise", "tone"]

# dB per octave
COLORS = {"white": 0.0, "pink": -3.01, "brown": -6.02, "blue": 3.01, "violet": 6.02}


def _length(name: str, sample_rate: float, length: int | None, duration_s: float | None) -> int:
    if (length is None) == (duration_s is None):
        raise DomainError(f"{name}: wanted either length or duration_s, got both or neither")
    return int(duration_s * sample_rate) if duration_s is not None else int(length or 0)


def _finished(samples: np.ndarray, dtype: Any) -> Tensor:
    return tp.from_numpy(samples).to(tp.get_default_dtype() if dtype is None else dtype)


def tone(
    frequency: float,
    sample_rate: int = 22050,
    length: int | None = None,
    duration_s: float | None = None,
    phi: float | None = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """A pure tone.

    Args:
        frequency: in Hz.
        sample_rate: in Hz.
        length: in samples; or give duration_s.
        duration_s: in seconds; or give length.
        phi: phase of the cosine at the start in radians; default -pi / 2, a sine.
        dtype: default the default dtype.

    Returns:
        (length,) samples in [-1, 1].

    Raises:
        DomainError: both or neither of length and duration_s are given.

    Example:
        >>> tone(1.0, 4, 4).round(decimals=3).abs().tolist()
        [0.0, 1.0, 0.0, 1.0]
    """
    t = np.arange(_length("tone", sample_rate, length, duration_s)) / sample_rate
    phase = -math.pi / 2 if phi is None else phi
    return _finished(np.cos(2 * math.pi * frequency * t + phase), dtype)


def chirp(
    fmin: float,
    fmax: float,
    sample_rate: int = 22050,
    length: int | None = None,
    duration_s: float | None = None,
    linear: bool = False,
    phi: float | None = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """A tone that sweeps from one frequency to another.

    Args:
        fmin: frequency at the start in Hz, above 0.
        fmax: frequency at the end in Hz, above 0.
        sample_rate: in Hz.
        length: in samples; or give duration_s.
        duration_s: in seconds; or give length.
        linear: as many Hz per second all the way; if not, as many octaves.
        phi: phase of the cosine at the start in radians; default -pi / 2.
        dtype: default the default dtype.

    Returns:
        (length,) samples in [-1, 1].

    Raises:
        DomainError: a frequency is not positive, or both or neither of length and duration_s are
            given.

    Example:
        >>> chirp(100.0, 1000.0, 8000, duration_s=0.5).shape
        Size([4000])
    """
    if min(fmin, fmax) <= 0:
        raise DomainError(f"chirp: frequencies are above 0 Hz, got {fmin} and {fmax}")
    n = _length("chirp", sample_rate, length, duration_s)
    t, whole = np.arange(n) / sample_rate, max(n, 1) / sample_rate
    if linear or fmin == fmax:
        cycles = fmin * t + (fmax - fmin) / whole * t * t / 2
    else:
        octaves = math.log(fmax / fmin)
        cycles = fmin * whole / octaves * np.expm1(octaves * t / whole)
    phase = -math.pi / 2 if phi is None else phi
    return _finished(np.cos(2 * math.pi * cycles + phase), dtype)


def clicks(
    times: Sequence[float] | None = None,
    frames: Sequence[int] | None = None,
    sample_rate: int = 22050,
    hop_length: int = 512,
    click_freq: float = 1000.0,
    click_duration_s: float = 0.1,
    click: Any = None,
    length: int | None = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """Clicks at given times, such as to hear the beats that `beat_track` found.

    Args:
        times: in seconds; or give frames.
        frames: numbers of frames; or give times.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        click_freq: of a click in Hz.
        click_duration_s: of a click in seconds.
        click: (s,) samples of a click of your own.
        length: in samples; default until the end of the last click.
        dtype: default the default dtype.

    Returns:
        (length,) samples.

    Raises:
        DomainError: both or neither of times and frames are given, or a time is negative.

    Example:
        >>> clicks([0.0, 0.5], sample_rate=8000).shape
        Size([4800])
    """
    if (times is None) == (frames is None):
        raise DomainError("clicks: wanted either times or frames, got both or neither")
    if times is not None:
        starts = (np.asarray(times, np.float64) * sample_rate).astype(np.int64)
    else:
        starts = np.asarray(frames, np.int64) * hop_length
    if (starts < 0).any():
        raise DomainError(f"clicks: times must not be negative, got {starts.min()} samples")
    sound = _click(click, click_freq, click_duration_s, sample_rate)
    end = int(starts.max(initial=-len(sound))) + len(sound)
    samples = np.zeros(max(end, length or 0) + len(sound))
    places = starts[:, None] + np.arange(len(sound))
    np.add.at(samples, places.ravel(), np.tile(sound, len(starts)))
    return _finished(samples[: end if length is None else length], dtype)


def _click(click: Any, freq: float, duration_s: float, sample_rate: int) -> np.ndarray:
    """A sine that halves ten times."""
    if click is not None:
        return np.asarray(click.detach().cpu() if isinstance(click, tp.Tensor) else click, float)
    n = int(duration_s * sample_rate)
    decay: np.ndarray = np.logspace(0, -10, n, base=2.0)
    return decay * np.sin(2 * math.pi * freq / sample_rate * np.arange(n))


def colored_noise(
    *size: int,
    slope_db: float | str = "white",
    sample_rate: int = 16000,
    generator: tp.Generator | None = None,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Noise whose power falls or rises steadily with frequency.

    Args:
        size: shape of the result; the last axis is time.
        slope_db: dB per octave, or "white" (0), "pink" (-3), "brown" (-6), "blue" or "violet".
        sample_rate: in Hz; below 20 Hz the spectrum is flat.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        dtype: default the default dtype.
        device: default the CPU.

    Returns:
        size, with a root mean square of 1 per row.

    Raises:
        DomainError: an unknown colour.

    Example:
        >>> colored_noise(2, 16000, slope_db="pink").shape
        Size([2, 16000])
    """
    if isinstance(slope_db, str):
        if slope_db not in COLORS:
            raise DomainError(f"colored_noise: colours are {sorted(COLORS)}, got {slope_db!r}")
        slope_db = COLORS[slope_db]
    noise = tp.randn(*size, generator=generator, dtype=dtype, device=device)
    if slope_db == 0 or noise.numel() == 0:
        return noise
    freqs = tp.fft.rfftfreq(size[-1], 1 / sample_rate, dtype=noise.dtype, device=device)
    octaves = (freqs.clamp(min=20.0) / 20.0).log2()
    shaped = tp.fft.irfft(tp.fft.rfft(noise) * 10 ** (octaves * slope_db / 20), n=size[-1])
    scaled: Tensor = shaped / shaped.square().mean(-1, keepdim=True).sqrt()
    return scaled
