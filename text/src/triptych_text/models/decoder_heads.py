"""Heads of decoders: the next token, classes of texts and of tokens."""

from __future__ import annotations

from typing import Any, ClassVar

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError

from .base import Ties, draw_weights
from .cache import KeyValueCache
from .generative import GenerativeModel
from .losses import classification_loss, next_token_loss, token_loss
from .outputs import CausalLMOutput, ClassifierOutput, DecoderOutput

__all__ = [
    "DecoderForCausalLM",
    "DecoderForSequenceClassification",
    "DecoderForTokenClassification",
]


class HeadedDecoder(GenerativeModel):
    """A decoder, held under its family's name, and something behind it."""

    decoder_class: ClassVar[type[GenerativeModel]]

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.add_module(self.base_prefix, self.decoder_class(config))

    @property
    def decoder(self) -> GenerativeModel:
        """The decoder without the head."""
        found: GenerativeModel = getattr(self, self.base_prefix)
        return found

    def cache_windows(self) -> Any:
        """For each layer, how many tokens a query sees; None for all."""
        return self.decoder.cache_windows()

    def read(self, *args: Any, **kwargs: Any) -> DecoderOutput:
        """What the decoder alone returns."""
        return getattr(self, self.base_prefix)(*args, **kwargs)


class DecoderForCausalLM(HeadedDecoder):
    """The next token.

    Args:
        config: settings.
    """

    tied_embeddings: ClassVar[Ties] = {"lm_head.weight": "model.embed_tokens.weight"}

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        draw_weights([self.lm_head], config.initializer_range)
        self.logit_cap: float | None = getattr(config, "logit_cap", None)
        self.tie_weights()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: Tensor | None = None,
        use_cache: bool = False,
        output_hidden_states: bool = False,
        logits_to_keep: int = 0,
    ) -> CausalLMOutput:
        """Score what follows each token.

        Args:
            input_ids: (n, l) int64.
            attention_mask, position_ids, past_key_values, use_cache, output_hidden_states: as the
                decoder takes them.
            labels: (n, l) int64 the tokens themselves, -100 for those that do not count; with them
                the loss is computed.
            logits_to_keep: only score what follows the last so many tokens; 0 for all.

        Returns:
            logits (n, l, v), loss, past_key_values, hidden_states.

        Raises:
            ShapeError: input_ids is not (n, l), or the mask does not fit.
        """
        out = self.read(
            input_ids, attention_mask, position_ids, past_key_values, use_cache,
            output_hidden_states,
        )  # fmt: skip
        hidden = out.last_hidden_state
        if logits_to_keep and labels is None:
            hidden = hidden[:, -logits_to_keep:]
        logits = self.lm_head(hidden)
        if self.logit_cap is not None:
            logits = tp.tanh(logits / self.logit_cap) * self.logit_cap
        return CausalLMOutput(
            loss=None if labels is None else next_token_loss(logits, labels),
            logits=logits,
            past_key_values=out.past_key_values,
            hidden_states=out.hidden_states,
        )


class DecoderForSequenceClassification(HeadedDecoder):
    """Classes, or a number, for each text, told by its last token.

    Args:
        config: settings; the number of classes is that of id2label.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.score = nn.Linear(config.hidden_size, config.num_labels, bias=False)
        draw_weights([self.score], config.initializer_range)

    def forward(
        self, input_ids: Tensor, *args: Any, labels: Tensor | None = None, **kwargs: Any
    ) -> ClassifierOutput:
        """Classify texts.

        Args:
            input_ids: (n, l) int64; the last token that is not padding decides.
            *args, **kwargs: as the decoder takes them.
            labels: (n,) int64 classes, (n, c) floating for several at once, or (n,) numbers when
                c = 1; with them the loss is computed.

        Returns:
            logits (n, c), and loss.

        Raises:
            ShapeError: several texts, and no id for padding in the settings.
        """
        out = self.read(input_ids, *args, **kwargs)
        last = self._last_places(input_ids)
        rows = tp.arange(input_ids.shape[0])
        logits = self.score(out.last_hidden_state[rows, last])
        loss = None if labels is None else classification_loss(logits, labels, self.config)
        return ClassifierOutput(loss=loss, logits=logits, hidden_states=out.hidden_states)

    def _last_places(self, input_ids: Tensor) -> Tensor:
        n, length = input_ids.shape
        padding = self.config.pad_token_id
        if padding is None:
            if n > 1:
                raise ShapeError(
                    f"{type(self).__name__}: {n} texts, and config.pad_token_id is None, so their "
                    "ends are unknown; set it, or classify one text at a time"
                )
            return tp.full((1,), length - 1)
        return ((input_ids != padding).long() * tp.arange(length)).argmax(-1)


class DecoderForTokenClassification(HeadedDecoder):
    """Classes for each token.

    Args:
        config: settings; the number of classes is that of id2label.

    Attributes:
        head_name: name of the map to classes in checkpoints.
    """

    head_name: ClassVar[str] = "score"

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(0.1)
        head = nn.Linear(config.hidden_size, config.num_labels)
        self.add_module(self.head_name, head)
        draw_weights([head], config.initializer_range)

    def forward(
        self, input_ids: Tensor, *args: Any, labels: Tensor | None = None, **kwargs: Any
    ) -> ClassifierOutput:
        """Classify tokens.

        Args:
            input_ids: (n, l) int64.
            *args, **kwargs: as the decoder takes them.
            labels: (n, l) int64 classes, -100 where there is none; with them the loss is computed.

        Returns:
            logits (n, l, c), and loss.
        """
        out = self.read(input_ids, *args, **kwargs)
        logits = getattr(self, self.head_name)(self.dropout(out.last_hidden_state))
        loss = None if labels is None else token_loss(logits, labels)
        return ClassifierOutput(loss=loss, logits=logits, hidden_states=out.hidden_states)
