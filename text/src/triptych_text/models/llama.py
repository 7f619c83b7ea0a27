"""Llama.

Source: Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language Models".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .config import ModelConfig
from .decoder import DecoderConfig, DecoderModel
from .decoder_heads import (
    DecoderForCausalLM,
    DecoderForSequenceClassification,
    DecoderForTokenClassification,
)
from .generative import GenerativeModel

__all__ = [
    "LlamaConfig",
    "LlamaForCausalLM",
    "LlamaForSequenceClassification",
    "LlamaForTokenClassification",
    "LlamaModel",
]


@dataclass(kw_only=True)
class LlamaConfig(DecoderConfig):
    """Settings of Llama; the defaults are those of Llama 7B. See `DecoderConfig`.

    Example:
        >>> LlamaConfig(num_hidden_layers=2, num_key_value_heads=8).width
        128
    """

    model_type: ClassVar[str] = "llama"


class LlamaModel(DecoderModel):
    """Llama without a head.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = LlamaConfig


class LlamaForCausalLM(DecoderForCausalLM):
    """Llama with scores of the next token.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = LlamaConfig
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = LlamaModel


class LlamaForSequenceClassification(DecoderForSequenceClassification):
    """Llama with classes of texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = LlamaConfig
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = LlamaModel


class LlamaForTokenClassification(DecoderForTokenClassification):
    """Llama with classes of tokens.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = LlamaConfig
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = LlamaModel
