"""Loudness, voice activity, noise, convolution and speed."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError
from triptych.nn import Module, ModuleList
from triptych_audio.functional.convolution import check_mode, convolve, fftconvolve
from triptych_audio.functional.loudness_meter import loudness
from triptych_audio.functional.mixing import add_noise, speed_lengths, speed_rates
from triptych_audio.functional.voice_activity import vad
from triptych_audio.interop import same_kind
from triptych_audio.transforms.waveforms import Resample

__all__ = [
    "AddNoise",
    "Convolve",
    "FFTConvolve",
    "Loudness",
    "Speed",
    "SpeedPerturbation",
    "Vad",
]

VAD_OPTIONS = tuple(inspect.signature(vad).parameters)[1:]


class Loudness(Module):
    """Loudness of whole recordings in LKFS, ITU-R BS.1770-4.

    Args:
        sample_rate: in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(...) LKFS.

        Args:
            waveform: (..., c, t) samples in [-1, 1], floating.
        """
        return loudness(waveform, self.sample_rate)


class Vad(Module):
    """Cut off silence and quiet noise before the first voice; all times are in seconds.

    Args:
        sample_rate: in Hz.
        trigger_level: measure from which on something is a voice.
        trigger_time: time constant that keeps short bursts from triggering.
        search_time: how far before the trigger quieter sounds are looked for.
        allowed_gap: longest pause between these and the trigger.
        pre_trigger_time: what to keep before all that.
        boot_time: of the first estimate of the noise.
        noise_up_time: time constant for noise that grows.
        noise_down_time: time constant for noise that shrinks.
        noise_reduction_amount: how much of the noise is subtracted.
        measure_freq: measurements per second.
        measure_duration: of a measurement; default twice the time between them.
        measure_smooth_time: time constant of the spectrum.
        hp_filter_freq: lowest frequency that counts, in Hz.
        lp_filter_freq: highest frequency that counts, in Hz.
        hp_lifter_freq: lowest pitch that counts, in Hz.
        lp_lifter_freq: highest pitch that counts, in Hz.
    """

    def __init__(
        self,
        sample_rate: int,
        trigger_level: float = 7.0,
        trigger_time: float = 0.25,
        search_time: float = 1.0,
        allowed_gap: float = 0.25,
        pre_trigger_time: float = 0.0,
        boot_time: float = 0.35,
        noise_up_time: float = 0.1,
        noise_down_time: float = 0.01,
        noise_reduction_amount: float = 1.35,
        measure_freq: float = 20.0,
        measure_duration: float | None = None,
        measure_smooth_time: float = 0.4,
        hp_filter_freq: float = 50.0,
        lp_filter_freq: float = 6000.0,
        hp_lifter_freq: float = 150.0,
        lp_lifter_freq: float = 2000.0,
    ) -> None:
        super().__init__()
        self.sample_rate, self.trigger_level = sample_rate, trigger_level
        self.trigger_time, self.search_time = trigger_time, search_time
        self.allowed_gap = allowed_gap
        self.pre_trigger_time, self.boot_time = pre_trigger_time, boot_time
        self.noise_up_time, self.noise_down_time = noise_up_time, noise_down_time
        self.noise_reduction_amount = noise_reduction_amount
        self.measure_freq, self.measure_duration = measure_freq, measure_duration
        self.measure_smooth_time = measure_smooth_time
        self.hp_filter_freq, self.lp_filter_freq = hp_filter_freq, lp_filter_freq
        self.hp_lifter_freq, self.lp_lifter_freq = hp_lifter_freq, lp_lifter_freq

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(c, shorter t) or (shorter t,).

        Args:
            waveform: (c, t) or (t,) samples in [-1, 1].
        """
        return vad(waveform, **{name: getattr(self, name) for name in VAD_OPTIONS})


class AddNoise(Module):
    """Add noise, scaled to a signal-to-noise ratio."""

    @same_kind
    def forward(
        self, waveform: Tensor, noise: Tensor, snr: Tensor, lengths: Tensor | None = None
    ) -> Tensor:
        """(..., t) samples.

        Args:
            waveform: (..., t) samples, floating.
            noise: (..., t) samples.
            snr: (...) in dB of energy.
            lengths: (...) samples that count in the energies; default all.
        """
        return add_noise(waveform, noise, snr, lengths)


class Convolve(Module):
    """Convolution, sample by sample.

    Args:
        mode: "full", "valid" or "same", see `functional.convolve`.
    """

    def __init__(self, mode: str = "full") -> None:
        super().__init__()
        check_mode("Convolve", mode)
        self.mode = mode

    @same_kind
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(..., length by mode).

        Args:
            x: (..., n) samples.
            y: (..., m) samples; leading axes alike or 1.
        """
        return convolve(x, y, self.mode)


class FFTConvolve(Module):
    """Convolution by way of spectra, fast for long responses.

    Args:
        mode: "full", "valid" or "same", see `functional.convolve`.
    """

    def __init__(self, mode: str = "full") -> None:
        super().__init__()
        check_mode("FFTConvolve", mode)
        self.mode = mode

    @same_kind
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(..., length by mode).

        Args:
            x: (..., n) samples.
            y: (..., m) samples; leading axes alike or 1.
        """
        return fftconvolve(x, y, self.mode)


class Speed(Module):
    """Play faster or slower, and higher or lower with it.

    Args:
        orig_freq: in Hz.
        factor: above 1 is faster and shorter.

    Example:
        >>> waveform, lengths = Speed(16000, 2.0)(tp.zeros(3, 1000), tp.tensor([1000, 500, 10]))
        >>> waveform.shape, lengths.tolist()
        (Size([3, 500]), [500, 250, 5])
    """

    def __init__(self, orig_freq: int, factor: float) -> None:
        super().__init__()
        self.orig_freq, self.factor = orig_freq, factor
        rates = speed_rates("Speed", orig_freq, factor)
        self.source_sample_rate, self.target_sample_rate = rates
        self.resampler = Resample(*rates)

    @same_kind
    def forward(
        self, waveform: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(..., ceil(t / factor)) samples and the new lengths, or None without lengths.

        Args:
            waveform: (..., t) samples, floating.
            lengths: (...) samples that count.
        """
        rates = self.source_sample_rate, self.target_sample_rate
        new_lengths = None if lengths is None else speed_lengths(lengths, *rates)
        return self.resampler(waveform), new_lengths


class SpeedPerturbation(Module):
    """Play at one of several speeds, drawn for each call.

    Args:
        orig_freq: in Hz.
        factors: speeds; one that stands there twice is twice as likely.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.

    Raises:
        DomainError: there are no factors.

    Source: Ko, Peddinti, Povey and Khudanpur 2015, "Audio augmentation for speech recognition".
    """

    def __init__(
        self,
        orig_freq: int,
        factors: Sequence[float],
        *,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__()
        if not factors:
            raise DomainError("SpeedPerturbation: wanted one factor at least, got none")
        self.generator = generator
        self.speeders = ModuleList([Speed(orig_freq, factor) for factor in factors])

    @same_kind
    def forward(
        self, waveform: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(..., ceil(t / factor)) samples and the new lengths, or None without lengths.

        Args:
            waveform: (..., t) samples, floating.
            lengths: (...) samples that count.
        """
        drawn = int(tp.randint(len(self.speeders), (1,), generator=self.generator).item())
        result: tuple[Tensor, Tensor | None] = self.speeders[drawn](waveform, lengths)
        return result
