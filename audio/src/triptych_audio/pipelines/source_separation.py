"""Separation of voices and of instruments, ready to use."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from triptych import nn
from triptych_audio.models import conv_tasnet_base, hdemucs_high, separate
from triptych_audio.pipelines.checkpoints import loaded
from triptych_audio.weights import published
from triptych_datasets import Artifact

__all__ = [
    "CONVTASNET_BASE_LIBRI2MIX",
    "HDEMUCS_HIGH_MUSDB",
    "HDEMUCS_HIGH_MUSDB_PLUS",
    "SourceSeparationBundle",
]

STEMS = ("drums", "bass", "other", "vocals")


@dataclass(frozen=True)
class SourceSeparationBundle:
    """A model that separates sources, its weights and its sample rate.

    Args:
        weights: the checkpoint, fetched on first use.
        factory: makes the model.
        sample_rate: of the mixtures, in Hz.
        sources: names of what comes out, in order, where they have names.
    """

    weights: Artifact
    factory: Callable[[], nn.Module]
    sample_rate: int
    sources: tuple[str, ...] = ()

    def get_model(self, dl_kwargs: Mapping[str, Any] | None = None) -> nn.Module:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.

        Raises:
            triptych_datasets.Offline: the weights are not cached and no source can be reached.
        """
        with nn.init.skipped():  # the file overwrites whatever would be drawn
            model = self.factory()
        return loaded(model, self.weights, dl_kwargs)

    def separate(self, mix: Any, segment: float = 10.0, overlap: float = 0.25) -> Any:
        """Separate a recording of any length; see `triptych_audio.models.separate`.

        Args:
            mix: (n, c, t) or (c, t) samples at `sample_rate`.
            segment: length of a segment in seconds.
            overlap: part of a segment that the next one sees again.

        Returns:
            (n, sources, ..., t), or (sources, ..., t) for a mixture without n.
        """
        return separate(_shared_model(self), mix, segment, overlap, sample_rate=self.sample_rate)


@functools.cache
def _shared_model(bundle: SourceSeparationBundle) -> nn.Module:
    """One model per process."""
    return bundle.get_model()


CONVTASNET_BASE_LIBRI2MIX = SourceSeparationBundle(
    published("conv_tasnet_base_libri2mix.pt"), conv_tasnet_base, 8000
)
"""Conv-TasNet for two voices at 8 kHz, trained on Libri2Mix."""

HDEMUCS_HIGH_MUSDB, HDEMUCS_HIGH_MUSDB_PLUS = (
    SourceSeparationBundle(
        published(file), functools.partial(hdemucs_high, sources=list(STEMS)), 44100, STEMS
    )
    for file in ("hdemucs_high_musdbhq_only.pt", "hdemucs_high_trained.pt")
)
"""Hybrid Demucs for music at 44.1 kHz, trained on MUSDB-HQ; PLUS with 150 songs more."""
