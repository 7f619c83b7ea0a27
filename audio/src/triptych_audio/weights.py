"""The pretrained weights of this package: where they can be had and which bytes they hold."""

from __future__ import annotations

from triptych_datasets import Artifact

__all__ = ["ARTIFACTS", "SILERO_VAD_16K"]

SILERO_VAD_16K = Artifact(
    "silero-vad/silero_vad_16k.safetensors",
    sources=("pypi:silero-vad==6.2.3#silero_vad/data/silero_vad_16k.safetensors",),
    sha256="c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1",
    size=1_239_748,
    licence="MIT",
    description="Silero VAD, voice activity at 16 kHz: 15 tensors, 309,633 parameters",
    kind="weights",
)

ARTIFACTS = (SILERO_VAD_16K,)
