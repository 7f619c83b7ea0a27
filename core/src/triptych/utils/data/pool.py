"""Workers as processes or threads behind one interface: send messages, get replies, shut down.

Processes share nothing: each has a pipe of its own, so one that is killed can neither hold a lock
nor leave half a message in the way of the others. A thread of the parent empties the pipes, which
is what makes prefetching work, and notices at once when one breaks.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
import warnings
import weakref
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from . import wire
from .worker import Begin, Fetch, Job, Reply, Worker, process_main

__all__ = ["Pool", "ProcessPool", "ThreadPool"]

_GRACE_S = 2.0  # for workers to finish what they are at, before they are terminated

_starting = threading.Lock()
_parent_ends: weakref.WeakSet[Connection] = weakref.WeakSet()


class Died(NamedTuple):
    """In place of a reply: a worker is gone."""

    worker: int


class Pool:
    """Base of the pools.

    Attributes:
        replies: pairs of a `Reply` and what it carries, or `Died`.
        epoch: the number of the latest pass.
        closed: whether the workers were stopped.
    """

    def __init__(self) -> None:
        self.replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.epoch, self.closed = 0, False
        self._owner = os.getpid()

    def send(self, worker: int, message: Begin | Fetch) -> None:
        """Give a worker something to do."""
        raise NotImplementedError

    def value(self, payload: Any) -> Any:
        """What a reply carries, from the form in which it came."""
        return payload

    def error(self, payload: Any, worker: int) -> Exception:
        """The exception that a reply of kind "error" carries."""
        raise NotImplementedError

    def name(self, worker: int) -> str:
        """A worker's name in messages."""
        raise NotImplementedError

    def obituary(self, worker: int) -> str:
        """How a worker came to its end."""
        raise NotImplementedError

    def shutdown(self) -> None:
        """Stop all workers; a second call does nothing, and a forked copy has no say."""
        if self.closed or os.getpid() != self._owner:
            return
        self.closed = True
        self._stop()

    def _stop(self) -> None:
        raise NotImplementedError


def _answer(worker: Worker, message: Fetch) -> tuple[Reply, Any]:
    try:
        return worker.answer(message)
    except Exception as error:  # from a state_dict of the dataset's
        return Reply(message.epoch, message.number, worker.id, "error"), error


class ThreadPool(Pool):
    """Workers as threads of this process.

    Args:
        job: what they do.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._queues: list[queue.SimpleQueue[Any]] = [
            queue.SimpleQueue() for _ in range(job.num_workers)
        ]
        self._threads = [
            threading.Thread(
                target=self._run, args=(Worker(job, i), q), name=f"loader-{i}", daemon=True
            )
            for i, q in enumerate(self._queues)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, worker: Worker, messages: queue.SimpleQueue[Any]) -> None:
        while (message := messages.get()) is not None:
            if self.closed:
                continue
            if isinstance(message, Begin):
                worker.begin(message)
            else:
                # Held by no variable of the thread, which may sleep for long after it.
                self.replies.put(_answer(worker, message))

    def send(self, worker: int, message: Begin | Fetch) -> None:
        """Give a worker something to do."""
        self._queues[worker].put(message)

    def error(self, payload: Any, worker: int) -> Exception:
        """The worker's own exception, with a note on where it came from."""
        error: Exception = payload
        error.add_note(f"Raised in {self.name(worker)}.")
        return error

    def name(self, worker: int) -> str:
        """A worker's name in messages."""
        return f"DataLoader worker thread {worker}"

    def obituary(self, worker: int) -> str:
        """Threads do not die."""
        return f"{self.name(worker)} ended"

    def _stop(self) -> None:
        for messages in self._queues:
            messages.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_GRACE_S)


