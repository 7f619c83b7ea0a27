"""What goes into a transducer and what comes out: features of sound, and text of symbols."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import FileFormatError, MissingDependencyError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind
from triptych_audio.transforms import MelSpectrogram

__all__ = ["FeatureExtractor", "TokenProcessor", "global_stats", "piecewise_linear_log"]

GAIN = 32767.0**2  # from power of samples in [-1, 1] to that of 16-bit ones, as in training
SPACE = "\u2581"  # begins the pieces that begin a word


def piecewise_linear_log(x: Tensor) -> Tensor:
    """Logarithm above e, and a line through zero below it.

    Args:
        x: not negative.

    Returns:
        The same shape.

    Example:
        >>> piecewise_linear_log(tp.tensor([0.0, math.e, math.e**2]))
        tensor([0., 1., 2.])
    """
    return tp.where(x > math.e, x.clamp(min=math.e).log(), x / math.e)


def global_stats(path: str | os.PathLike[str]) -> tuple[Tensor, Tensor]:
    """What features are normalised with.

    Args:
        path: of a JSON file with "mean" and "invstddev".

    Returns:
        (n_mels,) means, and (n_mels,) inverse standard deviations.

    Raises:
        FileFormatError: the file holds something else.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        return tp.tensor(found["mean"]), tp.tensor(found["invstddev"])
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"global_stats: {path}: wanted a JSON object with mean and invstddev ({error})"
        ) from error


class FeatureExtractor(nn.Module):
    """Normalised logarithms of mel bands.

    Args:
        sample_rate: of the waveforms in Hz.
        n_fft: samples of a window.
        n_mels: bands.
        hop_length: samples between windows.
        mean: (n_mels,) of each band.
        invstddev: (n_mels,) inverse standard deviation of each band.
        right_padding: frames of zeros after the recording.
    """

    mean: Tensor
    invstddev: Tensor

    def __init__(
        self,
        sample_rate: int,
        n_fft: int,
        n_mels: int,
        hop_length: int,
        mean: Tensor,
        invstddev: Tensor,
        right_padding: int = 0,
    ) -> None:
        super().__init__()
        self.mel = MelSpectrogram(
            sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels, hop_length=hop_length
        )
        self.right_padding = right_padding
        self.register_buffer("mean", mean)
        self.register_buffer("invstddev", invstddev)

    @same_kind
    def forward(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """Features of a recording.

        Args:
            input: (t,) samples in [-1, 1].

        Returns:
            (frames, n_mels), and how many frames these are, (1,).
        """
        bands: Tensor = self.mel(input)
        logs = piecewise_linear_log(bands.transpose(0, 1) * GAIN)
        features = nnF.pad((logs - self.mean) * self.invstddev, (0, 0, 0, self.right_padding))
        return features, tp.tensor([features.shape[0]], device=features.device)


class TokenProcessor:
    """Text of pieces of words.

    Args:
        model: a SentencePieceProcessor, or the path of a model of SentencePiece.

    Raises:
        MissingDependencyError: the library sentencepiece is not installed.
    """

    def __init__(self, model: Any) -> None:
        given = isinstance(model, str | os.PathLike)
        self.sp_model = _processor(os.fspath(model)) if given else model
        self.left_out = {self.sp_model.unk_id(), self.sp_model.eos_id(), self.sp_model.pad_id()}

    def __call__(self, tokens: Iterable[int], lstrip: bool = True) -> str:
        """Text.

        Args:
            tokens: numbers of pieces; the first, with which a search begins, does not count.
            lstrip: no space at the beginning.

        Returns:
            The text.
        """
        wanted = [token for token in list(tokens)[1:] if token not in self.left_out]
        text = "".join(self.sp_model.id_to_piece(wanted)).replace(SPACE, " ")
        return text.lstrip() if lstrip else text


def _processor(path: str) -> Any:
    try:
        import sentencepiece
    except ImportError as error:
        raise MissingDependencyError(
            "get_token_processor needs the library sentencepiece; "
            'pip install "triptych-audio[sentencepiece]"'
        ) from error
    return sentencepiece.SentencePieceProcessor(model_file=path)
