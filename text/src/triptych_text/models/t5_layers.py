"""Layers of T5: attention with relative positions, feed-forward parts, stacks.

Names of parameters are those of the Hugging Face checkpoints.

Source: Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
Transformer"; relative positions as in the authors' Mesh TensorFlow code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import FileFormatError
from triptych.nn import functional as F
from triptych.nn import init

from .attending import Sight, attend, causal_sight, padding_sight, split_heads
from .attention import ACTIVATIONS
from .cache import KeyValueCache, LayerCache
from .config import ModelConfig
from .decoder import past_length
from .seq2seq import encoder_memory

__all__ = ["T5Attention", "T5Block", "T5Config", "T5Stack", "relative_buckets"]

GATED = "gated-"  # feed_forward_proj begins with it where the part is gated


@dataclass(kw_only=True)
class T5Config(ModelConfig):
    """Settings of T5, T5 1.1 and FLAN-T5; the defaults are those of T5 small.

    Args:
        vocab_size: v.
        d_model: d.
        d_kv: width of a head.
        d_ff: width of the feed-forward part.
        num_layers: layers of the encoder.
        num_decoder_layers: layers of the decoder; default as many.
        num_heads: heads of each layer.
        relative_attention_num_buckets: kinds of distances.
        relative_attention_max_distance: in tokens; all longer ones are of one kind.
        dropout_rate: share of activations set to zero in training.
        layer_norm_epsilon: added to mean squares.
        initializer_factor: scale of fresh weights.
        feed_forward_proj: name of the activation, with "gated-" before it where it is gated.
        scale_decoder_outputs: the decoder's output is divided by sqrt(d) before words are scored,
            as in the first T5 and not in T5 1.1. Files say it by tie_word_embeddings.
        decoder_start_token_id, eos_token_id: ids that begin and end what is written.

    Example:
        >>> T5Config(feed_forward_proj="gated-gelu").activation
        'gelu_new'
    """

    model_type: ClassVar[str] = "t5"

    vocab_size: int = 32128
    d_model: int = 512
    d_kv: int = 64
    d_ff: int = 2048
    num_layers: int = 6
    num_decoder_layers: int | None = None
    num_heads: int = 8
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    dropout_rate: float = 0.1
    layer_norm_epsilon: float = 1e-6
    initializer_factor: float = 1.0
    feed_forward_proj: str = "relu"
    scale_decoder_outputs: bool = True
    decoder_start_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1

    def __post_init__(self) -> None:
        act = self.feed_forward_proj.removeprefix(GATED)
        if "-" in act:
            raise FileFormatError(
                f"T5Config: feed_forward_proj={self.feed_forward_proj!r}; wanted the name of an "
                'activation, with "gated-" before it or not, such as "relu" or "gated-gelu"'
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json, as in `ModelConfig.from_dict`.

        Raises:
            FileFormatError: a setting asks for something this implementation does not compute.
        """
        tied = values.get("tie_word_embeddings", True)
        return super().from_dict({"scale_decoder_outputs": tied, **values})

    @property
    def gated(self) -> bool:
        """The feed-forward part has a gate."""
        return self.feed_forward_proj.startswith(GATED)

    @property
    def activation(self) -> str:
        """Name of the activation; gated GELU is the one with tanh, as in T5 1.1."""
        tanh = self.feed_forward_proj == "gated-gelu"
        return "gelu_new" if tanh else self.feed_forward_proj.removeprefix(GATED)

    @property
    def decoder_layers(self) -> int:
        """Layers of the decoder."""
        own = self.num_decoder_layers
        return self.num_layers if own is None else own

    @property
    def hidden_size(self) -> int:
        """d, under the name that other families use."""
        return self.d_model


