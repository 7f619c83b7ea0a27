"""Models of sound, with the parameter names of the official checkpoints."""

from __future__ import annotations

from triptych_audio.models.silero_vad import SileroVAD, SileroVADState

__all__ = ["SileroVAD", "SileroVADState"]
