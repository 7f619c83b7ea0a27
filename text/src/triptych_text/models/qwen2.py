"""Qwen2 and Qwen2.5: Llama with biases in the maps to queries, keys and values.

Source: Yang et al. 2024, "Qwen2 Technical Report".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .config import ModelConfig
from .decoder import FULL, SLIDING, DecoderConfig, DecoderModel
from .decoder_heads import (
    DecoderForCausalLM,
    DecoderForSequenceClassification,
    DecoderForTokenClassification,
)
from .generative import GenerativeModel

__all__ = [
    "Qwen2Config",
    "Qwen2ForCausalLM",
    "Qwen2ForSequenceClassification",
    "Qwen2ForTokenClassification",
    "Qwen2Model",
]


@dataclass(kw_only=True)
class Qwen2Config(DecoderConfig):
    """Settings of Qwen2; the defaults are those of the 7B model. See `DecoderConfig`.

    Args:
        use_sliding_window: whether the window is used at all.
        max_window_layers: the first so many layers see everything.
    """

    model_type: ClassVar[str] = "qwen2"
    query_key_value_bias: ClassVar[bool] = True

    vocab_size: int = 151936
    intermediate_size: int = 22016
    num_key_value_heads: int | None = 32
    max_position_embeddings: int = 32768
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    max_window_layers: int = 28
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None

    def default_layer_types(self) -> list[str]:
        """The layers from max_window_layers on have the window, when it is used."""
        first = self.max_window_layers if self.use_sliding_window else self.num_hidden_layers
        return [SLIDING if i >= first else FULL for i in range(self.num_hidden_layers)]


class Qwen2Model(DecoderModel):
    """Qwen2 without a head.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Qwen2Config


class Qwen2ForCausalLM(DecoderForCausalLM):
    """Qwen2 with scores of the next token.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Qwen2Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Qwen2Model


class Qwen2ForSequenceClassification(DecoderForSequenceClassification):
    """Qwen2 with classes of texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Qwen2Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Qwen2Model


class Qwen2ForTokenClassification(DecoderForTokenClassification):
    """Qwen2 with classes of tokens.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Qwen2Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Qwen2Model
