"""Features with the numbers of other toolkits."""

from __future__ import annotations

from triptych_audio.compliance import kaldi

__all__ = ["kaldi"]
