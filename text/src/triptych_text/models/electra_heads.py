"""ELECTRA with heads: for replaced tokens, masked words, classes, answers, choices.

Names of parameters are those of the Hugging Face checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from triptych import Registry, Tensor, nn
from triptych.nn import functional as F

from .attention import ACTIVATIONS
from .base import PretrainedModel, Ties, draw_weights
from .config import ModelConfig
from .electra import ElectraConfig, ElectraModel
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
    "ElectraForMaskedLM",
    "ElectraForMultipleChoice",
    "ElectraForPreTraining",
    "ElectraForQuestionAnswering",
    "ElectraForSequenceClassification",
    "ElectraForTokenClassification",
]


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