def relative_buckets(
    distances: np.ndarray, both_ways: bool, num_buckets: int = 32, max_distance: int = 128
) -> np.ndarray:
    """Kinds of distances: each short one by itself, longer ones in ever wider groups.

    Args:
        distances: int, place of the key less that of the query.
        both_ways: keys behind the query are told from those before; else they count as 0.
        num_buckets: kinds in all.
        max_distance: longer distances are of one kind.

    Returns:
        As distances, int64, 0 <= kind < num_buckets.

    Source: Raffel et al. 2020, section 2.1.
    """
    start: Any = 0
    if both_ways:
        num_buckets //= 2
        start = np.where(distances > 0, num_buckets, 0)
        far = np.abs(distances)
    else:
        far = np.maximum(-distances, 0)
    exact = num_buckets // 2
    ratio = np.log(np.maximum(far, 1).astype(np.float32) / np.float32(exact))
    ratio = ratio / np.float32(math.log(max_distance / exact)) * np.float32(num_buckets - exact)
    wide = np.minimum(exact + ratio.astype(np.int64), num_buckets - 1)
    found: np.ndarray = start + np.where(far < exact, far, wide)
    return found


class T5LayerNorm(nn.Module):
    """x / sqrt(mean(x ** 2) + eps) * weight."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.weight = nn.Parameter(tp.ones(config.d_model))
        self.eps = config.layer_norm_epsilon

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) to the same."""
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


class T5Attention(nn.Module):
    """Attention without scale, with a bias by distance.

    Args:
        config: settings.
        with_bias: holds the biases; the first layer does, for all.
        both_ways: distances to both sides are told apart, in encoders.
    """

    def __init__(self, config: T5Config, with_bias: bool = False, both_ways: bool = True) -> None:
        super().__init__()
        inner = config.num_heads * config.d_kv
        self.q = nn.Linear(config.d_model, inner, bias=False)
        self.k = nn.Linear(config.d_model, inner, bias=False)
        self.v = nn.Linear(config.d_model, inner, bias=False)
        self.o = nn.Linear(inner, config.d_model, bias=False)
        if with_bias:
            self.relative_attention_bias = nn.Embedding(
                config.relative_attention_num_buckets, config.num_heads
            )
        self.config, self.both_ways = config, both_ways
        self._draw()

    def _draw(self) -> None:
        """Fresh weights, which make up for the missing scale. Source: the authors' code."""
        config, width = self.config, self.config.d_model
        factor, inner = config.initializer_factor, config.num_heads * config.d_kv
        init.normal_(self.q.weight, 0.0, factor * (width * config.d_kv) ** -0.5)
        init.normal_(self.k.weight, 0.0, factor * width**-0.5)
        init.normal_(self.v.weight, 0.0, factor * width**-0.5)
        init.normal_(self.o.weight, 0.0, factor * inner**-0.5)
        if hasattr(self, "relative_attention_bias"):
            init.normal_(self.relative_attention_bias.weight, 0.0, factor * width**-0.5)

    def position_bias(self, length: int, past: int) -> Tensor:
        """(1, heads, length, past + length): for queries that follow `past` tokens."""
        total, config = past + length, self.config
        distances = np.arange(total) - np.arange(past, total)[:, None]
        kinds = relative_buckets(
            distances,
            self.both_ways,
            config.relative_attention_num_buckets,
            config.relative_attention_max_distance,
        )
        bias = self.relative_attention_bias(tp.from_numpy(kinds))
        return bias.permute(2, 0, 1)[None]

    def forward(
        self,
        x: Tensor,
        sight: Sight,
        bias: Tensor | None = None,
        cache: LayerCache | None = None,
        encoded: Tensor | None = None,
    ) -> Tensor:
        """(n, l, d) to (n, l, d); looks at `encoded` (n, s, d) where it is given."""
        width = self.config.d_kv
        query = split_heads(self.q(x), width)
        source = x if encoded is None else encoded

        def make() -> tuple[Tensor, Tensor]:
            return split_heads(self.k(source), width), split_heads(self.v(source), width)

        if encoded is not None:
            key, value = encoder_memory(cache, make)
        else:
            key, value = make()
            if cache is not None:
                key, value = cache.append(key, value)
        dropped = self.config.dropout_rate if self.training else 0.0
        out = attend(query, key, value, sight, scale=1.0, bias=bias, dropout_p=dropped)
        return self.o(out)


