"""One pass over a loader: in this thread, or with workers ahead of it."""

from __future__ import annotations

import copy
import queue
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .pool import Died, Pool, ProcessPool, ThreadPool
from .record import Position, Record, turns_of
from .resuming import Requests, draws, generators_of
from .sampler import draw_seed
from .worker import Begin, Fetch, Job, Reply

if TYPE_CHECKING:
    from .loader import DataLoader

__all__ = ["InlineIterator", "WorkerIterator"]


def job_of(loader: DataLoader[Any]) -> Job:
    """What the workers of a loader do."""
    return Job(
        dataset=loader.dataset,
        streaming=loader.streaming,
        batched=loader.batched,
        collate=loader.collate_fn,
        drop_last=loader.drop_last,
        num_workers=loader.num_workers,
        init=loader.worker_init_fn,
        seeds_globals=loader.worker_type == "process",
    )


def _draws(loader: DataLoader[Any]) -> dict[str, Any] | None:
    """The random states when an epoch begins, for loaders that have a position."""
    return None if loader.snapshot_every_n_steps is None else draws(generators_of(loader))


def _requests(loader: DataLoader[Any], position: Position | None) -> Iterator[Any]:
    """The requests of an epoch; they keep count for loaders that have a position."""
    if loader.snapshot_every_n_steps is None:
        return iter(loader.requests())
    if position is None:
        return Requests(loader)
    return Requests(loader, position["taken"], position["sampler"])


class InlineIterator(Iterator[Any]):
    """Loads each batch when it is asked for.

    Args:
        loader: what to iterate over.
        position: where an earlier pass was, to go on there.
    """

    def __init__(self, loader: DataLoader[Any], position: Position | None = None) -> None:
        self._begin = _draws(loader) if position is None else position["begin"]
        draw_seed(loader.generator)  # as with workers, so that what follows is the same
        state = None if position is None else position["workers"][0]["fetch"]
        self._fetcher = job_of(loader).fetcher(state)
        self._requests = _requests(loader, position)
        self._finished = False

    def __next__(self) -> Any:
        try:
            return self._fetcher.fetch(next(self._requests))
        except StopIteration:
            self._finished = True
            raise

    def position(self) -> Position | None:
        """Where the next batch comes from; None when there is none."""
        if self._finished or not isinstance(self._requests, Requests):
            return None
        taken = self._requests.taken
        return {
            "begin": self._begin,
            "taken": taken,
            "sampler": self._requests.state_at(taken),
            "workers": [{"fetch": copy.deepcopy(self._fetcher.state())}],
            "dropped": 0,
        }


def start_workers(loader: DataLoader[Any]) -> Pool:
    """Start the workers of a loader."""
    job = job_of(loader)
    return ThreadPool(job) if loader.worker_type == "thread" else ProcessPool(job, loader.context())


class WorkerIterator(Iterator[Any]):
    """Has workers load batches ahead, and hands them out in order.

    Args:
        loader: what to iterate over.
        pool: its workers; what they still do for an earlier pass is dropped.
        position: where an earlier pass was, to go on there.
    """

    def __init__(
        self, loader: DataLoader[Any], pool: Pool, position: Position | None = None
    ) -> None:
        self._loader, self._pool = loader, pool
        begin = _draws(loader)
        if not loader.persistent_workers:
            weakref.finalize(self, pool.shutdown)
        pool.epoch += 1
        self._epoch, self._finished = pool.epoch, False
        self._sent = 0 if position is None else position["taken"]
        self._owners: dict[int, int] = {}  # which worker has which batch
        self._ready: dict[int, tuple[Reply, Any]] = {}
        # Workers with something left, next one first.
        self._turns = turns_of(position, loader.num_workers)
        seed = draw_seed(loader.generator)
        self._requests = _requests(loader, position)
        self._record = None
        if begin is not None and isinstance(self._requests, Requests):
            self._record = Record(loader, begin, self._requests, position)
        for worker in range(loader.num_workers):
            state = None if position is None else position["workers"][worker]
            pool.send(worker, Begin(self._epoch, seed, state))
        for _ in range(loader.num_workers * (loader.prefetch_factor or 1)):
            self._send_next()

    def _send_next(self) -> None:
        if not self._turns:
            return
        try:
            request = next(self._requests)
        except StopIteration:
            return
        worker = self._turns.pop(0)
        self._turns.append(worker)
        self._owners[self._sent] = worker
        snapshot = self._record is not None and self._record.is_near(self._sent)
        self._pool.send(worker, Fetch(self._epoch, self._sent, request, snapshot))
        self._sent += 1

    def __next__(self) -> Any:
        if self._owners and self._pool.epoch != self._epoch:
            raise RuntimeError(
                "DataLoader: with persistent_workers a new pass ends the one before; finish that "
                "first, or leave persistent_workers out"
            )
        while self._owners:
            number = self._take()
            reply, payload = self._ready.pop(number)
            del self._owners[number]
            self._send_next()
            if self._record is not None:
                self._record.note(reply, self._next_worker())
            if reply.kind == "data":
                return self._pool.value(payload)
            if reply.kind == "error":
                raise self._pool.error(payload, reply.worker)
        self._finished = True
        if not self._loader.persistent_workers:
            self.shutdown()
        raise StopIteration

    def _next_worker(self) -> int:
        """Whose turn it is after the batch that is handed out now."""
        return next(iter(self._owners.values()), self._turns[0] if self._turns else 0)

    def position(self) -> Position | None:
        """Where the next batch comes from; None when there is none."""
        if self._record is None or self._finished:
            return None
        return self._record.position()

    def _take(self) -> int:
        """The number of the batch that is next, once it is there."""
        while True:
            if not self._loader.in_order and self._ready:
                return next(iter(self._ready))
            number: int = next(iter(self._owners))
            if number in self._ready:
                return number
            self._receive(number)

    def _receive(self, awaited: int) -> None:
        """Wait for one reply."""
        try:
            reply, payload = self._pool.replies.get(timeout=self._loader.timeout or None)
        except queue.Empty:
            worker = self._pool.name(self._owners[awaited])
            self.shutdown()
            raise RuntimeError(
                f"{worker} did not deliver batch {awaited} within {self._loader.timeout} s; raise "
                "timeout=, or look for what the dataset waits for"
            ) from None
        if isinstance(reply, Died):
            self._bury(reply.worker)
        if reply.epoch != self._epoch:
            return
        if reply.kind == "end" and reply.worker in self._turns:
            self._turns.remove(reply.worker)
        self._ready[reply.number] = reply, payload

    def _bury(self, worker: int) -> None:
        numbers = [n for n, owner in self._owners.items() if owner == worker]
        at = f" while loading batch {numbers[0]}" if numbers else ""
        text = self._pool.obituary(worker)
        self.shutdown()
        raise RuntimeError(f"{text}{at}; with num_workers=0 the cause shows in this process")

    def shutdown(self) -> None:
        """Stop the workers."""
        self._owners, self._ready = {}, {}
        self._pool.shutdown()
