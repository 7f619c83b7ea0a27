"""Random filters and equalizers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError
from triptych.nn import ModuleList
from triptych_audio.augmentations.base import Augmentation, Drawing, check_range
from triptych_audio.functional.biquads import bass_biquad, equalizer_biquad, treble_biquad
from triptych_audio.functional.recursive import filter_sections

__all__ = [
    "AirAbsorption",
    "BandPassFilter",
    "BandStopFilter",
    "HighPassFilter",
    "HighShelfFilter",
    "LowPassFilter",
    "LowShelfFilter",
    "PeakingFilter",
    "SevenBandParametricEQ",
]

SLOPE = 6  # dB per octave and order of a filter
BELOW_NYQUIST = 0.9999  # highest edge of a filter, of half the sample rate


def _drawn_frequency(source: Drawing, low: float, high: float) -> float:
    """Between two frequencies, evenly as ears hear them: on the mel scale."""
    mels = [math.log1p(f / 700) for f in (low, high)]
    return 700 * math.expm1(source.uniform(*mels))


class _Butterworth(Augmentation):
    """A filter without ripples, of a random order."""

    needs_sample_rate = True
    kind: ClassVar[str]

    def __init__(
        self, min_rolloff: int, max_rolloff: int, zero_phase: bool, p: float, **options: Any
    ) -> None:
        super().__init__(p, **options)
        name = type(self).__name__
        self.step = 2 * SLOPE if zero_phase else SLOPE
        check_range(name, min_rolloff, max_rolloff, "rolloff", at_least=self.step)
        if min_rolloff % self.step or max_rolloff % self.step:
            raise DomainError(
                f"{name}: a rolloff is a multiple of {self.step} dB per octave"
                f"{' with zero_phase' if zero_phase else ''}, got {min_rolloff} and {max_rolloff}"
            )
        self.min_rolloff, self.max_rolloff, self.zero_phase = min_rolloff, max_rolloff, zero_phase

    def drawn_rolloff(self) -> int:
        """dB per octave."""
        return self.step * self.integer(
            self.min_rolloff // self.step, self.max_rolloff // self.step
        )

    def filtered(self, samples: Tensor, sample_rate: int, rolloff: int, edges: Any) -> Tensor:
        """The waveform through the filter with these edges in Hz."""
        from scipy.signal import butter

        highest = sample_rate / 2 * BELOW_NYQUIST
        edges = np.clip(edges, min(1e-3, highest / 2), highest)
        if edges.ndim and edges[0] >= edges[1]:
            edges[0] = edges[1] / 2
        sections = butter(rolloff // self.step, edges, self.kind, fs=sample_rate, output="sos")
        return filter_sections(samples, sections, self.zero_phase)


class _OneSided(_Butterworth):
    def __init__(
        self,
        min_cutoff_freq: float,
        max_cutoff_freq: float,
        min_rolloff: int,
        max_rolloff: int,
        zero_phase: bool,
        p: float,
        **options: Any,
    ) -> None:
        super().__init__(min_rolloff, max_rolloff, zero_phase, p, **options)
        check_range(
            type(self).__name__, min_cutoff_freq, max_cutoff_freq, "cutoff_freq", at_least=0
        )
        self.min_cutoff_freq, self.max_cutoff_freq = min_cutoff_freq, max_cutoff_freq

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A cutoff in Hz, and a slope in dB per octave."""
        cutoff = _drawn_frequency(self, self.min_cutoff_freq, self.max_cutoff_freq)
        return {"cutoff_freq": cutoff, "rolloff": self.drawn_rolloff()}

    def transform(
        self, samples: Tensor, sample_rate: int, cutoff_freq: float, rolloff: int
    ) -> Tensor:
        """The filtered waveform."""
        return self.filtered(samples, sample_rate, rolloff, cutoff_freq)


