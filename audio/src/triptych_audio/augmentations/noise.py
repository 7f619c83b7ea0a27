"""Noise on top: white, coloured, or from recordings."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych_audio.augmentations.base import (
    QUIET,
    Augmentation,
    amplitude,
    check_choice,
    check_range,
    draws_noise,
    rms,
)
from triptych_audio.augmentations.sound_files import Paths, find_sounds, load_part, load_sound
from triptych_audio.functional.generators import colored_noise
from triptych_audio.functional.units import a_weighting

__all__ = [
    "AddBackgroundNoise",
    "AddColorNoise",
    "AddGaussianNoise",
    "AddGaussianSNR",
    "AddShortNoises",
]

BEFORE = 1.0  # seconds before the start of the waveform in which a short noise may begin


class AddGaussianNoise(Augmentation):
    """Add white noise.

    Args:
        min_amplitude: lowest standard deviation.
        max_amplitude: highest standard deviation.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_amplitude: float = 0.001,
        max_amplitude: float = 0.015,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("AddGaussianNoise", min_amplitude, max_amplitude, "amplitude", at_least=0)
        self.min_amplitude, self.max_amplitude = min_amplitude, max_amplitude

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A standard deviation, and the noise's seed."""
        scale = self.uniform(self.min_amplitude, self.max_amplitude)
        return {"amplitude": scale, "seed": self.seed()}

    def transform(self, samples: Tensor, sample_rate: int, amplitude: float, seed: int) -> Tensor:
        """The sum."""
        return samples + draws_noise(samples, seed) * amplitude


class AddGaussianSNR(Augmentation):
    """Add white noise at a random signal-to-noise ratio.

    Args:
        min_snr_db: lowest ratio in dB, most noise.
        max_snr_db: highest ratio in dB.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self, min_snr_db: float = 5.0, max_snr_db: float = 40.0, p: float = 0.5, **options: Any
    ) -> None:
        super().__init__(p, **options)
        check_range("AddGaussianSNR", min_snr_db, max_snr_db, "snr_db")
        self.min_snr_db, self.max_snr_db = min_snr_db, max_snr_db

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A ratio in dB, and the noise's seed."""
        return {"snr_db": self.uniform(self.min_snr_db, self.max_snr_db), "seed": self.seed()}

    def transform(self, samples: Tensor, sample_rate: int, snr_db: float, seed: int) -> Tensor:
        """The sum."""
        return samples + draws_noise(samples, seed) * (rms(samples) * amplitude(-snr_db))


class AddColorNoise(Augmentation):
    """Add noise whose power falls or rises with frequency.

    Args:
        min_snr_db: lowest ratio in dB, most noise.
        max_snr_db: highest ratio in dB.
        min_f_decay: steepest fall in dB per octave: -6 is brown, -3 pink, 0 white noise.
        max_f_decay: steepest rise in dB per octave: 3 is blue, 6 violet.
        p_apply_a_weighting: probability that the noise is weighted as ears do, too.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_snr_db: float = 5.0,
        max_snr_db: float = 40.0,
        min_f_decay: float = -6.0,
        max_f_decay: float = 6.0,
        p_apply_a_weighting: float = 0.0,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("AddColorNoise", min_snr_db, max_snr_db, "snr_db")
        check_range("AddColorNoise", min_f_decay, max_f_decay, "f_decay")
        check_range(
            "AddColorNoise", 0.0, p_apply_a_weighting, "p_apply_a_weighting", at_least=0, at_most=1
        )
        self.min_snr_db, self.max_snr_db = min_snr_db, max_snr_db
        self.min_f_decay, self.max_f_decay = min_f_decay, max_f_decay
        self.p_apply_a_weighting = p_apply_a_weighting

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A ratio, a slope, whether it is weighted, and the noise's seed."""
        return {
            "snr_db": self.uniform(self.min_snr_db, self.max_snr_db),
            "f_decay": self.uniform(self.min_f_decay, self.max_f_decay),
            "weighted": self.uniform() < self.p_apply_a_weighting,
            "seed": self.seed(),
        }

    def transform(
        self,
        samples: Tensor,
        sample_rate: int,
        snr_db: float,
        f_decay: float,
        weighted: bool,
        seed: int,
    ) -> Tensor:
        """The sum."""
        noise = colored_noise(
            *samples.shape,
            slope_db=f_decay,
            sample_rate=sample_rate,
            generator=tp.Generator(samples.device).manual_seed(seed),
            dtype=samples.dtype,
            device=samples.device,
        )
        noise = _a_weighted(noise, sample_rate) if weighted else noise
        return samples + noise * (rms(samples) * amplitude(-snr_db) / rms(noise))


