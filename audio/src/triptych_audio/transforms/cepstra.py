"""Cepstral coefficients: the shape of a spectrum in a few numbers."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.interop import same_kind
from triptych_audio.transforms.amplitude import AmplitudeToDB
from triptych_audio.transforms.spectra import MelSpectrogram, Spectrogram

__all__ = ["LFCC", "MFCC"]

LOG_OFFSET = 1e-6  # torchaudio: keeps the logarithm of silence finite
TOP_DB = 80.0


class _Cepstra(Module):
    """Bands, their logarithm, and a cosine transform over it."""

    dct_mat: Tensor

    def __init__(self, count: int, bands: int, dct_type: int, norm: str | None, log: bool) -> None:
        super().__init__()
        name = type(self).__name__
        if dct_type != 2:
            raise DTypeError(
                f"{name}: there is only the cosine transform of type 2, got {dct_type}"
            )
        if not 0 < count <= bands:
            raise ShapeError(f"{name}: {bands} bands have 1 to {bands} coefficients, got {count}")
        self.dct_type, self.norm, self.log, self.top_db = dct_type, norm, log, TOP_DB
        self.amplitude_to_DB = AmplitudeToDB("power", TOP_DB)
        self.register_buffer("dct_mat", F.create_dct(count, bands, norm))

    def bands(self, waveform: Tensor) -> Tensor:
        """(..., bands, frames) power."""
        raise NotImplementedError

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """Coefficients of a waveform.

        Args:
            waveform: (..., t) samples.

        Returns:
            (..., coefficients, frames).
        """
        bands = self.bands(waveform)
        levels = (bands + LOG_OFFSET).log() if self.log else self.amplitude_to_DB(bands)
        return tp.matmul(self.dct_mat.to(levels.dtype).mT, levels)


class MFCC(_Cepstra):
    """Mel-frequency cepstral coefficients.

    Args:
        sample_rate: in Hz.
        n_mfcc: number of coefficients.
        dct_type: 2, the only one there is.
        norm: "ortho" for an orthonormal cosine transform, or None.
        log_mels: natural logarithm of the bands instead of decibels.
        melkwargs: arguments of `MelSpectrogram`.

    Example:
        >>> MFCC(16000, 13, melkwargs={"n_mels": 40})(tp.zeros(16000)).shape
        Size([13, 81])

    Source: Davis and Mermelstein 1980.
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        n_mfcc: int = 40,
        dct_type: int = 2,
        norm: str | None = "ortho",
        log_mels: bool = False,
        melkwargs: dict[str, Any] | None = None,
    ) -> None:
        options = melkwargs or {}
        mel = MelSpectrogram(sample_rate=sample_rate, **options)
        super().__init__(n_mfcc, mel.n_mels, dct_type, norm, log_mels)
        self.sample_rate, self.n_mfcc, self.log_mels = sample_rate, n_mfcc, log_mels
        self.MelSpectrogram = mel

    def bands(self, waveform: Tensor) -> Tensor:
        """(..., n_mels, frames) power."""
        out: Tensor = self.MelSpectrogram(waveform)
        return out


class LFCC(_Cepstra):
    """Linear-frequency cepstral coefficients.

    Args:
        sample_rate: in Hz.
        n_filter: number of bands, evenly spaced in Hz.
        f_min: lower edge of the first band in Hz.
        f_max: upper edge of the last band in Hz; default sample_rate // 2.
        n_lfcc: number of coefficients.
        dct_type: 2, the only one there is.
        norm: "ortho" for an orthonormal cosine transform, or None.
        log_lf: natural logarithm of the bands instead of decibels.
        speckwargs: arguments of `Spectrogram`.
    """

    filter_mat: Tensor

    def __init__(
        self,
        sample_rate: int = 16000,
        n_filter: int = 128,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_lfcc: int = 40,
        dct_type: int = 2,
        norm: str | None = "ortho",
        log_lf: bool = False,
        speckwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(n_lfcc, n_filter, dct_type, norm, log_lf)
        self.sample_rate, self.n_filter, self.n_lfcc = sample_rate, n_filter, n_lfcc
        self.f_min, self.log_lf = f_min, log_lf
        self.f_max = float(sample_rate // 2) if f_max is None else f_max
        self.Spectrogram = Spectrogram(**(speckwargs or {}))
        n_freqs = self.Spectrogram.n_fft // 2 + 1
        bank = F.linear_fbanks(n_freqs, f_min, self.f_max, n_filter, sample_rate)
        self.register_buffer("filter_mat", bank)

    def bands(self, waveform: Tensor) -> Tensor:
        """(..., n_filter, frames) power."""
        spectra = self.Spectrogram(waveform)
        return tp.signal.band_sums(spectra, self.filter_mat.to(spectra.dtype).mT)
