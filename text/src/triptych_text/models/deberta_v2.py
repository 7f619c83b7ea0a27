"""DeBERTa-v2 and v3: attention that keeps words and distances apart.

Names of parameters are those of the Hugging Face checkpoints.

Source: He et al. 2020, "DeBERTa: Decoding-enhanced BERT with Disentangled Attention"; He et al.
2021, "DeBERTaV3".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from .attention import ACTIVATIONS, check_heads
from .base import PretrainedModel, check_ids, draw_weights
from .bert import AddNorm, BertConfig, BertIntermediate
from .config import ModelConfig
from .outputs import EncoderOutput

__all__ = ["DebertaV2Config", "DebertaV2Model", "distance_buckets"]


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


def distance_buckets(length: int, buckets: int, longest: int) -> np.ndarray:
    """Kinds of distances between the tokens of a text.

    Near distances have a kind each, from half the kinds on they share them, the farther the more.

    Args:
        length: of the text, l.
        buckets: kinds in each direction; 0 or less for the distances themselves.
        longest: distance that the last kind reaches.

    Returns:
        (l, l) int64; row q and column k hold the kind of q - k, with its sign.

    Example:
        >>> distance_buckets(3, 0, 0).tolist()
        [[0, -1, -2], [1, 0, -1], [2, 1, 0]]

    Source: He et al. 2020, appendix A.5 of the code's version 2; rounding as in float32.
    """
    distances = np.arange(1 - length, length)
    if buckets > 0:
        half = buckets // 2
        far = np.maximum(np.abs(distances), half).astype(np.float32)
        share = np.log(far / np.float32(half)) / np.log(np.float32((longest - 1) / half))
        shared = np.ceil(share * np.float32(half - 1)) + half
        kinds = np.where(np.abs(distances) <= half, np.abs(distances), shared)
        distances = (np.sign(distances) * kinds).astype(np.int64)
    places = np.arange(length)
    return np.asarray(distances[places[:, None] - places[None] + length - 1])


class DebertaV2Embeddings(nn.Module):
    """Sum of the embeddings of words and, where the settings say so, of places and segments."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        width, wide = config.embedding_width, config.hidden_size
        kinds, places = config.type_vocab_size, config.max_position_embeddings
        self.word_embeddings = nn.Embedding(
            config.vocab_size, width, padding_idx=config.pad_token_id
        )
        self.position_embeddings = (
            nn.Embedding(places, width) if config.position_biased_input else None
        )
        self.token_type_embeddings = nn.Embedding(kinds, width) if kinds > 0 else None
        self.embed_proj = nn.Linear(width, wide, bias=False) if width != wide else None
        self.LayerNorm = nn.LayerNorm(wide, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        real: Tensor | None,
    ) -> Tensor:
        """(n, l) ids to (n, l, d), zero where `real` (n, l, 1) is."""
        x = self.word_embeddings(input_ids)
        if self.position_embeddings is not None:
            table = self.position_embeddings
            count = input_ids.shape[1]
            x = x + (table.weight[:count] if position_ids is None else table(position_ids))
        if self.token_type_embeddings is not None:
            kinds = self.token_type_embeddings
            x = x + (kinds.weight[0] if token_type_ids is None else kinds(token_type_ids))
        x = self.LayerNorm(x if self.embed_proj is None else self.embed_proj(x))
        return self.dropout(x if real is None else x * real)


