"""What torchaudio kept under this name; stable in `triptych_audio.functional`."""

from __future__ import annotations

from triptych_audio.functional import barkscale_fbanks, chroma_filterbank

__all__ = ["barkscale_fbanks", "chroma_filterbank"]
