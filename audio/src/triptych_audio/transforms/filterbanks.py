"""Spectra to other bands and back, with filters computed once."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.interop import same_kind
from triptych_audio.transforms.spectra import Spectrogram, WindowFn

__all__ = [
    "BarkScale",
    "BarkSpectrogram",
    "ChromaScale",
    "ChromaSpectrogram",
    "InverseBarkScale",
    "InverseMelScale",
]

DRIVERS = ("gels", "gelsd", "gelss", "gelsy")


def _top(f_max: float | None, sample_rate: int) -> float:
    return float(sample_rate // 2) if f_max is None else f_max


class _Bands(Module):
    """A bank of filters, (f, bands), over spectra."""

    fb: Tensor

    def __init__(self, bank: Tensor) -> None:
        super().__init__()
        self.register_buffer("fb", bank)

    @same_kind
    def forward(self, specgram: Tensor) -> Tensor:
        """The bands.

        Args:
            specgram: (..., f, frames).

        Returns:
            (..., bands, frames).

        Raises:
            ShapeError: another number of bins than the filters were made for.
        """
        if specgram.ndim < 2 or specgram.shape[-2] != self.fb.shape[0]:
            raise ShapeError(
                f"{type(self).__name__}: wanted (..., {self.fb.shape[0]}, frames), got "
                f"{tuple(specgram.shape)}; the number of bins is n_fft // 2 + 1"
            )
        return tp.signal.band_sums(specgram, self.fb.to(specgram.dtype).mT)


class _Inverse(Module):
    """The least spectra that have given bands."""

    fb: Tensor

    def __init__(self, bank: Tensor, driver: str) -> None:
        super().__init__()
        if driver not in DRIVERS:
            raise DTypeError(
                f"{type(self).__name__}: driver is one of {list(DRIVERS)}, got {driver!r}"
            )
        self.driver = driver
        self.register_buffer("fb", bank)

    @same_kind
    def forward(self, melspec: Tensor) -> Tensor:
        """Spectra of the bands.

        Args:
            melspec: (..., bands, frames).

        Returns:
            (..., f, frames), not negative.

        Raises:
            ShapeError: another number of bands than the filters have.
        """
        n_stft, n_bands = self.fb.shape
        if melspec.ndim < 2 or melspec.shape[-2] != n_bands:
            raise ShapeError(
                f"{type(self).__name__}: wanted (..., {n_bands}, frames), got "
                f"{tuple(melspec.shape)}"
            )
        frames = melspec.shape[-1]
        columns = melspec.reshape(-1, n_bands, frames).transpose(0, 1).reshape(n_bands, -1)
        bank = self.fb.to(melspec.dtype).mT
        solved = tp.linalg.lstsq(bank, columns, driver=self.driver).solution.relu()
        spectra = solved.reshape(n_stft, -1, frames).transpose(0, 1)
        return spectra.reshape(*melspec.shape[:-2], n_stft, frames)


class InverseMelScale(_Inverse):
    """Spectra that have given mel bands: the smallest that do, by least squares.

    Args:
        n_stft: number of bins of the spectrum, n_fft // 2 + 1.
        n_mels: number of bands.
        sample_rate: in Hz.
        f_min: lower edge of the first band in Hz.
        f_max: upper edge of the last band in Hz; default sample_rate // 2.
        norm: None, or "slaney" for bands of equal area.
        mel_scale: "htk" or "slaney".
        driver: how LAPACK solves it: "gels" for filters that are all independent, else "gelsy",
            "gelsd" or "gelss".

    Example:
        >>> InverseMelScale(201, 40)(tp.ones(2, 40, 10)).shape
        Size([2, 201, 10])
    """

    def __init__(
        self,
        n_stft: int,
        n_mels: int = 128,
        sample_rate: int = 16000,
        f_min: float = 0.0,
        f_max: float | None = None,
        norm: str | None = None,
        mel_scale: str = "htk",
        driver: str = "gels",
    ) -> None:
        top = _top(f_max, sample_rate)
        bank = F.melscale_fbanks(n_stft, f_min, top, n_mels, sample_rate, norm, mel_scale)
        super().__init__(bank, driver)
        self.n_mels, self.sample_rate, self.f_min, self.f_max = n_mels, sample_rate, f_min, top


class BarkScale(_Bands):
    """Spectra to bands that are evenly spaced in Bark.

    Args:
        n_barks: number of bands.
        sample_rate: in Hz.
        f_min: lower edge of the first band in Hz.
        f_max: upper edge of the last band in Hz; default sample_rate // 2.
        n_stft: number of bins of the spectrum, n_fft // 2 + 1.
        bark_scale: "traunmuller", "schroeder" or "wang".
    """

    def __init__(
        self,
        n_barks: int = 128,
        sample_rate: int = 16000,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_stft: int = 201,
        bark_scale: str = "traunmuller",
    ) -> None:
        top = _top(f_max, sample_rate)
        super().__init__(F.barkscale_fbanks(n_stft, f_min, top, n_barks, sample_rate, bark_scale))
        self.n_barks, self.sample_rate, self.f_min, self.f_max = n_barks, sample_rate, f_min, top
        self.bark_scale = bark_scale


class InverseBarkScale(_Inverse):
    """Spectra that have given Bark bands: the smallest that do, by least squares.

    torchaudio.prototype descends by gradients from random spectra instead.

    Args:
        n_stft: number of bins of the spectrum, n_fft // 2 + 1.
        n_barks: number of bands.
        sample_rate: in Hz.
        f_min: lower edge of the first band in Hz.
        f_max: upper edge of the last band in Hz; default sample_rate // 2.
        bark_scale: "traunmuller", "schroeder" or "wang".
        driver: as for `InverseMelScale`; the default allows for filters that are zero.
    """

    def __init__(
        self,
        n_stft: int,
        n_barks: int = 128,
        sample_rate: int = 16000,
        f_min: float = 0.0,
        f_max: float | None = None,
        *,
        bark_scale: str = "traunmuller",
        driver: str = "gelsd",
    ) -> None:
        top = _top(f_max, sample_rate)
        bank = F.barkscale_fbanks(n_stft, f_min, top, n_barks, sample_rate, bark_scale)
        super().__init__(bank, driver)
        self.n_barks, self.sample_rate, self.f_min, self.f_max = n_barks, sample_rate, f_min, top


class ChromaScale(_Bands):
    """Spectra to pitch classes.

    Args:
        sample_rate: in Hz.
        n_freqs: number of bins of the spectrum, n_fft // 2 + 1.
        n_chroma: number of pitch classes.
        tuning: how far A4 is from 440 Hz, in classes.
        ctroct: the middle of the octaves that count most, in octaves above A0.
        octwidth: how many octaves around it count; None for all alike.
        norm: the norm that the weights of each bin have.
        base_c: start at C; else at A.
    """

    def __init__(
        self,
        sample_rate: int,
        n_freqs: int,
        *,
        n_chroma: int = 12,
        tuning: float = 0.0,
        ctroct: float = 5.0,
        octwidth: float | None = 2.0,
        norm: int = 2,
        base_c: bool = True,
    ) -> None:
        bank = F.chroma_filterbank(
            sample_rate,
            n_freqs,
            n_chroma,
            tuning=tuning,
            ctroct=ctroct,
            octwidth=octwidth,
            norm=norm,
            base_c=base_c,
        )
        super().__init__(bank)


class _Spectral(Module):
    """`Spectrogram`, then a bank of filters."""

    spectrogram: Spectrogram

    def _scale(self) -> Module:
        raise NotImplementedError

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """Bands of a waveform.

        Args:
            waveform: (..., t) samples.

        Returns:
            (..., bands, frames).
        """
        bands: Tensor = self._scale()(self.spectrogram(waveform))
        return bands


class BarkSpectrogram(_Spectral):
    """`Spectrogram`, then `BarkScale`.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default win_length // 2.
        f_min: lower edge of the first band in Hz.
        f_max: upper edge of the last band in Hz; default sample_rate // 2.
        pad: zeros put before and after the signal, in samples.
        n_barks: number of bands.
        window_fn: makes the window from its length.
        power: 1 for magnitude, 2 for power.
        normalized: as for `Spectrogram`: False, True or "window", or "frame_length".
        wkwargs: further arguments of window_fn.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.
        bark_scale: "traunmuller", "schroeder" or "wang".

    Example:
        >>> BarkSpectrogram(16000, 1024, n_barks=20)(tp.zeros(2, 16000)).shape
        Size([2, 20, 32])
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
        n_barks: int = 128,
        window_fn: WindowFn = tp.hann_window,
        power: float = 2.0,
        normalized: bool | str = False,
        wkwargs: dict[str, Any] | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        bark_scale: str = "traunmuller",
    ) -> None:
        super().__init__()
        frame = (n_fft, win_length, hop_length, pad, window_fn, power, normalized, wkwargs)
        self.spectrogram = Spectrogram(*frame, center, pad_mode)
        n_stft = n_fft // 2 + 1
        self.bark_scale = BarkScale(n_barks, sample_rate, f_min, f_max, n_stft, bark_scale)

    def _scale(self) -> Module:
        return self.bark_scale


