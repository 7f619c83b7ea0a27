"""The decoder that Llama, Mistral, Qwen and Gemma 2 share; a configuration says what each changes.

Names of parameters are those of the Hugging Face checkpoints.

Source: Touvron et al. 2023, "LLaMA"; Jiang et al. 2023, "Mistral 7B"; the Qwen2, Qwen3 and Gemma 2
reports for what those families change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import FileFormatError, ShapeError
from triptych.nn import functional as F

from .attending import Sight, attend, causal_sight, split_heads
from .attention import ACTIVATIONS
from .base import draw_weights
from .cache import KeyValueCache, LayerCache
from .config import ModelConfig
from .generative import GenerativeModel
from .outputs import DecoderOutput
from .rotary import RotaryEmbedding, rope_settings, rotate

__all__ = ["FULL", "SLIDING", "DecoderConfig", "DecoderModel", "check_token_ids", "past_length"]

SLIDING, FULL = "sliding_attention", "full_attention"  # as "layer_types" of config.json says


@dataclass(kw_only=True)
class DecoderConfig(ModelConfig):
    """Settings of a decoder with rotary embeddings.

    Args:
        vocab_size: v.
        hidden_size: d.
        intermediate_size: width of the feed-forward part.
        num_hidden_layers: layers.
        num_attention_heads: heads of each layer.
        num_key_value_heads: heads of keys and values, which divide those of the queries; default as
            many.
        head_dim: width of a head; default hidden_size / num_attention_heads.
        hidden_act: name of the activation of the feed-forward part.
        max_position_embeddings: tokens the model was made for; longer texts are let through.
        rms_norm_eps: added to mean squares.
        rope_parameters: "rope_type", "rope_theta" and what the type needs.
        sliding_window: how many tokens a query sees in layers with a window; None for all.
        layer_types: "sliding_attention" or "full_attention" for each layer; default as the family
            does it.
        attention_bias: biases in all maps of the attention.
        mlp_bias: biases in the feed-forward part.
        attention_dropout: share of attention weights set to zero in training.
        bos_token_id, eos_token_id: ids that begin and end texts.

    Attributes:
        query_key_norm: queries and keys are normalised, each head by itself.
        query_key_value_bias: biases in the maps to queries, keys and values.
        post_norms: outputs of attention and feed-forward are normalised, too.
        norm_around_one: weights of norms are stored less one.
        scale_embeddings: embeddings are multiplied by sqrt(d).
    """

    theta: ClassVar[float] = 10000.0
    query_key_norm: ClassVar[bool] = False
    query_key_value_bias: ClassVar[bool] = False
    post_norms: ClassVar[bool] = False
    norm_around_one: ClassVar[bool] = False
    scale_embeddings: ClassVar[bool] = False

    vocab_size: int = 32000
    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: str = "silu"
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-6
    rope_parameters: dict[str, Any] = field(default_factory=dict)
    sliding_window: int | None = None
    layer_types: list[str] | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    attention_dropout: float = 0.0
    pad_token_id: int | None = None
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = False

    def __post_init__(self) -> None:
        if not self.rope_parameters:
            self.rope_parameters = rope_settings({}, self.theta)
        if min(self.num_attention_heads, self.key_value_heads) < 1:
            raise ShapeError(
                f"{type(self).__name__}: wanted at least one head, got {self.num_attention_heads}, "
                f"and {self.key_value_heads} of keys and values"
            )
        if self.hidden_size % self.num_attention_heads and self.head_dim is None:
            raise ShapeError(
                f"{type(self).__name__}: the width {self.hidden_size} does not divide into "
                f"{self.num_attention_heads} heads; change one of them, or set head_dim"
            )
        if self.num_attention_heads % self.key_value_heads:
            raise ShapeError(
                f"{type(self).__name__}: {self.num_attention_heads} heads cannot share "
                f"{self.key_value_heads} heads of keys and values; it must divide"
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json, as in `ModelConfig.from_dict`.

        Raises:
            FileFormatError: a setting asks for something this implementation does not compute.
        """
        return super().from_dict({**values, "rope_parameters": rope_settings(values, cls.theta)})

    @property
    def width(self) -> int:
        """Features of a head."""
        return self.head_dim or self.hidden_size // self.num_attention_heads

    @property
    def key_value_heads(self) -> int:
        """Heads of keys and values."""
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def attention_scale(self) -> float:
        """Of the scores."""
        return self.width**-0.5

    @property
    def attention_cap(self) -> float | None:
        """What scores are squeezed below."""
        return None

    @property
    def logit_cap(self) -> float | None:
        """What logits are squeezed below."""
        return None

    def default_layer_types(self) -> list[str]:
        """What the layers look at, where the file does not say it."""
        return [FULL] * self.num_hidden_layers

    def windows(self) -> list[int | None]:
        """For each layer, how many tokens a query sees; None for all.

        Raises:
            FileFormatError: layer_types has another length, or a type that is not implemented.
        """
        kinds = self.layer_types or self.default_layer_types()
        known = {SLIDING: self.sliding_window, FULL: None}
        if len(kinds) != self.num_hidden_layers or not set(kinds) <= set(known):
            raise FileFormatError(
                f"{type(self).__name__}: wanted layer_types for {self.num_hidden_layers} layers, "
                f"each one of {', '.join(known)}; got {kinds}"
            )
        return [known[kind] for kind in kinds]


