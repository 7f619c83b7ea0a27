"""N-gram language models in the ARPA format, with back-off."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from triptych.errors import FileFormatError

__all__ = ["ArpaModel"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KENLM_MAGIC = b"mmap lm http://kheafield.com/code"  # the first bytes of its binary files
GZIP_MAGIC = b"\x1f\x8b"
UNKNOWN = "<unk>"
UNSEEN = -100.0  # log10 probability of <unk> in a model without it; KenLM, lm/config.cc


class ArpaModel:
    """Logarithms to base 10 of the probability of a word after others.

    The n-grams of an order are an array, sorted by the number of their first n - 1 words as an
    n-gram of the order below, and their last word; so a look-up is a binary search, for many words
    at once.

    Args:
        path: of the file, plain or compressed with gzip.

    Raises:
        FileFormatError: the file is no ARPA model, or damaged.

    Source: Katz 1987 for back-off; the format is described in SRILM's ngram-format(5).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._words: dict[str, int] = {}
        self._keys: list[Ints] = []
        self._scores: list[Floats] = []
        self._backoffs: list[Floats] = []
        with _opened(self._path) as stream:
            self._read(enumerate(stream, 1))
        self.order = len(self._keys)

    def index(self, word: str) -> int:
        """Number of a word, that of <unk> if the model does not know it.

        Args:
            word: as spelled in the file.
        """
        return self._words.get(word, self._words[UNKNOWN])

    def context(self, words: Sequence[str]) -> Ints:
        """(order - 1,) numbers of the n-grams that a text ends in, by length; -1 for none.

        Args:
            words: the text.
        """
        ngrams = np.full((1, self.order - 1), -1)
        for word in words:
            ngrams = self.follow(ngrams, np.array([self.index(word)]))[1]
        return ngrams[0]

    def follow(self, contexts: Ints, words: Ints) -> tuple[Floats, Ints]:
        """How likely words are in their contexts.

        Args:
            contexts: (n, order - 1) as `context` gives them.
            words: (n,) numbers.

        Returns:
            (n,) logarithms to base 10, and (n, order - 1) contexts after the words.
        """
        score = self._scores[0][words]
        longer = [words]  # of each order the n-gram that ends in the word, or -1
        for n in range(1, self.order):
            before = contexts[:, n - 1]
            found = self._find(n, before * len(self._words) + words)
            backed_off = score + self._backoffs[n - 1][before]
            score = np.where(found >= 0, self._scores[n][found], backed_off)
            longer.append(found)
        return score, np.stack(longer[: self.order - 1], 1) if self.order > 1 else contexts

    def _find(self, n: int, wanted: Ints) -> Ints:
        """Numbers of the n-grams with these keys, -1 where there are none; keys may be negative."""
        keys = self._keys[n]
        if not len(keys):
            return np.full(wanted.shape, -1)
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[place] == wanted, place, -1)

    # Reading

    def _read(self, lines: Iterator[tuple[int, str]]) -> None:
        counts = self._header(lines)
        for n, count in enumerate(counts, 1):
            self._expect(lines, f"\\{n}-grams:")
            rows = [self._row(n, *next(lines, (0, ""))) for _ in range(count)]
            if n == 1:
                self._add_unigrams(rows)
            else:
                self._add_ngrams(n, rows)
        self._expect(lines, "\\end\\")

    def _header(self, lines: Iterator[tuple[int, str]]) -> list[int]:
        self._expect(lines, "\\data\\", skip=True)
        counts: list[int] = []
        for number, line in lines:
            if not line.strip():
                break
            name, _, count = line.partition("=")
            if name.strip() != f"ngram {len(counts) + 1}" or not count.strip().isdigit():
                raise self._error(number, f"wanted 'ngram {len(counts) + 1}=COUNT', got {line!r}")
            counts.append(int(count))
        if not counts:
            raise self._error(0, "the section \\data\\ counts no n-grams")
        return counts

    def _expect(self, lines: Iterator[tuple[int, str]], mark: str, skip: bool = False) -> None:
        """Go on to the line with a mark; nothing but empty lines may come before it."""
        for number, line in lines:
            if line.strip() == mark:
                return
            if line.strip() and not skip:
                raise self._error(number, f"wanted {mark!r}, got {line!r}")
        raise self._error(0, f"there is no line {mark!r}; is it an ARPA file?")

    def _row(self, n: int, number: int, line: str) -> tuple[float, list[str], float]:
        score, *words = line.split() or [""]
        try:
            backoff = float(words.pop()) if len(words) == n + 1 else 0.0
            if len(words) == n:
                return float(score), words, backoff
        except ValueError:
            pass  # told below
        raise self._error(number, f"wanted a score, {n} word(s) and maybe a back-off, got {line!r}")

    def _add_unigrams(self, rows: list[tuple[float, list[str], float]]) -> None:
        if UNKNOWN not in {words[0] for _, words, _ in rows}:
            rows.append((UNSEEN, [UNKNOWN], 0.0))
        self._words = {words[0]: i for i, (_, words, _) in enumerate(rows)}
        if len(self._words) < len(rows):
            raise self._error(0, "a word occurs twice among the 1-grams")
        self._store(np.arange(len(rows)), rows)

    def _add_ngrams(self, n: int, rows: list[tuple[float, list[str], float]]) -> None:
        try:
            spelled = [[self._words[word] for word in words] for _, words, _ in rows]
        except KeyError as error:
            raise self._error(0, f"{n}-grams with {error}, which is no 1-gram") from None
        ids = np.array(spelled, np.int64).reshape(len(rows), n)
        head = ids[:, 0]
        for k in range(1, n - 1):
            head = self._find(k, head * len(self._words) + ids[:, k])
            if (head < 0).any():
                lost = rows[int(head.argmin())][1]
                raise self._error(0, f"the {n}-gram {lost} begins with no {k + 1}-gram")
        self._store(head * len(self._words) + ids[:, -1], rows)

    def _store(self, keys: Ints, rows: list[tuple[float, list[str], float]]) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys.append(keys[order])
        # a zero at the end, where the number -1 of no n-gram points
        self._scores.append(np.array([*(rows[i][0] for i in order), 0.0]))
        self._backoffs.append(np.array([*(rows[i][2] for i in order), 0.0]))

    def _error(self, number: int, text: str) -> FileFormatError:
        return FileFormatError(f"{self._path}{f', line {number}' if number else ''}: {text}")


def _opened(path: Path) -> IO[str]:
    raw = path.open("rb")
    start = raw.read(len(KENLM_MAGIC))
    raw.seek(0)
    if start == KENLM_MAGIC:
        raw.close()
        raise FileFormatError(
            f"{path}: a binary file of KenLM, which only KenLM itself reads; give the ARPA file it "
            "was built from, with the ending .arpa or .arpa.gz"
        )
    if start[:2] == GZIP_MAGIC:
        raw.close()
        return gzip.open(path, "rt", encoding="utf-8")
    return io.TextIOWrapper(raw, encoding="utf-8")
