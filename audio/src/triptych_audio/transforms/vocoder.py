"""Slower, faster, higher and lower, with windows and filters computed once."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.functional.vocoder import phase_advance, shift_plan
from triptych_audio.interop import same_kind
from triptych_audio.transforms.spectra import WindowFn

__all__ = ["PitchShift", "TimeStretch"]


class TimeStretch(Module):
    """Make a complex spectrogram longer or shorter without a change of pitch.

    Args:
        hop_length: step between frames in samples; default half a frame.
        n_freq: number of bins of the spectrum, n_fft // 2 + 1.
        fixed_rate: speed; above 1 is faster. None to give it with each call.

    Example:
        >>> TimeStretch(fixed_rate=2.0)(tp.zeros(201, 100, dtype=tp.complex64)).shape
        Size([201, 50])
    """

    phase_advance: Tensor

    def __init__(
        self, hop_length: int | None = None, n_freq: int = 201, fixed_rate: float | None = None
    ) -> None:
        super().__init__()
        self.fixed_rate = fixed_rate
        hop = n_freq - 1 if hop_length is None else hop_length
        self.register_buffer("phase_advance", phase_advance(n_freq, hop).clone())

    @same_kind
    def forward(self, complex_specgrams: Tensor, overriding_rate: float | None = None) -> Tensor:
        """The stretched spectrogram.

        Args:
            complex_specgrams: (..., f, frames) complex.
            overriding_rate: speed, instead of fixed_rate.

        Returns:
            (..., f, ceil(frames / rate)) complex.

        Raises:
            ShapeError: no rate was given at all, or it is not positive.
        """
        rate = self.fixed_rate if overriding_rate is None else overriding_rate
        if rate is None:
            raise ShapeError(
                "TimeStretch: no rate; pass overriding_rate, or make it with fixed_rate"
            )
        return F.phase_vocoder(complex_specgrams, rate, self.phase_advance)


class PitchShift(Module):
    """Raise or lower the pitch at the same speed; see `functional.pitch_shift`.

    Args:
        sample_rate: in Hz.
        n_steps: steps up; negative is down, fractions are allowed.
        bins_per_octave: steps in an octave; 12 are semitones.
        n_fft: frame length in samples.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default win_length // 4.
        window_fn: makes the window from its length.
        wkwargs: further arguments of window_fn.

    Example:
        >>> PitchShift(16000, 4)(tp.zeros(2, 8000)).shape
        Size([2, 8000])
    """

    window: Tensor

    def __init__(
        self,
        sample_rate: int,
        n_steps: float,
        bins_per_octave: int = 12,
        n_fft: int = 512,
        win_length: int | None = None,
        hop_length: int | None = None,
        window_fn: WindowFn = tp.hann_window,
        wkwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        shift_plan("PitchShift", sample_rate, n_steps, bins_per_octave)
        self.sample_rate, self.n_steps, self.n_fft = sample_rate, n_steps, n_fft
        self.bins_per_octave = bins_per_octave
        self.win_length = n_fft if win_length is None else win_length
        self.hop_length = self.win_length // 4 if hop_length is None else hop_length
        self.register_buffer("window", window_fn(self.win_length, **(wkwargs or {})))

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """The shifted waveform, in the same shape.

        Args:
            waveform: (..., t) samples, floating.
        """
        return F.pitch_shift(
            waveform,
            self.sample_rate,
            self.n_steps,
            self.bins_per_octave,
            self.n_fft,
            self.win_length,
            self.hop_length,
            self.window.to(waveform.dtype),
        )
