"""Byte-pair encoding over characters, as the first GPT had it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError, UnknownNameError

from ..utils import get_asset_local_path
from .per_text import PerText

__all__ = ["CharBPETokenizer"]

WORD = re.compile(r"\S+\n?")


class CharBPETokenizer(PerText):
    """Words cut into characters, which are joined again pair by pair.

    Args:
        bpe_encoder_path: path or address of a JSON table of tokens and ids.
        bpe_merges_path: path or address of the merges, a pair a line, behind a first line.
        return_tokens: give tokens; else their ids, of the type in the table.
        unk_token: what unknown tokens count as; must be in the table. Without it they are errors.
        suffix: marks ends of words, such as "</w>".
        special_tokens: never split; must be in the table.

    Raises:
        UnknownNameError: the table lacks unk_token or a special token.
        FileFormatError: a file is of another kind.
    """

    def __init__(
        self,
        bpe_encoder_path: str,
        bpe_merges_path: str,
        return_tokens: bool = False,
        unk_token: str | None = None,
        suffix: str | None = None,
        special_tokens: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self._encoder = _read_table(bpe_encoder_path)
        self._decoder = {index: token for token, index in self._encoder.items()}
        lines = Path(get_asset_local_path(bpe_merges_path)).read_text(encoding="utf-8")
        merges = [tuple(line.split()) for line in lines.split("\n")[1:] if line.strip()]
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._return_tokens, self._unk_token = return_tokens, unk_token
        self._suffix = suffix or ""
        special = list(special_tokens or ())
        for token in [*special, *filter(None, [unk_token])]:
            if token not in self._encoder:
                raise _LackingTokenError(f"CharBPETokenizer: {bpe_encoder_path} lacks {token!r}")
        self._cache = {token: [token] for token in special}

    @property
    def vocab_size(self) -> int:
        """Number of tokens in the table."""
        return len(self._encoder)

    def encode_one(self, text: str) -> list[Any]:
        """Tokens or ids of one text.

        Args:
            text: one text.
        """
        return self._tokenize(text) if self._return_tokens else self.encode(text)

    def encode(self, text: str) -> list[Any]:
        """Ids of a text.

        Args:
            text: one text.

        Raises:
            UnknownNameError: a token is unknown and there is no unk_token.
        """
        return [self._find(token) for token in self._tokenize(text)]

    def decode(self, tokens: Sequence[Any]) -> str:
        """Text of ids.

        Args:
            tokens: ids, of the type in the table.

        Raises:
            UnknownNameError: an id is unknown and there is no unk_token.
        """
        words = [self._decoder.get(index, self._unk_token) for index in tokens]
        if None in words:
            raise UnknownNameError(f"CharBPETokenizer: no token {tokens[words.index(None)]!r}")
        known = [word for word in words if word is not None]
        return "".join(known).replace(self._suffix, " ") if self._suffix else " ".join(known)

    def _find(self, token: str) -> Any:
        index = self._encoder.get(token, self._encoder.get(self._unk_token or ""))
        if index is None:
            raise UnknownNameError(
                f"CharBPETokenizer: no token {token!r} and no unk_token; pass unk_token="
            )
        return index

    def _tokenize(self, text: str) -> list[str]:
        return [token for word in WORD.findall(text) for token in self._join(word)]

    def _join(self, word: str) -> list[str]:
        """Pieces of a word: the pair of lowest rank is joined, until none is left to join."""
        if word in self._cache:
            return self._cache[word]
        pieces = [*word[:-1], word[-1] + self._suffix]
        while len(pieces) > 1:
            best = min(pairwise(pieces), key=self._rank)
            if best not in self._ranks:
                break
            pieces = _joined(pieces, best)
        self._cache[word] = pieces
        return pieces

    def _rank(self, pair: tuple[str, str]) -> float:
        return self._ranks.get(pair, float("inf"))


class _LackingTokenError(UnknownNameError, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""


def _read_table(path: str) -> dict[str, Any]:
    try:
        return dict(json.loads(Path(get_asset_local_path(path)).read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"CharBPETokenizer: {path} is no table in JSON: {error}") from error


def _joined(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    i = 0
    while i < len(pieces):
        found = pieces[i : i + 2] == list(pair)
        out.append("".join(pair) if found else pieces[i])
        i += 2 if found else 1
    return out
