"""`DataLoader`: batches of a dataset, loaded ahead by workers."""

from __future__ import annotations

import itertools
import multiprocessing
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from ...backends import Device, backend_for
from ...cuda import is_available
from ...random import Generator
from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset
from .device import DeviceLoader, pinned
from .iterate import InlineIterator, WorkerIterator, start_workers
from .pool import Pool
from .record import Position
from .sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader"]

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches.

    Args:
        dataset: with an index and a length, or an `IterableDataset`.
        batch_size: samples per batch; None hands out single samples.
        shuffle: a new random order in each epoch.
        sampler: which samples come when, instead of shuffle.
        batch_sampler: which samples come together, instead of batch_size, shuffle, sampler and
            drop_last.
        num_workers: how many workers load ahead; 0 loads in this thread when a batch is asked for.
        collate_fn: makes a batch of a list of samples; default `default_collate`, or without
            batching `default_convert`.
        pin_memory: hand out tensors in page-locked memory, from which
            ``.to("cuda", non_blocking=True)`` copies without waiting; does nothing without a GPU.
        drop_last: leave out a last batch that is smaller.
        timeout: seconds to wait for a batch of the workers; 0 waits as long as they live.
        worker_init_fn: called with the worker's number when a worker starts.
        multiprocessing_context: how to start processes: "fork", "forkserver", "spawn", or a context
            of `multiprocessing`; default is the interpreter's own (see below).
        generator: draws the order and the seeds of the workers.
        prefetch_factor: batches that each worker loads ahead; default 2.
        persistent_workers: keep the workers from epoch to epoch.
        pin_memory_device: accepted for compatibility; pinned memory serves all GPUs.
        in_order: hand out batches in order; False takes whichever is there first.
        worker_type: "process", or "thread" for datasets whose time goes to code that releases the
            interpreter lock: decoding, files, networks, large array operations.
        device: hand out batches on this device; they are copied there one ahead, as `DeviceLoader`
            does. Default leaves them where collate_fn made them.

    Raises:
        DeviceError: there is no such device.
        ValueError: options that exclude each other, or are out of range; the text names them.

    Batches are the same with any number of workers, as long as samples are not random. Each epoch
    draws a base seed from generator; worker k seeds the default generators of Triptych, NumPy and
    Python with it, plus k. Threads share those generators, so random samples should there be drawn
    from a `Generator` seeded with ``get_worker_info().seed``.

    Starting processes: "fork" takes milliseconds and the dataset need not be picklable, but threads
    of the parent do not come along, and whatever they held stays locked. Workers need none of them,
    and use a single BLAS thread of their own; still choose "forkserver" or "spawn" if samples are
    made with other threaded libraries or with CUDA. Those two copy the dataset into every worker,
    so it has to be picklable, need the guard ``if __name__ == "__main__":`` in scripts, and take a
    fraction of a second; "forkserver" takes milliseconds from the second time on after
    ``multiprocessing.set_forkserver_preload(["triptych.utils.data"])``.

    Batches of a MiB and more come through shared memory where the system has it without names
    (Linux); it is gone with the last tensor over it. Smaller ones come through pipes.

    An exception in a worker is raised here with the same type and the worker's traceback in its
    text. If a worker is killed, that is a RuntimeError.

    Example:
        >>> loader = DataLoader(list(range(5)), batch_size=2)
        >>> [batch.tolist() for batch in loader]
        [[0, 1], [2, 3], [4]]
    """

    # What a loader was made with. Passes of a StatefulDataLoader keep their position.
    batch_size: int | None = 1
    batch_sampler: Any = None
    collate_fn: Any = None
    device: Device | None = None
    dataset: Any = None
    drop_last: bool = False
    generator: Generator | None = None
    in_order: bool = True
    multiprocessing_context: Any = None
    num_workers: int = 0
    persistent_workers: bool = False
    pin_memory: bool = False
    pin_memory_device: str = ""
    prefetch_factor: int | None = None
    sampler: Any = None
    shuffle: bool = False
    snapshot_every_n_steps: int | None = None
    timeout: float = 0
    worker_init_fn: Callable[[int], None] | None = None
    worker_type: str = "process"

    def __init__(
        self,
        dataset: Dataset[T_co] | Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        worker_type: str = "process",
        device: Any = None,
    ) -> None:
        self.dataset, self.num_workers, self.timeout = dataset, num_workers, timeout
        self.drop_last, self.generator, self.in_order = drop_last, generator, in_order
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        if device is not None:
            self.device = Device(device)
            backend_for(self.device)
        self.worker_init_fn, self.worker_type = worker_init_fn, worker_type
        self.persistent_workers = persistent_workers
        self.multiprocessing_context = multiprocessing_context
        self.prefetch_factor, self.shuffle = prefetch_factor, bool(shuffle)
        self.streaming = isinstance(dataset, IterableDataset)
        self._check_workers()
        self._check_sampling(batch_size, shuffle, sampler, batch_sampler)
        if self.num_workers > 0 and prefetch_factor is None:
            self.prefetch_factor = 2
        self._choose_samplers(batch_size, shuffle, sampler, batch_sampler)
        self.collate_fn = collate_fn or (default_collate if self.batched else default_convert)
        self._pool: Pool | None = None

    # Checks of the arguments

    def _check_workers(self) -> None:
        wrong = {
            "num_workers": not isinstance(self.num_workers, int) or self.num_workers < 0,
            "timeout": self.timeout < 0,
            "prefetch_factor": self.prefetch_factor is not None and self.prefetch_factor < 1,
            "worker_type": self.worker_type not in ("process", "thread"),
        }
        wanted = {
            "num_workers": "an integer from 0",
            "timeout": "at least 0 seconds",
            "prefetch_factor": "at least 1",
            "worker_type": "'process' or 'thread'",
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                value = getattr(self, name)
                raise ValueError(f"DataLoader: {name} should be {wanted[name]}, got {value!r}")
        self._check_worker_options()

    def _check_worker_options(self) -> None:
        given = {
            "prefetch_factor": self.prefetch_factor is not None,
            "persistent_workers": self.persistent_workers,
            "multiprocessing_context": self.multiprocessing_context is not None,
            "timeout": self.timeout > 0,
        }
        if self.num_workers == 0 and any(given.values()):
            names = ", ".join(name for name, is_given in given.items() if is_given)
            raise ValueError(
                f"DataLoader: {names} needs workers, but num_workers is 0; set it to 1 or more"
            )
        if self.multiprocessing_context is not None:
            if self.worker_type == "thread":
                raise ValueError(
                    "DataLoader: multiprocessing_context and worker_type='thread' exclude each "
                    "other"
                )
            self.context()

    def _check_sampling(
        self, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any
    ) -> None:
        given = {
            "shuffle=True": bool(shuffle),
            "sampler": sampler is not None,
            "batch_sampler": batch_sampler is not None,
        }
        names = [name for name, is_given in given.items() if is_given]
        if self.streaming and names:
            raise ValueError(
                f"DataLoader: {names[0]} needs a dataset with an index, but "
                f"{type(self.dataset).__name__} is an IterableDataset, which decides itself what "
                "comes when"
            )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler and shuffle=True exclude each other")
        if batch_sampler is not None:
            names = names[:-1] + ["batch_size"] * (batch_size != 1) + ["drop_last"] * self.drop_last
            if names:
                raise ValueError(
                    f"DataLoader: batch_sampler and {', '.join(names)} exclude each other"
                )
        elif batch_size is None and self.drop_last:
            raise ValueError(
                "DataLoader: batch_size=None, which hands out single samples, and drop_last "
                "exclude each other"
            )

    def _choose_samplers(
        self, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any
    ) -> None:
        if batch_sampler is not None:
            batch_size = None
        if sampler is None:
            sampler = self._default_sampler(bool(shuffle))
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, self.drop_last)
        self.batch_size, self.sampler, self.batch_sampler = batch_size, sampler, batch_sampler

    def _default_sampler(self, shuffle: bool) -> Iterable[Any]:
        if self.streaming:
            return _Endless()
        if not hasattr(self.dataset, "__len__"):
            raise TypeError(
                f"DataLoader: {type(self.dataset).__name__} has no length; define __len__, pass a "
                "sampler, or derive it from IterableDataset"
            )
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    # What iterators ask for

    @property
    def batched(self) -> bool:
        """Whether samples are put into batches."""
        return self.batch_sampler is not None

    def requests(self) -> Iterable[Any]:
        """What is fetched in an epoch: lists of indices, or single indices."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def context(self) -> Any:
        """The `multiprocessing` context that starts the workers.

        Raises:
            ValueError: there is no such start method here.
        """
        wanted = self.multiprocessing_context
        if wanted is not None and not isinstance(wanted, str):
            return wanted
        methods = multiprocessing.get_all_start_methods()
        if wanted is not None and wanted not in methods:
            raise ValueError(
                f"DataLoader: multiprocessing_context should be one of {methods}, got {wanted!r}"
            )
        return multiprocessing.get_context(wanted)

    def __iter__(self) -> Iterator[Any]:
        return self._delivered(self._start(None), ahead=1)

    def _delivered(self, batches: Iterator[Any], ahead: int) -> Iterator[Any]:
        """Batches where they were asked for: in page-locked memory or on a device."""
        if self.pin_memory and is_available():
            batches = map(pinned, batches)
        return batches if self.device is None else iter(DeviceLoader(batches, self.device, ahead))

    def _start(self, position: Position | None) -> InlineIterator | WorkerIterator:
        """A new pass, from its beginning or from the position of another."""
        if self.num_workers == 0:
            return InlineIterator(self, position)
        if not self.persistent_workers:
            return WorkerIterator(self, start_workers(self), position)
        if self._pool is None or self._pool.closed:
            self._pool = start_workers(self)
            weakref.finalize(self, self._pool.shutdown)
        return WorkerIterator(self, self._pool, position)

    def __len__(self) -> int:
        """How many batches an epoch has.

        Raises:
            TypeError: the dataset or the sampler has no length.
        """
        if not self.streaming:
            return len(self.requests())  # type: ignore[arg-type]
        samples = len(self.dataset)  # raises TypeError, as documented
        if self.batch_size is None:
            return samples
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)


class _Endless:
    """The requests to a stream: it knows itself when it ends."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)
