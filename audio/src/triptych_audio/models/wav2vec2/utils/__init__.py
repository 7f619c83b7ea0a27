"""Models that other libraries keep, as `Wav2Vec2Model`."""

from __future__ import annotations

from triptych_audio.models.wav2vec2.utils.import_fairseq import import_fairseq_model
from triptych_audio.models.wav2vec2.utils.import_huggingface import import_huggingface_model

__all__ = ["import_fairseq_model", "import_huggingface_model"]
