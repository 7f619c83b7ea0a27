"""Mel spectrograms while the sound is coming in."""

from __future__ import annotations

from typing import Any

import triptych as tp
import triptych.nn.functional as nnF
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio import functional as F
from triptych_audio.interop import same_kind
from triptych_audio.transforms import MelSpectrogram

__all__ = ["StreamingMelSpectrogram"]


class StreamingMelSpectrogram:
    """A `MelSpectrogram` that takes a recording piece by piece, in constant memory.

    The frames are those of the whole recording, edges included. A frame comes as soon as its last
    sample has: with `center=True` that is n_fft // 2 samples after its middle, 12.5 ms for 400 at
    16 kHz. No gradients are recorded.

    Args:
        mel: says what to compute.

    Example:
        >>> mel = MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=80)
        >>> streaming = StreamingMelSpectrogram(mel)
        >>> pieces = [streaming(tp.zeros(1, 4000), last=i == 3) for i in range(4)]
        >>> [piece.shape[-1] for piece in pieces], mel(tp.zeros(1, 16000)).shape[-1]
        ([24, 25, 25, 27], 101)
    """

    def __init__(self, mel: MelSpectrogram) -> None:
        self.mel = mel
        self.reset()

    def reset(self) -> None:
        """Forget what has come, before another recording."""
        self._waiting: Tensor | None = None  # from the first sample of the next frame on
        self._begun = False

    @same_kind
    def __call__(self, piece: Tensor, last: bool = False) -> Tensor:
        """The frames that a further piece completes.

        Args:
            piece: (..., t) samples, of any length; the leading shape stays the same.
            last: nothing follows: give the rest, and begin anew with the next piece.

        Returns:
            (..., n_mels, frames); frames may be 0.

        Raises:
            ShapeError: the leading shape has changed, or a whole recording is too short.
        """
        with tp.no_grad():
            return self._frames(piece.detach(), last)

    def _frames(self, piece: Tensor, last: bool) -> Tensor:
        spectrogram = self.mel.spectrogram
        n_fft, hop, pad = spectrogram.n_fft, spectrogram.hop_length, spectrogram.pad
        before = nnF.pad(piece[..., :0], (0, pad)) if self._waiting is None else self._waiting
        if before.shape[:-1] != piece.shape[:-1]:
            raise ShapeError(
                f"StreamingMelSpectrogram: began with {tuple(before.shape[:-1])} before the time, "
                f"got {tuple(piece.shape[:-1])}; call reset() first"
            )
        samples = tp.cat([before, piece, nnF.pad(piece[..., :0], (0, pad if last else 0))], -1)
        half = n_fft // 2 if spectrogram.center else 0
        if half:
            samples = self._edges(samples, half, last)
        length = samples.shape[-1]
        count = max((length - n_fft) // hop + 1, 0) if self._begun or not half else 0
        if half and not last:  # half a frame is kept, as the end mirrors it
            count = min(count, max((length - half - 1) // hop, 0))
        out = self._spectra(samples[..., : (count - 1) * hop + n_fft] if count else None, piece)
        self._waiting = samples[..., count * hop :].clone()
        if last:
            self.reset()
        return out

    def _edges(self, samples: Tensor, half: int, last: bool) -> Tensor:
        """Mirror, or whatever pad_mode says, at the beginning and at the end."""
        mode: Any = self.mel.spectrogram.pad_mode
        if not self._begun and last:
            self._begun = True
            return nnF.pad(samples, (half, half), mode)
        if not self._begun and samples.shape[-1] > half:
            self._begun = True
            samples = tp.cat([nnF.pad(samples[..., : half + 1], (half, 0), mode)[..., :half],
                              samples], -1)  # fmt: skip
        if last:
            tail = nnF.pad(samples[..., -half - 1 :], (0, half), mode)[..., half + 1 :]
            samples = tp.cat([samples, tail], -1)
        return samples

    def _spectra(self, samples: Tensor | None, like: Tensor) -> Tensor:
        s = self.mel.spectrogram
        if samples is None:
            return like.new_zeros(*like.shape[:-1], self.mel.n_mels, 0)
        spectra = F.spectrogram(
            samples, 0, s.window, s.n_fft, s.hop_length, s.win_length, s.power, s.normalized,
            False, s.pad_mode, True,
        )  # fmt: skip
        banded: Tensor = self.mel.mel_scale(spectra)
        return banded
