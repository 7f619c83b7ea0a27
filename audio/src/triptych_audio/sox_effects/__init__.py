"""Chains of effects in SoX's words, without SoX."""

from __future__ import annotations

from triptych_audio.sox_effects.sox_effects import (
    apply_effects_file,
    apply_effects_tensor,
    effect_names,
)

__all__ = [
    "apply_effects_file",
    "apply_effects_tensor",
    "effect_names",
]
