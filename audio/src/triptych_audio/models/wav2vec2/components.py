"""The parts of wav2vec 2.0, under the name that torchaudio gives their module."""

from __future__ import annotations

from triptych_audio.models.wav2vec2.encoder import (
    ConvolutionalPositionalEmbedding,
    Encoder,
    EncoderLayer,
    FeatureProjection,
    FeedForward,
    SelfAttention,
    Transformer,
)
from triptych_audio.models.wav2vec2.feature_extractor import (
    ConvLayerBlock,
    FeatureExtractor,
    LayerNorm,
)
from triptych_audio.models.wav2vec2.hubert_pretraining import GradMultiply, LogitGenerator
from triptych_audio.models.wav2vec2.masking import MaskGenerator
from triptych_audio.models.wav2vec2.wavlm_attention import WavLMSelfAttention

__all__ = [
    "ConvLayerBlock",
    "ConvolutionalPositionalEmbedding",
    "Encoder",
    "EncoderLayer",
    "FeatureExtractor",
    "FeatureProjection",
    "FeedForward",
    "GradMultiply",
    "LayerNorm",
    "LogitGenerator",
    "MaskGenerator",
    "SelfAttention",
    "Transformer",
    "WavLMSelfAttention",
]
