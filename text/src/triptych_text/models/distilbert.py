"""DistilBERT: half of BERT's layers, no segments, no pooler.

Names of parameters are those of the Hugging Face checkpoints.

Source: Sanh et al. 2019, "DistilBERT, a distilled version of BERT".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triptych import Tensor, nn
from triptych.nn import functional as F

from .attention import ACTIVATIONS, additive_mask, check_heads, multi_head_attention
from .base import PretrainedModel, Ties, check_ids, draw_weights
from .config import ModelConfig
from .heads import (
    MaskedLM,
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
)
from .outputs import EncoderOutput

__all__ = [
    "DistilBertConfig",
    "DistilBertForMaskedLM",
    "DistilBertForMultipleChoice",
    "DistilBertForQuestionAnswering",
    "DistilBertForSequenceClassification",
    "DistilBertForTokenClassification",
    "DistilBertModel",
]

NORM_EPS = 1e-12  # fixed in this family. Source: the published models' code


@dataclass(kw_only=True)
class DistilBertConfig(ModelConfig):
    """Settings of DistilBERT, under the names of its config.json.

    Args:
        vocab_size: v.
        max_position_embeddings: longest input in tokens.
        n_layers: layers of the encoder.
        n_heads: heads of each layer.
        dim: d, divided by the number of heads.
        hidden_dim: width of the feed-forward part.
        activation: name of its activation.
        dropout: share of activations set to zero in training.
        attention_dropout: share of attention weights set to zero in training.
        seq_classif_dropout: before the classes of texts.
        qa_dropout: before the places of answers.
    """

    model_type: ClassVar[str] = "distilbert"

    vocab_size: int = 30522
    max_position_embeddings: int = 512
    n_layers: int = 6
    n_heads: int = 12
    dim: int = 768
    hidden_dim: int = 3072
    activation: str = "gelu"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    seq_classif_dropout: float = 0.2
    qa_dropout: float = 0.1

    @property
    def hidden_size(self) -> int:
        """d, under the name of the other families."""
        return self.dim

    @property
    def head_dropout(self) -> float:
        """Share of activations set to zero before the classes of tokens."""
        return self.dropout


class DistilBertEmbeddings(nn.Module):
    """Sum of the embeddings of words and places."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(
            config.vocab_size, config.dim, padding_idx=config.pad_token_id
        )
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, input_ids: Tensor) -> Tensor:
        """(n, l) ids to (n, l, d)."""
        places = self.position_embeddings.weight[: input_ids.shape[1]]  # (l, d)
        x = self.word_embeddings(input_ids) + places
        return self.dropout(self.LayerNorm(x))


class DistilBertAttention(nn.Module):
    """Self-attention."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        check_heads("DistilBertConfig", config.dim, config.n_heads)
        self.num_heads = config.n_heads
        self.dropout_prob = config.attention_dropout
        self.q_lin = nn.Linear(config.dim, config.dim)
        self.k_lin = nn.Linear(config.dim, config.dim)
        self.v_lin = nn.Linear(config.dim, config.dim)
        self.out_lin = nn.Linear(config.dim, config.dim)

    def forward(
        self, x: Tensor, mask: Tensor | None, weights: list[Tensor] | None = None
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        dropout_p = self.dropout_prob if self.training else 0.0
        mixed = multi_head_attention(
            self.q_lin(x), self.k_lin(x), self.v_lin(x), self.num_heads, mask, dropout_p, weights
        )
        return self.out_lin(mixed)


class DistilBertFeedForward(nn.Module):
    """Two maps with an activation between."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.lin1 = nn.Linear(config.dim, config.hidden_dim)
        self.lin2 = nn.Linear(config.hidden_dim, config.dim)
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return self.dropout(self.lin2(self.activation(self.lin1(x))))


