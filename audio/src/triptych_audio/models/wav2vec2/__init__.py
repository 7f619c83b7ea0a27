"""wav2vec 2.0, HuBERT and WavLM, and models that other libraries keep of them."""

from __future__ import annotations

from triptych_audio.models.wav2vec2 import utils
from triptych_audio.models.wav2vec2.hubert_pretraining import (
    HuBERTPretrainModel,
    hubert_pretrain_model,
)
from triptych_audio.models.wav2vec2.model import Wav2Vec2Model, wav2vec2_model, wavlm_model
from triptych_audio.models.wav2vec2.sizes import (
    hubert_base,
    hubert_large,
    hubert_pretrain_base,
    hubert_pretrain_large,
    hubert_pretrain_xlarge,
    hubert_xlarge,
    wav2vec2_base,
    wav2vec2_large,
    wav2vec2_large_lv60k,
    wav2vec2_xlsr_1b,
    wav2vec2_xlsr_2b,
    wav2vec2_xlsr_300m,
    wavlm_base,
    wavlm_large,
)

__all__ = [
    "HuBERTPretrainModel",
    "Wav2Vec2Model",
    "hubert_base",
    "hubert_large",
    "hubert_pretrain_base",
    "hubert_pretrain_large",
    "hubert_pretrain_model",
    "hubert_pretrain_xlarge",
    "hubert_xlarge",
    "utils",
    "wav2vec2_base",
    "wav2vec2_large",
    "wav2vec2_large_lv60k",
    "wav2vec2_model",
    "wav2vec2_xlsr_1b",
    "wav2vec2_xlsr_2b",
    "wav2vec2_xlsr_300m",
    "wavlm_base",
    "wavlm_large",
    "wavlm_model",
]
