"""DeBERTa-v2 and v3 with a head."""

from __future__ import annotations

from typing import ClassVar

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError

from .attention import ACTIVATIONS
from .base import PretrainedModel, Ties, draw_weights
from .config import ModelConfig
from .deberta_v2 import DebertaV2Config, DebertaV2Model
from .heads import (
    MaskedLM,
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
)
from .losses import classification_loss, soft_label_loss
from .outputs import EncoderOutput

__all__ = [
    "DebertaV2ForMaskedLM",
    "DebertaV2ForMultipleChoice",
    "DebertaV2ForQuestionAnswering",
    "DebertaV2ForSequenceClassification",
    "DebertaV2ForTokenClassification",
]


class ContextPooler(nn.Module):
    """What the first token says about the whole text, with dropout around it."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.pooler_dropout)
        self.activation = ACTIVATIONS[config.pooler_hidden_act]

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, d)."""
        return self.activation(self.dense(self.dropout(hidden[:, 0])))


def _head_dropout(config: DebertaV2Config) -> nn.Dropout:
    own = config.cls_dropout
    return nn.Dropout(config.hidden_dropout_prob if own is None else own)


class DebertaV2ForSequenceClassification(SequenceClassification):
    """Classes, or a number, for each text.

    Without a problem_type, labels (n, c) are shares of the classes (a cross entropy), not several
    classes at once as in the other families, and labels below 0 do not count.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = DebertaV2Config
    base_prefix: ClassVar[str] = "deberta"
    encoder_class: ClassVar[type[PretrainedModel]] = DebertaV2Model

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__(config)
        self.pooler = ContextPooler(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.dropout = _head_dropout(config)
        draw_weights([self.pooler, self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n, c) logits from the first token."""
        return self.classifier(self.dropout(self.pooler(encoded.last_hidden_state)))

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss that the settings and the labels ask for."""
        if self.config.problem_type is None and logits.shape[-1] > 1:
            return soft_label_loss(logits, labels)
        return classification_loss(logits, labels, self.config)


class DebertaV2ForTokenClassification(TokenClassification):
    """Classes for each token.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    config_class: ClassVar[type[ModelConfig]] = DebertaV2Config
    base_prefix: ClassVar[str] = "deberta"
    encoder_class: ClassVar[type[PretrainedModel]] = DebertaV2Model


class DebertaV2ForQuestionAnswering(QuestionAnswering):
    """The first and the last token of the answer to a question about a text.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = DebertaV2Config
    base_prefix: ClassVar[str] = "deberta"
    encoder_class: ClassVar[type[PretrainedModel]] = DebertaV2Model


class DebertaV2ForMultipleChoice(MultipleChoice):
    """The choice among several texts.

    Args:
        config: settings.
    """

    config_class: ClassVar[type[ModelConfig]] = DebertaV2Config
    base_prefix: ClassVar[str] = "deberta"
    encoder_class: ClassVar[type[PretrainedModel]] = DebertaV2Model

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__(config)
        self.pooler = ContextPooler(config)
        self.classifier = nn.Linear(config.hidden_size, 1)
        self.dropout = _head_dropout(config)
        draw_weights([self.pooler, self.classifier], config.initializer_range)

    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n times choices, 1) logits from the first token."""
        return self.classifier(self.dropout(self.pooler(encoded.last_hidden_state)))


class DebertaV2Transform(nn.Module):
    """What happens to the encoder's output before words are scored."""

    def __init__(self, config: DebertaV2Config, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, d) to (n, l, e)."""
        return self.LayerNorm(self.activation(self.dense(x)))


class DebertaV2Predictions(nn.Module):
    """Scores of all words at each place, of early copies."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        self.transform = DebertaV2Transform(config, config.embedding_width)
        self.decoder = nn.Linear(config.embedding_width, config.vocab_size)
        self.bias = nn.Parameter(tp.zeros(config.vocab_size))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        return self.decoder(self.transform(x))


class DebertaV2LMHead(DebertaV2Transform):
    """Scores of all words at each place, by the embeddings (v, e) themselves."""

    def __init__(self, config: DebertaV2Config) -> None:
        if config.embedding_width != config.hidden_size:
            raise ShapeError(
                f"DebertaV2ForMaskedLM: with legacy=False embedding_size is hidden_size, got "
                f"{config.embedding_width} and {config.hidden_size}"
            )
        super().__init__(config, config.hidden_size)
        self.bias = nn.Parameter(tp.zeros(config.vocab_size))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:  # type: ignore[override]
        """(n, l, d) to (n, l, v)."""
        return super().forward(x) @ words.T + self.bias


class Holder(nn.Module):
    """Holds a module under the name that checkpoints use."""

    def __init__(self, name: str, module: nn.Module) -> None:
        super().__init__()
        self.add_module(name, module)


class DebertaV2ForMaskedLM(MaskedLM):
    """Words for the gaps in a text.

    Args:
        config: settings; `legacy` says under which names the head's weights are.

    Raises:
        ShapeError: embedding_size differs from hidden_size where legacy is False.
    """

    config: DebertaV2Config
    config_class: ClassVar[type[ModelConfig]] = DebertaV2Config
    base_prefix: ClassVar[str] = "deberta"
    encoder_class: ClassVar[type[PretrainedModel]] = DebertaV2Model
    ignored: ClassVar[tuple[str, ...]] = DebertaV2Model.ignored
    stand_ins: ClassVar[Ties] = {"cls.predictions.decoder.bias": "cls.predictions.bias"}
    tied_embeddings: ClassVar[Ties] = {
        "cls.predictions.decoder.weight": "deberta.embeddings.word_embeddings.weight",
        **stand_ins,
    }

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__(config)
        if config.legacy:
            head: nn.Module = DebertaV2Predictions(config)
            self.cls = Holder("predictions", head)
        else:
            head = DebertaV2LMHead(config)
            self.lm_predictions = Holder("lm_head", head)
        draw_weights([head], config.initializer_range)
        self.tie_weights()

    def ties(self) -> Ties:
        """state_dict name -> name of the tensor it is the same as, under these settings."""
        return super().ties() if self.config.legacy else {}

    def score(self, hidden: Tensor) -> Tensor:
        """(n, l, d) to (n, l, v)."""
        head = self.cls.predictions if self.config.legacy else self.lm_predictions.lm_head
        return head(hidden, self.deberta.embeddings.word_embeddings.weight)
