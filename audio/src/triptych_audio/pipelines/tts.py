"""Text to speech, ready to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triptych import nn
from triptych_audio.models import Tacotron2, WaveRNN
from triptych_audio.pipelines.checkpoints import loaded
from triptych_audio.pipelines.tts_interface import Tacotron2TTSBundle, TTSTextProcessor, TTSVocoder
from triptych_audio.pipelines.tts_text import (
    CHARACTERS,
    PHONEMES,
    EnglishCharProcessor,
    EnglishPhoneProcessor,
    Pronunciation,
)
from triptych_audio.pipelines.tts_vocoders import GriffinLimVocoder, WaveRNNVocoder
from triptych_audio.weights import published
from triptych_datasets import Artifact

__all__ = [
    "TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH",
    "TACOTRON2_GRIFFINLIM_PHONE_LJSPEECH",
    "TACOTRON2_WAVERNN_CHAR_LJSPEECH",
    "TACOTRON2_WAVERNN_PHONE_LJSPEECH",
    "Tacotron2TTSBundle",
]

WAVERNN_PARAMS: Mapping[str, Any] = {
    "upsample_scales": [5, 5, 11],
    "n_classes": 2**8,
    "hop_length": 275,
    "n_freq": 80,
}


@dataclass(frozen=True)
class LJSpeechBundle(Tacotron2TTSBundle):
    """Tacotron 2 trained on LJSpeech.

    Args:
        tacotron2_weights: the checkpoint, fetched on first use.
        wavernn_weights: of the vocoder; None for Griffin-Lim.
        phonemes: the input is phonemes, not letters.
        tacotron2_params: arguments of `Tacotron2` beside its defaults.
        wavernn_params: arguments of `WaveRNN`.
    """

    tacotron2_weights: Artifact
    wavernn_weights: Artifact | None
    phonemes: bool
    tacotron2_params: Mapping[str, Any]
    wavernn_params: Mapping[str, Any]

    def get_text_processor(
        self,
        *,
        dl_kwargs: Mapping[str, Any] | None = None,
        pronunciation: Pronunciation | None = None,
    ) -> TTSTextProcessor:
        """What turns text into numbers.

        Args:
            dl_kwargs: not used, nothing is fetched.
            pronunciation: for phonemes: from a word in lower case to its phonemes in CMUDict's
                alphabet, a mapping or a function.

        Raises:
            MissingDependencyError: the bundle takes phonemes, and pronunciation was not given.
        """
        return EnglishPhoneProcessor(pronunciation) if self.phonemes else EnglishCharProcessor()

    def get_vocoder(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> TTSVocoder:
        """What turns spectrograms into waveforms, in evaluation mode.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        if self.wavernn_weights is None:
            return GriffinLimVocoder()
        with nn.init.skipped():
            model = WaveRNN(**self.wavernn_params)
        return WaveRNNVocoder(loaded(model, self.wavernn_weights, dl_kwargs)).eval()

    def get_tacotron2(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> Tacotron2:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        with nn.init.skipped():
            model = Tacotron2(**self.tacotron2_params)
        return loaded(model, self.tacotron2_weights, dl_kwargs)


def _bundle(kind: str, wavernn: bool) -> LJSpeechBundle:
    vocoder = "_wavernn" if wavernn else ""
    phonemes = kind == "phonemes"
    return LJSpeechBundle(
        published(f"tacotron2_english_{kind}_1500_epochs{vocoder}_ljspeech.pth"),
        published("wavernn_10k_epochs_8bits_ljspeech.pth") if wavernn else None,
        phonemes,
        {"n_symbol": len(PHONEMES if phonemes else CHARACTERS)},
        WAVERNN_PARAMS,
    )


TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH = _bundle("characters", wavernn=False)
"""Letters to speech at 22.05 kHz by Griffin-Lim."""

TACOTRON2_GRIFFINLIM_PHONE_LJSPEECH = _bundle("phonemes", wavernn=False)
"""Phonemes to speech at 22.05 kHz by Griffin-Lim."""

TACOTRON2_WAVERNN_CHAR_LJSPEECH = _bundle("characters", wavernn=True)
"""Letters to speech at 22.05 kHz by WaveRNN."""

TACOTRON2_WAVERNN_PHONE_LJSPEECH = _bundle("phonemes", wavernn=True)
"""Phonemes to speech at 22.05 kHz by WaveRNN."""