class ProcessPool(Pool):
    """Workers as processes.

    Args:
        job: what they do.
        context: how to start them.
    """

    def __init__(self, job: Job, context: Any) -> None:
        super().__init__()
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        self._wake, self._waker = multiprocessing.Pipe(duplex=False)
        self._collector = threading.Thread(
            target=self._collect, name="loader-collector", daemon=True
        )
        try:
            for i in range(job.num_workers):
                self._start(job, context, i)
        except BaseException:
            self.shutdown()
            raise
        self._pids = [p.pid for p in self._processes]
        self._collector.start()

    def _start(self, job: Job, context: Any, i: int) -> None:
        # One at a time: a process forked meanwhile would inherit the worker's end and keep it open.
        with _starting:
            ours, theirs = multiprocessing.Pipe()
            self._pipes.append(ours)
            _parent_ends.add(ours)
            forked = context.get_start_method() == "fork"
            arguments = (theirs, _parent_ends if forked else (), job, i)
            process = context.Process(
                target=process_main, args=arguments, name=f"loader-{i}", daemon=True
            )
            try:
                _start_process(process)
            finally:
                theirs.close()
            self._processes.append(process)

    def _collect(self) -> None:
        workers = {pipe: i for i, pipe in enumerate(self._pipes)}
        while workers and not self.closed:
            try:
                ready = wait([self._wake, *workers])
            except OSError:  # closed under our feet by a shutdown
                return
            for pipe in ready:
                if pipe is self._wake:
                    return
                try:
                    self.replies.put(wire.receive(pipe))  # type: ignore[arg-type]
                except (EOFError, OSError):
                    self.replies.put((Died(workers.pop(pipe)), None))  # type: ignore[call-overload]

    def send(self, worker: int, message: Begin | Fetch) -> None:
        """Give a worker something to do; if it is gone, the replies tell."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._pipes[worker].send(message)

    def value(self, payload: Any) -> Any:
        """Unpack what came through the pipe."""
        return wire.unpack(payload)

    def error(self, payload: Any, worker: int) -> Exception:
        """The worker's exception, rebuilt."""
        rebuilt: Exception = wire.unpack(payload).rebuild(self.name(worker))
        return rebuilt

    def name(self, worker: int) -> str:
        """A worker's name in messages."""
        return f"DataLoader worker {worker} (pid {self._pids[worker]})"

    def obituary(self, worker: int) -> str:
        """How a worker process came to its end."""
        process = self._processes[worker]
        process.join(_GRACE_S)
        code = process.exitcode
        if code is None:
            return f"{self.name(worker)} closed its pipe"
        if code >= 0:
            return f"{self.name(worker)} exited with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = "; the system does that when memory runs out" if name == "SIGKILL" else ""
        return f"{self.name(worker)} was killed by {name} (exit code {code}){hint}"

    def _stop(self) -> None:
        self._waker.send_bytes(b"")
        if self._collector.is_alive() and self._collector is not threading.current_thread():
            self._collector.join()
        for pipe in (*self._pipes, self._wake, self._waker):
            pipe.close()
        end = time.monotonic() + _GRACE_S
        for process in self._processes:
            process.join(max(0.0, end - time.monotonic()))
        for process in self._processes:
            _make_sure(process)


def _start_process(process: Any) -> None:
    with warnings.catch_warnings():
        # Python 3.12 warns of any fork while there are threads, and BLAS always has some. Workers
        # use none of the parent's locks.
        warnings.filterwarnings("ignore", r".*multi-threaded.*fork", DeprecationWarning)
        try:
            process.start()
        except (AttributeError, TypeError, ValueError) as error:
            error.add_note(
                "DataLoader sends dataset, collate_fn and worker_init_fn to its workers, so they "
                "must be picklable: define classes and functions at the top level of a module. "
                "Or use worker_type='thread', or, on Linux, multiprocessing_context='fork'."
            )
            raise


def _make_sure(process: Any) -> None:
    """End a process that has not ended by itself."""
    for end in (process.terminate, process.kill):
        if process.is_alive():
            end()
            process.join(1.0)
    if not process.is_alive():
        process.close()
