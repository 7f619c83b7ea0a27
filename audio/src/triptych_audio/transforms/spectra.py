"""Waveforms to spectrograms and back, with windows and filters computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.interop import same_kind

__all__ = [
    "GriffinLim",
    "InverseSpectrogram",
    "MelScale",
    "MelSpectrogram",
    "Spectrogram",
]

WindowFn = Callable[..., Tensor]


class Framed(Module):
    """Frame sizes and the window that all transforms over frames share."""

    window: Tensor

    def __init__(
        self,
        n_fft: int,
        win_length: int | None,
        hop_length: int | None,
        window_fn: WindowFn,
        wkwargs: dict[str, Any] | None,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.win_length = n_fft if win_length is None else win_length
        self.hop_length = self.win_length // 2 if hop_length is None else hop_length
        if not 0 < self.win_length <= n_fft or self.hop_length < 1:
            raise ShapeError(
                f"{type(self).__name__}: wanted 0 < win_length <= n_fft and hop_length > 0, got "
                f"n_fft={n_fft}, win_length={self.win_length}, hop_length={self.hop_length}"
            )
        self.register_buffer("window", window_fn(self.win_length, **(wkwargs or {})))


class Spectrogram(Framed):
    """Spectra of overlapping frames.

    Args:
        n_fft: frame length in samples; f = n_fft // 2 + 1 bins.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default win_length // 2.
        pad: zeros put before and after the signal, in samples.
        window_fn: makes the window from its length.
        power: 1 for magnitude, 2 for power; None for the complex spectrum.
        normalized: True or "window" divides by the root of the window's energy; "frame_length" by
            sqrt(n_fft).
        wkwargs: further arguments of window_fn.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.
        onesided: only the bins from 0 Hz to half the sample rate.
        return_complex: deprecated; has no effect.

    Example:
        >>> Spectrogram(n_fft=400, hop_length=160)(tp.zeros(2, 16000)).shape
        Size([2, 201, 101])
    """

    def __init__(
        self,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        pad: int = 0,
        window_fn: WindowFn = tp.hann_window,
        power: float | None = 2.0,
        normalized: bool | str = False,
        wkwargs: dict[str, Any] | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        onesided: bool = True,
        return_complex: bool | None = None,
    ) -> None:
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        self.pad, self.power, self.normalized = pad, power, normalized
        self.center, self.pad_mode, self.onesided = center, pad_mode, onesided

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """Spectra of a waveform.

        Args:
            waveform: (..., t) samples.

        Returns:
            (..., f, frames).
        """
        return F.spectrogram(
            waveform,
            self.pad,
            self.window,
            self.n_fft,
            self.hop_length,
            self.win_length,
            self.power,
            self.normalized,
            self.center,
            self.pad_mode,
            self.onesided,
        )


class InverseSpectrogram(Framed):
    """The waveform of a complex spectrogram.

    Args:
        n_fft: frame length in samples.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default win_length // 2.
        pad: the padding that the spectrogram was made with, in samples; taken off again if a
            length is given.
        window_fn: makes the window from its length.
        normalized: as for `Spectrogram`: False, True or "window", or "frame_length".
        wkwargs: further arguments of window_fn.
        center: frame k is centred at sample k * hop_length.
        pad_mode: has no effect; here to mirror `Spectrogram`.
        onesided: the spectrogram has the bins from 0 Hz to half the sample rate only.

    Example:
        >>> spectra = Spectrogram(n_fft=400, power=None)(tp.zeros(2, 16000))
        >>> InverseSpectrogram(n_fft=400)(spectra, 16000).shape
        Size([2, 16000])
    """

    def __init__(
        self,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        pad: int = 0,
        window_fn: WindowFn = tp.hann_window,
        normalized: bool | str = False,
        wkwargs: dict[str, Any] | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        onesided: bool = True,
    ) -> None:
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        self.pad, self.normalized = pad, normalized
        self.center, self.pad_mode, self.onesided = center, pad_mode, onesided

    @same_kind
    def forward(self, spectrogram: Tensor, length: int | None = None) -> Tensor:
        """The waveform.

        Args:
            spectrogram: (..., f, frames) complex.
            length: samples wanted; default as far as the frames reach.

        Returns:
            (..., t) samples.
        """
        return F.inverse_spectrogram(
            spectrogram,
            length,
            self.pad,
            self.window,
            self.n_fft,
            self.hop_length,
            self.win_length,
            self.normalized,
            self.center,
            self.pad_mode,
            self.onesided,
        )


class GriffinLim(Framed):
    """A waveform for a spectrogram without phases.

    Args:
        n_fft: frame length in samples.
        n_iter: number of rounds.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default win_length // 2.
        window_fn: makes the window from its length.
        power: exponent of the magnitude in the spectrogram.
        wkwargs: further arguments of window_fn.
        momentum: from 0 to below 1; how far each round overshoots.
        length: samples wanted; default as far as the frames reach.
        rand_init: start from random phases instead of zero.
        generator: source of the random phases.
    """

    def __init__(
        self,
        n_fft: int = 400,
        n_iter: int = 32,
        win_length: int | None = None,
        hop_length: int | None = None,
        window_fn: WindowFn = tp.hann_window,
        power: float = 2.0,
        wkwargs: dict[str, Any] | None = None,
        momentum: float = 0.99,
        length: int | None = None,
        rand_init: bool = True,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        if not 0 <= momentum < 1:
            raise ShapeError(f"GriffinLim: momentum is from 0 to below 1, got {momentum}")
        self.n_iter, self.power, self.momentum = n_iter, power, momentum
        self.length, self.rand_init, self.generator = length, rand_init, generator

    @same_kind
    def forward(self, specgram: Tensor) -> Tensor:
        """The waveform.

        Args:
            specgram: (..., f, frames) magnitude ** power.

        Returns:
            (..., t) samples.
        """
        return F.griffinlim(
            specgram,
            self.window,
            self.n_fft,
            self.hop_length,
            self.win_length,
            self.power,
            self.n_iter,
            self.momentum,
            self.length,
            self.rand_init,
            generator=self.generator,
        )


class MelScale(Module):
    """Spectra to bands that are evenly spaced in mel.

    Args:
        n_mels: number of bands.
        sample_rate: in Hz.
        f_min: lower edge of the first band in Hz.
        f_max: upper edge of the last band in Hz; default sample_rate // 2.
        n_stft: number of bins of the spectrum, n_fft // 2 + 1.
        norm: None, or "slaney" for bands of equal area.
        mel_scale: "htk" or "slaney".
    """

    fb: Tensor

    def __init__(
        self,
        n_mels: int = 128,
        sample_rate: int = 16000,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_stft: int = 201,
        norm: str | None = None,
        mel_scale: str = "htk",
    ) -> None:
        super().__init__()
        self.n_mels, self.sample_rate, self.f_min = n_mels, sample_rate, f_min
        self.f_max = float(sample_rate // 2) if f_max is None else f_max
        self.norm, self.mel_scale = norm, mel_scale
        bank = F.melscale_fbanks(n_stft, f_min, self.f_max, n_mels, sample_rate, norm, mel_scale)
        self.register_buffer("fb", bank)

    @same_kind
    def forward(self, specgram: Tensor) -> Tensor:
        """The bands.

        Args:
            specgram: (..., f, frames), f = n_stft.

        Returns:
            (..., n_mels, frames).
        """
        if specgram.ndim < 2 or specgram.shape[-2] != self.fb.shape[0]:
            raise ShapeError(
                f"MelScale: wanted (..., {self.fb.shape[0]}, frames), got {tuple(specgram.shape)}; "
                "n_stft is n_fft // 2 + 1"
            )
        return tp.signal.band_sums(specgram, self.fb.to(specgram.dtype).mT)


class MelSpectrogram(Module):
    """`Spectrogram`, then `MelScale`.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default win_length // 2.
        f_min: lower edge of the first band in Hz.
        f_max: upper edge of the last band in Hz; default sample_rate // 2.
        pad: zeros put before and after the signal, in samples.
        n_mels: number of bands.
        window_fn: makes the window from its length.
        power: 1 for magnitude, 2 for power.
        normalized: as in `Spectrogram`.
        wkwargs: further arguments of window_fn.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.
        onesided: deprecated; has no effect.
        norm: None, or "slaney" for bands of equal area. librosa's default is "slaney".
        mel_scale: "htk" or "slaney". librosa's default is "slaney".

    Example:
        >>> MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=80)(tp.zeros(16000)).shape
        Size([80, 101])
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        f_min: float = 0.0,
        f_max: float | None = None,
        pad: int = 0,
        n_mels: int = 128,
        window_fn: WindowFn = tp.hann_window,
        power: float = 2.0,
        normalized: bool | str = False,
        wkwargs: dict[str, Any] | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        onesided: bool | None = None,
        norm: str | None = None,
        mel_scale: str = "htk",
    ) -> None:
        super().__init__()
        self.spectrogram = Spectrogram(
            n_fft,
            win_length,
            hop_length,
            pad,
            window_fn,
            power,
            normalized,
            wkwargs,
            center,
            pad_mode,
        )
        self.mel_scale = MelScale(
            n_mels, sample_rate, f_min, f_max, n_fft // 2 + 1, norm, mel_scale
        )
        self.sample_rate, self.n_fft, self.n_mels = sample_rate, n_fft, n_mels
        self.win_length, self.hop_length = self.spectrogram.win_length, self.spectrogram.hop_length

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """Bands of a waveform.

        Args:
            waveform: (..., t) samples.

        Returns:
            (..., n_mels, frames).
        """
        bands: Tensor = self.mel_scale(self.spectrogram(waveform))
        return bands
