"""Models that torchaudio kept under this name; they live in `triptych_audio.models`."""

from __future__ import annotations

from triptych_audio.models.hifi_gan import (
    HiFiGANVocoder,
    hifigan_vocoder,
    hifigan_vocoder_v1,
    hifigan_vocoder_v2,
    hifigan_vocoder_v3,
)

__all__ = [
    "HiFiGANVocoder",
    "hifigan_vocoder",
    "hifigan_vocoder_v1",
    "hifigan_vocoder_v2",
    "hifigan_vocoder_v3",
]
