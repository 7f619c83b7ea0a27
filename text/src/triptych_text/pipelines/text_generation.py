"""Text in, text out: a generating model with its tokenizer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Self

import triptych as tp
from triptych.errors import DTypeError

from ..generation import generate, stream_text
from ..models.generative import GenerativeModel
from ..models.loading import from_pretrained
from ..pretrained import ModelFiles, model_files
from ..tokenizers import Tokenizer

__all__ = ["TextGeneration"]


class TextGeneration:
    """Continues texts, or answers them where the model has an encoder.

    Args:
        model: one that generates, in evaluation mode.
        tokenizer: that of the model.

    Raises:
        DTypeError: the model generates nothing.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        if not isinstance(model, GenerativeModel):
            raise DTypeError(
                f"TextGeneration: wanted a model that generates, such as a LlamaForCausalLM, got a "
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
            DTypeError: the model generates nothing.
            FileFormatError, FileNotFoundError, UnknownNameError: files are damaged or missing.
        """
        files = model_files(source)
        return cls(from_pretrained(files, **options), Tokenizer.from_pretrained(files))

    def __call__(self, texts: str | Sequence[str], **options: Any) -> Any:
        """New text for each prompt.

        Args:
            texts: a prompt, or several, which go through the model together.
            **options: as `triptych_text.generation.generate` takes them.

        Returns:
            What is written behind the prompt, as text; a list for a list of prompts, and a list for
            each prompt with num_return_sequences above 1. Stop strings are cut off.
        """
        prompts = [texts] if isinstance(texts, str) else list(texts)
        if not prompts:
            return []
        config = self.model.generation_config
        fill = options.get("pad_token_id", config.pad_token_id)
        rows = [list(self.tokenizer.encode(text).ids) for text in prompts]
        longest = max(map(len, rows))
        left = not self.model.is_encoder_decoder
        filled = 0 if fill is None else fill
        ids = [_padded(row, longest, filled, left) for row in rows]
        mask = [_padded([1] * len(row), longest, 0, left) for row in rows]
        options = {"tokenizer": self.tokenizer, **options, "return_dict_in_generate": False}
        out: Any = generate(self.model, tp.tensor(ids), attention_mask=tp.tensor(mask), **options)
        start = longest if left else 0
        known = {k: v for k, v in options.items() if k in ("stop_strings", "num_return_sequences")}
        settings = (options.get("generation_config") or config).updated(**known)
        found = [self._text(row[start:], settings.stops) for row in out.tolist()]
        copies = settings.num_return_sequences
        if copies > 1:
            grouped = [found[i : i + copies] for i in range(0, len(found), copies)]
            return grouped[0] if isinstance(texts, str) else grouped
        return found[0] if isinstance(texts, str) else found

    def stream(self, text: str, **options: Any) -> Iterator[str]:
        """Pieces of the new text while it is being written.

        Args:
            text: the prompt.
            **options: as `triptych_text.generation.generate` takes them, without beams.

        Yields:
            Pieces of text, none empty.
        """
        return stream_text(self.model, self.tokenizer, text, **options)

    def _text(self, ids: list[int], stops: Sequence[str]) -> str:
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        ends = [place for place in map(text.find, stops) if place >= 0]
        return text[: min(ends)] if ends else text


def _padded(row: list[int], length: int, fill: int, left: bool) -> list[int]:
    spare = [fill] * (length - len(row))
    return spare + row if left else row + spare
