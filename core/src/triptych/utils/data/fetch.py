"""From an index, or a list of them, to data: what a loader does in each worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from .collate import default_collate
from .dataset import bulk_method
from .resuming import has_state

__all__ = ["Fetcher", "MapFetcher", "StreamFetcher"]

Collate = Callable[[Any], Any]


class Fetcher(Protocol):
    """Answers requests for batches; raises StopIteration when there is nothing more."""

    def fetch(self, request: Any) -> Any:
        """The data for one request: a list of indices, or one index without batching."""

    def state(self) -> dict[str, Any]:
        """Where the dataset is, as far as it can be said."""


class MapFetcher:
    """Fetches from a dataset with an index.

    Args:
        dataset: the samples.
        batched: whether requests are lists of indices.
        collate: makes a batch of a list of samples, or converts one sample.
        state: from an earlier `state`, to go on there.
    """

    def __init__(
        self, dataset: Any, batched: bool, collate: Collate, state: dict[str, Any] | None = None
    ) -> None:
        _load(dataset, state, "dataset")
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

    def state(self) -> dict[str, Any]:
        """The dataset's own state, if it has one."""
        return {"dataset": self.dataset.state_dict()} if has_state(self.dataset) else {}

    def _fetch(self, request: Any) -> Any:
        if not self.batched:
            return self.collate(self.dataset[request])
        if self._fetch_batch is not None:
            return self._fetch_batch(request)
        if self._fetch_samples is not None:
            return self.collate(self._fetch_samples(request))
        return self.collate([self.dataset[i] for i in request])


def _load(thing: Any, state: dict[str, Any] | None, name: str) -> None:
    """Take a thing back to its state, if there is one of its name."""
    if state is not None and name in state:
        thing.load_state_dict(state[name])


class StreamFetcher:
    """Fetches from a stream; a request says how many samples are wanted.

    Args:
        dataset: the stream.
        batched: whether requests are lists; their lengths count.
        collate: makes a batch of a list of samples, or converts one sample.
        drop_last: leave out a last batch that is shorter.
        state: from an earlier `state`, to go on there.
    """

    def __init__(
        self,
        dataset: Any,
        batched: bool,
        collate: Collate,
        drop_last: bool,
        state: dict[str, Any] | None = None,
    ) -> None:
        self.batched, self.collate, self.drop_last = batched, collate, drop_last
        self.dataset = dataset
        _load(dataset, state, "dataset")
        self.iterator: Iterator[Any] = iter(dataset)
        _load(self.iterator, state, "iterator")
        self._samples = 0 if state is None else state["samples"]
        self._ended = False
        if state is not None and not {"dataset", "iterator"} & set(state):
            self._next(state["samples"])

    def state(self) -> dict[str, Any]:
        """The iterator's own state, or the dataset's, and how many samples came."""
        own = {"iterator": self.iterator, "dataset": self.dataset}
        found = {name: thing.state_dict() for name, thing in own.items() if has_state(thing)}
        if "iterator" in found:
            found.pop("dataset", None)
        return {"samples": self._samples, **found}

    def _next(self, count: int) -> list[Any]:
        """At most so many samples. Not by islice: that calls ``iter``, which may start anew."""
        samples: list[Any] = []
        while len(samples) < count and not self._ended:
            try:
                samples.append(next(self.iterator))
            except StopIteration:
                self._ended = True
        return samples

    def fetch(self, request: Any) -> Any:
        """The next batch, or the next sample."""
        samples = self._next(len(request) if self.batched else 1)
        self._samples += len(samples)
        if not self.batched and samples:
            return self.collate(samples[0])
        if not samples or (self.drop_last and len(samples) < len(request)):
            raise StopIteration
        return self.collate(samples)
