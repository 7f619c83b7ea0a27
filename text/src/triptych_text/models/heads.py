"""Heads that families share: classes of texts and of tokens, words for gaps, places of answers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as F

from .base import PretrainedModel, draw_weights
from .losses import classification_loss, span_loss, token_loss
from .outputs import (
    ClassifierOutput,
    EncoderOutput,
    MaskedLMOutput,
    QuestionAnsweringOutput,
)

__all__ = [
    "HeadedModel",
    "MaskedLM",
    "MultipleChoice",
    "QuestionAnswering",
    "SequenceClassification",
    "TokenClassification",
    "extras",
]


def extras(encoded: EncoderOutput) -> dict[str, tuple[Tensor, ...] | None]:
    """What was asked for besides the result, for the head's output."""
    return {"hidden_states": encoded.hidden_states, "attentions": encoded.attentions}


class HeadedModel(PretrainedModel):
    """An encoder, held under its family's name, and something behind it."""

    encoder_class: ClassVar[type[PretrainedModel]]

    def __init__(self, config: Any, **encoder_options: Any) -> None:
        super().__init__(config)
        self.add_module(self.base_prefix, self.encoder_class(config, **encoder_options))

    def encode(self, *args: Any, **kwargs: Any) -> EncoderOutput:
        """What the encoder alone returns."""
        return getattr(self, self.base_prefix)(*args, **kwargs)


class SequenceClassification(HeadedModel):
    """Classes, or a number, for each text."""

    @abstractmethod
    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n, c) logits of what the encoder returned."""

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss that the settings and the labels ask for."""
        return classification_loss(logits, labels, self.config)

    def forward(
        self, input_ids: Tensor, *args: Any, labels: Tensor | None = None, **kwargs: Any
    ) -> ClassifierOutput:
        """Classify texts.

        Args:
            input_ids: (n, l) int64.
            *args, **kwargs: as the encoder takes them.
            labels: (n,) int64 classes, (n, c) floating for several at once, or (n,) numbers when
                c = 1; with them the loss is computed.

        Returns:
            logits (n, c), and loss.
        """
        encoded = self.encode(input_ids, *args, **kwargs)
        logits = self.score(encoded)
        loss = None if labels is None else self.loss(logits, labels)
        return ClassifierOutput(loss=loss, logits=logits, **extras(encoded))


class MultipleChoice(HeadedModel):
    """The choice among several texts, such as endings of a story."""

    @abstractmethod
    def score(self, encoded: EncoderOutput) -> Tensor:
        """(n times choices, 1) logits of what the encoder returned."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> ClassifierOutput:
        """Score choices.

        Args:
            input_ids: (n, choices, l) int64.
            attention_mask, token_type_ids: (n, choices, l), as the encoder takes them.
            labels: (n,) int64 the right choices; with them the loss is computed.
            **kwargs: as the encoder takes them; position_ids are (n, choices, l).

        Returns:
            logits (n, choices), and loss.

        Raises:
            ShapeError: the ids have other axes.
        """
        if input_ids.ndim != 3:
            raise ShapeError(
                f"{type(self).__name__}: wanted input_ids of shape (n, choices, l), got "
                f"{tuple(input_ids.shape)}"
            )
        given = {"attention_mask": attention_mask, "token_type_ids": token_type_ids, **kwargs}
        flat = {
            name: value.flatten(0, 1) if isinstance(value, Tensor) else value
            for name, value in given.items()
        }
        encoded = self.encode(input_ids.flatten(0, 1), **flat)
        logits = self.score(encoded).reshape(input_ids.shape[:2])
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return ClassifierOutput(loss=loss, logits=logits, **extras(encoded))


class TokenClassification(HeadedModel):
    """Classes for each token, such as names of persons and places.

    Args:
        config: settings; the number of classes is that of id2label.
        **encoder_options: further arguments of the encoder.
    """

    def __init__(self, config: Any, **encoder_options: Any) -> None:
        super().__init__(config, **encoder_options)
        self.dropout = nn.Dropout(config.head_dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        draw_weights([self.classifier], config.initializer_range)

    def forward(
        self, input_ids: Tensor, *args: Any, labels: Tensor | None = None, **kwargs: Any
    ) -> ClassifierOutput:
        """Classify tokens.

        Args:
            input_ids: (n, l) int64.
            *args, **kwargs: as the encoder takes them.
            labels: (n, l) int64 classes, -100 where there is none; with them the loss is computed.

        Returns:
            logits (n, l, c), and loss.
        """
        encoded = self.encode(input_ids, *args, **kwargs)
        logits = self.classifier(self.dropout(encoded.last_hidden_state))
        loss = None if labels is None else token_loss(logits, labels)
        return ClassifierOutput(loss=loss, logits=logits, **extras(encoded))


class QuestionAnswering(HeadedModel):
    """The first and the last token of the answer to a question about a text.

    Args:
        config: settings.
        **encoder_options: further arguments of the encoder.
    """

    def __init__(self, config: Any, **encoder_options: Any) -> None:
        super().__init__(config, **encoder_options)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        draw_weights([self.qa_outputs], config.initializer_range)

    def forward(
        self,
        input_ids: Tensor,
        *args: Any,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **kwargs: Any,
    ) -> QuestionAnsweringOutput:
        """Score each token as first and as last of the answer.

        Args:
            input_ids: (n, l) int64: question, then text.
            *args, **kwargs: as the encoder takes them.
            start_positions, end_positions: (n,) int64; with both the loss is computed.

        Returns:
            start_logits and end_logits, each (n, l), and loss.
        """
        encoded = self.encode(input_ids, *args, **kwargs)
        start, end = self.qa_outputs(encoded.last_hidden_state).unbind(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = span_loss(start, end, start_positions, end_positions)
        return QuestionAnsweringOutput(
            loss=loss, start_logits=start, end_logits=end, **extras(encoded)
        )


class MaskedLM(HeadedModel):
    """Words for the gaps in a text."""

    @abstractmethod
    def score(self, hidden: Tensor) -> Tensor:
        """(n, l, v) logits of the encoder's output (n, l, d)."""

    def forward(
        self, input_ids: Tensor, *args: Any, labels: Tensor | None = None, **kwargs: Any
    ) -> MaskedLMOutput:
        """Score all words at each place.

        Args:
            input_ids: (n, l) int64, with the id of the mask token in the gaps.
            *args, **kwargs: as the encoder takes them.
            labels: (n, l) int64 the right ids, -100 where nothing is asked; with them the loss is
                computed.

        Returns:
            logits (n, l, v), and loss.
        """
        encoded = self.encode(input_ids, *args, **kwargs)
        logits = self.score(encoded.last_hidden_state)
        loss = None if labels is None else token_loss(logits, labels)
        return MaskedLMOutput(loss=loss, logits=logits, **extras(encoded))
