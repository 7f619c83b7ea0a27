"""Random equalizers, and the air that is one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.nn import ModuleList
from triptych_audio.augmentations.base import Augmentation, check_range
from triptych_audio.augmentations.filters import BELOW_NYQUIST, drawn_frequency
from triptych_audio.functional.biquads import bass_biquad, equalizer_biquad, treble_biquad

__all__ = [
    "AirAbsorption",
    "HighShelfFilter",
    "LowShelfFilter",
    "PeakingFilter",
    "SevenBandParametricEQ",
    "absorption_of_air",
]


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
            "center_freq": drawn_frequency(self, *self.freqs),
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
