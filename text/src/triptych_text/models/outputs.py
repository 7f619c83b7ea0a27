"""What models return: named tensors that also unpack like a tuple."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from triptych import Tensor
from triptych.errors import UnknownNameError

from .cache import KeyValueCache

__all__ = [
    "CausalLMOutput",
    "ClassifierOutput",
    "DecoderOutput",
    "EncoderOutput",
    "MaskedLMOutput",
    "ModelOutput",
    "PreTrainingOutput",
    "QuestionAnsweringOutput",
    "Seq2SeqLMOutput",
    "Seq2SeqOutput",
]


@dataclass
class ModelOutput:
    """Fields by name, `out.logits` or `out["logits"]`, and by place among those that are set.

    Example:
        >>> import triptych as tp
        >>> out = EncoderOutput(tp.zeros(1, 2, 4))
        >>> out[0].shape, list(out.keys())
        (Size([1, 2, 4]), ['last_hidden_state'])
        >>> (hidden,) = out
    """

    def keys(self) -> list[str]:
        """Names of the fields that are set."""
        names = (field.name for field in dataclasses.fields(self))
        return [name for name in names if getattr(self, name) is not None]

    def to_tuple(self) -> tuple[Any, ...]:
        """Values of the fields that are set."""
        return tuple(getattr(self, name) for name in self.keys())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.to_tuple())

    def __len__(self) -> int:
        return len(self.keys())

    def __getitem__(self, key: int | slice | str) -> Any:
        if not isinstance(key, str):
            return self.to_tuple()[key]
        if key not in self.keys():
            raise UnknownNameError(
                f"{type(self).__name__}: {key!r} is not set; set are {', '.join(self.keys())}"
            )
        return getattr(self, key)


@dataclass
class EncoderOutput(ModelOutput):
    """Output of an encoder.

    Args:
        last_hidden_state: (n, l, d).
        pooler_output: (n, d), where the model has a pooler.
        hidden_states: the embeddings and the output of each layer, each (n, l, d), when asked for.
        attentions: what each layer looks at, each (n, heads, l, s), when asked for.
    """

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass(kw_only=True)
class ClassifierOutput(ModelOutput):
    """Output of a classifier of texts, (n, c) logits, of tokens, (n, l, c), or of choices.

    Args:
        loss: a number, when labels were given.
        logits: scores before softmax.
        hidden_states, attentions: as in `EncoderOutput`.
    """

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass(kw_only=True)
class MaskedLMOutput(ModelOutput):
    """Output of a model that fills in words.

    Args:
        loss: a number, when labels were given.
        logits: (n, l, v) scores before softmax.
        hidden_states, attentions: as in `EncoderOutput`.
    """

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass(kw_only=True)
class PreTrainingOutput(ModelOutput):
    """Output of a model with BERT's two heads of pretraining.

    Args:
        loss: the sum of both losses, when labels were given for both.
        prediction_logits: (n, l, v) scores of words before softmax.
        seq_relationship_logits: (n, 2) scores: the second text follows the first, or it does not.
        hidden_states, attentions: as in `EncoderOutput`.
    """

    loss: Tensor | None = None
    prediction_logits: Tensor
    seq_relationship_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass(kw_only=True)
class QuestionAnsweringOutput(ModelOutput):
    """Output of a model that marks the answer in a text.

    Args:
        loss: a number, when the answers' places were given.
        start_logits: (n, l) scores of the answer's first token.
        end_logits: (n, l) scores of its last token.
        hidden_states, attentions: as in `EncoderOutput`.
    """

    loss: Tensor | None = None
    start_logits: Tensor
    end_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class DecoderOutput(ModelOutput):
    """Output of a decoder without a head.

    Args:
        last_hidden_state: (n, l, d).
        past_key_values: keys and values of all tokens so far, when asked for.
        hidden_states: the embeddings and the output of each layer, each (n, l, d), when asked for.
    """

    last_hidden_state: Tensor
    past_key_values: KeyValueCache | None = None
    hidden_states: tuple[Tensor, ...] | None = None


@dataclass(kw_only=True)
class CausalLMOutput(ModelOutput):
    """Output of a model that continues texts.

    Args:
        loss: a number, when labels were given.
        logits: (n, l, v) scores of the token after each.
        past_key_values, hidden_states: as in `DecoderOutput`.
    """

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: KeyValueCache | None = None
    hidden_states: tuple[Tensor, ...] | None = None


@dataclass
class Seq2SeqOutput(ModelOutput):
    """Output of an encoder with a decoder behind it.

    Args:
        last_hidden_state: (n, t, d) of the decoder.
        past_key_values: keys and values of all decoder tokens so far, when asked for.
        decoder_hidden_states: the decoder's embeddings and layers, each (n, t, d), when asked for.
        encoder_last_hidden_state: (n, l, d).
        encoder_hidden_states: the encoder's embeddings and layers, when asked for.
    """

    last_hidden_state: Tensor
    past_key_values: KeyValueCache | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None


@dataclass(kw_only=True)
class Seq2SeqLMOutput(ModelOutput):
    """Output of a model that writes one text after reading another.

    Args:
        loss: a number, when labels were given.
        logits: (n, t, v) scores of the token after each.
        past_key_values, decoder_hidden_states, encoder_last_hidden_state, encoder_hidden_states:
            as in `Seq2SeqOutput`.
    """

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: KeyValueCache | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
