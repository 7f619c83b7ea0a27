"""Text piece by piece, while it is being written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import triptych as tp
from triptych import Tensor

from ..models.generative import GenerativeModel
from ..tokenizers.decode_stream import DecodeStream
from .generate import stream_tokens

__all__ = ["TextPieces", "stream_text"]


class TextPieces:
    """Turns tokens to text as they come, and holds back what may still change.

    `DecodeStream` holds back characters that are not whole; here the begins of stop strings are.

    Args:
        tokenizer: with `decode`.
        stop_strings: the text ends before the first of them; what may be the begin of one is held
            back.
        skip_special_tokens: leave special tokens out.

    Attributes:
        stopped: a stop string has come.

    Example:
        >>> class Letters:
        ...     def decode(self, ids, skip_special_tokens=True):
        ...         return "".join(map(chr, ids))
        >>> pieces = TextPieces(Letters(), stop_strings=["END"])
        >>> [pieces.push(ord(letter)) for letter in "a Elk END b"]
        ['a', ' ', '', 'El', 'k', ' ', '', '', '', '', '']
    """

    def __init__(
        self, tokenizer: Any, stop_strings: Sequence[str] = (), skip_special_tokens: bool = True
    ) -> None:
        self.stops = list(stop_strings)
        self.stopped = False
        self._stream = DecodeStream(tokenizer, skip_special_tokens=skip_special_tokens)
        self._held = ""

    def push(self, token: int) -> str:
        """Text that is certain after one more token; may be empty.

        Args:
            token: its id.
        """
        return "" if self.stopped else self._release(self._stream.step(token) or "")

    def end(self) -> str:
        """What was held back, when no token follows."""
        if self.stopped:
            return ""
        text = self._release(self._stream.finish())
        rest, self._held = self._held, ""
        return text + rest

    def _release(self, new: str) -> str:
        text = self._held + new
        places = [place for place in (text.find(stop) for stop in self.stops) if place >= 0]
        if places:
            self.stopped, self._held = True, ""
            return text[: min(places)]
        keep = max((_overlap(text, stop) for stop in self.stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of a text that begins a stop string."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if stop.startswith(text[-size:])), 0)


def stream_text(
    model: GenerativeModel,
    tokenizer: Any,
    prompt: str | Tensor,
    *,
    skip_special_tokens: bool = True,
    **options: Any,
) -> Iterator[str]:
    """Continue a text, or answer it, and give the new text out piece by piece.

    Args:
        model: as `generate` takes it.
        tokenizer: encodes the prompt and decodes what is written.
        prompt: a text, or its ids (1, l).
        skip_special_tokens: leave special tokens out of the pieces.
        **options: as `generate` takes them, without beams; the text ends before stop_strings.

    Yields:
        Pieces of text, none empty; joined they are the new text.
    """
    if isinstance(prompt, str):
        prompt = tp.tensor([list(tokenizer.encode(prompt).ids)])
    settings = options.get("generation_config") or model.generation_config
    stops = settings.updated(stop_strings=options.get("stop_strings", settings.stop_strings)).stops
    pieces = TextPieces(tokenizer, stops, skip_special_tokens)
    for tokens in stream_tokens(model, prompt, tokenizer=tokenizer, **options):
        piece = pieces.push(int(tokens[0]))
        if piece:
            yield piece
    rest = pieces.end()
    if rest:
        yield rest
