"""BERT: the encoder, its settings and its heads.

Names of parameters are those of the Hugging Face checkpoints.

Source: Devlin et al. 2018, "BERT: Pre-training of Deep Bidirectional Transformers".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import triptych as tp
from triptych import Tensor, nn

from .attention import ACTIVATIONS, additive_mask, check_heads, multi_head_attention
from .base import PretrainedModel, check_ids, draw_weights
from .config import ModelConfig
from .outputs import EncoderOutput

__all__ = ["BertConfig", "BertEncoder", "BertModel"]


@dataclass(kw_only=True)
class BertConfig(ModelConfig):
    """Settings of BERT; the defaults are those of BERT base, uncased.

    Args:
        vocab_size: v.
        hidden_size: d, divided by the number of heads.
        num_hidden_layers: layers of the encoder.
        num_attention_heads: heads of each layer.
        intermediate_size: width of the feed-forward part.
        hidden_act: name of its activation.
        hidden_dropout_prob: share of activations set to zero in training.
        attention_probs_dropout_prob: share of attention weights set to zero in training.
        max_position_embeddings: longest input in tokens.
        type_vocab_size: kinds of segments.
        layer_norm_eps: added to variances.
        classifier_dropout: before a classification head; default `hidden_dropout_prob`.

    Example:
        >>> BertConfig(hidden_size=128, num_attention_heads=2).intermediate_size
        3072
    """

    model_type: ClassVar[str] = "bert"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    classifier_dropout: float | None = None

    @property
    def head_dropout(self) -> float:
        """Share of activations set to zero before a classification head."""
        own = self.classifier_dropout
        return self.hidden_dropout_prob if own is None else own


class BertEmbeddings(nn.Module):
    """Sum of the embeddings of words, places and segments."""

    def __init__(self, config: BertConfig, width: int | None = None) -> None:
        super().__init__()
        width = config.hidden_size if width is None else width
        self.word_embeddings = nn.Embedding(
            config.vocab_size, width, padding_idx=config.pad_token_id
        )
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """(n, l) ids to (n, l, d)."""
        if position_ids is None:
            places = self.default_places(input_ids)
        else:
            places = self.position_embeddings(position_ids)
        if token_type_ids is None:
            segments = self.token_type_embeddings.weight[0]  # (d,)
        else:
            segments = self.token_type_embeddings(token_type_ids)
        x = self.word_embeddings(input_ids) + (places + segments)
        return self.dropout(self.LayerNorm(x))

    def default_places(self, input_ids: Tensor) -> Tensor:
        """(l, d): places count from zero."""
        return self.position_embeddings.weight[: input_ids.shape[1]]


class BertSelfAttention(nn.Module):
    """Queries, keys, values, and what the heads make of them."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        check_heads(type(config).__name__, width, config.num_attention_heads)
        self.num_heads = config.num_attention_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout_prob = config.attention_probs_dropout_prob

    def forward(
        self, x: Tensor, mask: Tensor | None, weights: list[Tensor] | None = None
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return multi_head_attention(
            self.query(x),
            self.key(x),
            self.value(x),
            self.num_heads,
            mask,
            self.dropout_prob if self.training else 0.0,
            weights,
        )


class AddNorm(nn.Module):
    """A map, then the sum with what went around it, then a layer norm."""

    def __init__(self, in_features: int, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(in_features, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor, around: Tensor) -> Tensor:
        """(n, l, in_features) and (n, l, d) to (n, l, d)."""
        return self.LayerNorm(self.dropout(self.dense(x)) + around)


class BertAttention(nn.Module):
    """Self-attention with its residual."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = BertSelfAttention(config)
        self.output = AddNorm(config.hidden_size, config)

    def forward(
        self, x: Tensor, mask: Tensor | None, weights: list[Tensor] | None = None
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return self.output(self.self(x, mask, weights), x)


class BertIntermediate(nn.Module):
    """First half of the feed-forward part."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, intermediate_size)."""
        return self.activation(self.dense(x))


class BertLayer(nn.Module):
    """One layer: attention, then feed-forward."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = BertAttention(config)
        self.intermediate = BertIntermediate(config)
        self.output = AddNorm(config.intermediate_size, config)

    def forward(
        self, x: Tensor, mask: Tensor | None, weights: list[Tensor] | None = None
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        x = self.attention(x, mask, weights)
        return self.output(self.intermediate(x), x)


class BertEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([BertLayer(config) for _ in range(config.num_hidden_layers)])

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        output_hidden_states: bool = False,
        weights: list[Tensor] | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """(n, l, d) to the last layer's output, and to all of them when asked for."""
        states: tuple[Tensor, ...] = (x,)
        for layer in self.layer:
            x = layer(x, mask, weights)
            states = (*states, x) if output_hidden_states else ()
        return x, states if output_hidden_states else None


class BertPooler(nn.Module):
    """What the first token says about the whole text."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, d)."""
        return tp.tanh(self.dense(hidden[:, 0]))


class BertModel(PretrainedModel):
    """The encoder.

    Args:
        config: its settings.
        add_pooling_layer: with the pooler, which classification of texts needs.

    Example:
        >>> config = BertConfig(
        ...     vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        ...     intermediate_size=16, max_position_embeddings=6,
        ... )
        >>> out = BertModel(config).eval()(tp.tensor([[1, 2, 3]]))
        >>> out.last_hidden_state.shape, out.pooler_output.shape
        (Size([1, 3, 8]), Size([1, 8]))
    """

    config_class: ClassVar[type[ModelConfig]] = BertConfig
    base_prefix: ClassVar[str] = "bert"
    embeddings_class: ClassVar[type[BertEmbeddings]] = BertEmbeddings
    droppable: ClassVar[tuple[str, ...]] = ("pooler",)

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = self.embeddings_class(config)
        self.encoder = BertEncoder(config)
        self.pooler = BertPooler(config) if add_pooling_layer else None
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
                which is faster than all ones. (n, l, s) says for each token what it looks at.
            token_type_ids: (n, l) segments; default all 0.
            position_ids: (n, l) or (1, l) places; default counted from 0.
            output_hidden_states: also return the output of every layer.
            output_attentions: also return what every layer looks at.

        Returns:
            last_hidden_state (n, l, d), pooler_output (n, d), hidden_states, attentions.

        Raises:
            ShapeError: the input is longer than the model's longest.
        """
        check_ids(type(self).__name__, input_ids, self.max_length)
        x = self.embed(input_ids, token_type_ids, position_ids)
        mask = additive_mask(attention_mask, x.dtype)
        weights: list[Tensor] | None = [] if output_attentions else None
        last, states = self.encoder(x, mask, output_hidden_states, weights)
        pooled = None if self.pooler is None else self.pooler(last)
        return EncoderOutput(last, pooled, states, None if weights is None else tuple(weights))

    def embed(
        self, input_ids: Tensor, token_type_ids: Tensor | None, position_ids: Tensor | None
    ) -> Tensor:
        """(n, l) ids to (n, l, d), what the first layer reads."""
        return self.embeddings(input_ids, token_type_ids, position_ids)
