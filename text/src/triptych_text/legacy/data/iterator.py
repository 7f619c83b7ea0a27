"""Iterators that make batches of a dataset's examples."""

from __future__ import annotations

import collections.abc
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import triptych as tp
from triptych import Generator
from triptych.errors import DomainError

from ...data.utils import RandomShuffler
from .batch import Batch

__all__ = ["BPTTIterator", "BucketIterator", "Iterator", "batch", "pool"]

POOL = 100  # batches whose examples are sorted together

SizeSoFar = Callable[[Any, int, int], int]
Key = Callable[[Any], Any]


def batch(
    data: Iterable[Any], batch_size: int, batch_size_fn: SizeSoFar | None = None
) -> collections.abc.Iterator[list[Any]]:
    """Rows in lists of a size.

    Args:
        data: rows.
        batch_size: most that a list holds.
        batch_size_fn: size of a list from (the newest row, their number, the size before); default
            their number.

    Example:
        >>> list(batch(range(5), 2))
        [[0, 1], [2, 3], [4]]
    """
    measure = batch_size_fn or (lambda new, count, size: count)
    rows: list[Any] = []
    size = 0
    for row in data:
        rows.append(row)
        size = measure(row, len(rows), size)
        if size == batch_size:
            yield rows
            rows, size = [], 0
        elif size > batch_size:
            if len(rows) > 1:
                yield rows[:-1]
            rows = rows[-1:]
            size = measure(row, 1, 0)
    if rows:
        yield rows


def pool(
    data: Iterable[Any],
    batch_size: int,
    key: Key,
    batch_size_fn: SizeSoFar | None = None,
    random_shuffler: Callable[[Sequence[Any]], list[Any]] | None = None,
    shuffle: bool = False,
    sort_within_batch: bool = False,
) -> collections.abc.Iterator[list[Any]]:
    """Lists of rows of similar keys, from sorted pools of a hundred lists.

    Args:
        data: rows.
        batch_size: as in `batch`.
        key: function of a row to sort by.
        batch_size_fn: as in `batch`.
        random_shuffler: puts the lists of a pool in random order.
        shuffle: whether to do so.
        sort_within_batch: keep lists sorted; else a list is in the order of the sorted pool, too,
            unless shuffle puts it otherwise.
    """
    mix = random_shuffler or RandomShuffler()
    for rows in batch(data, batch_size * POOL, batch_size_fn):
        lists = list(batch(sorted(rows, key=key), batch_size, batch_size_fn))
        yield from mix(lists) if shuffle or not sort_within_batch else lists


