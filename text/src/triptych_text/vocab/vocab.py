"""Vocabulary: tokens to numbers and back, with torchtext's names."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.errors import BoundsError, DTypeError, FileFormatError, UnknownNameError

__all__ = ["Vocab", "build_vocab_from_iterator", "vocab"]

SURROGATE = re.compile("[\ud800-\udfff]")  # lone ones have no UTF-8, but a spelling in JSON


class Vocab:
    """Tokens in order; a token's number is its place.

    Args:
        tokens: all different.
        default_index: what an unknown token counts as; None makes it an error.

    Raises:
        ValueError: a token appears twice.
        DTypeError: one text in place of a list; a default index that is no number.

    Example:
        >>> v = Vocab(["<unk>", "cat", "dog"])
        >>> v["dog"], v(["cat", "dog"]), v.lookup_token(0)
        (2, [1, 2], '<unk>')
        >>> v.set_default_index(v["<unk>"])
        >>> v["axolotl"]
        0
    """

    def __init__(self, tokens: Iterable[str] = (), default_index: int | None = None) -> None:
        self._tokens = _list_of_tokens("Vocab", tokens)
        self._index = {token: place for place, token in enumerate(self._tokens)}
        self.set_default_index(default_index)
        if len(self._index) != len(self._tokens):
            twice = next(t for t, count in Counter(self._tokens).items() if count > 1)
            raise _TakenTokenError(f"Vocab: token {twice!r} appears twice; every token has one id")

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._index

    def __getitem__(self, token: str) -> int:
        """Number of a token.

        Raises:
            UnknownNameError: the token is unknown and no default index is set.
        """
        index = self._index.get(token, self._default_index)
        if index is None:
            raise _UnknownTokenError(
                f"Vocab: token {token!r} is not among the {len(self)} tokens and no default index "
                'is set; set one, as in v.set_default_index(v["<unk>"])'
            )
        return index

    def __call__(self, tokens: Sequence[str]) -> list[int]:
        """Numbers of tokens, as `lookup_indices`."""
        return self.lookup_indices(tokens)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocab):
            return NotImplemented
        return self._tokens == other._tokens and self._default_index == other._default_index

    __hash__ = None  # type: ignore[assignment]  # it can change, so it is no key of a dict

    def __repr__(self) -> str:
        return f"Vocab({len(self)} tokens, default_index={self._default_index})"

    def forward(self, tokens: Sequence[str]) -> list[int]:
        """Numbers of tokens, as `lookup_indices`.

        Args:
            tokens: a list of them.

        Returns:
            As many numbers.
        """
        return self.lookup_indices(tokens)

    def set_default_index(self, index: int | None) -> None:
        """Choose what an unknown token counts as.

        Args:
            index: any number, most often that of "<unk>"; None makes unknown tokens an error.

        Raises:
            DTypeError: no number.
        """
        if index is not None and not hasattr(index, "__index__"):
            raise DTypeError(
                f"Vocab.set_default_index: wanted a number or None, got {index!r}; the number of a "
                "token is v[token]"
            )
        self._default_index = index

    def get_default_index(self) -> int | None:
        """What an unknown token counts as; None when it is an error."""
        return self._default_index

    def append_token(self, token: str) -> None:
        """Add a token at the end.

        Args:
            token: a new one.

        Raises:
            ValueError: it is there already.
        """
        self.insert_token(token, len(self._tokens))

    def insert_token(self, token: str, index: int) -> None:
        """Add a token at a place; those behind it move up by one.

        Args:
            token: a new one.
            index: 0 <= index <= number of tokens.

        Raises:
            BoundsError: the place is outside.
            ValueError: the token is there already.
        """
        if not 0 <= index <= len(self._tokens):
            raise _PlaceError(
                f"Vocab.insert_token: index {index}, wanted 0 <= index <= {len(self)}"
            )
        if token in self._index:
            raise _TakenTokenError(
                f"Vocab: token {token!r} is there already, as number {self._index[token]}"
            )
        self._tokens.insert(index, token)
        for place in range(index, len(self._tokens)):
            self._index[self._tokens[place]] = place

    def lookup_token(self, index: int) -> str:
        """Token of a number.

        Args:
            index: 0 <= index < number of tokens.

        Raises:
            BoundsError: there is no such number.
            DTypeError: no number at all.
        """
        if not hasattr(index, "__index__"):
            raise DTypeError(f"Vocab.lookup_token: wanted a number, got {index!r}")
        if not 0 <= index < len(self._tokens):
            raise _PlaceError(f"Vocab.lookup_token: index {index}, wanted 0 <= index < {len(self)}")
        return self._tokens[index]

    def lookup_tokens(self, indices: Sequence[int]) -> list[str]:
        """Tokens of numbers.

        Args:
            indices: numbers of tokens.

        Returns:
            As many tokens.

        Raises:
            BoundsError: there is no such number.
            DTypeError: no number at all.
        """
        return [self.lookup_token(index) for index in indices]

    def lookup_indices(self, tokens: Sequence[str]) -> list[int]:
        """Numbers of tokens.

        Args:
            tokens: a list of them.

        Returns:
            As many numbers; the default index for unknown tokens.

        Raises:
            UnknownNameError: a token is unknown and no default index is set.
            DTypeError: one text in place of a list.
        """
        if isinstance(tokens, str):
            raise DTypeError(
                f"Vocab: wanted a list of tokens, got the text {tokens!r:.60}; cut it into tokens, "
                "or take v[token] for a single one"
            )
        if self._default_index is None:
            return [self[token] for token in tokens]
        find, default = self._index.get, self._default_index
        return [find(token, default) for token in tokens]

    def get_stoi(self) -> dict[str, int]:
        """token -> number, in a dict of your own."""
        return dict(self._index)

    def get_itos(self) -> list[str]:
        """The tokens in order, in a list of your own."""
        return list(self._tokens)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file of the tokens and the default index, for `load`.

        Args:
            path: of the file; what is there is replaced.
        """
        content = {"tokens": self._tokens, "default_index": self._default_index}
        text = SURROGATE.sub(_escaped, json.dumps(content, ensure_ascii=False))
        Path(path).write_bytes(text.encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocab:
        """Vocabulary of a JSON file that `save` wrote.

        Args:
            path: of the file.

        Returns:
            The vocabulary, with the default index it had.

        Raises:
            FileFormatError: the file holds something else.

        Example:
            >>> import tempfile
            >>> name = os.path.join(tempfile.mkdtemp(), "vocab.json")
            >>> Vocab(["<unk>", "cat"], default_index=0).save(name)
            >>> Vocab.load(name)
            Vocab(2 tokens, default_index=0)
        """
        content = _read_json(Path(path))
        tokens = content.get("tokens") if isinstance(content, dict) else None
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise FileFormatError(f"Vocab.load: {path} holds no list of tokens")
        default = content.get("default_index")
        if not isinstance(default, int | None):
            raise FileFormatError(f"Vocab.load: {path}: the default index is {default!r:.60}")
        return cls(tokens, default)


def _list_of_tokens(what: str, tokens: Iterable[str]) -> list[str]:
    if isinstance(tokens, str):
        raise DTypeError(f"{what}: wanted a list of tokens, got the text {tokens!r:.60}")
    return list(tokens)


class _UnknownTokenError(UnknownNameError, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""


class _PlaceError(BoundsError, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""


class _TakenTokenError(ValueError, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""


def _escaped(surrogate: re.Match[str]) -> str:
    return f"\\u{ord(surrogate[0]):04x}"


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"Vocab.load: {path} is no JSON: {error}") from error


def vocab(
    ordered_dict: Mapping[str, int],
    min_freq: int = 1,
    specials: Sequence[str] | None = None,
    special_first: bool = True,
) -> Vocab:
    """Vocabulary of counted tokens, in the order of the mapping.

    Args:
        ordered_dict: token -> how often it occurs.
        min_freq: rarer tokens are left out.
        specials: tokens such as "<unk>", taken whether they occur or not.
        special_first: put them before the others, else behind.

    Returns:
        The vocabulary, without a default index.

    Raises:
        DTypeError: ordered_dict is no mapping, or specials are one text.
        ValueError: a special token appears twice.

    Example:
        >>> vocab({"the": 5, "cat": 2, "sat": 1}, min_freq=2, specials=["<unk>"]).get_itos()
        ['<unk>', 'the', 'cat']
    """
    if not isinstance(ordered_dict, Mapping):
        raise DTypeError(
            f"vocab: wanted a dict of tokens and counts, got a {type(ordered_dict).__name__}; "
            "collections.Counter makes one"
        )
    special = _list_of_tokens("vocab: specials", specials or ())
    apart = set(special)
    common = [
        token for token, count in ordered_dict.items() if count >= min_freq and token not in apart
    ]
    return Vocab(special + common if special_first else common + special)


def build_vocab_from_iterator(
    iterator: Iterable[Iterable[str]],
    min_freq: int = 1,
    specials: Sequence[str] | None = None,
    special_first: bool = True,
    max_tokens: int | None = None,
) -> Vocab:
    """Vocabulary of texts that are cut into tokens, the commonest token first.

    Tokens that are equally common come in the order of the alphabet.

    Args:
        iterator: yields the tokens of one text after the other.
        min_freq: rarer tokens are left out.
        specials: tokens such as "<unk>", taken whether they occur or not.
        special_first: put them before the others, else behind.
        max_tokens: largest size, specials included; default no limit.

    Returns:
        The vocabulary, without a default index.

    Raises:
        ValueError: `max_tokens` leaves no room beside the specials.
        DTypeError: specials are one text.

    Example:
        >>> texts = [["a", "cat"], ["a", "dog"]]
        >>> build_vocab_from_iterator(texts, specials=["<unk>"]).get_itos()
        ['<unk>', 'a', 'cat', 'dog']
    """
    special = _list_of_tokens("build_vocab_from_iterator: specials", specials or ())
    counts: Counter[str] = Counter()
    for tokens in iterator:
        counts.update(tokens)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if max_tokens is not None:
        room = max_tokens - len(special)
        if room <= 0:
            raise ValueError(
                f"build_vocab_from_iterator: max_tokens={max_tokens} leaves no room for words "
                f"beside {len(special)} specials; raise it"
            )
        ordered = ordered[:room]
    return vocab(dict(ordered), min_freq, special, special_first)
