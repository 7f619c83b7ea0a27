"""When things happen, and how fast."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError
from triptych.nn.functional import pad
from triptych_audio.augmentations.base import Augmentation, check_choice, check_range
from triptych_audio.functional.silence import trim
from triptych_audio.functional.vocoder import pitch_shift, time_stretch

__all__ = [
    "AdjustDuration",
    "Padding",
    "PitchShift",
    "RepeatPart",
    "Reverse",
    "Shift",
    "Trim",
    "WaveTimeMask",
    "WaveTimeStretch",
]

SIDES = ("start", "end")
STRETCH_FFT = 2048  # frame of the phase vocoder; shorter for short waveforms


def _tiled(samples: Tensor, before: int, after: int, mirrored: bool) -> Tensor:
    """The waveform with copies of itself on both sides, cut to length."""
    t = samples.shape[-1]
    if mirrored:
        period = max(1, 2 * (t - 1))
        places = (tp.arange(-before, t + after, device=samples.device) % period).long()
        return samples.index_select(-1, tp.minimum(places, period - places))
    places = (tp.arange(-before, t + after, device=samples.device) % t).long()
    return samples.index_select(-1, places)


LONGER: dict[str, Callable[[Tensor, int, int], Tensor]] = {
    "reflect": lambda samples, before, after: _tiled(samples, before, after, True),
    "silence": lambda samples, before, after: pad(samples, (before, after)),
    "wrap": lambda samples, before, after: _tiled(samples, before, after, False),
}


def _fades(length: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Rise and fall of a quarter sine, (length,)."""
    angle = tp.linspace(0, math.pi / 2, length, dtype=like.dtype, device=like.device)
    return angle.sin(), angle.cos()


