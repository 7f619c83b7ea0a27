"""The encoder and the decoder that BART, mBART and Marian share.

Names of parameters are those of the Hugging Face checkpoints.

Source: Lewis et al. 2019, "BART"; Liu et al. 2020, "Multilingual Denoising Pre-training"; the
positions of Marian are those of Vaswani et al. 2017, section 3.5, sines first, then cosines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError

from .attending import Sight, attend, causal_sight, padding_sight, split_heads
from .attention import ACTIVATIONS, check_heads
from .cache import KeyValueCache, LayerCache
from .config import ModelConfig
from .decoder import past_length
from .seq2seq import encoder_memory

__all__ = ["BartConfig", "BartStack", "sinusoids"]

Part = Callable[[Tensor], Tensor]


@dataclass(kw_only=True)
class BartConfig(ModelConfig):
    """Settings of BART; the defaults are those of BART large.

    Args:
        vocab_size: v.
        d_model: d, divided by the numbers of heads.
        encoder_layers, decoder_layers: layers.
        encoder_attention_heads, decoder_attention_heads: heads of each layer.
        encoder_ffn_dim, decoder_ffn_dim: widths of the feed-forward parts.
        activation_function: name of their activation.
        max_position_embeddings: longest input in tokens.
        dropout, attention_dropout, activation_dropout, classifier_dropout: shares set to zero in
            training, of what layers add, of attention weights, inside feed-forward parts and
            before the head.
        init_std: deviation of fresh weights.
        scale_embedding: embeddings are multiplied by sqrt(d).
        decoder_start_token_id, bos_token_id, eos_token_id: ids that begin and end texts.
        forced_bos_token_id, forced_eos_token_id: ids that `generate` puts first and last.

    Attributes:
        pre_norm: parts are normalised before, and stacks at their end, in place of after.
        embedding_norm: embeddings are normalised.
        learned_positions: with two spare rows first; else sines and cosines.
    """

    model_type: ClassVar[str] = "bart"
    default_num_labels: ClassVar[int] = 3
    pre_norm: ClassVar[bool] = False
    embedding_norm: ClassVar[bool] = True
    learned_positions: ClassVar[bool] = True

    vocab_size: int = 50265
    d_model: int = 1024
    encoder_layers: int = 12
    decoder_layers: int = 12
    encoder_attention_heads: int = 16
    decoder_attention_heads: int = 16
    encoder_ffn_dim: int = 4096
    decoder_ffn_dim: int = 4096
    activation_function: str = "gelu"
    max_position_embeddings: int = 1024
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    classifier_dropout: float = 0.0
    init_std: float = 0.02
    scale_embedding: bool = False
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    decoder_start_token_id: int | None = 2
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | None = 2

    @property
    def hidden_size(self) -> int:
        """d, under the name that other families use."""
        return self.d_model


def sinusoids(length: int, width: int) -> np.ndarray:
    """Sines, then cosines, of places: (length, width) float32.

    Source: Vaswani et al. 2017, section 3.5, without interleaving.
    """
    half = (width + 1) // 2
    rates = 10000.0 ** (-2 * np.arange(half) / width)
    angles = np.arange(length)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles[:, : width - half])], 1).astype(np.float32)


class BartPositions(nn.Embedding):
    """Embeddings of places: learned, behind two spare rows, or sines and cosines."""

    SPARE = 2  # the first rows, which the original code kept for special tokens

    def __init__(self, config: BartConfig) -> None:
        spare = self.SPARE if config.learned_positions else 0
        super().__init__(config.max_position_embeddings + spare, config.d_model)
        self.spare = spare
        if not config.learned_positions:
            table = sinusoids(config.max_position_embeddings, config.d_model)
            self.weight = nn.Parameter(tp.from_numpy(table), requires_grad=False)

    def places(self, past: int, length: int) -> Tensor:
        """(length, d) for the tokens after `past` others.

        Raises:
            ShapeError: there are more tokens than places.
        """
        first = past + self.spare
        if first + length > self.weight.shape[0]:
            raise ShapeError(
                f"{past + length} tokens, the model has places for "
                f"{self.weight.shape[0] - self.spare}; cut the text with "
                "tokenizer(..., truncation=True, max_length=...)"
            )
        return self.weight[first : first + length]


class BartAttention(nn.Module):
    """Attention on oneself, or on the encoder's output."""

    def __init__(self, config: BartConfig, num_heads: int) -> None:
        super().__init__()
        size = config.d_model
        check_heads(type(config).__name__, size, num_heads)
        self.k_proj = nn.Linear(size, size)
        self.v_proj = nn.Linear(size, size)
        self.q_proj = nn.Linear(size, size)
        self.out_proj = nn.Linear(size, size)
        self.width = size // num_heads
        self.dropout_prob = config.attention_dropout

    def forward(
        self,
        x: Tensor,
        sight: Sight,
        cache: LayerCache | None = None,
        encoded: Tensor | None = None,
    ) -> Tensor:
        """(n, l, d) to (n, l, d); looks at `encoded` (n, s, d) where it is given."""
        query = split_heads(self.q_proj(x), self.width)
        source = x if encoded is None else encoded

        def make() -> tuple[Tensor, Tensor]:
            pair = (split_heads(p(source), self.width) for p in (self.k_proj, self.v_proj))
            key, value = pair
            return key, value

        if encoded is not None:
            key, value = encoder_memory(cache, make)
        else:
            key, value = make()
            if cache is not None:
                key, value = cache.append(key, value)
        dropped = self.dropout_prob if self.training else 0.0
        return self.out_proj(attend(query, key, value, sight, dropout_p=dropped))


