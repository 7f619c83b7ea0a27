"""Voice activity detection, ready to use."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from triptych.serialization import load_file
from triptych_audio.models import SileroVAD
from triptych_audio.pipelines.speech_segments import get_speech_timestamps
from triptych_audio.weights import SILERO_VAD_16K
from triptych_datasets import Artifact, fetch

__all__ = ["SILERO_VAD", "VADBundle"]


@dataclass(frozen=True)
class VADBundle:
    """A voice activity detector, its weights and what to do with its answer.

    Args:
        weights: the checkpoint, fetched and checked on first use.
    """

    weights: Artifact

    @property
    def sample_rate(self) -> int:
        """Rate of the waveforms that the model takes, in Hz."""
        return SileroVAD.sample_rate

    def get_model(self) -> SileroVAD:
        """The pretrained model, in evaluation mode; a new one at every call.

        Raises:
            Offline: the weights are not cached and no source can be reached.
        """
        model = SileroVAD()
        model.load_state_dict(load_file(fetch(self.weights)))
        return model.eval()

    def get_speech_timestamps(self, waveform: Any, **options: Any) -> list[dict[str, Any]]:
        """When somebody speaks in a recording.

        Args:
            waveform: (t,) or (1, t) samples in [-1, 1]: a Tensor, NumPy or DLPack array.
            **options: those of `get_speech_timestamps`, such as sample_rate and return_seconds.

        Returns:
            A dict with "start" and "end" for each stretch of speech.
        """
        return get_speech_timestamps(waveform, _shared_model(self), **options)


@functools.cache
def _shared_model(bundle: VADBundle) -> SileroVAD:
    """One model per process: a whole recording leaves no trace in it."""
    return bundle.get_model()


SILERO_VAD = VADBundle(SILERO_VAD_16K)
"""Silero VAD 6.2 at 16 kHz: 309,633 parameters, MIT licence."""
