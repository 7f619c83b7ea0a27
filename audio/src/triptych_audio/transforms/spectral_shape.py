"""The shape of spectra in one number per frame, with windows computed once."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor
from triptych_audio import functional as F
from triptych_audio.interop import same_kind
from triptych_audio.transforms.spectra import Framed, WindowFn

__all__ = [
    "SpectralBandwidth",
    "SpectralCentroid",
    "SpectralContrast",
    "SpectralFlatness",
    "SpectralRolloff",
]


class _Shape(Framed):
    """Frames, and how both ends of the waveform are extended."""

    def __init__(
        self,
        sample_rate: int,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        pad: int = 0,
        window_fn: WindowFn = tp.hann_window,
        wkwargs: dict[str, Any] | None = None,
        *,
        center: bool = True,
        pad_mode: str = "reflect",
    ) -> None:
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        self.sample_rate, self.pad = sample_rate, pad
        self.framing: dict[str, Any] = {"center": center, "pad_mode": pad_mode}

    def _frame(self, waveform: Tensor) -> tuple[int, Tensor, int, int, int]:
        window = self.window.to(waveform.dtype)
        return self.pad, window, self.n_fft, self.hop_length, self.win_length


class SpectralCentroid(Framed):
    """The mean frequency of each frame, weighted by magnitude.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default win_length // 2.
        pad: zeros put before and after the signal, in samples.
        window_fn: makes the window from its length.
        wkwargs: further arguments of window_fn.
    """

    def __init__(
        self,
        sample_rate: int,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        pad: int = 0,
        window_fn: WindowFn = tp.hann_window,
        wkwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        self.sample_rate, self.pad = sample_rate, pad

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., frames) Hz.

        Args:
            waveform: (..., t) samples.
        """
        frame = (self.n_fft, self.hop_length, self.win_length)
        return F.spectral_centroid(waveform, self.sample_rate, self.pad, self.window, *frame)


class SpectralBandwidth(_Shape):
    """How far the frequencies of a frame lie from their mean.

    Args:
        sample_rate: in Hz.
        *args: n_fft, win_length, hop_length, pad, window_fn and wkwargs, as for `SpectralCentroid`.
        p: exponent of the distance; 2 gives the standard deviation.
        **kwargs: n_fft and the others by name, center and pad_mode: frame k is centred at sample
            k * hop_length, and the signal is extended by "reflect", "constant", "replicate" or
            "circular".
    """

    def __init__(self, sample_rate: int, *args: Any, p: float = 2.0, **kwargs: Any) -> None:
        super().__init__(sample_rate, *args, **kwargs)
        self.p = p

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., frames) Hz.

        Args:
            waveform: (..., t) samples.
        """
        frame = self._frame(waveform)
        return F.spectral_bandwidth(waveform, self.sample_rate, *frame, self.p, **self.framing)


class SpectralRolloff(_Shape):
    """The frequency below which most of a frame lies.

    Args:
        sample_rate: in Hz.
        *args: n_fft, win_length, hop_length, pad, window_fn and wkwargs, as for `SpectralCentroid`.
        roll_percent: which share, between 0 and 1.
        **kwargs: n_fft and the others by name, center and pad_mode: frame k is centred at sample
            k * hop_length, and the signal is extended by "reflect", "constant", "replicate" or
            "circular".
    """

    def __init__(
        self, sample_rate: int, *args: Any, roll_percent: float = 0.85, **kwargs: Any
    ) -> None:
        super().__init__(sample_rate, *args, **kwargs)
        self.roll_percent = roll_percent

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., frames) Hz.

        Args:
            waveform: (..., t) samples.
        """
        frame = (*self._frame(waveform), self.roll_percent)
        return F.spectral_rolloff(waveform, self.sample_rate, *frame, **self.framing)


class SpectralFlatness(_Shape):
    """Whether a frame is rather noise, 1, or a tone, 0.

    Args:
        sample_rate: in Hz.
        *args: n_fft, win_length, hop_length, pad, window_fn and wkwargs, as for `SpectralCentroid`.
        power: exponent of the magnitude.
        **kwargs: n_fft and the others by name, center and pad_mode: frame k is centred at sample
            k * hop_length, and the signal is extended by "reflect", "constant", "replicate" or
            "circular".
    """

    def __init__(self, sample_rate: int, *args: Any, power: float = 2.0, **kwargs: Any) -> None:
        super().__init__(sample_rate, *args, **kwargs)
        self.power = power

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., frames) from 0 to 1.

        Args:
            waveform: (..., t) samples.
        """
        return F.spectral_flatness(waveform, *self._frame(waveform), self.power, **self.framing)


class SpectralContrast(_Shape):
    """How far peaks stand above valleys, octave by octave.

    Args:
        sample_rate: in Hz.
        *args: n_fft, win_length, hop_length, pad, window_fn and wkwargs, as for `SpectralCentroid`.
        f_min: where the first octave starts in Hz.
        n_bands: number of octaves.
        quantile: the share of bins that make up a peak or a valley.
        linear: difference of magnitudes instead of decibels.
        **kwargs: n_fft and the others by name, center and pad_mode: frame k is centred at sample
            k * hop_length, and the signal is extended by "reflect", "constant", "replicate" or
            "circular".
    """

    def __init__(
        self,
        sample_rate: int,
        *args: Any,
        f_min: float = 200.0,
        n_bands: int = 6,
        quantile: float = 0.02,
        linear: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(sample_rate, *args, **kwargs)
        self.f_min, self.n_bands, self.quantile, self.linear = f_min, n_bands, quantile, linear

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., n_bands + 1, frames).

        Args:
            waveform: (..., t) samples.
        """
        bands = (self.f_min, self.n_bands, self.quantile, self.linear)
        frame = self._frame(waveform)
        return F.spectral_contrast(waveform, self.sample_rate, *frame, *bands, **self.framing)
