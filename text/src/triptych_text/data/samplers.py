"""Batches of texts of similar lengths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import triptych as tp
from triptych import Generator
from triptych.errors import DomainError
from triptych.utils.data import BucketBatchSampler, Sampler

__all__ = ["BucketBatchSampler", "TokenBatchSampler"]


class TokenBatchSampler(Sampler[list[int]]):
    """Batches that hold at most so many tokens once they are padded to their longest text.

    The order is cut into buckets, each bucket sorted by length and cut into batches; these come in
    random order, unless shuffle is false.

    Args:
        lengths: tokens of each sample, by index.
        max_tokens: most tokens of a batch: samples times the longest one.
        max_samples: most samples of a batch; default no limit.
        shuffle: whether the order before the cut into buckets, and that of the batches, is random.
        bucket_size: samples in a bucket; larger ones waste less and mix less.
        sampler: which samples come, in which order, in place of shuffle's.
        drop_long: leave out samples that are longer than max_tokens, rather than raise.
        generator: draws the orders; default the global one. Each pass draws anew.

    Raises:
        DomainError: a limit is not positive, or a sample is longer than max_tokens.

    Example:
        >>> lengths = [5, 1, 4, 2, 6, 3]
        >>> batches = TokenBatchSampler(lengths, max_tokens=8, shuffle=False)
        >>> [[lengths[i] for i in batch] for batch in batches]
        [[1, 2], [3, 4], [5], [6]]
    """

    def __init__(
        self,
        lengths: Sequence[int],
        max_tokens: int,
        *,
        max_samples: int | None = None,
        shuffle: bool = True,
        bucket_size: int = 10_000,
        sampler: Iterable[int] | None = None,
        drop_long: bool = False,
        generator: Generator | None = None,
    ) -> None:
        limits = {"max_tokens": max_tokens, "max_samples": max_samples, "bucket_size": bucket_size}
        for name, limit in limits.items():
            if limit is not None and limit <= 0:
                raise DomainError(f"TokenBatchSampler: {name} should be positive, got {limit}")
        long = [i for i, length in enumerate(lengths) if length > max_tokens]
        if long and not drop_long:
            raise DomainError(
                f"TokenBatchSampler: sample {long[0]} has {lengths[long[0]]} tokens, more than "
                f"max_tokens={max_tokens}; truncate it or pass drop_long=True"
            )
        self.lengths, self.max_tokens, self.max_samples = lengths, max_tokens, max_samples
        self.shuffle, self.bucket_size, self.sampler = shuffle, bucket_size, sampler
        self.generator, self._long = generator, frozenset(long)

    def __iter__(self) -> Iterator[list[int]]:
        order = [i for i in self._order() if i not in self._long]
        for start in range(0, len(order), self.bucket_size):
            bucket = sorted(order[start : start + self.bucket_size], key=self.lengths.__getitem__)
            batches = list(self._batches(bucket))
            places = range(len(batches))
            for place in self._shuffled(len(batches)) if self.shuffle else places:
                yield batches[place]

    def _order(self) -> Iterable[int]:
        if self.sampler is not None:
            return self.sampler
        n = len(self.lengths)
        return self._shuffled(n) if self.shuffle else range(n)

    def _shuffled(self, n: int) -> list[int]:
        return tp.randperm(n, generator=self.generator).tolist()

    def _batches(self, bucket: list[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in bucket:  # lengths rise, so this one is the longest so far
            full = (len(batch) + 1) * self.lengths[index] > self.max_tokens
            if batch and (full or len(batch) == self.max_samples):
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch
