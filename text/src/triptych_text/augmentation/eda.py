"""Easy data augmentation: words replaced by synonyms, inserted, swapped, deleted.

Source: Wei and Zou 2019.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from triptych import Generator

from ..analysis.stopwords import STOPWORDS
from .drawing import Augmentation, chances, choose, sample

__all__ = ["EDA", "RandomDeletion", "RandomInsertion", "RandomSwap", "SynonymReplacement"]

Synonyms = Mapping[str, Sequence[str]]


def _number(p: float, words: Sequence[str]) -> int:
    """How many words a share is: at least one, as in the paper, unless the share is zero."""
    return max(1, int(p * len(words))) if p and words else 0


class SynonymReplacement(Augmentation):
    """Replace words by synonyms.

    Args:
        synonyms: word in lower case -> words for it.
        p: share of words to replace, at least one.
        stopwords: words to leave as they are.
        generator: draws; default the global one.

    Example:
        >>> SynonymReplacement({"quick": ["fast"]}, p=1.0)("a quick dog")
        'a fast dog'
    """

    def __init__(
        self,
        synonyms: Synonyms,
        p: float = 0.1,
        stopwords: Container[str] = STOPWORDS,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(p, generator=generator)
        self.synonyms, self.stopwords = synonyms, stopwords

    def change(self, text: str) -> str:
        """The text with synonyms in it.

        Args:
            text: a text.
        """
        words = text.split()
        known = [
            i
            for i, word in enumerate(words)
            if self.synonyms.get(word.lower()) and word.lower() not in self.stopwords
        ]
        for i in sample(len(known), _number(self.p, words), self.generator):
            place = known[i]
            words[place] = choose(self.synonyms[words[place].lower()], self.generator)
        return " ".join(words)


class RandomInsertion(Augmentation):
    """Insert synonyms of words at random places.

    Args:
        synonyms: word in lower case -> words for it.
        p: number of insertions as a share of the words, at least one.
        generator: draws; default the global one.
    """

    def __init__(
        self, synonyms: Synonyms, p: float = 0.1, *, generator: Generator | None = None
    ) -> None:
        super().__init__(p, generator=generator)
        self.synonyms = synonyms

    def change(self, text: str) -> str:
        """The text with more words in it.

        Args:
            text: a text.
        """
        words = text.split()
        known = [word.lower() for word in words if self.synonyms.get(word.lower())]
        for _ in range(_number(self.p, words) if known else 0):
            word = choose(self.synonyms[choose(known, self.generator)], self.generator)
            words.insert(choose(range(len(words) + 1), self.generator), word)
        return " ".join(words)


class RandomSwap(Augmentation):
    """Swap words.

    Args:
        p: number of swaps as a share of the words, at least one.
        generator: draws; default the global one.
    """

    def __init__(self, p: float = 0.1, *, generator: Generator | None = None) -> None:
        super().__init__(p, generator=generator)

    def change(self, text: str) -> str:
        """The same words in another order.

        Args:
            text: a text.
        """
        words = text.split()
        for _ in range(_number(self.p, words) if len(words) > 1 else 0):
            i, j = sample(len(words), 2, self.generator)
            words[i], words[j] = words[j], words[i]
        return " ".join(words)


class RandomDeletion(Augmentation):
    """Delete each word with a probability; one always stays.

    Args:
        p: the probability.
        generator: draws; default the global one.
    """

    def __init__(self, p: float = 0.1, *, generator: Generator | None = None) -> None:
        super().__init__(p, generator=generator)

    def change(self, text: str) -> str:
        """The text with fewer words.

        Args:
            text: a text.
        """
        words = text.split()
        gone = chances(len(words), self.p, self.generator)
        kept = [word for word, goes in zip(words, gone, strict=True) if not goes]
        return " ".join(kept or ([choose(words, self.generator)] if words else []))


class EDA(Augmentation):
    """Variants of a text by one of the four changes each.

    Args:
        synonyms: word in lower case -> words for it.
        p: share of words that a change touches.
        num_variants: variants that `variants` gives of a text.
        generator: draws; default the global one.

    Example:
        >>> import triptych as tp
        >>> eda = EDA({"quick": ["fast"]}, generator=tp.Generator().manual_seed(0))
        >>> len(eda.variants("the quick dog runs"))
        4
    """

    def __init__(
        self,
        synonyms: Synonyms,
        p: float = 0.1,
        num_variants: int = 4,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(p, generator=generator)
        self.num_variants = num_variants
        self.changes: list[Augmentation] = [
            SynonymReplacement(synonyms, p, generator=generator),
            RandomInsertion(synonyms, p, generator=generator),
            RandomSwap(p, generator=generator),
            RandomDeletion(p, generator=generator),
        ]

    def change(self, text: str) -> str:
        """One variant.

        Args:
            text: a text.
        """
        return choose(self.changes, self.generator).change(text)

    def variants(self, text: str) -> list[str]:
        """Variants, the four changes in turn.

        Args:
            text: a text.
        """
        kinds = len(self.changes)
        return [self.changes[i % kinds].change(text) for i in range(self.num_variants)]
