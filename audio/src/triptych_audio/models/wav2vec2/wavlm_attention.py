"""Attention of WavLM: learned biases for distances, which every frame scales by a gate.

Source: Chen et al. 2022, "WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack Speech
Processing", section III-B; parameter names are torchaudio 2.8's.
"""

from __future__ import annotations

import functools
import math
from typing import Any, cast

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF

__all__ = ["WavLMSelfAttention", "distance_buckets"]


@functools.lru_cache(maxsize=32)
def distance_buckets(
    query_length: int, key_length: int, num_buckets: int, max_distance: int
) -> np.ndarray[Any, Any]:
    """The bucket of every distance between two frames.

    Half of the buckets are for keys behind the query, half for keys ahead of it. In each half the
    first half of the buckets are single distances, the others grow with the logarithm up to
    max_distance; what is farther is in the last one.

    Args:
        query_length: frames that look.
        key_length: frames that are looked at.
        num_buckets: number of buckets.
        max_distance: distance from which all are the same.

    Returns:
        (query_length + key_length - 1,) int64, for key - query = 1 - query_length, ...,
        key_length - 1.

    Example:
        >>> distance_buckets(3, 3, 8, 16).tolist()
        [2, 1, 0, 5, 6]

    Source: Raffel et al. 2020 (T5), the bidirectional form.
    """
    offset = np.arange(1 - query_length, key_length)
    half = num_buckets // 2
    exact = half // 2
    distance = np.abs(offset)
    ratio = np.maximum(distance, exact).astype(np.float32) / np.float32(exact)
    steps = np.log(ratio) / np.float32(math.log(max_distance / exact)) * np.float32(half - exact)
    far = np.minimum(exact + steps.astype(np.int64), half - 1)
    return np.where(distance < exact, distance, far) + half * (offset > 0)


class WavLMSelfAttention(nn.Module):
    """Attention of every frame to all frames, with gated biases for their distances.

    Args:
        embed_dim: channels.
        num_heads: a divisor of embed_dim.
        dropout: part of the attention that is zeroed while training.
        bias: whether the projections have one.
        has_relative_attention_bias: whether this layer has the table of biases; the others are
            given what it made.
        num_buckets: rows of the table.
        max_distance: in frames, from where on all distances share a row.
        gru_rel_pos: scale the biases by a gate of each query.

    Raises:
        DomainError: num_heads does not divide embed_dim.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        has_relative_attention_bias: bool = False,
        num_buckets: int = 32,
        max_distance: int = 128,
        gru_rel_pos: bool = True,
    ) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise DomainError(
                f"WavLMSelfAttention: embed_dim ({embed_dim}) is no multiple of num_heads "
                f"({num_heads})"
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.has_relative_attention_bias = has_relative_attention_bias
        self.num_buckets = num_buckets
        self.max_distance = max_distance
        self.rel_attn_embed = (
            nn.Embedding(num_buckets, num_heads) if has_relative_attention_bias else None
        )
        self.dropout = dropout
        self.attention = nn.MultiheadAttention(
            embed_dim, num_heads, dropout=dropout, bias=bias, batch_first=True
        )
        self.gru_rel_pos = gru_rel_pos
        if gru_rel_pos:
            self.gru_rel_pos_linear = nn.Linear(self.head_dim, 8)
            self.gru_rel_pos_const = nn.Parameter(tp.ones(1, num_heads, 1, 1))

    def compute_bias(self, query_length: int, key_length: int) -> Tensor:
        """Biases of all pairs of frames.

        Args:
            query_length: frames that look.
            key_length: frames that are looked at.

        Returns:
            (heads, query_length, key_length).

        Raises:
            DomainError: this layer has no table.
        """
        if self.rel_attn_embed is None:
            raise DomainError(
                "WavLMSelfAttention.compute_bias: this layer has no table of biases; only the "
                "first one, built with has_relative_attention_bias=True, has"
            )
        buckets = distance_buckets(query_length, key_length, self.num_buckets, self.max_distance)
        table = self.rel_attn_embed.weight
        by_distance = table[
            tp.tensor(buckets, device=table.device)
        ].T.contiguous()  # (heads, q+k-1)
        bias: Tensor = by_distance.unfold(-1, key_length, 1).flip(1)  # query 0 is farthest right
        return bias

    def _gate(self, query: Tensor) -> Tensor:
        """(n, frames, d) to (n, heads, frames, 1): how much distances count for each query."""
        n, frames, _ = query.shape
        heads = query.reshape(n, frames, self.num_heads, self.head_dim).transpose(1, 2)
        sums = self.gru_rel_pos_linear(heads).reshape(n, self.num_heads, frames, 2, 4).sum(-1)
        update, reset = sums.sigmoid().chunk(2, -1)
        return update * (reset * self.gru_rel_pos_const - 1.0) + 2.0

    def _attention_bias(
        self,
        query: Tensor,
        attention_mask: Tensor | None,
        position_bias: Tensor | None,
        key_padding_mask: Tensor | None,
    ) -> Tensor | None:
        """What is added to the attention before softmax."""
        bias = position_bias
        if bias is not None and self.gru_rel_pos:
            bias = self._gate(query) * bias
        if attention_mask is not None:
            bias = attention_mask if bias is None else bias + attention_mask
        if key_padding_mask is not None:
            hidden = query.new_zeros(key_padding_mask.shape)
            hidden = hidden.masked_fill(key_padding_mask, -math.inf)[:, None, None, :]
            bias = hidden if bias is None else bias + hidden
        return bias

    def forward(
        self,
        query: Tensor,
        key_padding_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_bias: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            query: (n, frames, embed_dim).
            key_padding_mask: (n, frames) bool, True for padding.
            attention_mask: (n, 1, frames, frames), added to the attention before softmax.
            position_bias: (n, heads, frames, frames) of the layer before, without its gate; None
                for the first layer, which makes it.

        Returns:
            (n, frames, embed_dim), and the position bias.

        Raises:
            ShapeError: query has another shape.
        """
        if query.ndim != 3 or query.shape[2] != self.embed_dim:
            raise ShapeError(
                f"WavLMSelfAttention: wanted (n, frames, {self.embed_dim}), got "
                f"{tuple(query.shape)}"
            )
        n, frames, _ = query.shape
        if self.rel_attn_embed is not None and position_bias is None:
            bias = self.compute_bias(frames, frames)
            position_bias = bias.unsqueeze(0).expand(n, -1, -1, -1)
        added = self._attention_bias(query, attention_mask, position_bias, key_padding_mask)
        weight = cast(Tensor, self.attention.in_proj_weight)  # queries, keys and values as wide
        projected = nnF.linear(query, weight, self.attention.in_proj_bias)
        q, k, v = projected.reshape(n, frames, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        out = nnF.scaled_dot_product_attention(q, k, v, added, dropout)
        out = out.transpose(1, 2).reshape(n, frames, self.embed_dim)
        return self.attention.out_proj(out), position_bias
