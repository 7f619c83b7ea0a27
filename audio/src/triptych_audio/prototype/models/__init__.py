"""Models that torchaudio kept under this name; they live in `triptych_audio.models`."""

from __future__ import annotations

from triptych_audio.models.conformer_wav2vec2 import (
    ConformerWav2Vec2PretrainModel,
    conformer_wav2vec2_base,
    conformer_wav2vec2_model,
    conformer_wav2vec2_pretrain_base,
    conformer_wav2vec2_pretrain_large,
    conformer_wav2vec2_pretrain_model,
)
from triptych_audio.models.conv_emformer import ConvEmformer
from triptych_audio.models.emformer_hubert import emformer_hubert_base, emformer_hubert_model
from triptych_audio.models.hifi_gan import (
    HiFiGANVocoder,
    hifigan_vocoder,
    hifigan_vocoder_v1,
    hifigan_vocoder_v2,
    hifigan_vocoder_v3,
)
from triptych_audio.models.rnnt import conformer_rnnt_base, conformer_rnnt_model

__all__ = [
    "ConformerWav2Vec2PretrainModel",
    "ConvEmformer",
    "HiFiGANVocoder",
    "conformer_rnnt_base",
    "conformer_rnnt_model",
    "conformer_wav2vec2_base",
    "conformer_wav2vec2_model",
    "conformer_wav2vec2_pretrain_base",
    "conformer_wav2vec2_pretrain_large",
    "conformer_wav2vec2_pretrain_model",
    "emformer_hubert_base",
    "emformer_hubert_model",
    "hifigan_vocoder",
    "hifigan_vocoder_v1",
    "hifigan_vocoder_v2",
    "hifigan_vocoder_v3",
]
