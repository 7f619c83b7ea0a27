"""BERT with a head."""

from __future__ import annotations

from typing import Any, ClassVar

import triptych as tp
from triptych import Tensor, nn
from triptych.nn import functional as F

from .attention import ACTIVATIONS
from .base import PretrainedModel, Ties, draw_weights
from .bert import BertConfig, BertModel
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
from .losses import token_loss
from .outputs import ClassifierOutput, EncoderOutput, PreTrainingOutput

__all__ = [
    "BertForMaskedLM",
    "BertForMultipleChoice",
    "BertForNextSentencePrediction",
    "BertForPreTraining",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
]


class BertForSequenceClassification(SequenceClassification):
    """Classes, or a number, for each text.

    Args:
        config: settings; the number of classes is that of id2label.

    Example:
        >>> config = BertConfig(
        ...     vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        ...     intermediate_size=16, id2label={0: "bad", 1: "so so", 2: "good"},
        ... )
        >>> model = BertForSequenceClassification(config).eval()
        >>> model(tp.tensor([[1, 2, 3]])).logits.shape
        Size([1, 3])
    """

    config_class: ClassVar[type[ModelConfig]] = BertConfig
    base_prefix: ClassVar[str] = "bert"
    encoder_class: ClassVar[type[PretrainedModel]] = BertModel

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.head_dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        draw_weights([self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n, c) logits from the pooled first token."""
        return self.classifier(self.dropout(encoded.pooler_output))


class BertForMultipleChoice(MultipleChoice):
    """The choice among several texts, such as endings of a story.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = BertConfig
    base_prefix: ClassVar[str] = "bert"
    encoder_class: ClassVar[type[PretrainedModel]] = BertModel

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.head_dropout)
        self.classifier = nn.Linear(config.hidden_size, 1)
        draw_weights([self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n times choices, 1) logits from the pooled first token."""
        return self.classifier(self.dropout(encoded.pooler_output))


class BertForTokenClassification(TokenClassification):
    """Classes for each token, such as names of persons and places.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = BertConfig
    base_prefix: ClassVar[str] = "bert"
    encoder_class: ClassVar[type[PretrainedModel]] = BertModel

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, add_pooling_layer=False)


class BertForQuestionAnswering(QuestionAnswering):
    """The first and the last token of the answer to a question about a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = BertConfig
    base_prefix: ClassVar[str] = "bert"
    encoder_class: ClassVar[type[PretrainedModel]] = BertModel

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, add_pooling_layer=False)


class BertTransform(nn.Module):
    """What happens to the encoder's output before words are scored."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, d)."""
        return self.LayerNorm(self.activation(self.dense(x)))


class BertPredictions(nn.Module):
    """Scores of all words at each place."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = BertTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(tp.zeros(config.vocab_size))

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        return self.decoder(self.transform(x))


class BertMLMHead(nn.Module):
    """Holds the predictions under the name that checkpoints use."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.predictions = BertPredictions(config)


class BertForMaskedLM(MaskedLM):
    """Words for the gaps in a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = BertConfig
    base_prefix: ClassVar[str] = "bert"
    encoder_class: ClassVar[type[PretrainedModel]] = BertModel
    stand_ins: ClassVar[Ties] = {"cls.predictions.decoder.bias": "cls.predictions.bias"}
    tied_embeddings: ClassVar[Ties] = {
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        **stand_ins,
    }

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, add_pooling_layer=False)
        self.cls = BertMLMHead(config)
        draw_weights([self.cls], config.initializer_range)
        self.tie_weights()

    def score(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        return self.cls.predictions(hidden)


class BertNextSentenceHead(nn.Module):
    """Holds the map to two scores under the name that checkpoints use."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.seq_relationship = nn.Linear(config.hidden_size, 2)


class BertForNextSentencePrediction(HeadedModel):
    """Whether the second text of a pair follows the first.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = BertConfig
    base_prefix: ClassVar[str] = "bert"
    encoder_class: ClassVar[type[PretrainedModel]] = BertModel

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.cls = BertNextSentenceHead(config)
        draw_weights([self.cls], config.initializer_range)

    def forward(
        self, input_ids: Tensor, *args: Any, labels: Tensor | None = None, **kwargs: Any
    ) -> ClassifierOutput:
        """Judge pairs.

        Args:
            input_ids: (n, l) int64: two texts.
            *args, **kwargs: as the encoder takes them.
            labels: (n,) int64, 0 where the second text follows, 1 where it does not; with them the
                loss is computed.

        Returns:
            logits (n, 2), and loss.
        """
        encoded = self.encode(input_ids, *args, **kwargs)
        logits = self.cls.seq_relationship(encoded.pooler_output)
        loss = None if labels is None else F.cross_entropy(logits, labels.reshape(-1))
        return ClassifierOutput(loss=loss, logits=logits, **extras(encoded))


class BertPreTrainingHeads(BertMLMHead):
    """Holds both heads under the names that checkpoints use."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)


class BertForPreTraining(HeadedModel):
    """Both heads that BERT was trained with: masked words, and whether one text follows another.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = BertConfig
    base_prefix: ClassVar[str] = "bert"
    encoder_class: ClassVar[type[PretrainedModel]] = BertModel
    stand_ins: ClassVar[Ties] = BertForMaskedLM.stand_ins
    tied_embeddings: ClassVar[Ties] = BertForMaskedLM.tied_embeddings

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.cls = BertPreTrainingHeads(config)
        draw_weights([self.cls], config.initializer_range)
        self.tie_weights()

    def forward(
        self,
        input_ids: Tensor,
        *args: Any,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        **kwargs: Any,
    ) -> PreTrainingOutput:
        """Score words and pairs.

        Args:
            input_ids: (n, l) int64: two texts, with the id of the mask token in the gaps.
            *args, **kwargs: as the encoder takes them.
            labels: (n, l) int64 the right ids, -100 where nothing is asked.
            next_sentence_label: (n,) int64, 0 where the second text follows, 1 where it does not;
                with both kinds of labels the loss is computed.

        Returns:
            prediction_logits (n, l, v), seq_relationship_logits (n, 2), and loss.
        """
        encoded = self.encode(input_ids, *args, **kwargs)
        words = self.cls.predictions(encoded.last_hidden_state)
        pairs = self.cls.seq_relationship(encoded.pooler_output)
        loss = None
        if labels is not None and next_sentence_label is not None:
            following = F.cross_entropy(pairs, next_sentence_label.reshape(-1))
            loss = token_loss(words, labels) + following
        return PreTrainingOutput(
            loss=loss, prediction_logits=words, seq_relationship_logits=pairs, **extras(encoded)
        )
