"""fastText's classifier: a sum of vectors of hashed n-grams, in milliseconds on a CPU."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import regex

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError

__all__ = ["FastTextClassifier"]

WORD = regex.compile(r"\p{L}[\p{L}\p{M}']*|\p{N}+|[^\s\p{L}\p{N}]")


class FastTextClassifier(nn.Module):
    """Scores texts by their n-grams of words and of letters, whatever their order.

    Each n-gram is hashed into one of a fixed number of buckets, so there is no vocabulary to keep:
    n-grams never seen share buckets with others. An n-gram counts once in a text.

    Args:
        num_classes: how many scores come out.
        buckets: rows of the table.
        embedding_dim: width of the table, with a linear layer behind it; None for a table of
            scores, which makes it a linear classifier.
        words: fewest and most words of an n-gram.
        characters: fewest and most letters of an n-gram across words; None for no such n-grams.
        scale: what a text's n rows are divided by: "mean" n, "root" the root of n.

    Raises:
        ShapeError: a range is empty, or scale is another word.

    Source: Joulin, Grave, Bojanowski and Mikolov 2016, arXiv:1607.01759. Hashes are CRC-32 instead
    of FNV-1a, so its files are not read.

    Example:
        >>> model = FastTextClassifier(2, buckets=1000)
        >>> model(["good food", "bad food, cold"]).shape
        Size([2, 2])
    """

    def __init__(
        self,
        num_classes: int,
        buckets: int = 2**17,
        embedding_dim: int | None = 16,
        words: tuple[int, int] = (1, 2),
        characters: tuple[int, int] | None = (3, 5),
        scale: str = "mean",
    ) -> None:
        super().__init__()
        for name, (fewest, most) in {"words": words, "characters": characters or (1, 1)}.items():
            if not 0 < fewest <= most:
                raise ShapeError(
                    f"FastTextClassifier: wanted 0 < fewest <= most {name}, got {fewest}, {most}"
                )
        if scale not in ("mean", "root"):
            raise ShapeError(f'FastTextClassifier: wanted scale "mean" or "root", got {scale!r}')
        self.buckets, self.words, self.characters, self.scale = buckets, words, characters, scale
        if embedding_dim is None:
            self.table = nn.EmbeddingBag(buckets, num_classes, mode="sum")
            self.classifier: nn.Module = Bias(num_classes)
        else:
            self.table = nn.EmbeddingBag(buckets, embedding_dim, mode="sum")
            self.classifier = nn.Linear(embedding_dim, num_classes)
        nn.init.normal_(self.table.weight, std=1 / self.table.embedding_dim)

    def ngrams(self, text: str) -> Iterator[str]:
        """The n-grams of a text, in lower case; some more than once."""
        tokens = ["<s>", *WORD.findall(text.lower())]
        fewest, most = self.words
        for n in range(fewest, most + 1):
            for i in range(len(tokens) - n + 1):
                yield " ".join(tokens[i : i + n])
        if self.characters is not None:
            line = f" {' '.join(tokens[1:])} "
            for n in range(self.characters[0], self.characters[1] + 1):
                for i in range(len(line) - n + 1):
                    yield "#" + line[i : i + n]

    def encode(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """The rows of the table that belong to texts.

        Args:
            texts: n of them.

        Returns:
            (total,) int64 rows of all texts one after the other, sorted within each; (n,) int64
            where each text begins.

        Raises:
            ShapeError: a single string was given, or no text.
        """
        if isinstance(texts, str) or not len(texts):
            raise ShapeError(
                "FastTextClassifier: wanted a sequence of at least one text, got "
                f"{texts!r}; write [text] for one"
            )
        bags = [
            np.unique([zlib.crc32(gram.encode()) % self.buckets for gram in self.ngrams(text)])
            for text in texts
        ]
        starts = np.cumsum([0, *(len(bag) for bag in bags)])[:-1]
        rows = np.concatenate(bags)
        return tp.from_numpy(rows.astype(np.int64)), tp.from_numpy(starts.astype(np.int64))

    def forward(self, texts: Sequence[str] | Tensor, starts: Tensor | None = None) -> Tensor:
        """Logits of texts.

        Args:
            texts: n of them; an empty text has one n-gram, its beginning. Or the rows that
                `encode` gave, to encode once what is used often.
            starts: what else it gave then.

        Returns:
            (n, num_classes).

        Raises:
            ShapeError: a single string was given, or no text.
        """
        if not isinstance(texts, Tensor):
            texts, starts = self.encode(texts)
        rows = texts
        if starts is None:
            raise ShapeError(
                "FastTextClassifier: rows come with their starts, as `encode` gives them"
            )
        ends = tp.cat([starts[1:], tp.tensor([len(rows)])])
        counts = (ends - starts).to(self.table.weight.dtype)
        share = 1 / counts if self.scale == "mean" else counts.rsqrt()
        return self.classifier(self.table(rows, starts, share.repeat_interleave(ends - starts)))


class Bias(nn.Module):
    """Adds one number to each score."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(tp.zeros(num_classes))

    def forward(self, scores: Tensor) -> Tensor:
        """(n, num_classes) to the same."""
        return scores + self.bias
