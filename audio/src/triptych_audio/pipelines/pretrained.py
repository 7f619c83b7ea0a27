"""Pitch, speakers' voices and compressed sound: models that torchaudio lacks, ready to use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from triptych import nn
from triptych_audio import weights as records
from triptych_audio.models.crepe import CREPE
from triptych_audio.models.encodec import EncodecModel, encodec_model_24khz, encodec_model_48khz
from triptych_audio.models.speaker_embedding import GE2E
from triptych_audio.pipelines.checkpoints import checkpoint, loaded
from triptych_datasets import Artifact

__all__ = [
    "CREPE_FULL",
    "CREPE_TINY",
    "CodecBundle",
    "ENCODEC_24KHZ",
    "ENCODEC_48KHZ",
    "GE2E_RESEMBLYZER",
    "PitchBundle",
    "SpeakerEmbeddingBundle",
]


@dataclass(frozen=True)
class PitchBundle:
    """A model of pitch and its weights.

    Args:
        weights: the checkpoint, fetched and checked on first use.
        capacity: "full" or "tiny".
    """

    weights: Artifact
    capacity: str

    @property
    def sample_rate(self) -> int:
        """Rate at which the model listens, in Hz; `predict` resamples."""
        return CREPE.sample_rate

    def get_model(self, dl_kwargs: Mapping[str, Any] | None = None) -> CREPE:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        with nn.init.skipped():
            model = CREPE(self.capacity)
        return loaded(model, self.weights, dl_kwargs)


@dataclass(frozen=True)
class SpeakerEmbeddingBundle:
    """A model of voices and its weights.

    Args:
        weights: the checkpoint, fetched and checked on first use.
    """

    weights: Artifact

    @property
    def sample_rate(self) -> int:
        """Rate at which the model listens, in Hz; `embed_utterance` resamples."""
        return GE2E.sample_rate

    def get_model(self, dl_kwargs: Mapping[str, Any] | None = None) -> GE2E:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        with nn.init.skipped():
            model = GE2E()
        model.load_checkpoint(checkpoint(self.weights, dl_kwargs))
        return model.eval()


@dataclass(frozen=True)
class CodecBundle:
    """A neural codec and its weights.

    Args:
        weights: the checkpoint, fetched and checked on first use.
        factory: makes the model.
        sample_rate: of the sound, in Hz.
        channels: of the sound.
    """

    weights: Artifact
    factory: Callable[[], EncodecModel]
    sample_rate: int
    channels: int

    def get_model(self, dl_kwargs: Mapping[str, Any] | None = None) -> EncodecModel:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        with nn.init.skipped():
            model = self.factory()
        return loaded(model, self.weights, dl_kwargs)


CREPE_TINY = PitchBundle(records.CREPE_TINY, "tiny")
"""CREPE, the small one: 486,552 parameters, MIT licence."""

CREPE_FULL = PitchBundle(records.CREPE_FULL, "full")
"""CREPE, the large one: 22,239,976 parameters, MIT licence."""

GE2E_RESEMBLYZER = SpeakerEmbeddingBundle(records.GE2E_RESEMBLYZER)
"""Resemblyzer's speaker encoder: 1,423,616 parameters, Apache licence."""

ENCODEC_24KHZ = CodecBundle(records.ENCODEC_24KHZ, encodec_model_24khz, 24000, 1)
"""EnCodec for mono at 24 kHz."""

ENCODEC_48KHZ = CodecBundle(records.ENCODEC_48KHZ, encodec_model_48khz, 48000, 2)
"""EnCodec for stereo at 48 kHz."""
