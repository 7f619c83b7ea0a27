"""A `Segmenter` with what `tokenizers.Tokenizer` has around its models: frames and truncation."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from triptych.errors import DomainError

from .segmenters import Segmenter, Segments

__all__ = ["Segmented"]

Input = str | tuple[str, str]


class Segmented:
    """The methods of a `tokenizers.Tokenizer` that `Tokenizer` calls, over a segmenter.

    Args:
        model: cuts texts into tokens.
        frame: a post-processor of the `tokenizers` library that puts special tokens around a
            text or a pair; default nothing around, and a pair's texts one after the other.
    """

    padding: dict[str, Any] | None = None

    def __init__(self, model: Segmenter, frame: Any = None) -> None:
        from tokenizers.processors import TemplateProcessing

        self.model = model
        self.post_processor = frame or TemplateProcessing(single="$A", pair="$A:0 $B:1")
        self.truncation: dict[str, Any] | None = None
        self.encode_special_tokens = False
        self.allowed: frozenset[str] | None = None  # None: all of them

    # Settings

    def no_padding(self) -> None:
        """Padding is never done here."""

    def no_truncation(self) -> None:
        """Cut nothing from now on."""
        self.truncation = None

    def enable_truncation(
        self,
        max_length: int,
        stride: int = 0,
        strategy: str = "longest_first",
        direction: str = "right",
    ) -> None:
        """Cut from now on.

        Args:
            max_length: in tokens, those of the frame included.
            stride: tokens that a piece repeats of the piece before it.
            strategy: "longest_first", "only_first" or "only_second".
            direction: "right" or "left": the end that is cut.
        """
        self.truncation = {
            "max_length": max_length,
            "stride": stride,
            "strategy": strategy,
            "direction": direction,
        }

    # Vocabulary

    def token_to_id(self, token: str) -> int | None:
        """Id of a token.

        Args:
            token: its text.
        """
        return self._vocab.get(token)

    def id_to_token(self, index: int) -> str | None:
        """Token of an id.

        Args:
            index: the id.
        """
        return self.model.tokens.get(index)

    def get_vocab(self, with_added_tokens: bool = True) -> dict[str, int]:
        """token -> id.

        Args:
            with_added_tokens: special tokens, too.
        """
        return dict(self._vocab)

    def get_vocab_size(self, with_added_tokens: bool = True) -> int:
        """Number of tokens.

        Args:
            with_added_tokens: special tokens, too.
        """
        return len(self._vocab)

    @cached_property
    def _vocab(self) -> dict[str, int]:
        return self.model.vocab

    def get_added_tokens_decoder(self) -> dict[int, Any]:
        """id -> `AddedToken` of the special tokens."""
        from tokenizers import AddedToken

        return {i: AddedToken(text, special=True) for text, i in self.model.special.items()}

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """Tokens that the frame adds.

        Args:
            is_pair: around two texts.
        """
        return int(self.post_processor.num_special_tokens_to_add(is_pair))

    # Text to ids

    def encode_batch(self, inputs: Sequence[Input], add_special_tokens: bool = True) -> list[Any]:
        """Encodings of the `tokenizers` library.

        Args:
            inputs: texts, or pairs of texts.
            add_special_tokens: put the frame around them.
        """
        return [self._framed(one, add_special_tokens) for one in inputs]

    def encode_batch_fast(
        self, inputs: Sequence[Input], add_special_tokens: bool = True
    ) -> list[Any]:
        """The same, without places where that is quicker.

        Args:
            inputs: texts, or pairs of texts.
            add_special_tokens: put the frame around them.
        """
        plain = self.truncation is None and not any(isinstance(one, tuple) for one in inputs)
        if not plain or (add_special_tokens and self.num_special_tokens_to_add(False)):
            return self.encode_batch(inputs, add_special_tokens)
        return [Bare(self.model.ids(str(text), self._allowed)) for text in inputs]

    @property
    def _allowed(self) -> frozenset[str]:
        if self.encode_special_tokens:
            return frozenset()
        return self._special if self.allowed is None else self.allowed

    @cached_property
    def _special(self) -> frozenset[str]:
        return frozenset(self.model.special)

    def _framed(self, text: Input, add_special_tokens: bool) -> Any:
        texts = text if isinstance(text, tuple) else (text,)
        parts = [
            self._as_encoding(self.model.segments(one, self._allowed), which)
            for which, one in enumerate(texts)
        ]
        if self.truncation is not None:
            self._truncate(parts, add_special_tokens)
        pair = parts[1] if len(parts) == 2 else None
        return self.post_processor.process(parts[0], pair, add_special_tokens)

    def _as_encoding(self, segments: Segments, which: int) -> Any:
        """An encoding of the library, by way of its pickled form."""
        from tokenizers import Encoding

        count = len(segments.ids)
        tokens = self.model.tokens
        state = {
            "ids": segments.ids,
            "type_ids": [which] * count,
            "tokens": [tokens.get(index, "") for index in segments.ids],
            "words": segments.words,
            "offsets": segments.offsets,
            "special_tokens_mask": [0] * count,
            "attention_mask": [1] * count,
            "overflowing": [],
            "sequence_ranges": {},
        }
        encoding = Encoding()
        encoding.__setstate__(json.dumps(state).encode())
        return encoding

    def _truncate(self, parts: list[Any], add_special_tokens: bool) -> None:
        setting = self.truncation or {}
        room = setting["max_length"]
        if add_special_tokens:
            room -= self.num_special_tokens_to_add(len(parts) == 2)
        lengths = [len(part) for part in parts]
        if sum(lengths) <= room:
            return
        kept = STRATEGIES[setting["strategy"]](lengths, room)
        for part, length, target in zip(parts, lengths, kept, strict=True):
            if target < length:
                if setting["stride"] >= max(target, 1):
                    raise DomainError(
                        f"Tokenizer: stride {setting['stride']} must be below the {target} tokens "
                        "of a text that one piece holds"
                    )
                part.truncate(target, stride=setting["stride"], direction=setting["direction"])

    # Ids to text

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        """Text of ids; those that are none are passed over.

        Args:
            ids: (l,) numbers.
            skip_special_tokens: leave special tokens out.
        """
        left_out = self._special_ids if skip_special_tokens else frozenset()
        known = self.model.tokens
        return self.model.decode([i for i in ids if i in known and i not in left_out])

    def decode_batch(
        self, batch: Sequence[Sequence[int]], skip_special_tokens: bool = True
    ) -> list[str]:
        """Texts of rows of ids.

        Args:
            batch: n rows of numbers.
            skip_special_tokens: leave special tokens out.
        """
        return [self.decode(ids, skip_special_tokens) for ids in batch]

    @cached_property
    def _special_ids(self) -> frozenset[int]:
        return frozenset(self.model.special.values())


class Bare:
    """Ids and segments alone, where nothing else is asked for.

    Args:
        ids: of the tokens.
    """

    __slots__ = ("ids", "type_ids")

    def __init__(self, ids: list[int]) -> None:
        self.ids, self.type_ids = ids, [0] * len(ids)

    def __len__(self) -> int:
        return len(self.ids)


def _longest_first(lengths: list[int], room: int) -> list[int]:
    """How many tokens each text keeps. Source: the library's truncation, read for its numbers."""
    if len(lengths) == 1:
        return [room]
    shorter, longer = sorted(lengths)
    longer = shorter if shorter > room else max(shorter, room - shorter)
    if shorter + longer > room:
        shorter, longer = room // 2, room // 2 + room % 2
    return [longer, shorter] if lengths[0] > lengths[1] else [shorter, longer]


def _only(which: int, lengths: list[int], room: int) -> list[int]:
    if which >= len(lengths):
        raise DomainError('Tokenizer: truncation="only_second", and there is no second text')
    kept = list(lengths)
    kept[which] -= sum(lengths) - room
    if kept[which] <= 0:
        raise DomainError(
            f"Tokenizer: cutting only text {which + 1} is not enough: it has {lengths[which]} "
            f"tokens, and {sum(lengths) - room} are too many"
        )
    return kept


STRATEGIES: dict[str, Callable[[list[int], int], list[int]]] = {
    "longest_first": _longest_first,
    "only_first": lambda lengths, room: _only(0, lengths, room),
    "only_second": lambda lengths, room: _only(1, lengths, room),
}
