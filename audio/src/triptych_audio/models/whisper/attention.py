"""Attention of Whisper's layers, and what they remember while a text is written."""

from __future__ import annotations

import triptych as tp
from triptych import Tensor, nn
from triptych.nn import functional as F

__all__ = ["LayerCache", "WhisperAttention", "WhisperCache"]


class LayerCache:
    """Keys and values of one layer of the decoder.

    Args:
        capacity: places of the decoder.

    Attributes:
        cross: keys and values of the encoder's output, (n, heads, s, e) each; set by the layer.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.cross: tuple[Tensor, Tensor] | None = None
        self._buffers: tuple[Tensor, Tensor] | None = None
        self._used = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put new keys and values behind the stored ones.

        Args:
            key, value: (n, heads, l, e).

        Returns:
            Stored and new ones together, (n, heads, s + l, e) each.
        """
        used, stop = self._used, self._used + key.shape[2]
        self._used = stop
        if key.requires_grad:  # what the tape has recorded stays as it is
            if self._buffers is not None:
                key = tp.cat([self._buffers[0][:, :, :used], key], 2)
                value = tp.cat([self._buffers[1][:, :, :used], value], 2)
            self._buffers = (key, value)
            return self._buffers
        if self._buffers is None:
            n, heads, _, width = key.shape
            shape = (n, heads, max(self.capacity, stop), width)
            self._buffers = (key.new_zeros(*shape), value.new_zeros(*shape))
        keys, values = self._buffers
        keys[:, :, used:stop] = key
        values[:, :, used:stop] = value
        return keys[:, :, :stop], values[:, :, :stop]

    def reorder(self, rows: Tensor) -> None:
        """Take other rows of the batch; what is kept of the encoder stays.

        Args:
            rows: (m,) int64, may repeat.
        """
        if self._buffers is not None:
            self._buffers = (self._buffers[0][rows], self._buffers[1][rows])


class WhisperCache:
    """Keys and values of all layers of a decoder.

    Made by `model.new_cache()`, and handed to the model as `past_key_values`.

    Args:
        num_layers: of the decoder.
        capacity: its places.

    Attributes:
        layers: a `LayerCache` for each.
        seen: ids that went through the decoder so far.
    """

    def __init__(self, num_layers: int, capacity: int) -> None:
        self.layers = [LayerCache(capacity) for _ in range(num_layers)]
        self.seen = 0

    def reorder(self, rows: Tensor) -> None:
        """Take other rows of the batch, as beam search does.

        Args:
            rows: (m,) int64, may repeat.
        """
        for layer in self.layers:
            layer.reorder(rows)


class WhisperAttention(nn.Module):
    """Attention on oneself, or on the encoder's output.

    Args:
        width: d.
        num_heads: divides d.
        dropout: share of weights set to zero in training.
    """

    def __init__(self, width: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.num_heads = num_heads
        self.dropout = dropout

    def forward(
        self,
        x: Tensor,
        encoded: Tensor | None = None,
        cache: LayerCache | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
        scores: list[Tensor] | None = None,
    ) -> Tensor:
        """Attend.

        Args:
            x: (n, l, d).
            encoded: (m, s, d) of the encoder, m divides n: n / m texts look at the same sound.
            cache: of the layer.
            mask: boolean, broadcasts to (n, heads, l, s), True where a key may be looked at.
            causal: query i sees keys 0 to i alone, l = s.
            scores: takes the scores before the softmax, (n, heads, l, s).

        Returns:
            (n, l, d).
        """
        n, length, width = x.shape
        query = self._heads(self.q_proj(x))
        if encoded is None:
            key, value = self._heads(self.k_proj(x)), self._heads(self.v_proj(x))
            if cache is not None:
                key, value = cache.append(key, value)
        else:
            key, value = self._memory(encoded, cache)
            group = n // key.shape[0]
            if group > 1:  # queries see all of the sound: texts can lie side by side
                query = query.reshape(-1, group, *query.shape[1:]).transpose(1, 2)
                query = query.reshape(query.shape[0], self.num_heads, group * length, -1)
        if scores is not None:
            factor = (width // self.num_heads) ** -0.5
            scores.append((query * factor) @ key.mT)
        dropped = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(query, key, value, mask, dropped, causal)
        out = out.reshape(*out.shape[:2], -1, length, out.shape[-1])  # (m, heads, group, l, e)
        out = out.permute(0, 2, 3, 1, 4).reshape(n, length, width)
        return self.out_proj(out)

    def _memory(self, encoded: Tensor, cache: LayerCache | None) -> tuple[Tensor, Tensor]:
        """Keys and values of the sound, computed once for each."""
        if cache is not None and cache.cross is not None:
            return cache.cross
        pair = (self._heads(self.k_proj(encoded)), self._heads(self.v_proj(encoded)))
        if cache is not None:
            cache.cross = pair
        return pair

    def _heads(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, heads, l, e)."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)
