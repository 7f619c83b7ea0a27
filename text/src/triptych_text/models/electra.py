"""ELECTRA: BERT's layers, trained to tell replaced words from real ones.

Names of parameters are those of the Hugging Face checkpoints.

Source: Clark et al. 2020, "ELECTRA: Pre-training Text Encoders as Discriminators Rather Than
Generators".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from triptych import Registry, Tensor, nn
from triptych.nn import functional as F

from .attention import ACTIVATIONS
from .base import PretrainedModel, Ties, draw_weights
from .bert import BertConfig, BertEmbeddings, BertModel
from .config import ModelConfig
from .heads import (
    HeadedModel,
    MaskedLM,
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
    extras,
)
from .outputs import ClassifierOutput, EncoderOutput

__all__ = [
    "ElectraConfig",
    "ElectraForMaskedLM",
    "ElectraForMultipleChoice",
    "ElectraForPreTraining",
    "ElectraForQuestionAnswering",
    "ElectraForSequenceClassification",
    "ElectraForTokenClassification",
    "ElectraModel",
]


@dataclass(kw_only=True)
class ElectraConfig(BertConfig):
    """Settings of ELECTRA; the defaults are those of the small discriminator.

    Args:
        embedding_size: width of the embeddings, mapped to d where it differs.
        summary_type: what stands for a text in multiple choice: "first", "last", "mean", or
            "cls_index", which is the last.
        summary_use_proj: with a map behind it.
        summary_activation: name of the activation behind the map; None for none.
        summary_first_dropout, summary_last_dropout: shares of activations set to zero before the
            map and at the end.

    The others are as in `BertConfig`.
    """

    model_type: ClassVar[str] = "electra"

    embedding_size: int = 128
    hidden_size: int = 256
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = "gelu"
    summary_first_dropout: float = 0.0
    summary_last_dropout: float = 0.1


class ElectraEmbeddings(BertEmbeddings):
    """BERT's embeddings in a width of their own."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config, config.embedding_size)


class ElectraModel(BertModel):
    """The encoder of ELECTRA, of the discriminator or of the generator.

    Args:
        config: its settings.

    Example:
        >>> import triptych as tp
        >>> config = ElectraConfig(vocab_size=9, embedding_size=4, hidden_size=8,
        ...                        num_hidden_layers=1, intermediate_size=16)
        >>> ElectraModel(config).eval()(tp.tensor([[1, 2, 3]])).last_hidden_state.shape
        Size([1, 3, 8])
    """

    config_class: ClassVar[type[ModelConfig]] = ElectraConfig
    base_prefix: ClassVar[str] = "electra"
    embeddings_class: ClassVar[type[BertEmbeddings]] = ElectraEmbeddings

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config, add_pooling_layer=False)
        self.embeddings_project = None
        if config.embedding_size != config.hidden_size:
            self.embeddings_project = nn.Linear(config.embedding_size, config.hidden_size)
            draw_weights([self.embeddings_project], config.initializer_range)

    def embed(
        self, input_ids: Tensor, token_type_ids: Tensor | None, position_ids: Tensor | None
    ) -> Tensor:
        """(n, l) ids to (n, l, d), what the first layer reads."""
        x = super().embed(input_ids, token_type_ids, position_ids)
        return x if self.embeddings_project is None else self.embeddings_project(x)


class ElectraDiscriminator(nn.Module):
    """One score for each token: how likely it was put in place of another."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dense_prediction = nn.Linear(config.hidden_size, 1)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, l)."""
        return self.dense_prediction(self.activation(self.dense(hidden))).squeeze(-1)


class ElectraForPreTraining(HeadedModel):
    """The discriminator: tells tokens that a generator put in from those of the text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = ElectraConfig
    base_prefix: ClassVar[str] = "electra"
    encoder_class: ClassVar[type[PretrainedModel]] = ElectraModel

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.discriminator_predictions = ElectraDiscriminator(config)
        draw_weights([self.discriminator_predictions], config.initializer_range)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        *args: Any,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> ClassifierOutput:
        """Score tokens.

        Args:
            input_ids: (n, l) int64.
            attention_mask: (n, l); padding does not count in the loss.
            *args, **kwargs: as the encoder takes them.
            labels: (n, l) 1 for tokens that were replaced; with them the loss is computed.

        Returns:
            logits (n, l), above 0 for tokens that seem replaced, and loss.
        """
        encoded = self.encode(input_ids, attention_mask, *args, **kwargs)
        logits = self.discriminator_predictions(encoded.last_hidden_state)
        loss = None
        if labels is not None:
            counted, wanted = logits, labels.to(logits.dtype)
            if attention_mask is not None:
                real = attention_mask == 1
                counted, wanted = logits[real], wanted[real]
            loss = F.binary_cross_entropy_with_logits(counted, wanted)
        return ClassifierOutput(loss=loss, logits=logits, **extras(encoded))


class ElectraGenerator(nn.Module):
    """What happens to the encoder's output before words are scored."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.LayerNorm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.dense = nn.Linear(config.hidden_size, config.embedding_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, l, e)."""
        return self.LayerNorm(F.gelu(self.dense(hidden)))