class ChromaSpectrogram(_Spectral):
    """`Spectrogram`, then `ChromaScale`.

    Args:
        sample_rate: in Hz.
        n_fft: frame length in samples.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default win_length // 2.
        pad: zeros put before and after the signal, in samples.
        window_fn: makes the window from its length.
        power: 1 for magnitude, 2 for power.
        normalized: as for `Spectrogram`: False, True or "window", or "frame_length".
        wkwargs: further arguments of window_fn.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.
        n_chroma: number of pitch classes.
        tuning: how far A4 is from 440 Hz, in classes.
        ctroct: the middle of the octaves that count most, in octaves above A0.
        octwidth: how many octaves around it count; None for all alike.
        norm: the norm that the weights of each bin have.
        base_c: start at C; else at A.

    Example:
        >>> ChromaSpectrogram(16000, 2048)(tp.zeros(2, 16000)).shape
        Size([2, 12, 16])
    """

    def __init__(
        self,
        sample_rate: int,
        n_fft: int,
        *,
        win_length: int | None = None,
        hop_length: int | None = None,
        pad: int = 0,
        window_fn: WindowFn = tp.hann_window,
        power: float = 2.0,
        normalized: bool | str = False,
        wkwargs: dict[str, Any] | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        n_chroma: int = 12,
        tuning: float = 0.0,
        ctroct: float = 5.0,
        octwidth: float | None = 2.0,
        norm: int = 2,
        base_c: bool = True,
    ) -> None:
        super().__init__()
        frame = (n_fft, win_length, hop_length, pad, window_fn, power, normalized, wkwargs)
        self.spectrogram = Spectrogram(*frame, center, pad_mode)
        self.chroma_scale = ChromaScale(
            sample_rate,
            n_fft // 2 + 1,
            n_chroma=n_chroma,
            tuning=tuning,
            ctroct=ctroct,
            octwidth=octwidth,
            norm=norm,
            base_c=base_c,
        )

    def _scale(self) -> Module:
        return self.chroma_scale