class BartLayer(nn.Module):
    """One layer of the encoder, or of the decoder, which also looks at the encoder's output."""

    def __init__(self, config: BartConfig, is_decoder: bool) -> None:
        super().__init__()
        size = config.d_model
        heads = config.decoder_attention_heads if is_decoder else config.encoder_attention_heads
        wide = config.decoder_ffn_dim if is_decoder else config.encoder_ffn_dim
        self.self_attn = BartAttention(config, heads)
        self.self_attn_layer_norm = nn.LayerNorm(size)
        if is_decoder:
            self.encoder_attn = BartAttention(config, heads)
            self.encoder_attn_layer_norm = nn.LayerNorm(size)
        self.fc1 = nn.Linear(size, wide)
        self.fc2 = nn.Linear(wide, size)
        self.final_layer_norm = nn.LayerNorm(size)
        self.activation = ACTIVATIONS[config.activation_function]
        self.pre_norm = config.pre_norm
        self.dropout = nn.Dropout(config.dropout)
        self.activation_dropout = nn.Dropout(config.activation_dropout)

    def forward(
        self,
        x: Tensor,
        sight: Sight,
        cache: LayerCache | None = None,
        encoded: Tensor | None = None,
        encoder_sight: Sight | None = None,
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        x = self._around(self.self_attn_layer_norm, x, lambda y: self.self_attn(y, sight, cache))
        if encoded is not None:
            x = self._around(
                self.encoder_attn_layer_norm,
                x,
                lambda y: self.encoder_attn(y, encoder_sight, cache, encoded),
            )
        return self._around(self.final_layer_norm, x, self._feed)

    def _feed(self, x: Tensor) -> Tensor:
        return self.fc2(self.activation_dropout(self.activation(self.fc1(x))))

    def _around(self, norm: nn.Module, x: Tensor, part: Part) -> Tensor:
        """A part with its residual, normalised before or after."""
        if self.pre_norm:
            return x + self.dropout(part(norm(x)))
        return norm(x + self.dropout(part(x)))


class BartStack(nn.Module):
    """The encoder, or the decoder.

    Args:
        config: settings.
        is_decoder: which of the two.
    """

    def __init__(self, config: BartConfig, is_decoder: bool) -> None:
        super().__init__()
        size = config.d_model
        self.is_decoder = is_decoder
        self.embed_tokens = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        self.embed_positions = BartPositions(config)
        count = config.decoder_layers if is_decoder else config.encoder_layers
        self.layers = nn.ModuleList([BartLayer(config, is_decoder) for _ in range(count)])
        if config.embedding_norm:
            self.layernorm_embedding = nn.LayerNorm(size)
        if config.pre_norm:
            self.layer_norm = nn.LayerNorm(size)
        self.config = config
        self.embed_scale = math.sqrt(size) if config.scale_embedding else 1.0
        self.dropout = nn.Dropout(config.dropout)

    def embed(self, input_ids: Tensor, past: int) -> Tensor:
        """(n, l) ids to (n, l, d)."""
        x = self.embed_tokens(input_ids)
        if self.embed_scale != 1.0:
            x = x * self.embed_scale
        x = x + self.embed_positions.places(past, input_ids.shape[1])
        if self.config.embedding_norm:
            x = self.layernorm_embedding(x)
        return self.dropout(x)

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
        x = self.embed(input_ids, past)
        states: tuple[Tensor, ...] = ()
        for i, layer in enumerate(self.layers):
            states = (*states, x) if output_hidden_states else ()
            kept = None if cache is None else cache.layers[i]
            x = layer(x, sight, kept, encoded, encoder_sight)
        if self.config.pre_norm:
            x = self.layer_norm(x)
        if cache is not None:
            cache.seen = past + length
        return x, (*states, x) if output_hidden_states else None
