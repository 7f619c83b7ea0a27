"""`BytePairEncoding`: tiktoken's encodings, by their rank files, without its library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import regex

from triptych import Tensor
from triptych.errors import DomainError, UnknownNameError

from .arguments import as_ids
from .byte_pairs import merge_bytes
from .patterns import PATTERNS
from .rank_files import check_ranks
from .special_text import Specials, allowed_names, refuse_special, split_at
from .well_formed import well_formed

__all__ = ["BytePairEncoding"]

T = TypeVar("T")
CACHED_PIECES = 1 << 16
LONGEST_CACHED = 64  # characters; longer pieces hardly come twice
Piece = tuple[list[int], list[tuple[int, int]]]  # ids, and the characters they touch


class BytePairEncoding:
    """Text to ids and back without loss, by byte pair ranks.

    Names, arguments and results are those of tiktoken's `Encoding`. Surrogates in a text, which
    no UTF-8 can hold, become U+FFFD; everything else comes back as it was.

    Args:
        name: what people call it.
        ranks: bytes -> rank, which is also the id; all 256 single bytes among them.
        pattern: a name in `PATTERNS`, or a regular expression of the `regex` library, whose
            matches are the pieces that are encoded by themselves.
        special_tokens: text -> id, ids that `ranks` does not have.

    Raises:
        DomainError: a special token has an id that is taken, or the pattern is none.
        FileFormatError: a single byte has no rank.

    Example:
        >>> ranks = {bytes([i]): i for i in range(256)} | {b" c": 256, b"at": 257}
        >>> toy = BytePairEncoding("toy", ranks, "gpt2", {"<|end|>": 258})
        >>> toy.encode("a cat<|end|>", allowed_special="all")
        [97, 256, 257, 258]
        >>> toy.decode([97, 256, 257])
        'a cat'

    Source: tiktoken's documentation. Pieces of letters that are younger than the Unicode tables
    of the installed `regex` may differ from tiktoken's, which has tables of its own.
    """

    def __init__(
        self,
        name: str,
        ranks: Mapping[bytes, int],
        pattern: str,
        special_tokens: Mapping[str, int] | None = None,
    ) -> None:
        check_ranks(ranks, f"BytePairEncoding {name!r}")
        self.name = name
        self.ranks = dict(ranks)
        self.special_tokens = dict(special_tokens or {})
        known = pattern in PATTERNS
        self.pattern = PATTERNS[pattern] if known else pattern
        try:
            self._pieces = regex.compile(self.pattern)
        except regex.error as error:
            raise DomainError(
                f"BytePairEncoding {name!r}: the pattern is neither one of "
                f"{', '.join(PATTERNS.names())} nor a regular expression: {error}"
            ) from error
        self._bytes = {rank: token for token, rank in self.ranks.items()}
        taken = [t for t, i in self.special_tokens.items() if i in self._bytes]
        if taken:
            raise DomainError(f"BytePairEncoding {name!r}: {taken[0]!r} has the id of a rank")
        self._bytes |= {index: text.encode() for text, index in self.special_tokens.items()}
        self._cache: dict[str, list[int]] = {}
        self._places: dict[str, Piece] = {}

    def __repr__(self) -> str:
        return f"BytePairEncoding({self.name!r}, n_vocab={self.n_vocab})"

    # Numbers and names

    @cached_property
    def max_token_value(self) -> int:
        """The largest id."""
        return max(self._bytes)

    @property
    def n_vocab(self) -> int:
        """The largest id plus one; there may be gaps below it."""
        return self.max_token_value + 1

    @property
    def eot_token(self) -> int:
        """Id of <|endoftext|>.

        Raises:
            UnknownNameError: the encoding has no such token.
        """
        if "<|endoftext|>" not in self.special_tokens:
            raise UnknownNameError(f"{self!r} has no <|endoftext|>")
        return self.special_tokens["<|endoftext|>"]

    @property
    def special_tokens_set(self) -> set[str]:
        """Texts of the special tokens."""
        return set(self.special_tokens)

    def is_special_token(self, token: int) -> bool:
        """Whether an id is that of a special token.

        Args:
            token: an id.
        """
        return token in self._special_ids

    @cached_property
    def _special_ids(self) -> frozenset[int]:
        return frozenset(self.special_tokens.values())

    def token_byte_values(self) -> list[bytes]:
        """Bytes of all tokens but the special ones, sorted."""
        return sorted(self.ranks)

    # Text to ids

    def encode(
        self,
        text: str,
        *,
        allowed_special: Specials = (),
        disallowed_special: Specials = "all",
    ) -> list[int]:
        """Ids of a text.

        A special token that users of a service can type in is a way to take the model over, so
        that one in the text is an error unless the caller says otherwise.

        Args:
            text: any text.
            allowed_special: special tokens that become their ids: "all", or some of them.
            disallowed_special: those that raise; "all" are those that are not allowed; what is
                in neither is read as plain text.

        Returns:
            The ids.

        Raises:
            DomainError: a token that raises stands in the text.
        """
        text = well_formed(text)
        allowed = allowed_names(self.special_tokens, allowed_special)
        refuse_special(text, self.special_tokens, allowed, disallowed_special)
        if not allowed:
            return self._ordinary(text)
        ids: list[int] = []
        for _, part, special in split_at(text, allowed):
            ids += [self.special_tokens[part]] if special else self._ordinary(part)
        return ids

    def encode_ordinary(self, text: str) -> list[int]:
        """Ids of a text in which no special token counts as such.

        Args:
            text: a text.
        """
        return self._ordinary(well_formed(text))

    def encode_batch(self, text: Sequence[str], **special: Any) -> list[list[int]]:
        """Ids of several texts.

        Args:
            text: n texts.
            **special: allowed_special and disallowed_special of `encode`.
        """
        return [self.encode(one, **special) for one in text]

    def encode_ordinary_batch(self, text: Sequence[str]) -> list[list[int]]:
        """Ids of several texts, as `encode_ordinary` gives them.

        Args:
            text: n texts.
        """
        return [self.encode_ordinary(one) for one in text]

    def encode_to_numpy(self, text: str, **special: Any) -> np.ndarray:
        """Ids of a text as an array.

        Args:
            text: any text.
            **special: as in `encode`.

        Returns:
            (l,) uint32.
        """
        return np.asarray(self.encode(text, **special), dtype=np.uint32)

    def encode_bytes(self, data: bytes) -> list[int]:
        """Ids of any bytes, UTF-8 or not: `decode_bytes` gives the same bytes back.

        Args:
            data: any bytes.

        Returns:
            The ids; those of the text where it is UTF-8, else each unbroken stretch is encoded
            as text and each broken one by itself.
        """
        ids: list[int] = []
        while data:
            try:
                return ids + self._ordinary(data.decode())
            except UnicodeDecodeError as error:
                ids += self._ordinary(data[: error.start].decode())
                ids += merge_bytes(data[error.start : error.end], self.ranks)
                data = data[error.end :]
        return ids

    def encode_single_token(self, text_or_bytes: str | bytes) -> int:
        """Id of a token, special ones included.

        Args:
            text_or_bytes: the token, as text or as bytes.

        Raises:
            UnknownNameError: it is no token.
        """
        is_text = isinstance(text_or_bytes, str)
        data = text_or_bytes.encode() if isinstance(text_or_bytes, str) else text_or_bytes
        if data in self.ranks:
            return self.ranks[data]
        found = self.special_tokens.get(data.decode("utf-8", "replace"))
        if found is None:
            what = repr(text_or_bytes) if is_text else repr(data)
            raise UnknownNameError(f"encode_single_token: {self.name} has no token {what}")
        return found

    def pieces(self, text: str) -> list[tuple[int, Piece]]:
        """Pieces of a text without special tokens, each with where it starts.

        Args:
            text: well formed.

        Returns:
            For each piece its first character, and (ids, offsets in characters of the piece).
        """
        return [(m.start(), self._placed(m[0])) for m in self._pieces.finditer(text)]

    def _ordinary(self, text: str) -> list[int]:
        cache, encoded = self._cache, self._encoded
        found = self._pieces.findall(text) if self._pieces.groups == 0 else self._all(text)
        return list(chain.from_iterable([cache.get(piece) or encoded(piece) for piece in found]))

    def _all(self, text: str) -> list[str]:
        return [found[0] for found in self._pieces.finditer(text)]

    def _encoded(self, piece: str) -> list[int]:
        ids = merge_bytes(piece.encode(), self.ranks) if piece else []
        _keep(self._cache, piece, ids)
        return ids

    def _placed(self, piece: str) -> Piece:
        known = self._places.get(piece)
        if known is None:
            ids = self._cache.get(piece) or self._encoded(piece)
            known = ids, self._spans(piece, piece.encode(), ids)
            _keep(self._places, piece, known)
        return known

    def _spans(self, piece: str, data: bytes, ids: list[int]) -> list[tuple[int, int]]:
        """Characters that the tokens of a piece touch."""
        of_byte: Sequence[int] = range(len(piece))
        if len(data) != len(piece):
            of_byte = [i for i, char in enumerate(piece) for _ in char.encode()]
        spans, start = [], 0
        for index in ids:
            end = start + len(self._bytes[index])
            spans.append((of_byte[start], of_byte[end - 1] + 1))
            start = end
        return spans

    # Ids to text

    def decode_bytes(self, tokens: Sequence[int] | Tensor) -> bytes:
        """Bytes of ids.

        Args:
            tokens: (l,) ids, special ones included.

        Raises:
            UnknownNameError: there is no such id.
        """
        return b"".join(self.decode_tokens_bytes(tokens))

    def decode(self, tokens: Sequence[int] | Tensor, errors: str = "replace") -> str:
        """Text of ids.

        Args:
            tokens: (l,) ids.
            errors: what to do with bytes that are no UTF-8, as in `bytes.decode`.

        Raises:
            UnicodeDecodeError: there are such bytes and `errors` is "strict".
            UnknownNameError: there is no such id.
        """
        return self.decode_bytes(tokens).decode("utf-8", errors)

    def decode_batch(self, batch: Sequence[Sequence[int]], errors: str = "replace") -> list[str]:
        """Texts of rows of ids.

        Args:
            batch: n rows of ids.
            errors: what to do with bytes that are no UTF-8, as of `bytes.decode`.
        """
        return [self.decode(tokens, errors) for tokens in batch]

    def decode_bytes_batch(self, batch: Sequence[Sequence[int]]) -> list[bytes]:
        """Bytes of rows of ids.

        Args:
            batch: n rows of ids.
        """
        return [self.decode_bytes(tokens) for tokens in batch]

    def decode_single_token_bytes(self, token: int) -> bytes:
        """Bytes of one id.

        Args:
            token: an id.

        Raises:
            UnknownNameError: there is no such id.
        """
        return self.decode_tokens_bytes([token])[0]

    def decode_tokens_bytes(self, tokens: Sequence[int] | Tensor) -> list[bytes]:
        """Bytes of each id.

        Args:
            tokens: (l,) ids.

        Raises:
            UnknownNameError: there is no such id.
        """
        ids = as_ids(tokens)
        try:
            return [self._bytes[index] for index in ids]
        except KeyError as error:
            raise UnknownNameError(
                f"decode: {self.name} has no token {error.args[0]}; ids go to "
                f"{self.max_token_value}, with gaps"
            ) from error

    def decode_with_offsets(self, tokens: Sequence[int] | Tensor) -> tuple[str, list[int]]:
        """Text of ids, and where each token starts in it.

        Args:
            tokens: (l,) ids whose bytes together are UTF-8.

        Returns:
            The text, and for each token its first character; for a token that starts inside a
            character, that character.

        Raises:
            UnicodeDecodeError: the bytes are no UTF-8.
        """
        parts = self.decode_tokens_bytes(tokens)
        text = b"".join(parts).decode()
        starts, count = [], 0
        for part in parts:
            inside = bool(part) and 0x80 <= part[0] < 0xC0  # a byte within a character
            starts.append(max(0, count - inside))
            count += sum(not 0x80 <= byte < 0xC0 for byte in part)
        return text, starts


def _keep(cache: dict[str, T], piece: str, value: T) -> None:
    """Remember what a short piece became; a full cache starts anew."""
    if len(piece) <= LONGEST_CACHED:
        if len(cache) >= CACHED_PIECES:
            cache.clear()
        cache[piece] = value
