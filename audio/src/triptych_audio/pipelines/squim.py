"""Quality of speech without a clean recording beside it, ready to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triptych import nn
from triptych_audio.models import (
    SquimObjective,
    SquimSubjective,
    squim_objective_base,
    squim_subjective_base,
)
from triptych_audio.pipelines.checkpoints import loaded
from triptych_audio.weights import published
from triptych_datasets import Artifact

__all__ = ["SQUIM_OBJECTIVE", "SQUIM_SUBJECTIVE", "SquimObjectiveBundle", "SquimSubjectiveBundle"]


@dataclass(frozen=True)
class SquimObjectiveBundle:
    """Estimates of STOI, PESQ and SI-SDR.

    Args:
        weights: the checkpoint, fetched on first use.
        sample_rate: of the recordings, in Hz.
    """

    weights: Artifact
    sample_rate: int

    def get_model(self, dl_kwargs: Mapping[str, Any] | None = None) -> SquimObjective:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        with nn.init.skipped():
            model = squim_objective_base()
        return loaded(model, self.weights, dl_kwargs)


@dataclass(frozen=True)
class SquimSubjectiveBundle:
    """Estimates of the mean opinion score.

    Args:
        weights: the checkpoint, fetched on first use.
        sample_rate: of the recordings, in Hz.
    """

    weights: Artifact
    sample_rate: int

    def get_model(self, dl_kwargs: Mapping[str, Any] | None = None) -> SquimSubjective:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`.
        """
        with nn.init.skipped():
            model = squim_subjective_base()
        return loaded(model, self.weights, dl_kwargs)


SQUIM_OBJECTIVE = SquimObjectiveBundle(published("squim_objective_dns2020.pth"), 16000)
"""STOI, PESQ and SI-SDR at 16 kHz, trained on DNS 2020. Weights under CC-BY-4.0."""

SQUIM_SUBJECTIVE = SquimSubjectiveBundle(published("squim_subjective_bvcc_daps.pth"), 16000)
"""Mean opinion scores at 16 kHz, trained on BVCC and DAPS. Weights under CC-BY-NC-4.0."""
