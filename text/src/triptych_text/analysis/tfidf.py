"""Texts as bags of words: sparse rows of counts, weighted by how rare words are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError

__all__ = ["SparseRows", "TfidfVectorizer"]

WORD = re.compile(r"(?u)\b\w\w+\b")


def _words(text: str) -> list[str]:
    return WORD.findall(text)


@dataclass(frozen=True, slots=True)
class SparseRows:
    """A matrix of mostly zeros, row by row.

    Attributes:
        data: (k,) float32 values that are not zero.
        indices: (k,) int64 their columns, rising within a row.
        indptr: (n + 1,) int64; row i has the values indptr[i] to indptr[i + 1].
        shape: (n, v).
    """

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: tuple[int, int]

    @property
    def rows(self) -> np.ndarray:
        """(k,) the row of each value."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def dense(self) -> Tensor:
        """(n, v) float32 tensor of it, zeros included."""
        out = np.zeros(self.shape, np.float32)
        out[self.rows, self.indices] = self.data
        return tp.from_numpy(out)

    def dot(self, matrix: Tensor) -> Tensor:
        """Product with a (v, d) matrix, without making zeros.

        Args:
            matrix: (v, d), as many rows as this has columns.

        Returns:
            (n, d) float32.

        Raises:
            ShapeError: the matrix has another number of rows.
        """
        right = matrix.detach().cpu().numpy()
        if right.ndim != 2 or right.shape[0] != self.shape[1]:
            raise ShapeError(f"SparseRows.dot: wanted ({self.shape[1]}, d), got {right.shape}")
        out = np.zeros((self.shape[0], right.shape[1]), np.float32)
        np.add.at(out, self.rows, self.data[:, None] * right[self.indices])
        return tp.from_numpy(out)

    def similarity(self) -> np.ndarray:
        """(n, n) products of the rows with each other: cosines, where rows have length 1."""
        dense = self.dense().numpy()
        return np.asarray(dense @ dense.T)


