"""Settings of DeBERTa-v2 and v3.

Source: He et al. 2020, "DeBERTa: Decoding-enhanced BERT with Disentangled Attention"; He et al.
2021, "DeBERTaV3".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from .bert import BertConfig

__all__ = ["DebertaV2Config"]


@dataclass(kw_only=True)
class DebertaV2Config(BertConfig):
    """Settings of DeBERTa-v2; the defaults are those of the extra large model.

    Args:
        relative_attention: attention by distances, too.
        max_relative_positions: longest distance told from others; below 1 it is
            `max_position_embeddings`.
        position_buckets: kinds of distances in each direction, far ones put together; 0 or less
            for one kind for each distance.
        position_biased_input: embeddings of places are added to those of words.
        pos_att_type: of "c2p" (words look at distances) and "p2c" (distances at words).
        share_att_key: distances go through the maps of the words.
        norm_rel_ebd: "layer_norm" normalizes the embeddings of distances, "none" does not.
        embedding_size: width of the embeddings; None for d.
        conv_kernel_size: k of a convolution beside the first layer; 0 for none.
        conv_groups: of the convolution.
        conv_act: name of its activation.
        pooler_dropout, pooler_hidden_act: before and behind the pooler of heads.
        cls_dropout: before the classes of texts; default `hidden_dropout_prob`.
        legacy: masked words as in early copies of the checkpoints, under `cls`; False as the
            published checkpoints have them, under `lm_predictions`.

    The others are as in `BertConfig`; `type_vocab_size` may be 0.
    """

    model_type: ClassVar[str] = "deberta-v2"

    vocab_size: int = 128100
    hidden_size: int = 1536
    num_hidden_layers: int = 24
    num_attention_heads: int = 24
    intermediate_size: int = 6144
    type_vocab_size: int = 0
    layer_norm_eps: float = 1e-7
    relative_attention: bool = False
    max_relative_positions: int = -1
    position_buckets: int = -1
    position_biased_input: bool = True
    pos_att_type: list[str] = field(default_factory=list)
    share_att_key: bool = False
    norm_rel_ebd: str = "none"
    embedding_size: int | None = None
    conv_kernel_size: int = 0
    conv_groups: int = 1
    conv_act: str = "tanh"
    pooler_dropout: float = 0.0
    pooler_hidden_act: str = "gelu"
    cls_dropout: float | None = None
    legacy: bool = True

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json, as in `ModelConfig.from_dict`; "p2c|c2p" is a list, too."""
        kinds = values.get("pos_att_type") or []
        split = kinds.split("|") if isinstance(kinds, str) else kinds
        named = [kind.strip().lower() for kind in split]
        return super().from_dict({**values, "pos_att_type": named})

    @property
    def head_dropout(self) -> float:
        """Share of activations set to zero before the classes of tokens."""
        return self.hidden_dropout_prob

    @property
    def embedding_width(self) -> int:
        """Width of the embeddings."""
        return self.hidden_size if self.embedding_size is None else self.embedding_size

    @property
    def longest_distance(self) -> int:
        """Longest distance told from others."""
        given = self.max_relative_positions
        return self.max_position_embeddings if given < 1 else given

    @property
    def num_distances(self) -> int:
        """Kinds of distances in each direction."""
        return self.position_buckets if self.position_buckets > 0 else self.longest_distance
