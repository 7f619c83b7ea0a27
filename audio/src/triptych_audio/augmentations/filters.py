"""Random filters."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from triptych import Tensor
from triptych.errors import DomainError
from triptych_audio.augmentations.base import Augmentation, Drawing, check_range
from triptych_audio.functional.recursive import filter_sections

__all__ = [
    "BELOW_NYQUIST",
    "BandPassFilter",
    "BandStopFilter",
    "HighPassFilter",
    "LowPassFilter",
    "drawn_frequency",
]

SLOPE = 6  # dB per octave and order of a filter
BELOW_NYQUIST = 0.9999  # highest edge of a filter, of half the sample rate


def drawn_frequency(source: Drawing, low: float, high: float) -> float:
    """A frequency between two, drawn evenly as ears hear them: on the mel scale.

    Args:
        source: draws the number.
        low: lowest in Hz.
        high: highest in Hz.

    Returns:
        In Hz.
    """
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
        cutoff = drawn_frequency(self, self.min_cutoff_freq, self.max_cutoff_freq)
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
        center = drawn_frequency(self, self.min_center_freq, self.max_center_freq)
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
