"""GPT-2.

Names and layouts of parameters are those of the Hugging Face checkpoints: the weights of maps are
stored with the inputs first.

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as F
from triptych.nn import init

from .attending import Sight, attend, causal_sight
from .attention import ACTIVATIONS, check_heads
from .base import Ties, draw_weights
from .cache import KeyValueCache, LayerCache
from .config import ModelConfig
from .decoder import check_token_ids, past_length
from .decoder_heads import (
    DecoderForCausalLM,
    DecoderForSequenceClassification,
    DecoderForTokenClassification,
)
from .generative import GenerativeModel
from .outputs import DecoderOutput

__all__ = [
    "Conv1D",
    "GPT2Config",
    "GPT2ForSequenceClassification",
    "GPT2ForTokenClassification",
    "GPT2LMHeadModel",
    "GPT2Model",
]


@dataclass(kw_only=True)
class GPT2Config(ModelConfig):
    """Settings of GPT-2; the defaults are those of the smallest, with 124M parameters.

    Args:
        vocab_size: v.
        n_positions: longest input in tokens.
        n_embd: d, divided by the number of heads.
        n_layer: layers.
        n_head: heads of each layer.
        n_inner: width of the feed-forward part; default 4 d.
        activation_function: name of its activation.
        resid_pdrop, embd_pdrop, attn_pdrop: shares set to zero in training, of what layers add, of
            embeddings and of attention weights.
        layer_norm_epsilon: added to variances.
        scale_attn_weights: scores are divided by the root of a head's width.
        scale_attn_by_inverse_layer_idx: scores of layer i are divided by i + 1.
        bos_token_id, eos_token_id: ids that begin and end texts.
    """

    model_type: ClassVar[str] = "gpt2"

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    layer_norm_epsilon: float = 1e-5
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    pad_token_id: int | None = None
    bos_token_id: int | None = 50256
    eos_token_id: int | list[int] | None = 50256

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json, under GPT-2's names or the usual ones.

        Raises:
            FileFormatError: a setting asks for something this implementation does not compute.
        """
        usual = {own: values[name] for name, own in USUAL_NAMES.items() if name in values}
        return super().from_dict({**usual, **values})

    @property
    def hidden_size(self) -> int:
        """d, under the name that other families use."""
        return self.n_embd

    @property
    def max_position_embeddings(self) -> int:
        """Longest input in tokens, under the name that other families use."""
        return self.n_positions


USUAL_NAMES = {
    "hidden_size": "n_embd",
    "max_position_embeddings": "n_positions",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}


class Conv1D(nn.Module):
    """A linear map whose weight has the inputs first, as GPT-2's files have it.

    Args:
        out_features: width of the output.
        in_features: width of the input.
    """

    def __init__(self, out_features: int, in_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(tp.zeros(in_features, out_features))
        self.bias = nn.Parameter(tp.zeros(out_features))

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, in_features) to (n, l, out_features)."""
        return F.linear(x, self.weight.T, self.bias)


class GPT2Attention(nn.Module):
    """Queries, keys and values from one map, and what the heads make of them."""

    def __init__(self, config: GPT2Config, index: int) -> None:
        super().__init__()
        size = config.n_embd
        check_heads(type(config).__name__, size, config.n_head)
        self.c_attn = Conv1D(3 * size, size)
        self.c_proj = Conv1D(size, size)
        self.heads, self.width = config.n_head, size // config.n_head
        scale = self.width**-0.5 if config.scale_attn_weights else 1.0
        self.scale = scale / (index + 1) if config.scale_attn_by_inverse_layer_idx else scale
        self.dropout_prob = config.attn_pdrop
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, x: Tensor, sight: Sight, cache: LayerCache | None) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        n, length, _ = x.shape
        parts = self.c_attn(x).reshape(n, length, 3, self.heads, self.width)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)  # each (n, heads, l, e)
        if cache is not None:
            key, value = cache.append(key, value)
        dropped = self.dropout_prob if self.training else 0.0
        out = attend(query, key, value, sight, scale=self.scale, dropout_p=dropped)
        return self.resid_dropout(self.c_proj(out))


class GPT2MLP(nn.Module):
    """Feed-forward part."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        wide = config.n_inner or 4 * config.n_embd
        self.c_fc = Conv1D(wide, config.n_embd)
        self.c_proj = Conv1D(config.n_embd, wide)
        self.activation = ACTIVATIONS[config.activation_function]
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return self.dropout(self.c_proj(self.activation(self.c_fc(x))))


