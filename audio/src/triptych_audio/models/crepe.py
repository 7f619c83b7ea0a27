"""CREPE: the pitch of a voice or an instrument, a hundred times a second or more.

Source: Kim et al. 2018, "CREPE: A Convolutional Representation for Pitch Estimation"; parameter
names are torchcrepe's.
"""

from __future__ import annotations

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych_audio import functional as F
from triptych_audio.interop import same_kind
from triptych_audio.models.crepe_decoding import BINS, DECODERS, bins_to_frequency, frequency_to_bin

__all__ = ["CREPE"]

SAMPLE_RATE = 16000
WINDOW = 1024  # samples that one estimate looks at, 64 ms
FMAX = 2006.0  # of the highest bin, in Hz
BATCH_NORM_EPS = 0.0010000000474974513  # of the published weights
SILENCE = 1e-10  # the least spread that a window is divided by
WIDTHS = {"full": (1024, 128, 128, 128, 256, 512), "tiny": (128, 16, 16, 16, 32, 64)}


class CREPE(nn.Module):
    """Six convolutions over a window of samples, and how likely each of 360 pitches is.

    The pitches are 20 cents apart, from 31.7 Hz to 2006 Hz. `triptych_audio.pipelines.CREPE_TINY`
    and `CREPE_FULL` load the published weights.

    Args:
        capacity: "full" with 22.2 million parameters, or "tiny" with 0.5 million.

    Raises:
        DomainError: capacity is neither.

    Example:
        >>> model = CREPE("tiny").eval()
        >>> pitch, periodicity = model.predict(tp.zeros(1, 16000))
        >>> pitch.shape, periodicity.shape
        (Size([1, 101]), Size([1, 101]))
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, capacity: str = "full") -> None:
        super().__init__()
        if capacity not in WIDTHS:
            raise DomainError(f"CREPE: capacity is one of {sorted(WIDTHS)}, got {capacity!r}")
        self.capacity = capacity
        before = 1
        for index, width in enumerate(WIDTHS[capacity], start=1):
            kernel, stride = (512, 4) if index == 1 else (64, 1)
            setattr(self, f"conv{index}", nn.Conv2d(before, width, (kernel, 1), (stride, 1)))
            norm = nn.BatchNorm2d(width, eps=BATCH_NORM_EPS, momentum=0.0)
            setattr(self, f"conv{index}_BN", norm)
            before = width
        self.classifier = nn.Linear(4 * before, BINS)

    def forward(self, frames: Tensor) -> Tensor:
        """Score the pitches.

        Args:
            frames: (n, 1024) samples at 16 kHz, each row with zero mean and unit spread.

        Returns:
            (n, 360) in [0, 1]; they need not add up to one.
        """
        x = self._layer(self.embed(frames), 6)  # (n, c, 4)
        return self.classifier(x.transpose(1, 2).flatten(1)).sigmoid()

    def embed(self, frames: Tensor) -> Tensor:
        """What the fifth layer sees.

        Args:
            frames: (n, 1024), as for `forward`.

        Returns:
            (n, c, 8), c = 256 or 32.

        Raises:
            ShapeError: frames are not (n, 1024).
        """
        if frames.ndim != 2 or frames.shape[1] != WINDOW:
            raise ShapeError(f"CREPE: wanted (n, {WINDOW}) samples, got {tuple(frames.shape)}")
        x = frames.unsqueeze(1)
        for index in range(1, 6):
            x = self._layer(x, index)
        return x

    def _layer(self, x: Tensor, index: int) -> Tensor:
        """(n, c, t) through one layer; the file's kernels are images that are one pixel wide."""
        conv, norm = getattr(self, f"conv{index}"), getattr(self, f"conv{index}_BN")
        x = nnF.pad(x, (254, 254) if index == 1 else (31, 32))
        x = nnF.conv1d(x, conv.weight.squeeze(-1), conv.bias, conv.stride[0]).relu()
        return nnF.max_pool1d(norm(x.unsqueeze(-1)).squeeze(-1), 2)

    @same_kind
    def predict(
        self,
        waveform: Tensor,
        sample_rate: int = SAMPLE_RATE,
        step: float = 10.0,
        *,
        fmin: float = 50.0,
        fmax: float = FMAX,
        decoder: str = "viterbi",
        batch_size: int = 128,
        pad: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Follow the pitch of a recording. No gradients are recorded.

        Args:
            waveform: (t,) or (n, t) samples of any loudness.
            sample_rate: of the waveform in Hz, which is resampled to 16 kHz if it must be.
            step: milliseconds from one estimate to the next.
            fmin: lowest pitch in Hz.
            fmax: highest pitch in Hz.
            decoder: "argmax" takes the best bin of each window, "weighted" the mean around it,
                "viterbi" the path that jumps little, and the mean around it.
            batch_size: windows that go through the model together.
            pad: centre the first window on the first sample; else it begins there.

        Returns:
            Pitch in Hz, and periodicity in [0, 1], which is low where there is no pitch:
            (frames,) or (n, frames) each, frame k at k * step milliseconds.

        Raises:
            ShapeError: the waveform has other dims, or less than a window without pad.
            DomainError: an option is out of its range.
        """
        if decoder not in DECODERS:
            raise DomainError(f"CREPE: decoder is one of {sorted(DECODERS)}, got {decoder!r}")
        low, high = frequency_to_bin(fmin), frequency_to_bin(fmax) + 1
        if not 0 < fmin < fmax or high <= 0 or low >= BINS:
            raise DomainError(
                f"CREPE: wanted 0 < fmin < fmax around 32 to 2006 Hz, got {fmin} and {fmax}"
            )
        with tp.no_grad():
            frames = self.frames(waveform, sample_rate, step, pad=pad)  # (n, k, 1024)
            n, k, _ = frames.shape
            windows = frames.reshape(n * k, WINDOW).split(batch_size)
            scores = tp.cat([self(_standardized(w)) for w in windows]).reshape(n, k, BINS)
            inside = tp.zeros(BINS, dtype=tp.bool)
            inside[max(low, 0) : high] = True
            scores = scores.masked_fill(~inside.to(scores.device), -float("inf"))
            bins, places = DECODERS[decoder](scores)
            periodicity = scores.gather(2, bins.unsqueeze(2)).squeeze(2)
        shape = (*waveform.shape[:-1], k)
        return bins_to_frequency(places).reshape(shape), periodicity.reshape(shape)

    def frames(
        self,
        waveform: Tensor,
        sample_rate: int = SAMPLE_RATE,
        step: float = 10.0,
        *,
        pad: bool = True,
    ) -> Tensor:
        """The windows of a recording.

        Args:
            waveform: (t,) or (n, t) samples.
            sample_rate: of the waveform in Hz.
            step: milliseconds from one window to the next.
            pad: centre the first window on the first sample; else it begins there.

        Returns:
            (n, k, 1024) samples at 16 kHz, as they are.

        Raises:
            ShapeError: the waveform has other dims, or less than a window without pad.
            DomainError: step is shorter than a sample.
        """
        hop = round(step * SAMPLE_RATE / 1000)
        if hop < 1:
            raise DomainError(f"CREPE: step is {1000 / SAMPLE_RATE} ms or more, got {step}")
        if waveform.ndim not in (1, 2) or not waveform.shape[-1]:
            raise ShapeError(f"CREPE: wanted (t,) or (n, t) samples, got {tuple(waveform.shape)}")
        heard = waveform.to(self.classifier.weight.dtype)
        heard = F.resample(heard, sample_rate, SAMPLE_RATE)
        heard = heard.unsqueeze(0) if heard.ndim == 1 else heard
        if pad:
            heard = nnF.pad(heard, (WINDOW // 2, WINDOW // 2))
        if heard.shape[-1] < WINDOW:
            raise ShapeError(
                f"CREPE: {heard.shape[-1]} samples at 16 kHz are less than a window of {WINDOW}; "
                "use pad=True"
            )
        return heard.unfold(-1, WINDOW, hop)


def _standardized(frames: Tensor) -> Tensor:
    """(n, 1024) rows with zero mean and unit spread."""
    frames = frames - frames.mean(1, keepdim=True)
    return frames / frames.std(1, keepdim=True).clamp(min=SILENCE)