class _TwoSided(_Butterworth):
    def __init__(
        self,
        min_center_freq: float = 200.0,
        max_center_freq: float = 4000.0,
        min_bandwidth_fraction: float = 0.5,
        max_bandwidth_fraction: float = 1.99,
        min_rolloff: int = 12,
        max_rolloff: int = 24,
        zero_phase: bool = False,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(min_rolloff, max_rolloff, zero_phase, p, **options)
        name = type(self).__name__
        check_range(name, min_center_freq, max_center_freq, "center_freq", at_least=0)
        ends = min_bandwidth_fraction, max_bandwidth_fraction
        check_range(name, *ends, "bandwidth_fraction", at_least=1e-6, at_most=2 - 1e-6)
        self.min_center_freq, self.max_center_freq = min_center_freq, max_center_freq
        self.min_bandwidth_fraction, self.max_bandwidth_fraction = ends

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """Middle and width in Hz, and a slope in dB per octave."""
        center = _drawn_frequency(self, self.min_center_freq, self.max_center_freq)
        fraction = self.uniform(self.min_bandwidth_fraction, self.max_bandwidth_fraction)
        rolloff = self.drawn_rolloff()
        return {"center_freq": center, "bandwidth": center * fraction, "rolloff": rolloff}

    def transform(
        self,
        samples: Tensor,
        sample_rate: int,
        center_freq: float,
        bandwidth: float,
        rolloff: int,
    ) -> Tensor:
        """The filtered waveform."""
        edges = np.array([center_freq - bandwidth / 2, center_freq + bandwidth / 2])
        return self.filtered(samples, sample_rate, rolloff, edges)


class LowPassFilter(_OneSided):
    """Keep what is below a random frequency.

    Args:
        min_cutoff_freq: lowest in Hz.
        max_cutoff_freq: highest in Hz.
        min_rolloff: gentlest slope in dB per octave, a multiple of 6; of 12 with zero_phase.
        max_rolloff: steepest slope.
        zero_phase: no delay: forward, then backward.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    kind = "lowpass"

    def __init__(
        self,
        min_cutoff_freq: float = 150.0,
        max_cutoff_freq: float = 7500.0,
        min_rolloff: int = 12,
        max_rolloff: int = 24,
        zero_phase: bool = False,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        ends = min_cutoff_freq, max_cutoff_freq
        super().__init__(*ends, min_rolloff, max_rolloff, zero_phase, p, **options)


class HighPassFilter(_OneSided):
    """Keep what is above a random frequency.

    Args:
        min_cutoff_freq: lowest in Hz.
        max_cutoff_freq: highest in Hz.
        min_rolloff: gentlest slope in dB per octave, a multiple of 6; of 12 with zero_phase.
        max_rolloff: steepest slope.
        zero_phase: no delay: forward, then backward.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    kind = "highpass"

    def __init__(
        self,
        min_cutoff_freq: float = 20.0,
        max_cutoff_freq: float = 2400.0,
        min_rolloff: int = 12,
        max_rolloff: int = 24,
        zero_phase: bool = False,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        ends = min_cutoff_freq, max_cutoff_freq
        super().__init__(*ends, min_rolloff, max_rolloff, zero_phase, p, **options)


class BandPassFilter(_TwoSided):
    """Keep a random band.

    Args:
        min_center_freq: lowest middle in Hz.
        max_center_freq: highest middle in Hz.
        min_bandwidth_fraction: narrowest, as a share of the middle, above 0.
        max_bandwidth_fraction: widest, as a share of the middle, below 2.
        min_rolloff: gentlest slope in dB per octave, a multiple of 6; of 12 with zero_phase.
        max_rolloff: steepest slope.
        zero_phase: no delay: forward, then backward.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    kind = "bandpass"


class BandStopFilter(_TwoSided):
    """Take a random band away.

    Args:
        min_center_freq: lowest middle in Hz.
        max_center_freq: highest middle in Hz.
        min_bandwidth_fraction: narrowest, as a share of the middle, above 0.
        max_bandwidth_fraction: widest, as a share of the middle, below 2.
        min_rolloff: gentlest slope in dB per octave, a multiple of 6; of 12 with zero_phase.
        max_rolloff: steepest slope.
        zero_phase: no delay: forward, then backward.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    kind = "bandstop"


class _Equalizer(Augmentation):
    """One band lifted or lowered by a random gain."""

    needs_sample_rate = True

    def __init__(
        self,
        freqs: tuple[float, float],
        gains: tuple[float, float],
        qs: tuple[float, float],
        p: float,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        name = type(self).__name__
        check_range(name, *freqs, "center_freq", at_least=0)
        check_range(name, *gains, "gain_db")
        check_range(name, *qs, "q", at_least=1e-3)
        self.freqs, self.gains, self.qs = freqs, gains, qs

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A frequency in Hz, a gain in dB and a quality."""
        return {
            "center_freq": _drawn_frequency(self, *self.freqs),
            "gain_db": self.uniform(*self.gains),
            "q": self.uniform(*self.qs),
        }

    def highest(self, center_freq: float, sample_rate: int) -> float:
        """The frequency, below half the sample rate."""
        return min(center_freq, sample_rate / 2 * BELOW_NYQUIST)


class PeakingFilter(_Equalizer):
    """Lift or lower a band.

    Args:
        min_center_freq: lowest middle in Hz.
        max_center_freq: highest middle in Hz.
        min_gain_db: lowest gain in dB.
        max_gain_db: highest gain in dB.
        min_q: widest: the middle over the width.
        max_q: narrowest.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_center_freq: float = 50.0,
        max_center_freq: float = 7500.0,
        min_gain_db: float = -24.0,
        max_gain_db: float = 24.0,
        min_q: float = 0.5,
        max_q: float = 5.0,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        freqs, gains = (min_center_freq, max_center_freq), (min_gain_db, max_gain_db)
        super().__init__(freqs, gains, (min_q, max_q), p, **options)

    def transform(
        self, samples: Tensor, sample_rate: int, center_freq: float, gain_db: float, q: float
    ) -> Tensor:
        """See `functional.equalizer_biquad`."""
        freq = self.highest(center_freq, sample_rate)
        return equalizer_biquad(samples, sample_rate, freq, gain_db, q, clamp=False)


class LowShelfFilter(_Equalizer):
    """Lift or lower what is below a frequency.

    Args:
        min_center_freq: lowest middle of the slope in Hz.
        max_center_freq: highest middle of the slope in Hz.
        min_gain_db: lowest gain in dB.
        max_gain_db: highest gain in dB.
        min_q: gentlest slope.
        max_q: steepest slope.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_center_freq: float = 50.0,
        max_center_freq: float = 4000.0,
        min_gain_db: float = -18.0,
        max_gain_db: float = 18.0,
        min_q: float = 0.1,
        max_q: float = 0.999,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        freqs, gains = (min_center_freq, max_center_freq), (min_gain_db, max_gain_db)
        super().__init__(freqs, gains, (min_q, max_q), p, **options)

    def transform(
        self, samples: Tensor, sample_rate: int, center_freq: float, gain_db: float, q: float
    ) -> Tensor:
        """See `functional.bass_biquad`."""
        freq = self.highest(center_freq, sample_rate)
        return bass_biquad(samples, sample_rate, gain_db, freq, q, clamp=False)


class HighShelfFilter(_Equalizer):
    """Lift or lower what is above a frequency.

    Args:
        min_center_freq: lowest middle of the slope in Hz.
        max_center_freq: highest middle of the slope in Hz.
        min_gain_db: lowest gain in dB.
        max_gain_db: highest gain in dB.
        min_q: gentlest slope.
        max_q: steepest slope.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_center_freq: float = 300.0,
        max_center_freq: float = 7500.0,
        min_gain_db: float = -18.0,
        max_gain_db: float = 18.0,
        min_q: float = 0.1,
        max_q: float = 0.999,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        freqs, gains = (min_center_freq, max_center_freq), (min_gain_db, max_gain_db)
        super().__init__(freqs, gains, (min_q, max_q), p, **options)

    def transform(
        self, samples: Tensor, sample_rate: int, center_freq: float, gain_db: float, q: float
    ) -> Tensor:
        """See `functional.treble_biquad`."""
        freq = self.highest(center_freq, sample_rate)
        return treble_biquad(samples, sample_rate, gain_db, freq, q, clamp=False)


# audiomentations: lowest and highest middle of the five bands between the shelves, in Hz
BANDS = ((80.0, 350.0), (250.0, 900.0), (700.0, 2300.0), (1800.0, 4700.0), (3600.0, 7400.0))
LOW_SHELF, HIGH_SHELF = (42.0, 95.0), (7000.0, 18000.0)


class SevenBandParametricEQ(Augmentation):
    """Lift or lower seven bands: two shelves, and five peaks between them.

    Args:
        min_gain_db: lowest gain of a band in dB.
        max_gain_db: highest gain of a band in dB.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self, min_gain_db: float = -12.0, max_gain_db: float = 12.0, p: float = 0.5, **options: Any
    ) -> None:
        super().__init__(p, **options)
        gains = min_gain_db, max_gain_db
        shared: dict[str, Any] = {"p": 1.0, "generator": self.generator}
        peaks = [PeakingFilter(*freqs, *gains, **shared) for freqs in BANDS]
        low = LowShelfFilter(*LOW_SHELF, *gains, **shared)
        high = HighShelfFilter(*HIGH_SHELF, *gains, **shared)
        self.min_gain_db, self.max_gain_db = gains
        self.bands = ModuleList([low, *peaks, high])

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """The draws of all bands."""
        return {"bands": [band.make_params(samples, sample_rate) for band in self.bands]}

    def transform(self, samples: Tensor, sample_rate: int, bands: list[dict[str, Any]]) -> Tensor:
        """One band after the other."""
        for band, drawn in zip(self.bands, bands, strict=True):
            samples = band.transform(samples, sample_rate, **drawn)
        return samples


PRESSURE = 101.325  # kPa, at sea level
REFERENCE_TEMPERATURE, TRIPLE_POINT = 293.15, 273.16  # K


def absorption_of_air(freqs: np.ndarray, temperature: float, humidity: float) -> np.ndarray:
    """How much sound air swallows.

    Args:
        freqs: (f,) in Hz.
        temperature: in degrees Celsius.
        humidity: relative, in percent.

    Returns:
        (f,) dB per metre.

    Source: ISO 9613-1:1993, equations 3 to 5 and annex B.
    """
    kelvin = temperature + 273.15
    relative = kelvin / REFERENCE_TEMPERATURE
    saturation = 10 ** (-6.8346 * (TRIPLE_POINT / kelvin) ** 1.261 + 4.6151)
    water = humidity * saturation
    oxygen = 24 + 4.04e4 * water * (0.02 + water) / (0.391 + water)
    nitrogen = relative**-0.5 * (9 + 280 * water * math.exp(-4.17 * (relative ** (-1 / 3) - 1)))
    classical = 1.84e-11 * math.sqrt(relative)
    square = freqs.astype(np.float64) ** 2
    by_oxygen = 0.01275 * math.exp(-2239.1 / kelvin) / (oxygen + square / oxygen)
    by_nitrogen = 0.1068 * math.exp(-3352.0 / kelvin) / (nitrogen + square / nitrogen)
    decibels: np.ndarray = 8.686 * square * (classical + relative**-2.5 * (by_oxygen + by_nitrogen))
    return decibels


class AirAbsorption(Augmentation):
    """From further away: air swallows high frequencies first. The level stays otherwise.

    Args:
        min_temperature: lowest in degrees Celsius.
        max_temperature: highest in degrees Celsius.
        min_humidity: lowest relative humidity in percent.
        max_humidity: highest relative humidity in percent.
        min_distance: shortest in metres.
        max_distance: longest in metres.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_temperature: float = 10.0,
        max_temperature: float = 20.0,
        min_humidity: float = 30.0,
        max_humidity: float = 90.0,
        min_distance: float = 10.0,
        max_distance: float = 100.0,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        air = min_temperature, max_temperature
        check_range("AirAbsorption", *air, "temperature", at_least=-50, at_most=60)
        damp = min_humidity, max_humidity
        check_range("AirAbsorption", *damp, "humidity", at_least=1, at_most=100)
        check_range("AirAbsorption", min_distance, max_distance, "distance", at_least=0)
        self.temperatures, self.humidities = air, damp
        self.distances = min_distance, max_distance

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """Temperature, humidity and distance."""
        return {
            "temperature": self.uniform(*self.temperatures),
            "humidity": self.uniform(*self.humidities),
            "distance": self.uniform(*self.distances),
        }

    def transform(
        self,
        samples: Tensor,
        sample_rate: int,
        temperature: float,
        humidity: float,
        distance: float,
    ) -> Tensor:
        """A gain for each frequency, without a delay."""
        t = samples.shape[-1]
        size = 2 * t  # what the filter rings must not come in at the start
        freqs = np.fft.rfftfreq(size, 1 / sample_rate)
        decibels = absorption_of_air(freqs, temperature, humidity) * distance
        gains = tp.from_numpy(10 ** (decibels / -20)).to(samples.device, samples.dtype)
        filtered: Tensor = tp.fft.irfft(tp.fft.rfft(samples, n=size) * gains, n=size)
        return filtered[..., :t]