class GPT2Block(nn.Module):
    """One layer: attention, then feed-forward, each normalised before."""

    def __init__(self, config: GPT2Config, index: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = GPT2Attention(config, index)
        self.ln_2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GPT2MLP(config)

    def forward(self, x: Tensor, sight: Sight, cache: LayerCache | None) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        x = x + self.attn(self.ln_1(x), sight, cache)
        return x + self.mlp(self.ln_2(x))


class GPT2Model(GenerativeModel):
    """The decoder without a head.

    Args:
        config: its settings.

    Example:
        >>> config = GPT2Config(vocab_size=9, n_positions=6, n_embd=8, n_layer=1, n_head=2)
        >>> GPT2Model(config).eval()(tp.tensor([[1, 2, 3]])).last_hidden_state.shape
        Size([1, 3, 8])
    """

    config: GPT2Config
    config_class: ClassVar[type[ModelConfig]] = GPT2Config
    base_prefix: ClassVar[str] = "transformer"
    # Causal masks, which early checkpoints carry along.
    ignored: ClassVar[tuple[str, ...]] = (r"(^|\.)h\.\d+\.attn\.(masked_)?bias$",)

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList([GPT2Block(config, i) for i in range(config.n_layer)])
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        draw_weights([self], config.initializer_range)
        self._draw_maps(config)

    def _draw_maps(self, config: GPT2Config) -> None:
        """Maps back to the residual start smaller. Source: Radford et al. 2019, section 2.3."""
        for name, module in self.named_modules():
            if isinstance(module, Conv1D):
                small = math.sqrt(2 * config.n_layer) if name.endswith("c_proj") else 1.0
                init.normal_(module.weight, 0.0, config.initializer_range / small)

    def cache_windows(self) -> Sequence[int | None]:
        """For each layer, how many tokens a query sees; None for all."""
        return [None] * len(self.h)

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
            attention_mask, position_ids, past_key_values, use_cache, output_hidden_states: as in
                `DecoderModel.forward`.

        Returns:
            last_hidden_state (n, l, d), past_key_values, hidden_states.

        Raises:
            ShapeError: input_ids is not (n, l), there are more tokens than places, or
                attention_mask does not fit.
        """
        check_token_ids(type(self).__name__, input_ids)
        cache = past_key_values
        if cache is None and use_cache:
            cache = self.new_cache()
        past, length = past_length(cache), input_ids.shape[1]
        if position_ids is None:
            if past + length > self.config.n_positions:
                raise ShapeError(
                    f"{type(self).__name__}: {past + length} tokens, earlier ones included; the "
                    f"model has places for {self.config.n_positions}"
                )
            position_ids = tp.arange(past, past + length, device=input_ids.device)[None]
        elif int(position_ids.max()) >= self.config.n_positions:
            raise ShapeError(
                f"{type(self).__name__}: position_ids reach {int(position_ids.max())}; the model "
                f"has places 0 to {self.config.n_positions - 1}"
            )
        x = self.drop(self.wte(input_ids) + self.wpe(position_ids))
        sight = causal_sight(length, past, None, attention_mask)
        states: tuple[Tensor, ...] = ()
        for i, block in enumerate(self.h):
            states = (*states, x) if output_hidden_states else ()
            x = block(x, sight, None if cache is None else cache.layers[i])
        x = self.ln_f(x)
        if cache is not None:
            cache.seen = past + length
        return DecoderOutput(x, cache, (*states, x) if output_hidden_states else None)


class GPT2LMHeadModel(DecoderForCausalLM):
    """GPT-2 with scores of the next token.

    Args:
        config: settings.

    Example:
        >>> config = GPT2Config(vocab_size=9, n_positions=6, n_embd=8, n_layer=1, n_head=2)
        >>> model = GPT2LMHeadModel(config).eval()
        >>> model.generate(tp.tensor([[1, 2]]), max_new_tokens=3, eos_token_id=None).shape
        Size([1, 5])
    """

    config_class: ClassVar[type[ModelConfig]] = GPT2Config
    base_prefix: ClassVar[str] = "transformer"
    decoder_class: ClassVar[type[GenerativeModel]] = GPT2Model
    tied_embeddings: ClassVar[Ties] = {"lm_head.weight": "transformer.wte.weight"}
    ignored: ClassVar[tuple[str, ...]] = GPT2Model.ignored


class GPT2ForSequenceClassification(DecoderForSequenceClassification):
    """GPT-2 with classes of texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = GPT2Config
    base_prefix: ClassVar[str] = "transformer"
    decoder_class: ClassVar[type[GenerativeModel]] = GPT2Model
    ignored: ClassVar[tuple[str, ...]] = GPT2Model.ignored


class GPT2ForTokenClassification(DecoderForTokenClassification):
    """GPT-2 with classes of tokens.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = GPT2Config
    base_prefix: ClassVar[str] = "transformer"
    head_name: ClassVar[str] = "classifier"
    decoder_class: ClassVar[type[GenerativeModel]] = GPT2Model
    ignored: ClassVar[tuple[str, ...]] = GPT2Model.ignored