def _a_weighted(noise: Tensor, sample_rate: int) -> Tensor:
    t = noise.shape[-1]
    freqs = tp.fft.rfftfreq(t, 1 / sample_rate, dtype=noise.dtype, device=noise.device)
    gains = (10 ** (a_weighting(freqs) / 20)).to(noise.dtype)
    weighted: Tensor = tp.fft.irfft(tp.fft.rfft(noise) * gains, n=t)
    return weighted


class AddBackgroundNoise(Augmentation):
    """Add a random part of a random recording.

    Recordings are mixed down to one channel; short ones are repeated. Only the part that is needed
    is read.

    Args:
        sounds_path: a file, a folder or several; folders are searched for wav, flac, ogg, mp3, ...
        min_snr_db: lowest signal-to-noise ratio in dB, for "relative".
        max_snr_db: highest signal-to-noise ratio in dB, for "relative".
        noise_rms: the noise is as loud "relative" to the waveform, or as loud in "absolute" terms.
        min_absolute_rms_db: lowest level in dB of full scale, for "absolute".
        max_absolute_rms_db: highest level in dB of full scale, for "absolute".
        noise_transform: called with the noise and its sample rate before it is added.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.

    Raises:
        FileNotFoundError: a path does not exist.
        DomainError: no sounds are there.
    """

    needs_sample_rate = True

    def __init__(
        self,
        sounds_path: Paths,
        min_snr_db: float = 3.0,
        max_snr_db: float = 30.0,
        noise_rms: str = "relative",
        min_absolute_rms_db: float = -45.0,
        max_absolute_rms_db: float = -15.0,
        noise_transform: Callable[[Tensor, int], Tensor] | None = None,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("AddBackgroundNoise", min_snr_db, max_snr_db, "snr_db")
        ends = min_absolute_rms_db, max_absolute_rms_db
        check_range("AddBackgroundNoise", *ends, "absolute_rms_db", at_most=0)
        check_choice("AddBackgroundNoise", "noise_rms", noise_rms, ("relative", "absolute"))
        self.sound_file_paths = find_sounds("AddBackgroundNoise", sounds_path)
        self.min_snr_db, self.max_snr_db, self.noise_rms = min_snr_db, max_snr_db, noise_rms
        self.min_absolute_rms_db, self.max_absolute_rms_db = ends
        self.noise_transform = noise_transform

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A file, a place in it, and how loud it is."""
        return {
            "path": self.sound_file_paths[self.integer(0, len(self.sound_file_paths) - 1)],
            "place": self.uniform(),
            "snr_db": self.uniform(self.min_snr_db, self.max_snr_db),
            "rms_db": self.uniform(self.min_absolute_rms_db, self.max_absolute_rms_db),
        }

    def transform(
        self,
        samples: Tensor,
        sample_rate: int,
        path: str,
        place: float,
        snr_db: float,
        rms_db: float,
    ) -> Tensor:
        """The sum."""
        noise = load_part(path, sample_rate, samples.shape[-1], place)
        noise = noise.to(samples.device, samples.dtype)
        if self.noise_transform is not None:
            noise = self.noise_transform(noise, sample_rate)
        level = float(rms(noise))
        if level < QUIET:
            warnings.warn(
                f"AddBackgroundNoise: {path!r} is silent there; nothing is added", stacklevel=2
            )
            return samples
        if self.noise_rms == "relative":
            return samples + noise * (rms(samples) * amplitude(-snr_db) / level)
        return samples + noise * (amplitude(rms_db) / level)


class AddShortNoises(Augmentation):
    """Add several recordings, one after the other with pauses between them.

    Args:
        sounds_path: a file, a folder or several; folders are searched for wav, flac, ogg, mp3, ...
        min_snr_db: lowest signal-to-noise ratio of a recording in dB.
        max_snr_db: highest signal-to-noise ratio of a recording in dB.
        min_time_between_sounds: shortest pause in seconds.
        max_time_between_sounds: longest pause in seconds.
        noise_rms: a recording is as loud "relative" to the waveform under it,
            "relative_to_whole_input", or as loud in "absolute" terms.
        min_absolute_noise_rms_db: lowest level in dB of full scale, for "absolute".
        max_absolute_noise_rms_db: highest level in dB of full scale, for "absolute".
        fade_duration: of the fades of each recording in seconds.
        noise_transform: called with each recording and its sample rate before it is added.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.

    Raises:
        FileNotFoundError: a path does not exist.
        DomainError: no sounds are there.
    """

    needs_sample_rate = True

    def __init__(
        self,
        sounds_path: Paths,
        min_snr_db: float = -6.0,
        max_snr_db: float = 18.0,
        min_time_between_sounds: float = 2.0,
        max_time_between_sounds: float = 8.0,
        noise_rms: str = "relative_to_whole_input",
        min_absolute_noise_rms_db: float = -50.0,
        max_absolute_noise_rms_db: float = -20.0,
        fade_duration: float = 0.01,
        noise_transform: Callable[[Tensor, int], Tensor] | None = None,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("AddShortNoises", min_snr_db, max_snr_db, "snr_db")
        pauses = min_time_between_sounds, max_time_between_sounds
        check_range("AddShortNoises", *pauses, "time_between_sounds", at_least=0.001)
        ends = min_absolute_noise_rms_db, max_absolute_noise_rms_db
        check_range("AddShortNoises", *ends, "absolute_noise_rms_db", at_most=0)
        check_range("AddShortNoises", 0.0, fade_duration, "fade_duration")
        ways = ("relative", "relative_to_whole_input", "absolute")
        check_choice("AddShortNoises", "noise_rms", noise_rms, ways)
        self.sound_file_paths = find_sounds("AddShortNoises", sounds_path)
        self.min_snr_db, self.max_snr_db, self.noise_rms = min_snr_db, max_snr_db, noise_rms
        self.min_time_between_sounds, self.max_time_between_sounds = pauses
        self.min_absolute_noise_rms_db, self.max_absolute_noise_rms_db = ends
        self.fade_duration, self.noise_transform = fade_duration, noise_transform

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """For each recording the file, when it starts in seconds, and how loud it is."""
        from triptych_audio.io import info

        end, now, sounds = samples.shape[-1] / sample_rate, self.uniform(-BEFORE, BEFORE), []
        while now < end:
            path = self.sound_file_paths[self.integer(0, len(self.sound_file_paths) - 1)]
            ends = self.min_absolute_noise_rms_db, self.max_absolute_noise_rms_db
            snr_db = self.uniform(self.min_snr_db, self.max_snr_db)
            sounds.append((path, now, snr_db, self.uniform(*ends)))
            about = info(path)
            now += about.num_frames / about.sample_rate
            now += self.uniform(self.min_time_between_sounds, self.max_time_between_sounds)
        return {"sounds": sounds}

    def transform(
        self, samples: Tensor, sample_rate: int, sounds: list[tuple[str, float, float, float]]
    ) -> Tensor:
        """The sum."""
        t, mixed = samples.shape[-1], samples
        for path, start_s, snr_db, rms_db in sounds:
            noise = load_sound(path, sample_rate).mean(0).to(samples.device, samples.dtype)
            if self.noise_transform is not None:
                noise = self.noise_transform(noise, sample_rate)
            start = round(start_s * sample_rate)
            part = self._faded(noise, sample_rate)[max(0, -start) : t - start]
            first = max(0, start)
            after = t - first - part.shape[-1]
            if not part.shape[-1]:
                continue
            under = samples[..., first : first + part.shape[-1]]
            gain = self._gain(part, under, samples, snr_db, rms_db)
            mixed = mixed + tp.nn.functional.pad(part * gain, (first, after))
        return mixed

    def _faded(self, noise: Tensor, sample_rate: int) -> Tensor:
        n = noise.shape[-1]
        fade = max(1.0, self.fade_duration * sample_rate)
        places = tp.arange(n, dtype=noise.dtype, device=noise.device)
        faded: Tensor = noise * (tp.minimum(places, n - 1 - places) / fade).clamp(max=1.0)
        return faded

    def _gain(
        self, noise: Tensor, under: Tensor, samples: Tensor, snr_db: float, rms_db: float
    ) -> float:
        level = float(rms(noise))
        if level < QUIET:
            return 0.0
        if self.noise_rms == "absolute":
            return amplitude(rms_db) / level
        reference = under if self.noise_rms == "relative" else samples
        return float(rms(reference)) * amplitude(-snr_db) / level