class ElectraForMaskedLM(MaskedLM):
    """The generator: words for the gaps in a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = ElectraConfig
    base_prefix: ClassVar[str] = "electra"
    encoder_class: ClassVar[type[PretrainedModel]] = ElectraModel
    tied_embeddings: ClassVar[Ties] = {
        "generator_lm_head.weight": "electra.embeddings.word_embeddings.weight"
    }

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.generator_predictions = ElectraGenerator(config)
        self.generator_lm_head = nn.Linear(config.embedding_size, config.vocab_size)
        draw_weights([self.generator_predictions, self.generator_lm_head], config.initializer_range)
        self.tie_weights()

    def score(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        return self.generator_lm_head(self.generator_predictions(hidden))


class ElectraClassifier(nn.Module):
    """Classes of a text from its first token."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.head_dropout)
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, c)."""
        x = F.gelu(self.dense(self.dropout(hidden[:, 0])))
        return self.out_proj(self.dropout(x))


class ElectraForSequenceClassification(SequenceClassification):
    """Classes, or a number, for each text.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = ElectraConfig
    base_prefix: ClassVar[str] = "electra"
    encoder_class: ClassVar[type[PretrainedModel]] = ElectraModel

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.classifier = ElectraClassifier(config)
        draw_weights([self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n, c) logits from the first token."""
        return self.classifier(encoded.last_hidden_state)


class ElectraForTokenClassification(TokenClassification):
    """Classes for each token.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = ElectraConfig
    base_prefix: ClassVar[str] = "electra"
    encoder_class: ClassVar[type[PretrainedModel]] = ElectraModel


class ElectraForQuestionAnswering(QuestionAnswering):
    """The first and the last token of the answer to a question about a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = ElectraConfig
    base_prefix: ClassVar[str] = "electra"
    encoder_class: ClassVar[type[PretrainedModel]] = ElectraModel


# What stands for a text: (n, l, d) to (n, d).
SUMMARIES: Registry[Callable[[Tensor], Tensor]] = Registry("summary type")
SUMMARIES.register("cls_index", lambda hidden: hidden[:, -1])
SUMMARIES.register("first", lambda hidden: hidden[:, 0])
SUMMARIES.register("last", lambda hidden: hidden[:, -1])
SUMMARIES.register("mean", lambda hidden: hidden.mean(1))


class ElectraSummary(nn.Module):
    """One vector for each text."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.pick = SUMMARIES[config.summary_type]
        width, name = config.hidden_size, config.summary_activation
        self.summary = nn.Linear(width, width) if config.summary_use_proj else nn.Identity()
        self.activation = ACTIVATIONS[name] if name else nn.Identity()
        self.first_dropout = nn.Dropout(config.summary_first_dropout)
        self.last_dropout = nn.Dropout(config.summary_last_dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, d)."""
        x = self.activation(self.summary(self.first_dropout(self.pick(hidden))))
        return self.last_dropout(x)


class ElectraForMultipleChoice(MultipleChoice):
    """The choice among several texts.

    Args:
        config: settings.

    Raises:
        UnknownNameError: summary_type is none of those implemented.
    """

    config_class: ClassVar[type[ModelConfig]] = ElectraConfig
    base_prefix: ClassVar[str] = "electra"
    encoder_class: ClassVar[type[PretrainedModel]] = ElectraModel

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.sequence_summary = ElectraSummary(config)
        self.classifier = nn.Linear(config.hidden_size, 1)
        draw_weights([self.sequence_summary, self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n times choices, 1) logits."""
        return self.classifier(self.sequence_summary(encoded.last_hidden_state))