class Iterator:
    """Batches of a dataset.

    Args:
        dataset: a `Dataset`.
        batch_size: examples of a batch, or its size by batch_size_fn.
        sort_key: function of an example to sort by; default the dataset's.
        device: where tensors go.
        batch_size_fn: as in `batch`.
        train: whether the dataset is for training.
        repeat: start over at the end, without end.
        shuffle: random order in each epoch; default train.
        sort: sort the whole dataset; default not train.
        sort_within_batch: sort each batch, longest first; default sort.
        generator: draws orders; default the global one.

    Raises:
        DomainError: sorting is wanted, and there is no sort_key.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        sort_key: Key | None = None,
        device: Any = None,
        batch_size_fn: SizeSoFar | None = None,
        train: bool = True,
        repeat: bool = False,
        shuffle: bool | None = None,
        sort: bool | None = None,
        sort_within_batch: bool | None = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        self.dataset, self.batch_size, self.device = dataset, batch_size, device
        self.batch_size_fn, self.train, self.repeat = batch_size_fn, train, repeat
        self.shuffle = train if shuffle is None else shuffle
        self.sort = not train if sort is None else sort
        self.sort_within_batch = self.sort if sort_within_batch is None else sort_within_batch
        found = sort_key or getattr(dataset, "sort_key", None)
        if found is None and (self.sort or self.sort_within_batch):
            raise DomainError(f"{type(self).__name__}: sorting needs a sort_key; pass one")
        self.sort_key: Any = found
        self.random_shuffler = RandomShuffler(generator=generator)
        self.iterations = 0

    @classmethod
    def splits(
        cls,
        datasets: Sequence[Any],
        batch_sizes: Sequence[int] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """An iterator for each dataset; the first one is for training.

        Args:
            datasets: such as (train, validation, test).
            batch_sizes: one for each.
            batch_size: the same for all, in place of batch_sizes.
            **kwargs: as in the class.

        Raises:
            DomainError: there is no size, or not one for each.
        """
        sizes = batch_sizes if batch_sizes is not None else [batch_size or 0] * len(datasets)
        if len(sizes) != len(datasets) or not all(sizes):
            raise DomainError(f"{cls.__name__}.splits: give batch_size, or one for each dataset")
        pairs = zip(datasets, sizes, strict=True)
        return tuple(cls(d, n, train=i == 0, **kwargs) for i, (d, n) in enumerate(pairs))

    def data(self) -> list[Any]:
        """The examples in the order of this epoch."""
        if self.sort:
            return sorted(self.dataset, key=self.sort_key)
        return self.random_shuffler(self.dataset) if self.shuffle else list(self.dataset)

    def batches(self) -> Iterable[list[Any]]:
        """Lists of examples of one epoch."""
        return batch(self.data(), self.batch_size, self.batch_size_fn)

    def __iter__(self) -> collections.abc.Iterator[Batch]:
        while True:
            for rows in self.batches():
                self.iterations += 1
                if self.sort_within_batch:
                    # Longest first, as packing wants it.
                    rows = sorted(rows, key=self.sort_key, reverse=True)
                yield Batch(rows, self.dataset, self.device)
            if not self.repeat:
                return

    def __len__(self) -> int:
        if self.batch_size_fn is not None:
            return sum(1 for _ in self.batches())
        return math.ceil(len(self.dataset) / self.batch_size)

    @property
    def epoch(self) -> int:
        """How many times all batches came so far."""
        return self.iterations // max(len(self), 1)


class BucketIterator(Iterator):
    """Batches of examples of similar lengths, so that little has to be padded.

    With sort the whole dataset is sorted; else pools of a hundred batches are, and their batches
    come in random order.

    Args:
        dataset: a `Dataset`.
        batch_size: examples of a batch, or its size by batch_size_fn.
        sort_key: function of an example to sort by; default the dataset's.
        device: where tensors go.
        batch_size_fn: as in `batch`.
        train: whether the dataset is for training.
        repeat: start over at the end, without end.
        shuffle: random order in each epoch; default train.
        sort: sort the whole dataset; default not train.
        sort_within_batch: sort each batch, longest first; default sort.
        generator: draws orders; default the global one.

    Raises:
        DomainError: sorting is wanted, and there is no sort_key.
    """

    def batches(self) -> Iterable[list[Any]]:
        """Lists of examples of one epoch."""
        if self.sort or self.sort_key is None:
            return super().batches()
        return pool(
            self.data(),
            self.batch_size,
            self.sort_key,
            self.batch_size_fn,
            random_shuffler=self.random_shuffler,
            shuffle=self.shuffle,
            sort_within_batch=not self.shuffle,
        )


class BPTTIterator(Iterator):
    """One long text in parallel streams, a piece at a time, for language models.

    The dataset holds one example, whose only field holds the tokens. Batches have `text` (l, n)
    and `target` (l, n), the tokens that follow; with batch_first (n, l).

    Args:
        dataset: a `Dataset` of one example.
        batch_size: n, streams.
        bptt_len: l; the last piece may be shorter.
        **kwargs: as in `Iterator`.

    Raises:
        DomainError: the dataset holds something else.
    """

    def __init__(self, dataset: Any, batch_size: int, bptt_len: int, **kwargs: Any) -> None:
        super().__init__(dataset, batch_size, **{"sort": False, **kwargs})
        if len(dataset) != 1 or len(dataset.fields) != 1:
            raise DomainError("BPTTIterator: wanted a dataset of one example with one field")
        self.bptt_len = bptt_len

    def __len__(self) -> int:
        (name,) = self.dataset.fields
        steps = math.ceil(len(getattr(self.dataset[0], name)) / self.batch_size)
        return max(0, math.ceil((steps - 1) / self.bptt_len))

    def __iter__(self) -> collections.abc.Iterator[Batch]:
        ((name, field),) = self.dataset.fields.items()
        tokens = list(getattr(self.dataset[0], name))
        steps = math.ceil(len(tokens) / self.batch_size)
        tokens += [field.pad_token] * (steps * self.batch_size - len(tokens))
        numbers = tp.tensor(field.vocab(tokens), dtype=field.dtype, device=self.device)
        streams = numbers.reshape(self.batch_size, steps).transpose(0, 1)  # (steps, n)
        while True:
            for start in range(0, steps - 1, self.bptt_len):
                self.iterations += 1
                end = min(start + self.bptt_len, steps - 1)
                parts = {name: streams[start:end], "target": streams[start + 1 : end + 1]}
                if field.batch_first:
                    parts = {key: part.transpose(0, 1) for key, part in parts.items()}
                parts = {key: part.contiguous() for key, part in parts.items()}
                yield Batch.fromvars(self.dataset, self.batch_size, **parts)
            if not self.repeat:
                return
