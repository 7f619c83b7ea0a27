"""Louder and softer."""

from __future__ import annotations

import math
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych_audio.augmentations.base import (
    QUIET,
    Augmentation,
    amplitude,
    check_choice,
    check_range,
    rms,
)
from triptych_audio.functional.dynamics import limiter
from triptych_audio.functional.loudness_meter import BLOCK_S, loudness

__all__ = [
    "Clip",
    "Gain",
    "GainTransition",
    "Limiter",
    "LoudnessNormalization",
    "Normalize",
    "PeakNormalize",
    "PolarityInversion",
]

UNITS = ("fraction", "samples", "seconds")
SHORTEST_TRANSITION = 3  # samples


class Gain(Augmentation):
    """Louder or softer by a random gain.

    Args:
        min_gain_db: lowest gain in dB.
        max_gain_db: highest gain in dB.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self, min_gain_db: float = -12.0, max_gain_db: float = 12.0, p: float = 0.5, **options: Any
    ) -> None:
        super().__init__(p, **options)
        check_range("Gain", min_gain_db, max_gain_db, "gain_db")
        self.min_gain_db, self.max_gain_db = min_gain_db, max_gain_db

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A gain."""
        return {"gain_db": self.uniform(self.min_gain_db, self.max_gain_db)}

    def transform(self, samples: Tensor, sample_rate: int, gain_db: float) -> Tensor:
        """The gain on all samples."""
        return samples * amplitude(gain_db)


class GainTransition(Augmentation):
    """From one random gain to another, somewhere on the way.

    Args:
        min_gain_db: lowest gain in dB.
        max_gain_db: highest gain in dB.
        min_duration: shortest transition, in duration_unit.
        max_duration: longest transition, in duration_unit.
        duration_unit: "fraction" of the waveform, "samples" or "seconds".
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_gain_db: float = -24.0,
        max_gain_db: float = 6.0,
        min_duration: float = 0.2,
        max_duration: float = 6.0,
        duration_unit: str = "seconds",
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("GainTransition", min_gain_db, max_gain_db, "gain_db")
        check_range("GainTransition", min_duration, max_duration, "duration", at_least=0)
        check_choice("GainTransition", "duration_unit", duration_unit, UNITS)
        self.min_gain_db, self.max_gain_db = min_gain_db, max_gain_db
        self.min_duration, self.max_duration = min_duration, max_duration
        self.duration_unit = duration_unit

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """Two gains, and where and how long the transition is."""
        t = samples.shape[-1]
        scale = {"fraction": t, "samples": 1, "seconds": sample_rate}[self.duration_unit]
        duration = self.uniform(self.min_duration, self.max_duration) * scale
        length = max(SHORTEST_TRANSITION, round(duration))
        return {
            "start_gain_db": self.uniform(self.min_gain_db, self.max_gain_db),
            "end_gain_db": self.uniform(self.min_gain_db, self.max_gain_db),
            "start": self.integer(2 - length, max(2 - length, t - 2)),
            "length": length,
        }

    def transform(
        self,
        samples: Tensor,
        sample_rate: int,
        start_gain_db: float,
        end_gain_db: float,
        start: int,
        length: int,
    ) -> Tensor:
        """A gain that changes steadily, in dB."""
        places = tp.arange(samples.shape[-1], dtype=samples.dtype, device=samples.device)
        share = ((places - start) / (length - 1)).clamp(0.0, 1.0)
        decibels = start_gain_db + (end_gain_db - start_gain_db) * share
        return samples * 10 ** (decibels / 20)


class LoudnessNormalization(Augmentation):
    """To a random loudness, as ITU-R BS.1770-4 measures it; silence stays as it is.

    Args:
        min_lufs: lowest loudness in LUFS.
        max_lufs: highest loudness in LUFS.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self, min_lufs: float = -31.0, max_lufs: float = -13.0, p: float = 0.5, **options: Any
    ) -> None:
        super().__init__(p, **options)
        check_range("LoudnessNormalization", min_lufs, max_lufs, "lufs")
        self.min_lufs, self.max_lufs = min_lufs, max_lufs

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A loudness."""
        return {"lufs": self.uniform(self.min_lufs, self.max_lufs)}

    def transform(self, samples: Tensor, sample_rate: int, lufs: float) -> Tensor:
        """The gain that is missing, one for each recording."""
        channels = samples[None] if samples.ndim == 1 else samples
        missing = round(BLOCK_S * sample_rate) / channels.shape[-1]
        measured = tp.cat([channels] * math.ceil(missing), -1) if missing > 1 else channels
        gain = 10 ** ((lufs - loudness(measured, sample_rate)) / 20)
        gain = tp.where(gain.isfinite(), gain, 1.0).to(samples.dtype)
        return samples * (gain if samples.ndim == 1 else gain[..., None, None])


class PeakNormalize(Augmentation):
    """To a full scale of one.

    Args:
        apply_to: "all", or "only_too_loud_sounds", those that reach beyond full scale.
        measure: "peak", or "rms", the root mean square over all axes.
        target_db: what the measure is to be, in dB of full scale.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        apply_to: str = "all",
        measure: str = "peak",
        target_db: float = 0.0,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_choice("PeakNormalize", "apply_to", apply_to, ("all", "only_too_loud_sounds"))
        check_choice("PeakNormalize", "measure", measure, ("peak", "rms"))
        self.apply_to, self.measure, self.target_db = apply_to, measure, target_db

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """How loud it is: waveforms that belong together get one gain when frozen."""
        peak = samples.abs().max()
        level = peak if self.measure == "peak" else rms(samples)
        within = self.apply_to == "only_too_loud_sounds" and float(peak) <= 1.0
        quiet = float(level) <= QUIET
        return {"gain": 1.0 if within or quiet else amplitude(self.target_db) / float(level)}

    def transform(self, samples: Tensor, sample_rate: int, gain: float) -> Tensor:
        """The gain that is missing."""
        return samples * gain


