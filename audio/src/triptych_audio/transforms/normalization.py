"""Spectrograms and cepstra without what does not matter: slopes, running means, loudness."""

from __future__ import annotations

from triptych import Tensor
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.interop import same_kind

__all__ = ["PCEN", "ComputeDeltas", "SlidingWindowCmn"]


class ComputeDeltas(Module):
    """Slopes over time, fitted by least squares in a window around each frame.

    Args:
        win_length: frames in the window, at least 3.
        mode: how both ends are extended.
    """

    def __init__(self, win_length: int = 5, mode: str = "replicate") -> None:
        super().__init__()
        self.win_length, self.mode = win_length, mode

    @same_kind
    def forward(self, specgram: Tensor) -> Tensor:
        """Slopes, in the same shape.

        Args:
            specgram: (..., f, frames).
        """
        return F.compute_deltas(specgram, self.win_length, self.mode)


class SlidingWindowCmn(Module):
    """Subtract from each frame the mean of a window around or before it.

    Args:
        cmn_window: frames in the window.
        min_cmn_window: frames at the start that share their mean, if not center.
        center: the window lies around the frame; else it ends there.
        norm_vars: also divide by the standard deviation.
    """

    def __init__(
        self,
        cmn_window: int = 600,
        min_cmn_window: int = 100,
        center: bool = False,
        norm_vars: bool = False,
    ) -> None:
        super().__init__()
        self.cmn_window, self.min_cmn_window = cmn_window, min_cmn_window
        self.center, self.norm_vars = center, norm_vars

    @same_kind
    def forward(self, specgram: Tensor) -> Tensor:
        """The normalised frames, in the same shape.

        Args:
            specgram: (..., frames, f); note that time comes first.
        """
        window = (self.cmn_window, self.min_cmn_window)
        return F.sliding_window_cmn(specgram, *window, self.center, self.norm_vars)


class PCEN(Module):
    """Per-channel energy normalisation; see `functional.pcen`.

    Args:
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        gain: how much of the loudness is removed, from 0 to 1.
        bias: what is added before the compression.
        power: exponent of the compression.
        time_constant: of the running mean, in seconds.
        eps: the loudness of silence.
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        hop_length: int = 512,
        gain: float = 0.98,
        bias: float = 2.0,
        power: float = 0.5,
        time_constant: float = 0.4,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.sample_rate, self.hop_length, self.gain = sample_rate, hop_length, gain
        self.bias, self.power, self.time_constant, self.eps = bias, power, time_constant, eps

    @same_kind
    def forward(self, specgram: Tensor) -> Tensor:
        """The normalised bands, in the same shape.

        Args:
            specgram: (..., f, frames), not negative.
        """
        curve = (self.gain, self.bias, self.power, self.time_constant, self.eps)
        return F.pcen(specgram, self.sample_rate, self.hop_length, *curve)