class AdjustDuration(Augmentation):
    """To a length: a random part of longer waveforms, shorter ones filled up.

    Args:
        duration_samples: wanted length in samples; or give duration_seconds.
        duration_seconds: wanted length in seconds; or give duration_samples.
        padding_mode: "silence", "wrap" or "reflect".
        padding_position: "start" or "end".
        p: probability that it is applied; for batches of one length 1.
        options: sample_rate and generator, see `Augmentation`.

    Example:
        >>> AdjustDuration(duration_samples=8, p=1.0)(tp.zeros(2, 100)).shape
        Size([2, 8])
    """

    def __init__(
        self,
        duration_samples: int | None = None,
        duration_seconds: float | None = None,
        padding_mode: str = "silence",
        padding_position: str = "end",
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        if (duration_samples is None) == (duration_seconds is None):
            raise DomainError(
                "AdjustDuration: wanted either duration_samples or duration_seconds, got both or "
                "neither"
            )
        if (duration_samples or 0) < 0 or (duration_seconds or 0) < 0:
            raise DomainError("AdjustDuration: a duration must not be negative")
        check_choice("AdjustDuration", "padding_mode", padding_mode, tuple(LONGER))
        check_choice("AdjustDuration", "padding_position", padding_position, SIDES)
        self.duration_samples, self.duration_seconds = duration_samples, duration_seconds
        self.padding_mode, self.padding_position = padding_mode, padding_position
        self.needs_sample_rate = duration_samples is None

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """Where the part starts, as a share of what is to spare."""
        return {"place": self.uniform()}

    def transform(self, samples: Tensor, sample_rate: int, place: float) -> Tensor:
        """A part, or all and more."""
        if self.duration_samples is not None:
            wanted = self.duration_samples
        else:
            wanted = int((self.duration_seconds or 0) * sample_rate)
        spare = samples.shape[-1] - wanted
        if spare >= 0:
            start = min(int(place * (spare + 1)), spare)
            return samples[..., start : start + wanted]
        sides = (-spare, 0) if self.padding_position == "start" else (0, -spare)
        return LONGER[self.padding_mode](samples, *sides)


class Padding(Augmentation):
    """Replace a random part at one end by silence or copies; the length stays.

    Args:
        mode: "silence", "wrap" or "reflect".
        min_fraction: smallest part of the waveform.
        max_fraction: largest part of the waveform.
        pad_section: "start" or "end".
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        mode: str = "silence",
        min_fraction: float = 0.01,
        max_fraction: float = 0.7,
        pad_section: str = "end",
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_choice("Padding", "mode", mode, tuple(LONGER))
        check_choice("Padding", "pad_section", pad_section, SIDES)
        check_range("Padding", min_fraction, max_fraction, "fraction", at_least=0, at_most=1)
        self.mode, self.pad_section = mode, pad_section
        self.min_fraction, self.max_fraction = min_fraction, max_fraction

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A part."""
        return {"fraction": self.uniform(self.min_fraction, self.max_fraction)}

    def transform(self, samples: Tensor, sample_rate: int, fraction: float) -> Tensor:
        """The rest, and as much as is missing."""
        t = samples.shape[-1]
        replaced = min(int(fraction * t), t - 1)
        if self.pad_section == "start":
            return LONGER[self.mode](samples[..., replaced:], replaced, 0)
        return LONGER[self.mode](samples[..., : t - replaced], 0, replaced)


class Reverse(Augmentation):
    """Backward.

    Args:
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def transform(self, samples: Tensor, sample_rate: int) -> Tensor:
        """The last sample first."""
        return samples.flip(-1)


class Shift(Augmentation):
    """Earlier or later by a random time.

    Args:
        min_shift: least shift, in shift_unit; negative is earlier.
        max_shift: largest shift, in shift_unit.
        shift_unit: "fraction" of the waveform, "samples" or "seconds".
        rollover: what leaves at one end comes in at the other; if not, silence does.
        fade_duration: of the fades at the seam in seconds; 0 for none.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_shift: float = -0.5,
        max_shift: float = 0.5,
        shift_unit: str = "fraction",
        rollover: bool = True,
        fade_duration: float = 0.005,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_choice("Shift", "shift_unit", shift_unit, ("fraction", "samples", "seconds"))
        limit = 1.0 if shift_unit == "fraction" else math.inf
        check_range("Shift", min_shift, max_shift, "shift", at_least=-limit, at_most=limit)
        check_range("Shift", 0.0, fade_duration, "fade_duration")
        self.min_shift, self.max_shift, self.shift_unit = min_shift, max_shift, shift_unit
        self.rollover, self.fade_duration = rollover, fade_duration
        needs = shift_unit == "seconds" or fade_duration > 0
        self.needs_sample_rate = needs

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A shift, in its unit."""
        return {"shift": self.uniform(self.min_shift, self.max_shift)}

    def transform(self, samples: Tensor, sample_rate: int, shift: float) -> Tensor:
        """The shifted waveform, with fades at the seam."""
        t = samples.shape[-1]
        scale = {"fraction": t, "samples": 1, "seconds": sample_rate}[self.shift_unit]
        places = round(shift * scale)
        if not self.rollover and abs(places) >= t:
            return tp.zeros_like(samples)
        seam = places % t
        head, tail = samples[..., t - seam :], samples[..., : t - seam]
        if not seam:
            return samples
        length = int(sample_rate * self.fade_duration)
        head, tail = _faded_out(head, length), _faded_in(tail, length)
        if not self.rollover:
            head = tp.zeros_like(head) if places > 0 else head
            tail = tp.zeros_like(tail) if places < 0 else tail
        return tp.cat([head, tail], -1)


def _faded_in(samples: Tensor, length: int) -> Tensor:
    length = min(length, samples.shape[-1])
    if length < 2:
        return samples
    rise, _ = _fades(length, samples)
    return tp.cat([samples[..., :length] * rise, samples[..., length:]], -1)


def _faded_out(samples: Tensor, length: int) -> Tensor:
    return _faded_in(samples.flip(-1), length).flip(-1)


class WaveTimeMask(Augmentation):
    """Silence for a random part.

    Args:
        min_band_part: smallest part of the waveform, from 0 to 1.
        max_band_part: largest part of the waveform, from 0 to 1.
        fade_duration: of the fades at its edges in seconds; 0 for none.
        mask_location: "start", "end" or "random".
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_band_part: float = 0.01,
        max_band_part: float = 0.2,
        fade_duration: float = 0.005,
        mask_location: str = "random",
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        ends = min_band_part, max_band_part
        check_range("WaveTimeMask", *ends, "band_part", at_least=0, at_most=1)
        check_range("WaveTimeMask", 0.0, fade_duration, "fade_duration")
        places = ("start", "end", "random")
        check_choice("WaveTimeMask", "mask_location", mask_location, places)
        self.min_band_part, self.max_band_part = ends
        self.fade_duration, self.mask_location = fade_duration, mask_location
        self.needs_sample_rate = fade_duration > 0

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """Start and length in samples."""
        t = samples.shape[-1]
        length = self.integer(int(t * self.min_band_part), int(t * self.max_band_part))
        starts = {"start": 0, "end": t - length}
        start = starts.get(self.mask_location, -1)
        return {"start": self.integer(0, t - length) if start < 0 else start, "length": length}

    def transform(self, samples: Tensor, sample_rate: int, start: int, length: int) -> Tensor:
        """Silence with fades within it."""
        fade = min(round(sample_rate * self.fade_duration), length // 2)
        head = samples[..., : start + fade]
        tail = samples[..., start + length - fade :]
        silence = tp.zeros_like(samples[..., : length - 2 * fade])
        return tp.cat([_faded_out(head, fade), silence, _faded_in(tail, fade)], -1)


class WaveTimeStretch(Augmentation):
    """Faster or slower at the same pitch, by a phase vocoder.

    Args:
        min_rate: slowest, 0.1 at least; below 1 is slower.
        max_rate: fastest, 10 at most.
        leave_length_unchanged: cut, or filled up with silence, to the length of before.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_rate: float = 0.8,
        max_rate: float = 1.25,
        leave_length_unchanged: bool = True,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("WaveTimeStretch", min_rate, max_rate, "rate", at_least=0.1, at_most=10)
        self.min_rate, self.max_rate = min_rate, max_rate
        self.leave_length_unchanged = leave_length_unchanged

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A speed."""
        return {"rate": self.uniform(self.min_rate, self.max_rate)}

    def transform(self, samples: Tensor, sample_rate: int, rate: float) -> Tensor:
        """The stretched waveform."""
        t = samples.shape[-1]
        stretched = time_stretch(samples, rate, _frame(t))
        if not self.leave_length_unchanged:
            return stretched
        return pad(stretched, (0, max(0, t - stretched.shape[-1])))[..., :t]


def _frame(t: int) -> int:
    """The longest frame, a power of two, that a waveform can be cut into."""
    return max(2, min(STRETCH_FFT, 1 << max(1, (2 * t - 1)).bit_length() - 1))


class PitchShift(Augmentation):
    """Higher or lower at the same speed, by a phase vocoder.

    Args:
        min_semitones: lowest shift; negative is down.
        max_semitones: highest shift.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_semitones: float = -4.0,
        max_semitones: float = 4.0,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        ends = min_semitones, max_semitones
        check_range("PitchShift", *ends, "semitones", at_least=-24, at_most=24)
        self.min_semitones, self.max_semitones = ends

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A shift in semitones."""
        return {"semitones": self.uniform(self.min_semitones, self.max_semitones)}

    def transform(self, samples: Tensor, sample_rate: int, semitones: float) -> Tensor:
        """The shifted waveform."""
        return pitch_shift(samples, sample_rate, semitones, n_fft=_frame(samples.shape[-1]))


class Trim(Augmentation):
    """Cut silence off both ends; what is silent altogether stays.

    Args:
        top_db: what is further than this below the loudest frame is silence, in dB.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(self, top_db: float = 30.0, p: float = 0.5, **options: Any) -> None:
        super().__init__(p, **options)
        self.top_db = top_db

    def transform(self, samples: Tensor, sample_rate: int) -> Tensor:
        """The part with sound."""
        part, _ = trim(samples, self.top_db)
        return part if part.shape[-1] else samples


class RepeatPart(Augmentation):
    """Say a random part several times.

    Args:
        min_repeats: fewest repeats, 1 at least.
        max_repeats: most repeats.
        min_part_duration: shortest part in seconds.
        max_part_duration: longest part in seconds.
        mode: "insert" makes the waveform longer; "replace" puts repeats over what follows.
        crossfade_duration: of the fades at the seams in seconds; 0 for none.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_repeats: int = 1,
        max_repeats: int = 3,
        min_part_duration: float = 0.25,
        max_part_duration: float = 1.2,
        mode: str = "insert",
        crossfade_duration: float = 0.005,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("RepeatPart", min_repeats, max_repeats, "repeats", at_least=1)
        ends = min_part_duration, max_part_duration
        check_range("RepeatPart", *ends, "part_duration", at_least=0)
        check_range("RepeatPart", 0.0, crossfade_duration, "crossfade_duration")
        check_choice("RepeatPart", "mode", mode, ("insert", "replace"))
        self.min_repeats, self.max_repeats = min_repeats, max_repeats
        self.min_part_duration, self.max_part_duration = ends
        self.mode, self.crossfade_duration = mode, crossfade_duration

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """Start and length of the part in samples, and how often it comes again."""
        t = samples.shape[-1]
        seconds = self.uniform(self.min_part_duration, self.max_part_duration)
        length = min(t, max(1, round(seconds * sample_rate)))
        return {
            "start": self.integer(0, t - length),
            "length": length,
            "repeats": self.integer(self.min_repeats, self.max_repeats),
        }

    def transform(
        self, samples: Tensor, sample_rate: int, start: int, length: int, repeats: int
    ) -> Tensor:
        """The waveform up to the end of the part, the repeats, and what follows."""
        t, end = samples.shape[-1], start + length
        rest = (
            samples[..., end:] if self.mode == "insert" else samples[..., end + repeats * length :]
        )
        pieces = [samples[..., :end], *[samples[..., start:end]] * repeats, rest]
        fade = min(round(self.crossfade_duration * sample_rate), length // 2)
        joined = pieces[0]
        for piece in pieces[1:]:
            joined = tp.cat([_faded_out(joined, fade), _faded_in(piece, fade)], -1)
        return joined if self.mode == "insert" else joined[..., :t]
