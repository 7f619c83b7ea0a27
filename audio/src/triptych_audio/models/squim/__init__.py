"""SQUIM: quality of speech without the clean recording it came from."""

from __future__ import annotations

from triptych_audio.models.squim.objective import (
    SquimObjective,
    squim_objective_base,
    squim_objective_model,
)
from triptych_audio.models.squim.subjective import (
    SquimSubjective,
    squim_subjective_base,
    squim_subjective_model,
)

__all__ = [
    "SquimObjective",
    "SquimSubjective",
    "squim_objective_base",
    "squim_objective_model",
    "squim_subjective_base",
    "squim_subjective_model",
]
