"""Notes and chords: constant-Q transforms, pitch classes, tones and clicks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.interop import same_kind

__all__ = ["CQT", "HPSS", "ICQT", "VQT", "Chroma", "Tempogram", "Tonnetz"]


class _Keyed(Module):
    """Keeps its arguments for a function over waveforms."""

    def __init__(self, sample_rate: int, **options: Any) -> None:
        super().__init__()
        self.sample_rate, self.options = sample_rate, options

    def extra_repr(self) -> str:
        """The arguments, for print."""
        given = {"sample_rate": self.sample_rate, **self.options}
        return ", ".join(f"{k}={v}" for k, v in given.items())


class CQT(_Keyed):
    """The constant-Q transform; see `functional.cqt`. Filters are computed at the first call.

    Args:
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        f_min: the lowest bin in Hz; default C1.
        n_bins: number of bins.
        bins_per_octave: bins in an octave.
        tuning: shift of all bins, in bins; None for an estimate.
        options: filter_scale, sparsity, scale and pad_mode of the function.

    Example:
        >>> CQT(22050)(tp.zeros(22050)).shape
        Size([84, 44])
    """

    def __init__(
        self,
        sample_rate: int = 22050,
        hop_length: int = 512,
        f_min: float | None = None,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        tuning: float | None = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(
            sample_rate,
            hop_length=hop_length,
            f_min=f_min,
            n_bins=n_bins,
            bins_per_octave=bins_per_octave,
            tuning=tuning,
            **options,
        )

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., n_bins, frames) complex.

        Args:
            waveform: (..., t) samples.
        """
        return F.cqt(waveform, self.sample_rate, **self.options)


class VQT(CQT):
    """The variable-Q transform; see `functional.vqt`. Filters are computed at the first call.

    Args:
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        f_min: the lowest bin in Hz; default C1.
        n_bins: number of bins.
        bins_per_octave: bins in an octave.
        tuning: shift of all bins, in bins; None for an estimate.
        **options: intervals, gamma, filter_scale, sparsity, scale and pad_mode of the function.

    Example:
        >>> VQT(22050, gamma=10.0)(tp.zeros(22050)).shape
        Size([84, 44])
    """

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., n_bins, frames) complex.

        Args:
            waveform: (..., t) samples.
        """
        return F.vqt(waveform, self.sample_rate, **self.options)


class ICQT(_Keyed):
    """A waveform for a constant-Q transform; see `functional.icqt`.

    Args:
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        f_min: the lowest bin in Hz; default C1.
        bins_per_octave: bins in an octave.
        tuning: shift of all bins, in bins.
        options: filter_scale, sparsity and scale of the function.
    """

    def __init__(
        self,
        sample_rate: int = 22050,
        hop_length: int = 512,
        f_min: float | None = None,
        bins_per_octave: int = 12,
        tuning: float = 0.0,
        **options: Any,
    ) -> None:
        size = {"bins_per_octave": bins_per_octave, "tuning": tuning}
        super().__init__(sample_rate, hop_length=hop_length, f_min=f_min, **size, **options)

    @same_kind
    def forward(self, spectra: Tensor, length: int | None = None) -> Tensor:
        """(..., t) samples.

        Args:
            spectra: (..., n_bins, frames) complex.
            length: samples wanted; default as far as the frames reach.
        """
        return F.icqt(spectra, self.sample_rate, length=length, **self.options)


CHROMAS: dict[str, Callable[..., Tensor]] = {"cqt": F.chroma_cqt, "stft": F.chroma_stft}


class Chroma(_Keyed):
    """Pitch classes over time.

    Args:
        sample_rate: in Hz.
        method: "stft" or "cqt", what they are made of.
        hop_length: step between frames in samples.
        n_chroma: number of pitch classes, from C.
        norm: what each frame is scaled to: inf for a largest value of one, 1, 2, or None.
        options: further arguments of `functional.chroma_stft` or `functional.chroma_cqt`.

    Raises:
        DTypeError: the method is unknown.

    Example:
        >>> Chroma(22050)(tp.ones(22050)).shape
        Size([12, 44])
    """

    def __init__(
        self,
        sample_rate: int = 22050,
        method: str = "stft",
        hop_length: int = 512,
        n_chroma: int = 12,
        norm: float | None = math.inf,
        **options: Any,
    ) -> None:
        if method not in CHROMAS:
            raise DTypeError(f"Chroma: method is one of {sorted(CHROMAS)}, got {method!r}")
        given = {"hop_length": hop_length, "n_chroma": n_chroma, "norm": norm}
        super().__init__(sample_rate, **given, **options)
        self.method = method

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., n_chroma, frames).

        Args:
            waveform: (..., t) samples.
        """
        out: Tensor = CHROMAS[self.method](waveform, self.sample_rate, **self.options)
        return out


class Tonnetz(Module):
    """Pitch classes to coordinates on the circles of fifths and thirds."""

    @same_kind
    def forward(self, chroma: Tensor) -> Tensor:
        """(..., 6, frames).

        Args:
            chroma: (..., n_chroma, frames), as `Chroma` gives it.
        """
        return F.tonnetz(chroma)


class Tempogram(Module):
    """Onset strengths to how regular they are; see `functional.tempogram`.

    Args:
        win_length: length of the pieces in frames.
        center: pieces lie around each frame.
    """

    def __init__(self, win_length: int = 384, center: bool = True) -> None:
        super().__init__()
        self.win_length, self.center = win_length, center

    @same_kind
    def forward(self, onset_envelope: Tensor) -> Tensor:
        """(..., win_length, frames).

        Args:
            onset_envelope: (..., frames).
        """
        return F.tempogram(onset_envelope, self.win_length, self.center)


class HPSS(Module):
    """Split waveforms in tones and clicks; see `functional.hpss`.

    Args:
        n_fft: frame length in samples.
        hop_length: step between frames in samples; default n_fft // 4.
        kernel_size: width of the medians, in frames for tones and in bins for clicks.
        power: exponent of the soft masks; inf for hard ones.
        margin: how much one has to exceed the other; above 1, a rest is in neither.

    Example:
        >>> tones, clicks = HPSS()(tp.zeros(2, 8000))
        >>> tones.shape, clicks.shape
        (Size([2, 8000]), Size([2, 8000]))
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 2048,
        hop_length: int | None = None,
        kernel_size: int | tuple[int, int] = 31,
        power: float = 2.0,
        margin: float | tuple[float, float] = 1.0,
    ) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, n_fft // 4 if hop_length is None else hop_length
        self.kernel_size, self.power, self.margin = kernel_size, power, margin
        self.register_buffer("window", tp.hann_window(n_fft))

    @same_kind
    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Tones and clicks, each in the shape of the waveform.

        Args:
            waveform: (..., t) samples, at least half a frame.
        """
        frame = (self.n_fft, self.hop_length, self.n_fft, self.window.to(waveform.dtype))
        spectra = tp.stft(waveform, *frame, pad_mode="constant", return_complex=True)
        parts = F.hpss(spectra, self.kernel_size, self.power, margin=self.margin)
        tones, clicks = (tp.istft(p, *frame, length=waveform.shape[-1]) for p in parts)
        return tones, clicks
