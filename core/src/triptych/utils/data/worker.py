"""What a worker of a loader knows and does."""

from __future__ import annotations

import contextlib
import ctypes
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from ... import random as tensor_random
from ...state import state as thread
from . import wire
from .failure import Failure
from .fetch import Collate, Fetcher, MapFetcher, StreamFetcher
from .resuming import draws, restore_draws

__all__ = ["WorkerInfo", "get_worker_info"]


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        seed: its seed of this epoch; the same for all workers, plus id.
        dataset: its copy of the dataset; among threads, the dataset itself.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Local(threading.local):
    info: WorkerInfo | None = None


_local = _Local()


def get_worker_info() -> WorkerInfo | None:
    """Which worker of a `DataLoader` runs this code; None outside of workers.

    Example:
        >>> class Stream(IterableDataset):
        ...     def __iter__(self):
        ...         info = get_worker_info()
        ...         first, step = (0, 1) if info is None else (info.id, info.num_workers)
        ...         return iter(range(first, 10, step))
        >>> list(Stream())
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    return _local.info


class Begin(NamedTuple):
    """An epoch begins, or goes on where a worker was in a state that it sent."""

    epoch: int
    base_seed: int
    state: dict[str, Any] | None = None


class Fetch(NamedTuple):
    """Fetch a batch; every such message gets one reply, with the worker's state if wanted."""

    epoch: int
    number: int
    request: Any
    snapshot: bool = False


class Reply(NamedTuple):
    """An answer. Its kind is "data", "end" (of this worker's stream) or "error"."""

    epoch: int
    number: int
    worker: int
    kind: str
    state: dict[str, Any] | None = None


@dataclass
class Job:
    """All that workers need to know, sent to each once."""

    dataset: Any
    streaming: bool
    batched: bool
    collate: Collate
    drop_last: bool
    num_workers: int
    init: Callable[[int], None] | None
    seeds_globals: bool  # whether workers have random generators of their own to seed

    def fetcher(self, state: dict[str, Any] | None = None) -> Fetcher:
        """A fetcher for one epoch, or for the rest of one from a state on."""
        if self.streaming:
            return StreamFetcher(self.dataset, self.batched, self.collate, self.drop_last, state)
        return MapFetcher(self.dataset, self.batched, self.collate, state)


def seed_everything(seed: int) -> None:
    """Seed the default generators of Triptych, Python and NumPy."""
    tensor_random.manual_seed(seed)
    random.seed(seed)
    # Given the seed as it is, NumPy would draw the numbers that Python draws.
    np.random.seed(np.random.SeedSequence(seed).generate_state(4))


class Worker:
    """Turns messages into replies.

    Args:
        job: what to do.
        id: the number of this worker.
    """

    def __init__(self, job: Job, id: int) -> None:
        self.job, self.id = job, id
        self._fetcher: Fetcher | None = None
        self._failure: Exception | None = None
        self._initialized = False

    def begin(self, message: Begin) -> None:
        """Start an epoch. What goes wrong is reported with the first batch."""
        job, seed = self.job, message.base_seed + self.id
        _local.info = WorkerInfo(self.id, job.num_workers, seed, job.dataset)
        self._fetcher = self._failure = None
        try:
            if job.seeds_globals:
                seed_everything(seed)
            if job.init is not None and not self._initialized:
                job.init(self.id)
            self._initialized = True
            state = message.state or {"fetch": None, "draws": None}
            self._fetcher = job.fetcher(state["fetch"])
            if state["draws"] is not None:
                restore_draws(state["draws"])
        except Exception as error:
            self._failure = error

    def state(self) -> dict[str, Any] | None:
        """Where this worker is; None at the end of its stream."""
        if self._fetcher is None:
            return None
        state = {"fetch": self._fetcher.state(), "draws": None}
        if self.job.seeds_globals:
            state["draws"] = draws()
        return state

    def answer(self, message: Fetch) -> tuple[Reply, Any]:
        """The reply to a message, and what it carries."""
        kind, value = self.fetch(message)
        state = self.state() if message.snapshot else None
        return Reply(message.epoch, message.number, self.id, kind, state), value

    def fetch(self, message: Fetch) -> tuple[str, Any]:
        """The kind of the reply and what it carries."""
        if self._failure is not None:
            failure = self._failure
            # Once raised, an exception holds the frames of its way, so a worker must not hold it.
            self._failure = RuntimeError(f"the worker could not start: {failure!r}")
            return "error", failure
        if self._fetcher is None:
            return "end", None
        try:
            return "data", self._fetcher.fetch(message.request)
        except StopIteration:
            self._fetcher = None
            return "end", None
        except Exception as error:
            return "error", error


_BLAS_SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads",
    "MKL_Set_Num_Threads",
)


def use_one_blas_thread() -> None:
    """Keep NumPy's matrix products in this process to one thread.

    Workers are the parallel part already. And a forked one has no BLAS threads: where the parent
    was within a product on another thread, a threaded product here would wait for them forever.
    """
    library = ctypes.CDLL(np.linalg._umath_linalg.__file__)  # looks its own dependencies up, too
    for name in _BLAS_SETTERS:
        with contextlib.suppress(AttributeError):  # NumPy was built with another BLAS
            getattr(library, name)(1)
            return


def forget_modes() -> None:
    """Record gradients and trace nothing, whatever the parent was doing when it forked."""
    thread.trace, thread.run = None, thread.quiet
    thread.grad, thread.inference = True, False


def process_main(pipe: Connection, parent_ends: Any, job: Job, id: int) -> None:
    """The life of a worker process: answers messages until the pipe closes."""
    for end in list(parent_ends):  # forked: these belong to the parent
        end.close()
    use_one_blas_thread()
    forget_modes()
    worker = Worker(job, id)
    try:
        while True:
            message = pipe.recv()
            if isinstance(message, Begin):
                worker.begin(message)
            else:
                _answer(pipe, worker, message)
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass  # the parent has closed the pipe, is gone, or handles Ctrl-C itself
    finally:
        pipe.close()


def _answer(pipe: Connection, worker: Worker, message: Fetch) -> None:
    try:
        reply, value = worker.answer(message)
    except Exception as error:  # from a state_dict of the dataset's
        reply, value = Reply(message.epoch, message.number, worker.id, "error"), error
    try:
        packed = wire.pack(Failure.of(value) if reply.kind == "error" else value)
    except Exception as error:  # a batch that cannot be pickled
        error.add_note(
            "The batch cannot be sent from the worker; return tensors, arrays or plain values"
        )
        reply, packed = reply._replace(kind="error"), wire.pack(Failure.of(error))
    wire.send(pipe, reply, packed)