class DistilBertLayer(nn.Module):
    """One layer: attention, then feed-forward."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.attention = DistilBertAttention(config)
        self.sa_layer_norm = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.ffn = DistilBertFeedForward(config)
        self.output_layer_norm = nn.LayerNorm(config.dim, eps=NORM_EPS)

    def forward(
        self, x: Tensor, mask: Tensor | None, weights: list[Tensor] | None = None
    ) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        x = self.sa_layer_norm(self.attention(x, mask, weights) + x)
        return self.output_layer_norm(self.ffn(x) + x)


class DistilBertEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([DistilBertLayer(config) for _ in range(config.n_layers)])


class DistilBertModel(PretrainedModel):
    """The encoder.

    Args:
        config: its settings.
    """

    config_class: ClassVar[type[ModelConfig]] = DistilBertConfig
    base_prefix: ClassVar[str] = "distilbert"

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.embeddings = DistilBertEmbeddings(config)
        self.transformer = DistilBertEncoder(config)
        self.max_length = config.max_position_embeddings
        draw_weights([self], config.initializer_range)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> EncoderOutput:
        """Encode ids.

        Args:
            input_ids: (n, l) int64, 0 <= id < vocab_size, l <= max_position_embeddings.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding.
            token_type_ids: not used, this family has no segments; taken so that all that a
                tokenizer returns can be passed on.
            output_hidden_states: also return the output of every layer.
            output_attentions: also return what every layer looks at.

        Returns:
            last_hidden_state (n, l, d), hidden_states, attentions.

        Raises:
            ShapeError: the input is longer than the model's longest.
        """
        check_ids(type(self).__name__, input_ids, self.max_length)
        x = self.embeddings(input_ids)
        mask = additive_mask(attention_mask, x.dtype)
        states = [x]
        weights: list[Tensor] | None = [] if output_attentions else None
        for layer in self.transformer.layer:
            x = layer(x, mask, weights)
            if output_hidden_states:
                states.append(x)
        return EncoderOutput(
            x,
            hidden_states=tuple(states) if output_hidden_states else None,
            attentions=None if weights is None else tuple(weights),
        )


class DistilBertForSequenceClassification(SequenceClassification):
    """Classes, or a number, for each text.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = DistilBertConfig
    base_prefix: ClassVar[str] = "distilbert"
    encoder_class: ClassVar[type[PretrainedModel]] = DistilBertModel

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)
        self.dropout = nn.Dropout(config.seq_classif_dropout)
        self.classifier = nn.Linear(config.dim, config.num_labels)
        draw_weights([self.pre_classifier, self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n, c) logits from the first token."""
        x = F.relu(self.pre_classifier(encoded.last_hidden_state[:, 0]))
        return self.classifier(self.dropout(x))


class DistilBertForMultipleChoice(MultipleChoice):
    """The choice among several texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = DistilBertConfig
    base_prefix: ClassVar[str] = "distilbert"
    encoder_class: ClassVar[type[PretrainedModel]] = DistilBertModel

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)
        self.classifier = nn.Linear(config.dim, 1)
        self.dropout = nn.Dropout(config.seq_classif_dropout)
        draw_weights([self.pre_classifier, self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n times choices, 1) logits from the first token."""
        x = F.relu(self.pre_classifier(encoded.last_hidden_state[:, 0]))
        return self.classifier(self.dropout(x))


class DistilBertForTokenClassification(TokenClassification):
    """Classes for each token.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = DistilBertConfig
    base_prefix: ClassVar[str] = "distilbert"
    encoder_class: ClassVar[type[PretrainedModel]] = DistilBertModel


class DistilBertForQuestionAnswering(QuestionAnswering):
    """The first and the last token of the answer to a question about a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = DistilBertConfig
    base_prefix: ClassVar[str] = "distilbert"
    encoder_class: ClassVar[type[PretrainedModel]] = DistilBertModel

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.qa_dropout)

    def encode(self, *args: object, **kwargs: object) -> EncoderOutput:
        """What the encoder returns, with dropout."""
        encoded = super().encode(*args, **kwargs)
        encoded.last_hidden_state = self.dropout(encoded.last_hidden_state)
        return encoded


class DistilBertForMaskedLM(MaskedLM):
    """Words for the gaps in a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = DistilBertConfig
    base_prefix: ClassVar[str] = "distilbert"
    encoder_class: ClassVar[type[PretrainedModel]] = DistilBertModel
    tied_embeddings: ClassVar[Ties] = {
        "vocab_projector.weight": "distilbert.embeddings.word_embeddings.weight"
    }

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.vocab_transform = nn.Linear(config.dim, config.dim)
        self.vocab_layer_norm = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.vocab_projector = nn.Linear(config.dim, config.vocab_size)
        self.activation = ACTIVATIONS[config.activation]
        draw_weights([self.vocab_transform, self.vocab_projector], config.initializer_range)
        self.tie_weights()

    def score(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        x = self.vocab_layer_norm(self.activation(self.vocab_transform(hidden)))
        return self.vocab_projector(x)
