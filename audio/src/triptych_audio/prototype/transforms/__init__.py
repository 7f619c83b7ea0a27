"""What torchaudio kept under this name; stable in `triptych_audio.transforms`."""

from __future__ import annotations

from triptych_audio.transforms import (
    BarkScale,
    BarkSpectrogram,
    ChromaScale,
    ChromaSpectrogram,
    InverseBarkScale,
)

__all__ = [
    "BarkScale",
    "BarkSpectrogram",
    "ChromaScale",
    "ChromaSpectrogram",
    "InverseBarkScale",
]
