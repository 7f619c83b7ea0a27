"""BERT with a head."""

from __future__ import annotations

from typing import ClassVar

import triptych as tp
from triptych import Tensor, nn

from .attention import ACTIVATIONS
from .base import PretrainedModel, Ties, draw_weights
from .bert import BertConfig, BertModel
from .config import ModelConfig
from .heads import MaskedLM, QuestionAnswering, SequenceClassification, TokenClassification
from .outputs import EncoderOutput

__all__ = [
    "BertForMaskedLM",
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
    tied_embeddings: ClassVar[Ties] = {
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight"
    }
    tied: ClassVar[Ties] = {"cls.predictions.decoder.bias": "cls.predictions.bias"}

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, add_pooling_layer=False)
        self.cls = BertMLMHead(config)
        draw_weights([self.cls], config.initializer_range)
        self.tie_weights()

    def score(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        return self.cls.predictions(hidden)
