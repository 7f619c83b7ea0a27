"""What is measured in each frame of a waveform; and waveforms made ready for a model."""

from __future__ import annotations

from triptych import Tensor
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.functional.whisper import N_SAMPLES, whisper_filters
from triptych_audio.interop import same_kind

__all__ = ["RMS", "LogMelWhisper", "ToMono", "Trim", "ZeroCrossingRate"]


class RMS(Module):
    """The root of the mean square of each frame.

    Args:
        frame_length: in samples.
        hop_length: step between frames in samples.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.
    """

    def __init__(
        self,
        frame_length: int = 2048,
        hop_length: int = 512,
        center: bool = True,
        pad_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.frame_length, self.hop_length = frame_length, hop_length
        self.center, self.pad_mode = center, pad_mode

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., frames) in units of the waveform.

        Args:
            waveform: (..., t) samples.
        """
        frame = (self.frame_length, self.hop_length, self.center, self.pad_mode)
        return F.rms(waveform, *frame)


class ZeroCrossingRate(Module):
    """How often the sign changes, as a share of the samples of a frame.

    Args:
        frame_length: in samples.
        hop_length: step between frames in samples.
        center: frame k is centred at sample k * hop_length.
    """

    def __init__(
        self, frame_length: int = 2048, hop_length: int = 512, center: bool = True
    ) -> None:
        super().__init__()
        self.frame_length, self.hop_length, self.center = frame_length, hop_length, center

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., frames) from 0 to 1.

        Args:
            waveform: (..., t) samples.
        """
        return F.zero_crossing_rate(waveform, self.frame_length, self.hop_length, self.center)


class ToMono(Module):
    """The mean of all channels."""

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., 1, t) samples.

        Args:
            waveform: (..., channels, t) samples.
        """
        return F.to_mono(waveform)


class Trim(Module):
    """Cut silence off both ends.

    Args:
        top_db: frames that are further than this below the loudest one are silent.
        frame_length: in samples.
        hop_length: step between frames in samples; the precision of the cut.
    """

    def __init__(
        self, top_db: float = 60.0, frame_length: int = 2048, hop_length: int = 512
    ) -> None:
        super().__init__()
        self.top_db, self.frame_length, self.hop_length = top_db, frame_length, hop_length

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """The part with sound, the same in all channels.

        Args:
            waveform: (..., t) samples.
        """
        frame = (self.frame_length, self.hop_length)
        return F.trim(waveform, self.top_db, None, *frame)[0]


class LogMelWhisper(Module):
    """The features that Whisper takes; see `functional.log_mel_spectrogram`.

    Args:
        n_mels: 80, or 128 for large-v3 and turbo.
        length: each waveform is first padded or cut to this many samples, default 30 s; None to
            leave it as it is.

    Example:
        >>> import triptych as tp
        >>> LogMelWhisper()(tp.zeros(16000)).shape
        Size([80, 3000])
    """

    def __init__(self, n_mels: int = 80, length: int | None = N_SAMPLES) -> None:
        super().__init__()
        whisper_filters(n_mels)
        self.n_mels, self.length = n_mels, length

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """(..., n_mels, frames).

        Args:
            waveform: (..., t) samples at 16 kHz, in [-1, 1].
        """
        if self.length is not None:
            waveform = F.pad_or_trim(waveform, self.length)
        return F.log_mel_spectrogram(waveform, self.n_mels)
