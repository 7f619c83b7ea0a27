"""Wav2Letter: speech recognition by convolutions alone.

Source: Collobert, Puhrsch and Synnaeve 2016, "Wav2Letter: an End-to-End ConvNet-based Speech
Recognition System"; layers and parameter names are torchaudio's.
"""

from __future__ import annotations

from triptych import Tensor, nn
from triptych.errors import DomainError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind

__all__ = ["Wav2Letter"]

INPUT_TYPES = ("waveform", "power_spectrum", "mfcc")
# channels out, kernel size, stride, padding of the acoustic model; the last layer follows
LAYERS = (
    (250, 48, 2, 23),
    *((250, 7, 1, 3),) * 7,
    (2000, 32, 1, 16),
    (2000, 1, 1, 0),
)
WAVEFORM_LAYER = (250, 250, 160, 45)  # on top of samples: 15.6 ms windows, 10 ms apart at 16 kHz


class Wav2Letter(nn.Module):
    """Eleven convolutions over features, and a twelfth below them for raw samples.

    Args:
        num_classes: characters, with the blank of CTC.
        input_type: "waveform", "power_spectrum" or "mfcc".
        num_features: features per frame, or channels of a waveform.

    Raises:
        DomainError: input_type is none of the three.

    Example:
        >>> import triptych as tp
        >>> model = Wav2Letter(num_classes=29, input_type="mfcc", num_features=13)
        >>> model(tp.zeros(1, 13, 40)).shape
        Size([1, 29, 21])
    """

    def __init__(
        self, num_classes: int = 40, input_type: str = "waveform", num_features: int = 1
    ) -> None:
        super().__init__()
        if input_type not in INPUT_TYPES:
            raise DomainError(
                f"Wav2Letter: input_type is one of {', '.join(INPUT_TYPES)}, got {input_type!r}"
            )
        raw = input_type == "waveform"
        acoustic = _convolutions(
            WAVEFORM_LAYER[0] if raw else num_features, (*LAYERS, (num_classes, 1, 1, 0))
        )
        self.acoustic_model = (
            nn.Sequential(_convolutions(num_features, (WAVEFORM_LAYER,)), acoustic)
            if raw
            else acoustic
        )

    @same_kind
    def forward(self, x: Tensor) -> Tensor:
        """Score the characters in every frame.

        Args:
            x: (n, num_features, t).

        Returns:
            (n, num_classes, frames) logarithms of probabilities.
        """
        return nnF.log_softmax(self.acoustic_model(x), 1)


def _convolutions(channels: int, layers: tuple[tuple[int, int, int, int], ...]) -> nn.Sequential:
    """Convolutions with a ReLU behind each."""
    made: list[nn.Module] = []
    for out, kernel_size, stride, padding in layers:
        made += [nn.Conv1d(channels, out, kernel_size, stride, padding), nn.ReLU(inplace=True)]
        channels = out
    return nn.Sequential(*made)
