"""Gemma 2: soft caps, windows in every other layer, norms after each part as well.

Source: Gemma Team 2024, "Gemma 2: Improving Open Language Models at a Practical Size".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from triptych.errors import FileFormatError

from .config import ModelConfig
from .decoder import FULL, SLIDING, DecoderConfig, DecoderModel
from .decoder_heads import (
    DecoderForCausalLM,
    DecoderForSequenceClassification,
    DecoderForTokenClassification,
)
from .generative import GenerativeModel

__all__ = [
    "Gemma2Config",
    "Gemma2ForCausalLM",
    "Gemma2ForSequenceClassification",
    "Gemma2ForTokenClassification",
    "Gemma2Model",
]


@dataclass(kw_only=True)
class Gemma2Config(DecoderConfig):
    """Settings of Gemma 2; the defaults are near those of the 2B model. See `DecoderConfig`.

    Args:
        hidden_activation: name of the activation of the feed-forward part, in the files' words.
        query_pre_attn_scalar: scores are divided by its square root.
        attn_logit_softcapping: scores are squeezed below it; None leaves them.
        final_logit_softcapping: logits are squeezed below it; None leaves them.
    """

    model_type: ClassVar[str] = "gemma2"
    post_norms: ClassVar[bool] = True
    norm_around_one: ClassVar[bool] = True
    scale_embeddings: ClassVar[bool] = True

    vocab_size: int = 256000
    hidden_size: int = 2304
    intermediate_size: int = 9216
    num_hidden_layers: int = 26
    num_attention_heads: int = 8
    num_key_value_heads: int | None = 4
    head_dim: int | None = 256
    hidden_act: str = "gelu_pytorch_tanh"
    hidden_activation: str | None = None
    max_position_embeddings: int = 8192
    query_pre_attn_scalar: float = 256
    sliding_window: int | None = 4096
    attn_logit_softcapping: float | None = 50.0
    final_logit_softcapping: float | None = 30.0
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 1
    tie_word_embeddings: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        # Early files name an exact GELU under "hidden_act", which the models do not use.
        self.hidden_act = self.hidden_activation or "gelu_pytorch_tanh"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json, as in `DecoderConfig.from_dict`.

        Raises:
            FileFormatError: attention in both directions, which is not implemented.
        """
        if values.get("use_bidirectional_attention"):
            raise FileFormatError(
                "Gemma2Config: use_bidirectional_attention=True is not implemented; the model "
                "would compute something else than it was trained for"
            )
        return super().from_dict(values)

    @property
    def attention_scale(self) -> float:
        """Of the scores."""
        return self.query_pre_attn_scalar**-0.5

    @property
    def attention_cap(self) -> float | None:
        """What scores are squeezed below."""
        return self.attn_logit_softcapping

    @property
    def logit_cap(self) -> float | None:
        """What logits are squeezed below."""
        return self.final_logit_softcapping

    def default_layer_types(self) -> list[str]:
        """Every other layer has the window, the first one too."""
        return [FULL if i % 2 else SLIDING for i in range(self.num_hidden_layers)]


class Gemma2Model(DecoderModel):
    """Gemma2 without a head.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Gemma2Config


class Gemma2ForCausalLM(DecoderForCausalLM):
    """Gemma2 with scores of the next token.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Gemma2Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Gemma2Model


class Gemma2ForSequenceClassification(DecoderForSequenceClassification):
    """Gemma2 with classes of texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Gemma2Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Gemma2Model


class Gemma2ForTokenClassification(DecoderForTokenClassification):
    """Gemma2 with classes of tokens.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = Gemma2Config
    base_prefix: ClassVar[str] = "model"
    decoder_class: ClassVar[type[GenerativeModel]] = Gemma2Model
