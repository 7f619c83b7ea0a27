"""Texts that are nearly the same, found by MinHash."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from triptych import Generator, randint
from triptych.errors import DomainError

__all__ = ["MinHashDedup"]

# The largest prime below 2 ** 32: factors below 2 ** 31 keep a * x + b below 2 ** 63.
PRIME = 4_294_967_291


class MinHashDedup:
    """Finds texts whose sets of word runs overlap by a threshold, in time that grows with n.

    Each text gets num_perm minima of random hashes of its shingles; the share of equal minima of
    two texts estimates the Jaccard similarity of their sets. Only texts that agree in a whole band
    of minima are compared.

    Args:
        threshold: least similarity of near-duplicates, above 0 and at most 1.
        num_perm: minima of a text; the standard error of a similarity is below
            0.5 / sqrt(num_perm).
        shingle: words in a run.
        bands: into how many bands the minima are cut; default: the number with which pairs at the
            threshold are found most sharply.
        generator: draws the hashes; default one of a fixed seed, so that runs agree.

    Raises:
        DomainError: a number is outside, or num_perm no multiple of bands.

    Example:
        >>> texts = ["the cat sat on the mat today", "A bird.", "The cat sat on the mat today!"]
        >>> MinHashDedup(threshold=0.6)(texts)
        [0, 1]

    Source: Broder 1997; bands as in Leskovec, Rajaraman and Ullman, chapter 3.
    """

    def __init__(
        self,
        threshold: float = 0.8,
        num_perm: int = 128,
        shingle: int = 3,
        bands: int | None = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        if not 0 < threshold <= 1 or num_perm < 1 or shingle < 1:
            raise DomainError(
                "MinHashDedup: wanted 0 < threshold <= 1, num_perm >= 1 and shingle >= 1, got "
                f"{threshold}, {num_perm}, {shingle}"
            )
        self.threshold, self.num_perm, self.shingle = threshold, num_perm, shingle
        self.bands = _best_bands(threshold, num_perm) if bands is None else bands
        if self.bands < 1 or num_perm % self.bands:
            raise DomainError(f"MinHashDedup: {num_perm} minima do not make {self.bands} bands")
        generator = generator or Generator().manual_seed(0)
        draws = randint(1, 1 << 31, (2, num_perm, 1), generator=generator).numpy()
        self._factors, self._terms = draws.astype(np.uint64)

    def signature(self, text: str) -> np.ndarray:
        """(num_perm,) uint64 minima of a text.

        Args:
            text: a text.
        """
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        runs = {
            " ".join(words[i : i + self.shingle])
            for i in range(max(1, len(words) - self.shingle + 1))
        }
        digests = [hashlib.blake2b(run.encode(), digest_size=4).digest() for run in sorted(runs)]
        x = np.frombuffer(b"".join(digests), "<u4").astype(np.uint64)
        return np.asarray(((self._factors * x + self._terms) % np.uint64(PRIME)).min(axis=1))

    def similarity(self, first: str, second: str) -> float:
        """Estimate of the Jaccard similarity of two texts, from 0 to 1.

        Args:
            first: a text.
            second: another.
        """
        return float((self.signature(first) == self.signature(second)).mean())

    def __call__(self, texts: Iterable[str]) -> list[int]:
        """Places of the texts to keep: the first of each group of near-duplicates."""
        return [group[0] for group in self.groups(texts)]

    def groups(self, texts: Iterable[str]) -> list[list[int]]:
        """Places of near-duplicates together; a text without any is a group of its own.

        Args:
            texts: in order.

        Returns:
            Groups by their first text; a text is in one group, by chains of near-duplicates.
        """
        seen: dict[tuple[int, bytes], list[int]] = defaultdict(list)
        signatures: list[np.ndarray] = []
        parent: list[int] = []
        for place, text in enumerate(texts):
            signature = self.signature(text)
            signatures.append(signature)
            parent.append(place)
            keys = [(b, part.tobytes()) for b, part in enumerate(np.split(signature, self.bands))]
            for other in sorted({o for key in keys for o in seen[key]}):
                if (signature == signatures[other]).mean() >= self.threshold:
                    first, second = sorted((_root(parent, place), _root(parent, other)))
                    parent[second] = first
            for key in keys:
                seen[key].append(place)
        found: dict[int, list[int]] = defaultdict(list)
        for place in range(len(parent)):
            found[_root(parent, place)].append(place)
        return list(found.values())


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


def _best_bands(threshold: float, num_perm: int) -> int:
    """Bands b of r rows with (1 / b) ** (1 / r) nearest below the threshold."""
    fitting = [b for b in range(1, num_perm + 1) if num_perm % b == 0]
    below = [b for b in fitting if (1 / b) ** (b / num_perm) <= threshold]
    return min(below) if below else num_perm
