"""Mistral: Llama with a sliding window in all layers.

Source: Jiang et al. 2023, "Mistral 7B".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .config import ModelConfig
from .decoder import SLIDING, DecoderConfig, DecoderModel
from .decoder_heads import (
    DecoderForCausalLM,
    DecoderForSequenceClassification,
    DecoderForTokenClassification,
)
from .generative import GenerativeModel

__all__ = [
    "MistralConfig",
    "MistralForCausalLM",
    "MistralForSequenceClassification",
    "MistralForTokenClassification",
    "MistralModel",
]


@dataclass(kw_only=True)
class MistralConfig(DecoderConfig):
    """Settings of Mistral; the defaults are those of Mistral 7B v0.1. See `DecoderConfig`."""

    model_type: ClassVar[str] = "mistral"

    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 4096 * 32
    sliding_window: int | None = 4096

    def default_layer_types(self) -> list[str]:
        """All layers have the window."""
        return [SLIDING] * self.num_hidden_layers


class MistralModel(DecoderModel):
    """Mistral without a head.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MistralConfig


class MistralForCausalLM(DecoderForCausalLM):
    """Mistral with scores of the next token.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MistralConfig
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = MistralModel


class MistralForSequenceClassification(DecoderForSequenceClassification):
    """Mistral with classes of texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MistralConfig
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = MistralModel


class MistralForTokenClassification(DecoderForTokenClassification):
    """Mistral with classes of tokens.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MistralConfig
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = MistralModel