class DisentangledSelfAttention(nn.Module):
    """Attention of words to words, of words to distances, and of distances to words."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        width = config.hidden_size
        check_heads(type(config).__name__, width, config.num_attention_heads)
        self.num_heads = config.num_attention_heads
        self.dropout_prob = config.attention_probs_dropout_prob
        self.kinds = [kind for kind in ("c2p", "p2c") if kind in config.pos_att_type]
        self.relative, self.num_distances = config.relative_attention, config.num_distances
        self.scale = 1 / math.sqrt(width // self.num_heads * (1 + len(self.kinds)))
        self.query_proj = nn.Linear(width, width)
        self.key_proj = nn.Linear(width, width)
        self.value_proj = nn.Linear(width, width)
        self.pos_dropout = nn.Dropout(config.hidden_dropout_prob)
        own = self.relative and not config.share_att_key
        self.pos_key_proj = nn.Linear(width, width) if own and "c2p" in self.kinds else None
        self.pos_query_proj = nn.Linear(width, width) if own and "p2c" in self.kinds else None

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        distances: Tensor | None,
        table: Tensor | None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """(n, l, d) to (n, l, d).

        Args:
            x: (n, l, d).
            mask: (n, 1, l, l), true where a token is not looked at.
            distances: (l, l) rows of the table.
            table: (s, d) embeddings of distances.
            weights: as in `attention.multi_head_attention`.
        """
        query, key, value = (
            self._heads(f(x)) for f in (self.query_proj, self.key_proj, self.value_proj)
        )
        scores = query @ key.transpose(-1, -2)  # (n, heads, l, l)
        if distances is not None and table is not None:
            scores = scores + self._by_distance(query, key, distances, self.pos_dropout(table))
        scores = scores * self.scale
        if mask is not None:
            scores = scores.masked_fill(mask, tp.finfo(scores.dtype).min)
        shares = F.dropout(F.softmax(scores, dim=-1), self.dropout_prob, training=self.training)
        if weights is not None:
            weights.append(shares)
        return (shares @ value).transpose(1, 2).flatten(2)  # from (n, heads, l, d / heads)

    def _heads(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, heads, l, d / heads)."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)

    def _by_distance(
        self, query: Tensor, key: Tensor, distances: Tensor, table: Tensor
    ) -> Tensor | float:
        """(n, heads, l, l) scores of words with distances."""
        shape = (*query.shape[:3], query.shape[2])
        out: Tensor | float = 0.0
        if "c2p" in self.kinds:
            keys = self._heads((self.pos_key_proj or self.key_proj)(table)[None])
            out = out + (query @ keys.transpose(-1, -2)).gather(-1, distances.expand(shape))
        if "p2c" in self.kinds:
            queries = self._heads((self.pos_query_proj or self.query_proj)(table)[None])
            found = (key @ queries.transpose(-1, -2)).gather(-1, distances.T.expand(shape))
            out = out + found.transpose(-1, -2)
        return out


class DebertaV2Attention(nn.Module):
    """Self-attention with its residual."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        self.self = DisentangledSelfAttention(config)
        self.output = AddNorm(config.hidden_size, config)

    def forward(self, x: Tensor, *args: Any) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return self.output(self.self(x, *args), x)


class DebertaV2Layer(nn.Module):
    """One layer: attention, then feed-forward."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        self.attention = DebertaV2Attention(config)
        self.intermediate = BertIntermediate(config)
        self.output = AddNorm(config.intermediate_size, config)

    def forward(self, x: Tensor, *args: Any) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        x = self.attention(x, *args)
        return self.output(self.intermediate(x), x)


class DebertaV2Convolution(nn.Module):
    """Neighbours of each token, added to the first layer's output."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        width, size = config.hidden_size, config.conv_kernel_size
        if size % 2 == 0:
            raise ShapeError(
                f"DebertaV2Config: conv_kernel_size={size}; wanted an odd number, or the "
                "convolution's output is shorter than the text"
            )
        self.conv = nn.Conv1d(
            width, width, size, padding=(size - 1) // 2, groups=config.conv_groups
        )
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.activation = ACTIVATIONS[config.conv_act]

    def forward(self, x: Tensor, around: Tensor, real: Tensor | None) -> Tensor:
        """(n, l, d) twice to (n, l, d), zero where `real` (n, l, 1) is."""
        out = self.conv(x.transpose(1, 2)).transpose(1, 2)
        if real is not None:
            out = out.masked_fill(real == 0, 0.0)
        out = self.LayerNorm(around + self.activation(self.dropout(out)))
        return out if real is None else out * real