class T5LayerSelfAttention(nn.Module):
    """Normalise, look at oneself, add."""

    def __init__(self, config: T5Config, with_bias: bool, both_ways: bool) -> None:
        super().__init__()
        self.SelfAttention = T5Attention(config, with_bias, both_ways)
        self.layer_norm = T5LayerNorm(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(self, x: Tensor, sight: Sight, bias: Tensor, cache: LayerCache | None) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return x + self.dropout(self.SelfAttention(self.layer_norm(x), sight, bias, cache))


class T5LayerCrossAttention(nn.Module):
    """Normalise, look at the encoder's output, add."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.EncDecAttention = T5Attention(config)
        self.layer_norm = T5LayerNorm(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(self, x: Tensor, encoded: Tensor, sight: Sight, cache: LayerCache | None) -> Tensor:
        """(n, t, d) and (n, l, d) to (n, t, d)."""
        out = self.EncDecAttention(self.layer_norm(x), sight, None, cache, encoded)
        return x + self.dropout(out)


class T5Dense(nn.Module):
    """Two maps with an activation between them, gated or not."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        width, wide, factor = config.d_model, config.d_ff, config.initializer_factor
        for name in ("wi_0", "wi_1") if config.gated else ("wi",):
            self.add_module(name, nn.Linear(width, wide, bias=False))
            init.normal_(getattr(self, name).weight, 0.0, factor * width**-0.5)
        self.wo = nn.Linear(wide, width, bias=False)
        init.normal_(self.wo.weight, 0.0, factor * wide**-0.5)
        self.gated = config.gated
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        inner = self.activation(self.wi_0(x)) * self.wi_1(x) if self.gated else None
        if inner is None:
            inner = self.activation(self.wi(x))
        return self.wo(self.dropout(inner))


class T5LayerFF(nn.Module):
    """Normalise, feed forward, add."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.DenseReluDense = T5Dense(config)
        self.layer_norm = T5LayerNorm(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return x + self.dropout(self.DenseReluDense(self.layer_norm(x)))


class T5Block(nn.Module):
    """One layer of the encoder, or of the decoder, which also looks at the encoder's output."""

    def __init__(self, config: T5Config, is_decoder: bool, with_bias: bool) -> None:
        super().__init__()
        parts: list[nn.Module] = [T5LayerSelfAttention(config, with_bias, not is_decoder)]
        if is_decoder:
            parts.append(T5LayerCrossAttention(config))
        self.layer = nn.ModuleList([*parts, T5LayerFF(config)])

    def forward(
        self,
        x: Tensor,
        sight: Sight,
        bias: Tensor,
        cache: LayerCache | None = None,
        encoded: Tensor | None = None,
        encoder_sight: Sight | None = None,
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        x = self.layer[0](x, sight, bias, cache)
        if encoded is not None:
            x = self.layer[1](x, encoded, encoder_sight, cache)
        return self.layer[-1](x)


class T5Stack(nn.Module):
    """The encoder, or the decoder.

    Args:
        config: settings.
        is_decoder: which of the two.
    """

    def __init__(self, config: T5Config, is_decoder: bool) -> None:
        super().__init__()
        self.is_decoder = is_decoder
        self.embed_tokens = nn.Embedding(config.vocab_size, config.d_model)
        init.normal_(self.embed_tokens.weight, 0.0, config.initializer_factor)
        count = config.decoder_layers if is_decoder else config.num_layers
        self.block = nn.ModuleList([T5Block(config, is_decoder, i == 0) for i in range(count)])
        self.final_layer_norm = T5LayerNorm(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        encoded: Tensor | None = None,
        encoder_mask: Tensor | None = None,
        output_hidden_states: bool = False,
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """(n, l) ids to (n, l, d), and to the output of every layer when asked for."""
        past, length = past_length(cache), input_ids.shape[1]
        if self.is_decoder:
            sight = causal_sight(length, past, None, attention_mask)
        else:
            sight = padding_sight(attention_mask)
        encoder_sight = padding_sight(encoder_mask)
        bias = self.block[0].layer[0].SelfAttention.position_bias(length, past)
        x = self.dropout(self.embed_tokens(input_ids))
        states: tuple[Tensor, ...] = ()
        for i, block in enumerate(self.block):
            states = (*states, x) if output_hidden_states else ()
            kept = None if cache is None else cache.layers[i]
            x = block(x, sight, bias, kept, encoded, encoder_sight)
        x = self.dropout(self.final_layer_norm(x))
        if cache is not None:
            cache.seen = past + length
        return x, (*states, x) if output_hidden_states else None
