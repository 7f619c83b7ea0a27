"""What every bundle that speaks has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from triptych import Tensor
from triptych_audio.models import Tacotron2

__all__ = ["TTSTextProcessor", "TTSVocoder", "Tacotron2TTSBundle"]


class TTSTextProcessor(ABC):
    """Text to numbers."""

    @property
    @abstractmethod
    def tokens(self) -> tuple[str, ...]:
        """What each number stands for."""

    @abstractmethod
    def __call__(self, texts: str | Sequence[str]) -> tuple[Tensor, Tensor]:
        """Encode texts.

        Args:
            texts: one or several.

        Returns:
            (n, l) int64 numbers, zeros behind each text's end, and (n,) int32 lengths.
        """


class TTSVocoder(ABC):
    """Spectrograms to waveforms."""

    @property
    @abstractmethod
    def sample_rate(self) -> int:
        """Of the waveforms, in Hz."""

    @abstractmethod
    def __call__(
        self, specgrams: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Make waveforms.

        Args:
            specgrams: (n, n_mels, frames) natural logarithms, as Tacotron 2 makes them.
            lengths: (n,) valid frames; default all.

        Returns:
            (n, t) samples, and (n,) valid samples if lengths were given.
        """


class Tacotron2TTSBundle(ABC):
    """Tacotron 2 with what turns text into its input and its output into sound.

    Example:
        bundle = triptych_audio.pipelines.TACOTRON2_WAVERNN_CHAR_LJSPEECH
        processor = bundle.get_text_processor()
        tokens, lengths = processor("Hello world!")
        specgram, lengths, _ = bundle.get_tacotron2().infer(tokens, lengths)
        vocoder = bundle.get_vocoder()
        waveforms, lengths = vocoder(specgram, lengths)
        triptych_audio.save("hello.wav", waveforms, vocoder.sample_rate)
    """

    TextProcessor = TTSTextProcessor
    Vocoder = TTSVocoder

    @abstractmethod
    def get_text_processor(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> TTSTextProcessor:
        """What turns text into numbers.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """

    @abstractmethod
    def get_vocoder(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> TTSVocoder:
        """What turns spectrograms into waveforms.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """

    @abstractmethod
    def get_tacotron2(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> Tacotron2:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