class DebertaV2Encoder(nn.Module):
    """The stack of layers, and the distances that all of them share."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            [DebertaV2Layer(config) for _ in range(config.num_hidden_layers)]
        )
        self.num_distances, self.buckets = config.num_distances, config.position_buckets
        self.longest = config.longest_distance
        width = config.hidden_size
        self.rel_embeddings = (
            nn.Embedding(2 * self.num_distances, width) if config.relative_attention else None
        )
        normed = "layer_norm" in [word.strip() for word in config.norm_rel_ebd.lower().split("|")]
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps) if normed else None
        self.conv = DebertaV2Convolution(config) if config.conv_kernel_size > 0 else None

    def distances(self, length: int) -> tuple[Tensor, Tensor] | tuple[None, None]:
        """(l, l) rows of a table of embeddings of distances, and that table, (s, d).

        The table holds only those that occur in a text of this length.
        """
        if self.rel_embeddings is None:
            return None, None
        kinds = distance_buckets(length, self.buckets, self.longest) + self.num_distances
        rows = kinds.clip(0, 2 * self.num_distances - 1)
        first = int(rows.min())
        table = self.rel_embeddings.weight[first : int(rows.max()) + 1]
        table = table if self.LayerNorm is None else self.LayerNorm(table)
        return tp.tensor(rows - first, device=table.device), table

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        real: Tensor | None,
        output_hidden_states: bool = False,
        weights: list[Tensor] | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """(n, l, d) to the last layer's output, and to all of them when asked for."""
        states, embedded = [x], x
        distances, table = self.distances(x.shape[1])
        for i, layer in enumerate(self.layer):
            x = layer(x, mask, distances, table, weights)
            if i == 0 and self.conv is not None:
                x = self.conv(embedded, x, real)
            if output_hidden_states:
                states.append(x)
        return x, tuple(states) if output_hidden_states else None


class DebertaV2Model(PretrainedModel):
    """The encoder of DeBERTa-v2 and v3.

    Args:
        config: its settings.

    Example:
        >>> config = DebertaV2Config(vocab_size=9, hidden_size=8, num_hidden_layers=1,
        ...     num_attention_heads=2, intermediate_size=16, relative_attention=True,
        ...     pos_att_type=["c2p", "p2c"], position_buckets=4)
        >>> DebertaV2Model(config).eval()(tp.tensor([[1, 2, 3]])).last_hidden_state.shape
        Size([1, 3, 8])
    """

    config_class: ClassVar[type[ModelConfig]] = DebertaV2Config
    base_prefix: ClassVar[str] = "deberta"
    ignored: ClassVar[tuple[str, ...]] = (r"^mask_predictions\.",)

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__(config)
        self.embeddings = DebertaV2Embeddings(config)
        self.encoder = DebertaV2Encoder(config)
        # Distances reach as far as they like; only places end.
        self.max_length = config.max_position_embeddings
        draw_weights([self], config.initializer_range)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> EncoderOutput:
        """Encode ids.

        Args:
            input_ids: (n, l) int64, 0 <= id < vocab_size, l <= max_position_embeddings.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding,
                which is faster than all ones. (n, l, l) says for each token what it looks at.
            token_type_ids: (n, l) segments; default all 0; not used with type_vocab_size 0.
            position_ids: (n, l) or (1, l) places; default counted from 0.
            output_hidden_states: also return the output of every layer.
            output_attentions: also return what every layer looks at.

        Returns:
            last_hidden_state (n, l, d), hidden_states, attentions.

        Raises:
            ShapeError: the input is longer than the model's longest, or the mask has other axes.
        """
        check_ids(type(self).__name__, input_ids, self.max_length)
        mask, real = _masks(attention_mask, self.embeddings.word_embeddings.weight.dtype)
        x = self.embeddings(input_ids, token_type_ids, position_ids, real)
        weights: list[Tensor] | None = [] if output_attentions else None
        last, states = self.encoder(x, mask, real, output_hidden_states, weights)
        return EncoderOutput(last, None, states, None if weights is None else tuple(weights))


def _masks(mask: Tensor | None, dtype: tp.dtype) -> tuple[Tensor | None, Tensor | None]:
    """(n, 1, l, l), true where nothing is looked at; and (n, l, 1), 1 for tokens."""
    if mask is None:
        return None, None
    if mask.ndim not in (2, 3):
        raise ShapeError(f"attention_mask: wanted (n, l) or (n, l, l), got {tuple(mask.shape)}")
    seen = mask != 0
    if mask.ndim == 3:
        return ~seen[:, None], seen.any(1)[:, :, None].to(dtype)
    return ~(seen[:, None, None, :] & seen[:, None, :, None]), seen[:, :, None].to(dtype)
