"""What torchaudio kept under this name; stable here."""

from __future__ import annotations

from triptych_audio.prototype import functional, models, pipelines, transforms

__all__ = ["functional", "models", "pipelines", "transforms"]
