"""From an index, or a list of them, to data: what a loader does in each worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Protocol

from .collate import default_collate
from .dataset import bulk_method

__all__ = ["Fetcher", "MapFetcher", "StreamFetcher"]

Collate = Callable[[Any], Any]


class Fetcher(Protocol):
    """Answers requests for batches; raises StopIteration when there is nothing more."""

    def fetch(self, request: Any) -> Any:
        """The data for one request: a list of indices, or one index without batching."""


class MapFetcher:
    """Fetches from a dataset with an index.

    Args:
        dataset: the samples.
        batched: whether requests are lists of indices.
        collate: makes a batch of a list of samples, or converts one sample.
    """

    def __init__(self, dataset: Any, batched: bool, collate: Collate) -> None:
        self.dataset, self.batched, self.collate = dataset, batched, collate
        self._fetch_samples = bulk_method(dataset, "__getitems__")
        default = collate is default_collate
        self._fetch_batch = bulk_method(dataset, "__getbatch__") if default else None

    def fetch(self, request: Any) -> Any:
        """The collated samples of a list of indices, or the converted one of an index.

        Raises:
            RuntimeError: the dataset raised StopIteration, which would end the epoch unnoticed.
        """
        try:
            return self._fetch(request)
        except StopIteration as stop:
            raise RuntimeError(
                f"{type(self.dataset).__name__} raised StopIteration, which only an "
                "IterableDataset may"
            ) from stop

    def _fetch(self, request: Any) -> Any:
        if not self.batched:
            return self.collate(self.dataset[request])
        if self._fetch_batch is not None:
            return self._fetch_batch(request)
        if self._fetch_samples is not None:
            return self.collate(self._fetch_samples(request))
        return self.collate([self.dataset[i] for i in request])


class StreamFetcher:
    """Fetches from a stream; a request says how many samples are wanted.

    Args:
        dataset: the stream.
        batched: whether requests are lists; their lengths count.
        collate: makes a batch of a list of samples, or converts one sample.
        drop_last: leave out a last batch that is shorter.
    """

    def __init__(self, dataset: Any, batched: bool, collate: Collate, drop_last: bool) -> None:
        self.batched, self.collate, self.drop_last = batched, collate, drop_last
        self.iterator: Iterator[Any] = iter(dataset)

    def fetch(self, request: Any) -> Any:
        """The next batch, or the next sample."""
        if not self.batched:
            return self.collate(next(self.iterator))
        samples = list(islice(self.iterator, len(request)))
        if not samples or (self.drop_last and len(samples) < len(request)):
            raise StopIteration
        return self.collate(samples)
