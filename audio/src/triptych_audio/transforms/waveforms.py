"""Waveforms to waveforms."""

from __future__ import annotations

from triptych import Tensor
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.functional.resampling import (
    kernel_fits,
    reduced,
    resample_with_kernel,
    sinc_kernel,
)
from triptych_audio.interop import same_kind

__all__ = ["Deemphasis", "Preemphasis", "Resample"]


class Resample(Module):
    """The same sound at another sample rate, with filters computed once.

    Args:
        orig_freq: rate of the waveforms in Hz.
        new_freq: rate wanted in Hz.
        resampling_method: "sinc_interp_hann", "sinc_interp_kaiser" or "soxr".
        lowpass_filter_width: zero crossings of the sinc on each side; more is sharper and slower.
        rolloff: cutoff as a fraction of the lower rate's half.
        beta: shape of the Kaiser window.
        dtype: of the filters; default float32. float64 keeps more of float64 waveforms.

    Example:
        >>> import triptych as tp
        >>> Resample(44100, 16000)(tp.zeros(2, 44100)).shape
        Size([2, 16000])
    """

    def __init__(
        self,
        orig_freq: int = 16000,
        new_freq: int = 16000,
        resampling_method: str = "sinc_interp_hann",
        lowpass_filter_width: int = 6,
        rolloff: float = 0.99,
        beta: float | None = None,
        *,
        dtype: object = None,
    ) -> None:
        super().__init__()
        self.orig_freq, self.new_freq = orig_freq, new_freq
        self.resampling_method, self.beta = resampling_method, beta
        self.lowpass_filter_width, self.rolloff = lowpass_filter_width, rolloff
        self.ratio = reduced("Resample", orig_freq, new_freq)
        self.kernel: Tensor | None = None
        design = (orig_freq, new_freq, lowpass_filter_width, rolloff)
        if orig_freq != new_freq and resampling_method != "soxr" and kernel_fits(*design):
            kernel = sinc_kernel(*design, resampling_method, beta, dtype=dtype)
            del self.kernel
            self.register_buffer("kernel", kernel)

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """The waveform at the new rate.

        Args:
            waveform: (..., t) samples, floating.

        Returns:
            (..., ceil(t * new_freq / orig_freq)) samples.
        """
        if self.kernel is None or not waveform.is_floating_point() or waveform.numel() == 0:
            return F.resample(
                waveform,
                self.orig_freq,
                self.new_freq,
                self.lowpass_filter_width,
                self.rolloff,
                self.resampling_method,
                self.beta,
            )
        return resample_with_kernel(waveform, *self.ratio, self.kernel)


class Preemphasis(Module):
    """Lift high frequencies: y[t] = x[t] - coeff * x[t - 1].

    Args:
        coeff: from 0, nothing, to 1, the difference of neighbours.
    """

    def __init__(self, coeff: float = 0.97) -> None:
        super().__init__()
        self.coeff = coeff

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """The waveform, in the same shape.

        Args:
            waveform: (..., t) samples.
        """
        return F.preemphasis(waveform, self.coeff)


class Deemphasis(Module):
    """Undo `Preemphasis`; the result is limited to [-1, 1].

    Args:
        coeff: magnitude below 1.
    """

    def __init__(self, coeff: float = 0.97) -> None:
        super().__init__()
        self.coeff = coeff

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """The waveform, in the same shape.

        Args:
            waveform: (..., t) samples, floating.
        """
        return F.deemphasis(waveform, self.coeff)
