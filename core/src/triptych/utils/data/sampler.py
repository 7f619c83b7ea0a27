"""Which samples come when: iterables of indices, or of lists of indices."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

from ...dtypes import float64
from ...ops.creation import as_tensor
from ...ops.random import multinomial, randint, randperm
from ...random import Generator

__all__ = [
    "BatchSampler",
    "BucketBatchSampler",
    "DistributedSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


def draw_seed(generator: Generator | None = None) -> int:
    """A seed below 2 ** 63 from a generator, by default the default one."""
    return int(randint(0, (1 << 63) - 1, (), generator=generator).item())


class Sampler(Generic[T_co]):
    """Base of the samplers. A subclass writes ``__iter__``, and ``__len__`` if it has a length."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class SequentialSampler(Sampler[int]):
    """All samples in their order."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Samples in random order, another one in each epoch.

    Args:
        data_source: of n samples.
        replacement: whether a sample may come again before all have come.
        num_samples: how many to draw; default n. More than n without replacement starts over.
        generator: draws the order; by default one is seeded from the default generator each time.

    Raises:
        ValueError: num_samples is less than one, or the dataset is empty.

    Example:
        >>> sorted(RandomSampler(range(4)))
        [0, 1, 2, 3]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement should be a bool, got {replacement!r}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                f"RandomSampler: num_samples should be a positive integer, got {self.num_samples}; "
                "is the dataset empty?"
            )

    @property
    def num_samples(self) -> int:
        """How many samples an epoch has; follows the dataset if not given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        generator = self.generator
        if generator is None:
            generator = Generator().manual_seed(draw_seed())
        n, wanted = len(self.data_source), self.num_samples
        if self.replacement:
            yield from randint(n, (wanted,), generator=generator).tolist()
            return
        for start in range(0, wanted, n):
            yield from randperm(n, generator=generator).tolist()[: wanted - start]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order.

    Args:
        indices: which samples.
        generator: draws the order.
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for i in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Samples drawn in proportion to weights.

    Args:
        weights: (n,) non-negative; they need not add up to one.
        num_samples: how many to draw.
        replacement: whether a sample may come twice.
        generator: draws them.

    Raises:
        ValueError: weights is no vector, or num_samples no positive integer.
    """

    def __init__(
        self,
        weights: Any,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                "WeightedRandomSampler: num_samples should be a positive integer, got "
                f"{num_samples!r}"
            )
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                "WeightedRandomSampler: weights should be a vector, got shape "
                f"{tuple(self.weights.shape)}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Groups the indices of another sampler into lists.

    Args:
        sampler: where the indices come from.
        batch_size: how many are in a list.
        drop_last: leave out a last list that is shorter.

    Raises:
        ValueError: batch_size is no positive integer, or drop_last no bool.

    Example:
        >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer, got {batch_size!r}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a bool, got {drop_last!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class BucketBatchSampler(Sampler[list[int]]):
    """Batches of samples of similar lengths, so that little has to be padded.

    The order is cut into buckets of ``batch_size * bucket_size_multiplier`` samples. Each bucket is
    sorted by length and cut into batches, and these come in random order. A larger multiplier makes
    lengths more similar and the order less random.

    Args:
        lengths: the length of each sample, or anything else to sort by, by index.
        batch_size: how many are in a list.
        drop_last: leave out lists that are shorter: the last one of the epoch.
        shuffle: whether the order before the cut into buckets, and that of the batches, is random.
        sampler: which samples come, in which order, in place of shuffle's; default all.
        bucket_size_multiplier: batches in a bucket.
        generator: draws the orders; by default one is seeded from the default generator each time.

    Raises:
        ValueError: batch_size or bucket_size_multiplier is no positive integer, or shuffle and a
            sampler are given.

    Example:
        >>> lengths = [5, 1, 4, 2, 6, 3]
        >>> batches = BucketBatchSampler(lengths, batch_size=2, shuffle=False)
        >>> [[lengths[i] for i in batch] for batch in batches]
        [[1, 2], [3, 4], [5, 6]]
    """

    def __init__(
        self,
        lengths: Sequence[Any],
        batch_size: int,
        drop_last: bool = False,
        *,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        bucket_size_multiplier: int = 100,
        generator: Generator | None = None,
    ) -> None:
        sizes = {"batch_size": batch_size, "bucket_size_multiplier": bucket_size_multiplier}
        for name, n in sizes.items():
            if not isinstance(n, int) or isinstance(n, bool) or n <= 0:
                raise ValueError(
                    f"BucketBatchSampler: {name} should be a positive integer, got {n!r}"
                )
        if shuffle and sampler is not None:
            raise ValueError("BucketBatchSampler: sampler and shuffle=True exclude each other")
        self.lengths, self.batch_size, self.drop_last = lengths, batch_size, drop_last
        self.shuffle = sampler is None if shuffle is None else shuffle
        self.sampler, self.generator = sampler, generator
        self.bucket_size_multiplier = bucket_size_multiplier

    def __iter__(self) -> Iterator[list[int]]:
        generator = self.generator
        if generator is None and (self.shuffle or self.sampler is not None):
            generator = Generator().manual_seed(draw_seed())
        size = self.batch_size * self.bucket_size_multiplier
        order = iter(self._order(generator))
        while bucket := list(islice(order, size)):
            yield from self._batches(bucket, generator)

    def _order(self, generator: Generator | None) -> Iterable[int]:
        if self.sampler is not None:
            return self.sampler
        n = len(self.lengths)
        return randperm(n, generator=generator).tolist() if self.shuffle else range(n)

    def _batches(self, bucket: list[int], generator: Generator | None) -> Iterator[list[int]]:
        bucket.sort(key=self.lengths.__getitem__)
        starts = list(range(0, len(bucket), self.batch_size))
        if generator is not None:
            starts = [starts[i] for i in randperm(len(starts), generator=generator).tolist()]
        for start in starts:
            batch = bucket[start : start + self.batch_size]
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n = len(self.lengths if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class DistributedSampler(Sampler[int]):
    """This process's share of a dataset, when several processes train together.

    All processes draw the same order and take every num_replicas-th sample of it. The order is
    padded with its own beginning, or cut, so that the shares are equally long.

    Args:
        dataset: the whole.
        num_replicas: how many processes there are; default: the environment's ``WORLD_SIZE``.
        rank: the number of this one, from 0; default: the environment's ``RANK``.
        shuffle: whether the order is random.
        seed: of the random order, the same in all processes.
        drop_last: cut instead of padding.

    Raises:
        ValueError: rank is outside the range, or nothing says how many processes there are.

    Example:
        >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
        [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        self.num_replicas = _from_environment("num_replicas", num_replicas, "WORLD_SIZE")
        self.rank = _from_environment("rank", rank, "RANK")
        if not 0 <= self.rank < self.num_replicas:
            raise ValueError(
                f"DistributedSampler: rank should be from 0 to {self.num_replicas - 1}, got "
                f"{self.rank}"
            )
        self.dataset, self.shuffle, self.seed, self.drop_last = dataset, shuffle, seed, drop_last
        self.epoch = 0

    @property
    def num_samples(self) -> int:
        """How many samples each process gets."""
        share = len(self.dataset) / self.num_replicas
        return math.floor(share) if self.drop_last else math.ceil(share)

    @property
    def total_size(self) -> int:
        """How many samples all processes get together."""
        return self.num_samples * self.num_replicas

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, so that it has a random order of its own."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        n, total = len(self.dataset), self.total_size
        order: list[int] = list(range(n))
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            order = randperm(n, generator=generator).tolist()
        if n:
            order = (order * -(-total // n))[:total]
        return iter(order[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples


def _from_environment(name: str, given: int | None, variable: str) -> int:
    if given is not None:
        return given
    if variable not in os.environ:
        raise ValueError(
            f"DistributedSampler: give {name}, or set the environment variable {variable}"
        )
    return int(os.environ[variable])
