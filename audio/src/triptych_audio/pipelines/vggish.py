"""VGGish with its features, ready to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triptych import nn
from triptych_audio.models import vggish as networks
from triptych_audio.pipelines.checkpoints import loaded
from triptych_audio.weights import published
from triptych_datasets import Artifact

__all__ = ["VGGISH", "VGGishBundle"]


@dataclass(frozen=True)
class VGGishBundle:
    """VGGish, its weights and its features.

    Args:
        weights: the checkpoint, fetched on first use.
    """

    weights: Artifact

    VGGish = networks.VGGish
    VGGishInputProcessor = networks.VGGishInputProcessor

    @property
    def sample_rate(self) -> int:
        """Of the recordings, in Hz."""
        return networks.SAMPLE_RATE

    def get_model(self, dl_kwargs: Mapping[str, Any] | None = None) -> networks.VGGish:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        with nn.init.skipped():
            model = networks.VGGish()
        return loaded(model, self.weights, dl_kwargs)

    def get_input_processor(self) -> networks.VGGishInputProcessor:
        """What turns waveforms into the model's input."""
        return networks.VGGishInputProcessor()


VGGISH = VGGishBundle(published("vggish.pt"))
"""VGGish at 16 kHz, trained on YouTube; embeddings of 128 values."""
