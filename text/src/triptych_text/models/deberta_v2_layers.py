"""Layers of DeBERTa-v2 and v3: attention that keeps words and distances apart.

Names of parameters are those of the Hugging Face checkpoints.

Source: He et al. 2020, "DeBERTa: Decoding-enhanced BERT with Disentangled Attention"; He et al.
2021, "DeBERTaV3".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from .attention import ACTIVATIONS, check_heads
from .bert import AddNorm, BertIntermediate
from .deberta_v2_config import DebertaV2Config

__all__ = ["DebertaV2Embeddings", "DebertaV2Encoder", "distance_buckets"]


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
