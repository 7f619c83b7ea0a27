"""What the pipelines over encoders share: a model with a head, its tokenizer, batches."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np

import triptych as tp
from triptych.errors import DTypeError

from ..models.loading import from_pretrained
from ..models.outputs import ModelOutput
from ..pretrained import ModelFiles, model_files
from ..tokenizers import Encoding, Tokenizer

__all__ = ["EncoderPipeline", "check_positive", "check_stride", "softmax"]


class EncoderPipeline:
    """A model with a head, and its tokenizer.

    Args:
        model: of the kind that the pipeline wants, in evaluation mode.
        tokenizer: that of the model.

    Attributes:
        head: end of the names of the classes of models that fit.

    Raises:
        DTypeError: the model has another head.
    """

    head: ClassVar[str] = ""

    def __init__(self, model: Any, tokenizer: Tokenizer) -> None:
        if not type(model).__name__.endswith(self.head):
            raise DTypeError(
                f"{type(self).__name__}: wanted a model {self.head}, got a {type(model).__name__}"
            )
        self.model, self.tokenizer = model, tokenizer

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | ModelFiles, **options: Any) -> Self:
        """Model and tokenizer of a folder, or of a registered name.

        Args:
            source: as `triptych_text.from_pretrained` takes it.
            **options: dtype, mmap and so on, of the model.

        Raises:
            DTypeError: the model has another head.
            FileFormatError, FileNotFoundError, UnknownNameError: files are damaged or missing.
        """
        files = model_files(source)
        return cls(from_pretrained(files, **options), Tokenizer.from_pretrained(files))

    @property
    def max_length(self) -> int | None:
        """Most tokens that go through the model together; None where there is no end."""
        config = self.model.config
        encoder = getattr(self.model, getattr(self.model, "base_prefix", ""), None)
        places = getattr(encoder, "max_length", getattr(config, "max_position_embeddings", None))
        known = [int(limit) for limit in (places, self.tokenizer.max_length) if limit is not None]
        return min(known) if known else None

    def label(self, index: int) -> str:
        """Name of a class."""
        names = self.model.config.id2label or {}
        return str(names.get(index, f"LABEL_{index}"))

    def outputs(self, encodings: Sequence[Encoding], batch_size: int) -> Iterator[ModelOutput]:
        """What the model says of encoded texts.

        Args:
            encodings: of texts that are short enough.
            batch_size: how many go through the model together, at most.

        Yields:
            For each batch its output, padding included.
        """
        known = self._inputs()
        for start in range(0, len(encodings), batch_size):
            part = encodings[start : start + batch_size]
            batch = self.tokenizer.pad([e.ids for e in part], [e.type_ids for e in part])
            given = {name: x for name, x in batch.items() if name in known}
            with tp.inference_mode():
                output: ModelOutput = self.model(**given)
            yield output

    def _inputs(self) -> set[str]:
        """What the model takes: heads pass on to the model below what they do not name."""
        below = getattr(self.model, getattr(self.model, "base_prefix", ""), None)
        forwards = [self.model.forward] if below is None else [self.model.forward, below.forward]
        return {name for forward in forwards for name in inspect.signature(forward).parameters}

    def rows(self, encodings: Sequence[Encoding], field: str, batch_size: int) -> list[np.ndarray]:
        """A field of the model's output for each token of texts, without padding.

        Args:
            encodings: of texts that are short enough.
            field: such as "logits".
            batch_size: how many go through the model together, at most.

        Returns:
            For each text (l, ...) float32.
        """
        return [row for (row,) in self.fields(encodings, (field,), batch_size)]

    def fields(
        self, encodings: Sequence[Encoding], names: Sequence[str], batch_size: int
    ) -> list[tuple[np.ndarray, ...]]:
        """Several fields of the model's output, as `rows` gives one; the model runs once.

        Args:
            encodings: of texts that are short enough.
            names: such as "start_logits" and "end_logits".
            batch_size: how many go through the model together, at most.

        Returns:
            For each text (l, ...) float32 of each field.
        """
        found: list[tuple[np.ndarray, ...]] = []
        left = self.tokenizer.padding_side == "left"
        for output in self.outputs(encodings, batch_size):
            every = [output[name].float().numpy() for name in names]
            for row in zip(*every, strict=True):
                length = len(encodings[len(found)])
                found.append(tuple(x[len(x) - length :] if left else x[:length] for x in row))
        return found


def softmax(logits: np.ndarray) -> np.ndarray:
    """(..., c) logits to probabilities."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def check_positive(asker: str, **numbers: int | None) -> None:
    """Refuse numbers below 1.

    Raises:
        ValueError: one of them is.
    """
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise ValueError(f"{asker}: {name} is 1 or more, got {number}")


def check_stride(asker: str, name: str, stride: int, room: int) -> None:
    """Refuse pieces of a text that share more tokens than they hold.

    Args:
        asker: name for the error text.
        name: of the parameter.
        stride: tokens to share.
        room: tokens of the text in a piece.

    Raises:
        ValueError: stride is below 0, or not below room.
    """
    if not 0 <= stride < max(room, 1):
        raise ValueError(
            f"{asker}: {name} is 0 or more and below the {room} tokens of a text that one piece "
            f"holds, got {stride}"
        )
