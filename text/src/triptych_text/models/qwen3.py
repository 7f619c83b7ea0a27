"""Qwen3: queries and keys are normalised, head by head.

Source: Yang et al. 2025, "Qwen3 Technical Report".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .config import ModelConfig
from .decoder import DecoderModel
from .decoder_heads import (
    DecoderForCausalLM,
    DecoderForSequenceClassification,
    DecoderForTokenClassification,
)
from .generative import GenerativeModel
from .qwen2 import Qwen2Config

__all__ = [
    "Qwen3Config",
    "Qwen3ForCausalLM",
    "Qwen3ForSequenceClassification",
    "Qwen3ForTokenClassification",
    "Qwen3Model",
]


@dataclass(kw_only=True)
class Qwen3Config(Qwen2Config):
    """Settings of Qwen3. See `DecoderConfig` and `Qwen2Config`."""

    model_type: ClassVar[str] = "qwen3"
    query_key_value_bias: ClassVar[bool] = False
    query_key_norm: ClassVar[bool] = True

    head_dim: int | None = 128


class Qwen3Model(DecoderModel):
    """Qwen3 without a head.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Qwen3Config


class Qwen3ForCausalLM(DecoderForCausalLM):
    """Qwen3 with scores of the next token.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Qwen3Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Qwen3Model


class Qwen3ForSequenceClassification(DecoderForSequenceClassification):
    """Qwen3 with classes of texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Qwen3Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Qwen3Model


class Qwen3ForTokenClassification(DecoderForTokenClassification):
    """Qwen3 with classes of tokens.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Qwen3Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Qwen3Model
