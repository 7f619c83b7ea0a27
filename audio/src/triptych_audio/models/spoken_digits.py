"""A small classifier of spoken digits, 8 kHz, with weights inside this package."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind
from triptych_audio.transforms import MelSpectrogram

__all__ = ["SpokenDigits"]

SAMPLE_RATE = 8000
N_FFT, WINDOW, HOP = 256, 200, 80  # samples: 25 ms windows, a hundred a second
BANDS, LOWEST, HIGHEST = 40, 80.0, 3600.0  # of the mel scale, in Hz: what a telephone passes
FLOOR = 1e-6  # added to the power in a band: hides what is softer than 16-bit noise
SHORTEST = 4000  # samples: what is shorter is completed with zeros
SPREAD = 2.5  # of logarithms of power, roughly, once their mean is taken away


class SpokenDigits(nn.Module):
    """Which word was said: a convolutional network over the log-mel picture of a short clip.

    The mean over time is taken away from every band, so the colour of a microphone or a telephone
    line does not matter much; loudness does not either.

    Args:
        num_classes: how many scores come out.
        widths: channels of the stages; each stage halves the resolution.

    Raises:
        ShapeError: there are no stages.

    Example:
        >>> import triptych as tp
        >>> SpokenDigits().eval()(tp.zeros(2, 8000)).shape
        Size([2, 10])
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, num_classes: int = 10, widths: Sequence[int] = (24, 48, 96)) -> None:
        super().__init__()
        if not widths:
            raise ShapeError("SpokenDigits: widths is the channels of each stage, got none")
        self.spectrum = MelSpectrogram(
            SAMPLE_RATE,
            n_fft=N_FFT,
            win_length=WINDOW,
            hop_length=HOP,
            f_min=LOWEST,
            f_max=HIGHEST,
            n_mels=BANDS,
        )
        layers: list[nn.Module] = [_stage(1, widths[0], kernel_size=5)]
        for before, after in pairwise(widths):
            layers += [_stage(before, after), _stage(after, after, stride=1)]
        self.stages = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(widths[-1], num_classes)

    def features(self, waveform: Tensor) -> Tensor:
        """The picture that the network looks at.

        Args:
            waveform: (..., t) samples at 8 kHz.

        Returns:
            (..., 40, frames), a hundred frames a second, each band with zero mean.
        """
        short = SHORTEST - waveform.shape[-1]
        if short > 0:
            waveform = nnF.pad(waveform, (short // 2, short - short // 2))
        level = (self.spectrum(waveform) + FLOOR).log()
        return (level - level.mean(-1, keepdim=True)) / SPREAD

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """Scores of the words.

        Args:
            waveform: (n, t) samples in [-1, 1] at 8 kHz, half a second to two, one word each.

        Returns:
            (n, num_classes) logits.

        Raises:
            ShapeError: waveform is not (n, t), or has no samples.
        """
        if waveform.ndim != 2 or not waveform.shape[-1]:
            raise ShapeError(
                f"SpokenDigits: wanted (n, t) samples with t > 0, got {tuple(waveform.shape)}; "
                "waveform[None] makes a batch of one clip"
            )
        maps = self.stages(self.features(waveform).unsqueeze(1))
        return self.classifier(self.dropout(maps.mean((2, 3))))


def _stage(before: int, after: int, kernel_size: int = 3, stride: int = 2) -> nn.Sequential:
    """Convolution, norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size, stride, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )
