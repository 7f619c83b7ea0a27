"""Marian: BART's layers with sines and cosines for places, for translation.

Source: Junczys-Dowmunt et al. 2018, "Marian: Fast Neural Machine Translation in C++"; Tiedemann and
Thottingal 2020, "OPUS-MT", whose checkpoints these are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .bart import BartForConditionalGeneration, BartModel
from .bart_layers import BartConfig
from .config import ModelConfig

__all__ = ["MarianConfig", "MarianMTModel", "MarianModel"]

PLACES = (r"(^|\.)(en|de)coder\.embed_positions\.weight$",)


@dataclass(kw_only=True)
class MarianConfig(BartConfig):
    """Settings of Marian. See `BartConfig`."""

    model_type: ClassVar[str] = "marian"
    default_num_labels: ClassVar[int] = 2
    embedding_norm: ClassVar[bool] = False
    learned_positions: ClassVar[bool] = False
    only: ClassVar[Mapping[str, Any]] = {
        **BartConfig.only,
        "share_encoder_decoder_embeddings": True,
    }

    vocab_size: int = 58101
    pad_token_id: int | None = 58100
    eos_token_id: int | list[int] | None = 0
    decoder_start_token_id: int | None = 58100
    forced_eos_token_id: int | None = 0


class MarianModel(BartModel):
    """Marian without a head.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MarianConfig
    optional: ClassVar[tuple[str, ...]] = PLACES


class MarianMTModel(BartForConditionalGeneration):
    """Marian with scores of the next token.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = MarianConfig
    model_class: ClassVar[type[BartModel]] = MarianModel
    optional: ClassVar[tuple[str, ...]] = (*PLACES, r"^final_logits_bias$")