class TfidfVectorizer:
    """Counts words of texts and weighs each by how few texts have it.

    Args:
        lowercase: count words without regard to case.
        tokenizer: function from a text to its tokens; default words of two letters or digits and
            more.
        stop_words: tokens that do not count.
        ngram_range: shortest and longest runs of tokens to count.
        max_df: leave out what more texts have: a share (float) or a number of texts (int).
        min_df: leave out what fewer texts have: likewise.
        max_features: keep only so many, those that occur most often.
        binary: count each token once a text.
        norm: "l2" or "l1": scale rows to length 1; None does not.
        use_idf: weigh by rareness; else counts stay.
        smooth_idf: count as if one more text had every token, so that no weight is infinite.
        sublinear_tf: 1 + log(count) in place of the count.

    Attributes:
        vocabulary_: token -> column, in the order of the alphabet.
        idf_: (v,) float64 weights: log((1 + n) / (1 + texts with it)) + 1 when smooth.

    Raises:
        DomainError: norm or ngram_range make no sense.

    Example:
        >>> vectorizer = TfidfVectorizer(norm=None, use_idf=False)
        >>> vectorizer.fit_transform(["a cat and a dog", "the dog"]).dense().tolist()
        [[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
        >>> vectorizer.get_feature_names()
        ['and', 'cat', 'dog', 'the']

    Source: Salton and Buckley 1988, with scikit-learn's names, defaults and formulas.
    """

    def __init__(
        self,
        *,
        lowercase: bool = True,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
        stop_words: Container[str] = (),
        ngram_range: tuple[int, int] = (1, 1),
        max_df: float = 1.0,
        min_df: float = 1,
        max_features: int | None = None,
        binary: bool = False,
        norm: str | None = "l2",
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
    ) -> None:
        if norm not in ("l1", "l2", None):
            raise DomainError(f'TfidfVectorizer: norm should be "l1", "l2" or None, got {norm!r}')
        if not 1 <= ngram_range[0] <= ngram_range[1]:
            raise DomainError(f"TfidfVectorizer: ngram_range {ngram_range} is no range from 1")
        self.lowercase, self.tokenizer = lowercase, tokenizer or _words
        self.stop_words, self.ngram_range = stop_words, ngram_range
        self.max_df, self.min_df, self.max_features = max_df, min_df, max_features
        self.binary, self.norm = binary, norm
        self.use_idf, self.smooth_idf, self.sublinear_tf = use_idf, smooth_idf, sublinear_tf
        self.vocabulary_: dict[str, int] = {}
        self.idf_ = np.zeros(0)

    def fit(self, texts: Iterable[str]) -> TfidfVectorizer:
        """Learn tokens and weights; returns self.

        Args:
            texts: n texts.

        Raises:
            ShapeError: no token is left.
        """
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts: Iterable[str]) -> SparseRows:
        """Learn tokens and weights, and give the rows of the texts.

        Args:
            texts: n texts.
        """
        counts = self._counts(texts)
        having = Counter(token for row in counts for token in row)
        n = len(counts)
        low, high = (_texts(limit, n) for limit in (self.min_df, self.max_df))
        kept = [token for token, number in having.items() if low <= number <= high]
        if self.max_features is not None:
            total: Counter[str] = Counter()
            for row in counts:
                total.update(row)
            kept = sorted(sorted(kept), key=lambda t: -total[t])[: self.max_features]
        if not kept:
            raise ShapeError(
                "TfidfVectorizer: no token is left; are texts empty, or min_df and max_df narrow?"
            )
        self.vocabulary_ = {token: column for column, token in enumerate(sorted(kept))}
        number = np.array([having[token] for token in self.vocabulary_], np.float64)
        more = int(self.smooth_idf)
        self.idf_ = np.log((n + more) / (number + more)) + 1
        return self._weighed(counts)

    def transform(self, texts: Iterable[str]) -> SparseRows:
        """Rows of texts; tokens that were not there when it learnt do not count.

        Args:
            texts: n texts.

        Raises:
            ShapeError: it has learnt nothing yet.
        """
        if not self.vocabulary_:
            raise ShapeError("TfidfVectorizer.transform: call fit first")
        return self._weighed(self._counts(texts))

    def get_feature_names(self) -> list[str]:
        """The tokens, by column."""
        return list(self.vocabulary_)

    def _counts(self, texts: Iterable[str]) -> list[Counter[str]]:
        if isinstance(texts, str):
            raise DTypeError("TfidfVectorizer: wanted a list of texts, got one text")
        return [Counter(self._tokens(text)) for text in texts]

    def _tokens(self, text: str) -> list[str]:
        words = self.tokenizer(text.lower() if self.lowercase else text)
        words = [word for word in words if word not in self.stop_words]
        low, high = self.ngram_range
        return [
            " ".join(words[start : start + n])
            for n in range(low, high + 1)
            for start in range(len(words) - n + 1)
        ]

    def _weighed(self, counts: list[Counter[str]]) -> SparseRows:
        find = self.vocabulary_
        rows = [sorted((find[t], c) for t, c in row.items() if t in find) for row in counts]
        lengths = np.array([len(row) for row in rows], np.int64)
        pairs = np.array([pair for row in rows for pair in row], np.int64).reshape(-1, 2)
        columns, data = pairs[:, 0], pairs[:, 1].astype(np.float64)
        if self.binary:
            data[:] = 1
        if self.sublinear_tf:
            data = 1 + np.log(data)
        if self.use_idf:
            data *= self.idf_[columns]
        if self.norm is not None:
            power = 2 if self.norm == "l2" else 1
            owner = np.repeat(np.arange(len(rows)), lengths)
            sizes = np.bincount(owner, data**power, len(rows)) ** (1 / power)
            data /= sizes[owner]
        ends = np.concatenate([[0], np.cumsum(lengths)])
        return SparseRows(data.astype(np.float32), columns, ends, (len(rows), len(find)))


def _texts(limit: float, n: int) -> float:
    return limit * n if isinstance(limit, float) else limit