Normalize = PeakNormalize


class PolarityInversion(Augmentation):
    """Upside down, which sounds the same.

    Args:
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def transform(self, samples: Tensor, sample_rate: int) -> Tensor:
        """The negative."""
        return -samples


class Clip(Augmentation):
    """Nothing beyond two limits.

    Args:
        a_min: lowest sample.
        a_max: highest sample.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self, a_min: float = -1.0, a_max: float = 1.0, p: float = 0.5, **options: Any
    ) -> None:
        super().__init__(p, **options)
        check_range("Clip", a_min, a_max, "a")
        self.a_min, self.a_max = a_min, a_max

    def transform(self, samples: Tensor, sample_rate: int) -> Tensor:
        """The samples within the limits."""
        return samples.clamp(self.a_min, self.a_max)


class Limiter(Augmentation):
    """Press what is louder than a random level.

    Args:
        min_threshold_db: lowest level in dB.
        max_threshold_db: highest level in dB.
        min_attack: shortest look ahead in seconds.
        max_attack: longest look ahead in seconds.
        min_release: shortest time constant of the return in seconds.
        max_release: longest time constant of the return in seconds.
        threshold_mode: levels are "relative_to_signal_peak" or "absolute", of full scale.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_threshold_db: float = -24.0,
        max_threshold_db: float = -2.0,
        min_attack: float = 0.0005,
        max_attack: float = 0.025,
        min_release: float = 0.05,
        max_release: float = 0.7,
        threshold_mode: str = "relative_to_signal_peak",
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("Limiter", min_threshold_db, max_threshold_db, "threshold_db")
        check_range("Limiter", min_attack, max_attack, "attack", at_least=0)
        check_range("Limiter", min_release, max_release, "release", at_least=0)
        modes = ("relative_to_signal_peak", "absolute")
        check_choice("Limiter", "threshold_mode", threshold_mode, modes)
        self.min_threshold_db, self.max_threshold_db = min_threshold_db, max_threshold_db
        self.min_attack, self.max_attack = min_attack, max_attack
        self.min_release, self.max_release = min_release, max_release
        self.threshold_mode = threshold_mode

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A level in dB of full scale, and times in ms."""
        level = self.uniform(self.min_threshold_db, self.max_threshold_db)
        if self.threshold_mode != "absolute":
            level += 20 * math.log10(max(float(samples.abs().max()), QUIET))
        return {
            "threshold_db": level,
            "attack_ms": 1000 * self.uniform(self.min_attack, self.max_attack),
            "release_ms": 1000 * self.uniform(self.min_release, self.max_release),
        }

    def transform(self, samples: Tensor, sample_rate: int, **drawn: Any) -> Tensor:
        """See `functional.limiter`."""
        return limiter(samples, sample_rate, **drawn)
