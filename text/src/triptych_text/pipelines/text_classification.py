"""Texts in, classes out: an encoder with a head for whole texts, and its tokenizer."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import Any, Self

import triptych as tp
from triptych.errors import DTypeError

from ..models.loading import from_pretrained
from ..pretrained import ModelFiles, model_files
from ..tokenizers import Tokenizer

__all__ = ["TextClassification"]


class TextClassification:
    """Says which class each text belongs to.

    Args:
        model: one ForSequenceClassification, in evaluation mode.
        tokenizer: that of the model.

    Raises:
        DTypeError: the model gives no classes of texts.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        if not type(model).__name__.endswith("ForSequenceClassification"):
            raise DTypeError(
                "TextClassification: wanted a model ForSequenceClassification, got a "
                f"{type(model).__name__}"
            )
        self.model, self.tokenizer = model, tokenizer

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | ModelFiles, **options: Any) -> Self:
        """Model and tokenizer of a folder, or of a registered name.

        Args:
            source: as `triptych_text.from_pretrained` takes it.
            **options: dtype, mmap and so on, of the model.

        Raises:
            DTypeError: the model gives no classes of texts.
            FileFormatError, FileNotFoundError, UnknownNameError: files are damaged or missing.
        """
        files = model_files(source)
        return cls(from_pretrained(files, **options), Tokenizer.from_pretrained(files))

    def __call__(
        self, texts: str | Sequence[str], *, top_k: int | None = 1, batch_size: int = 32
    ) -> Any:
        """The likeliest classes of texts.

        Args:
            texts: a text, or several; cut to what the model reads.
            top_k: how many classes to name for each, the likeliest first; None for all.
            batch_size: how many go through the model together, at most.

        Returns:
            For each text a dict with "label" and "score", its probability in [0, 1]; a list of
            dicts where top_k is not 1. One text gives one answer, several a list.

        Raises:
            ValueError: batch_size or top_k is below 1.
        """
        if batch_size < 1 or (top_k is not None and top_k < 1):
            raise ValueError(
                f"TextClassification: wanted batch_size and top_k of 1 or more, got {batch_size} "
                f"and {top_k}"
            )
        given = [texts] if isinstance(texts, str) else list(texts)
        found = [
            answer
            for start in range(0, len(given), batch_size)
            for answer in self._classified(given[start : start + batch_size], top_k)
        ]
        return found[0] if isinstance(texts, str) else found

    def _classified(self, texts: list[str], top_k: int | None) -> list[Any]:
        longest = _places(self.model.config)
        encoded = self.tokenizer(texts, truncation=longest is not None, max_length=longest)
        known = inspect.signature(self.model.forward).parameters
        with tp.inference_mode():
            logits = self.model(**{k: v for k, v in encoded.items() if k in known}).logits
        one = logits.shape[1] == 1  # a single score is a probability of its own
        scores = logits.sigmoid() if one else logits.softmax(1)
        best = scores.topk(scores.shape[1] if top_k is None else min(top_k, scores.shape[1]))
        rows = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        named = [
            [{"label": self._label(i), "score": p} for p, i in zip(*row, strict=True)]
            for row in rows
        ]
        return [row[0] for row in named] if top_k == 1 else named

    def _label(self, index: int) -> str:
        names = getattr(self.model.config, "id2label", None) or {}
        return str(names.get(index, names.get(str(index), f"LABEL_{index}")))


def _places(config: Any) -> int | None:
    """How many tokens a model reads at most; None where there is no such end."""
    places = getattr(config, "max_position_embeddings", None)
    if places is not None and config.model_type in ("roberta", "xlm-roberta"):
        return int(places) - int(config.pad_token_id) - 1  # they count from behind the padding
    return None if places is None else int(places)
