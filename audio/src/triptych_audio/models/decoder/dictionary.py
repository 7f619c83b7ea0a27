"""Numbers for tokens and words, and how words are spelled."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from triptych.errors import DomainError, FileFormatError, UnknownNameError

__all__ = ["Dictionary", "Lexicon", "load_words"]

PathLike = str | os.PathLike[str]
Lexicon = dict[str, list[list[str]]]

UNKNOWN = "<unk>"


class Dictionary:
    """Entries and their numbers, counted from 0.

    Args:
        entries: the entries in order; or the path of a file with one entry per line. Entries on the
            same line share a number.
        default: the entry that stands for any that is missing; default none does.

    Raises:
        FileFormatError: an entry occurs twice.

    Example:
        >>> letters = Dictionary(["-", "|", "a"])
        >>> letters.get_index("a"), letters.get_entry(1)
        (2, '|')
    """

    def __init__(self, entries: PathLike | Iterable[str], default: str | None = None) -> None:
        self._entries: list[str] = []
        self._indices: dict[str, int] = {}
        for names in _groups(entries):
            for name in names:
                if name in self._indices:
                    raise FileFormatError(f"Dictionary: {name!r} occurs twice")
                self._indices[name] = len(self._entries)
            self._entries.append(names[0])
        self._default = None if default is None else self._indices[default]

    def __contains__(self, entry: str) -> bool:
        return entry in self._indices

    def __len__(self) -> int:
        return len(self._entries)

    def index_size(self) -> int:
        """How many numbers there are."""
        return len(self._entries)

    def get_entry(self, index: int) -> str:
        """The entry of a number, the first if several share it.

        Args:
            index: from 0 to below `index_size`.

        Raises:
            DomainError: there is no such number.
        """
        if not 0 <= index < len(self._entries):
            raise DomainError(f"Dictionary: numbers go from 0 to {len(self) - 1}, got {index}")
        return self._entries[index]

    def get_index(self, entry: str) -> int:
        """The number of an entry.

        Args:
            entry: a token or word.

        Raises:
            UnknownNameError: it is missing, and there is no default.
        """
        index = self._indices.get(entry, self._default)
        if index is None:
            raise UnknownNameError(
                f"Dictionary: {entry!r} is not among the {len(self)} entries "
                f"{self._entries[:8]}{' ...' if len(self) > 8 else ''}"
            )
        return index


def _groups(entries: PathLike | Iterable[str]) -> Iterable[Sequence[str]]:
    """Entries that share a number."""
    if not isinstance(entries, (str, os.PathLike)):
        return [(entry,) for entry in entries]
    lines = Path(entries).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line.strip()]


def load_words(path: PathLike) -> Lexicon:
    """The words of a lexicon and their spellings.

    Args:
        path: a file with a word and its tokens on each line, separated by blanks. A word may have
            several lines.

    Returns:
        For each word the list of its spellings.

    Raises:
        FileFormatError: a word without a spelling.
    """
    lexicon: Lexicon = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        word, *spelling = line.split() or [""]
        if not word:
            continue
        if not spelling:
            raise FileFormatError(f"{path}, line {number}: the word {word!r} has no spelling")
        lexicon.setdefault(word, []).append(spelling)
    return lexicon
