"""Bundles that torchaudio kept under this name; they live in `triptych_audio.pipelines`."""

from __future__ import annotations

from triptych_audio.pipelines.hifi_gan import HIFIGAN_VOCODER_V3_LJSPEECH, HiFiGANVocoderBundle
from triptych_audio.pipelines.rnnt_pipeline import (
    EMFORMER_RNNT_BASE_MUSTC,
    EMFORMER_RNNT_BASE_TEDLIUM3,
)
from triptych_audio.pipelines.vggish import VGGISH, VGGishBundle

__all__ = [
    "EMFORMER_RNNT_BASE_MUSTC",
    "EMFORMER_RNNT_BASE_TEDLIUM3",
    "HIFIGAN_VOCODER_V3_LJSPEECH",
    "HiFiGANVocoderBundle",
    "VGGISH",
    "VGGishBundle",
]