class RMSNorm(nn.Module):
    """x / sqrt(mean(x ** 2) + eps) * weight."""

    def __init__(self, width: int, config: DecoderConfig) -> None:
        super().__init__()
        self.around_one, self.eps = config.norm_around_one, config.rms_norm_eps
        start = tp.zeros(width) if self.around_one else tp.ones(width)
        self.weight = nn.Parameter(start)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same."""
        weight = self.weight + 1 if self.around_one else self.weight
        return F.rms_norm(x, (x.shape[-1],), weight, self.eps)


class DecoderAttention(nn.Module):
    """Rotated queries and keys, values, and what the heads make of them."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width, size = config.width, config.hidden_size
        heads, groups = config.num_attention_heads, config.key_value_heads
        bias = config.attention_bias or config.query_key_value_bias
        self.q_proj = nn.Linear(size, heads * width, bias=bias)
        self.k_proj = nn.Linear(size, groups * width, bias=bias)
        self.v_proj = nn.Linear(size, groups * width, bias=bias)
        self.o_proj = nn.Linear(heads * width, size, bias=config.attention_bias)
        if config.query_key_norm:
            self.q_norm = RMSNorm(width, config)
            self.k_norm = RMSNorm(width, config)
        self.config = config

    def forward(
        self,
        x: Tensor,
        sight: Sight,
        rotation: tuple[Tensor, Tensor],
        cache: LayerCache | None,
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        config = self.config
        query, key, value = (
            split_heads(project(x), config.width)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        if config.query_key_norm:
            query, key = self.q_norm(query), self.k_norm(key)
        query, key = rotate(query, *rotation), rotate(key, *rotation)
        if cache is not None:
            key, value = cache.append(key, value)
        out = attend(
            query,
            key,
            value,
            sight,
            scale=config.attention_scale,
            soft_cap=config.attention_cap,
            dropout_p=config.attention_dropout if self.training else 0.0,
        )
        return self.o_proj(out)


class DecoderMLP(nn.Module):
    """Gated feed-forward part. Source: Shazeer 2020, "GLU Variants Improve Transformer"."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        size, wide, bias = config.hidden_size, config.intermediate_size, config.mlp_bias
        self.gate_proj = nn.Linear(size, wide, bias=bias)
        self.up_proj = nn.Linear(size, wide, bias=bias)
        self.down_proj = nn.Linear(wide, size, bias=bias)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    """Attention, then feed-forward, each normalised before, and in some families after."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.self_attn = DecoderAttention(config)
        self.mlp = DecoderMLP(config)
        self.input_layernorm = RMSNorm(size, config)
        self.post_attention_layernorm = RMSNorm(size, config)
        self.post_norms = config.post_norms
        if self.post_norms:
            self.pre_feedforward_layernorm = RMSNorm(size, config)
            self.post_feedforward_layernorm = RMSNorm(size, config)

    def forward(
        self,
        x: Tensor,
        sight: Sight,
        rotation: tuple[Tensor, Tensor],
        cache: LayerCache | None,
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        attended = self.self_attn(self.input_layernorm(x), sight, rotation, cache)
        if not self.post_norms:  # there the middle norm stands before the feed-forward part
            x = x + attended
            return x + self.mlp(self.post_attention_layernorm(x))
        x = x + self.post_attention_layernorm(attended)
        fed = self.mlp(self.pre_feedforward_layernorm(x))
        return x + self.post_feedforward_layernorm(fed)


class DecoderModel(GenerativeModel):
    """The decoder without a head.

    Args:
        config: its settings.
    """

    config_class: ClassVar[type[ModelConfig]] = DecoderConfig
    base_prefix: ClassVar[str] = "model"

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(
            config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id
        )
        self.layers = nn.ModuleList([DecoderLayer(config) for _ in range(config.num_hidden_layers)])
        self.norm = RMSNorm(config.hidden_size, config)
        self.rotary = RotaryEmbedding(
            config.rope_parameters, config.width, config.max_position_embeddings
        )
        self.windows = config.windows()
        self.embedding_scale = math.sqrt(config.hidden_size) if config.scale_embeddings else None
        draw_weights([self], config.initializer_range)

    def cache_windows(self) -> Sequence[int | None]:
        """For each layer, how many tokens a query sees; None for all."""
        return self.windows

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool = False,
        output_hidden_states: bool = False,
    ) -> DecoderOutput:
        """Read ids, each seeing those before it.

        Args:
            input_ids: (n, l) int64, 0 <= id < vocab_size.
            attention_mask: (n, s), 1 for tokens and 0 for padding, earlier tokens included; None
                when there is no padding, which is faster than all ones.
            position_ids: (n, l) or (1, l) places; default counted on from the earlier tokens, or
                from 0.
            past_key_values: what an earlier call returned; it is extended.
            use_cache: return keys and values, for a call with the tokens that follow.
            output_hidden_states: also return the output of every layer.

        Returns:
            last_hidden_state (n, l, d), past_key_values, hidden_states.

        Raises:
            ShapeError: input_ids is not (n, l), or attention_mask does not fit.
        """
        check_token_ids(type(self).__name__, input_ids)
        cache = past_key_values
        if cache is None and use_cache:
            cache = self.new_cache()
        past, length = past_length(cache), input_ids.shape[1]
        if position_ids is None:
            position_ids = tp.arange(past, past + length, device=input_ids.device)[None]
        x = self.embed_tokens(input_ids)
        if self.embedding_scale is not None:
            x = x * self.embedding_scale
        rotation = self.rotary(position_ids, x.dtype)
        sights: dict[int | None, Sight] = {}
        states: tuple[Tensor, ...] = ()
        for i, layer in enumerate(self.layers):
            states = (*states, x) if output_hidden_states else ()
            kept = None if cache is None else cache.layers[i]
            window = self.windows[i]
            if window not in sights:
                stored = 0 if kept is None else len(kept)
                sights[window] = causal_sight(length, stored, window, attention_mask)
            x = layer(x, sights[window], rotation, kept)
        x = self.norm(x)
        if cache is not None:
            cache.seen = past + length
        return DecoderOutput(x, cache, (*states, x) if output_hidden_states else None)


def past_length(cache: KeyValueCache | None) -> int:
    """Tokens that went through the model before."""
    return 0 if cache is None else cache.seen


def check_token_ids(model: str, input_ids: Tensor) -> None:
    """Refuse ids of the wrong shape.

    Args:
        model: name for the error text.
        input_ids: should be (n, l), l > 0.

    Raises:
        ShapeError: they are not.
    """
    if input_ids.ndim != 2 or input_ids.shape[1] == 0:
        raise ShapeError(
            f"{model}: wanted input_ids of shape (n, l), l > 0, got {tuple(input_ids.shape)}"
        )
