"""Batches on their way to a device, ahead of the step that needs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ... import cuda
from ...backends import Device, backend_for
from ...tensor import Tensor

__all__ = ["DeviceLoader"]


class DeviceLoader(Iterable[Any]):
    """Moves the tensors of batches to a device, a few batches ahead.

    Copies to a GPU go through a stream of their own, beside the kernels of the step that uses an
    earlier batch. On the CPU the batches come as they are.

    Args:
        loader: a `DataLoader`, or any iterable of batches: tensors in dicts, lists and tuples;
            everything else stays as it is.
        device: where to.
        ahead: how many batches are there beside the one that is used; each takes memory.

    Raises:
        DeviceError: there is no such device.
        ValueError: ahead is negative.

    Example:
        >>> loader = DeviceLoader(DataLoader(range(4), batch_size=2), "cpu")
        >>> [batch.tolist() for batch in loader]
        [[0, 1], [2, 3]]
    """

    def __init__(self, loader: Iterable[Any], device: Any, ahead: int = 1) -> None:
        if ahead < 0:
            raise ValueError(f"DeviceLoader: ahead should be at least 0, got {ahead}")
        self.loader, self.device, self.ahead = loader, Device(device), ahead
        backend_for(self.device)

    def __iter__(self) -> Iterator[Any]:
        send = _Lane(self.device) if self.device.type == "cuda" else _stay(self.device)
        waiting: deque[Callable[[], Any]] = deque()
        for batch in self.loader:
            waiting.append(send(batch))
            if len(waiting) > self.ahead:
                yield waiting.popleft()()
        for arrive in waiting:
            yield arrive()

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]


def _stay(device: Device) -> Callable[[Any], Callable[[], Any]]:
    def send(batch: Any) -> Callable[[], Any]:
        moved = converted(batch, lambda t: t.to(device))
        return lambda: moved

    return send


class _Lane:
    """Sends batches to a GPU through a stream of its own.

    Memory of batches belongs to this stream, which gets it back as soon as Python lets go of them:
    so each copy first waits for all that the consumer has queued by then.
    """

    def __init__(self, device: Device) -> None:
        self.device, self.stream = device, cuda.Stream(device)

    def __call__(self, batch: Any) -> Callable[[], Any]:
        """Start the copies; the result waits on the GPU, not here, until the batch is there."""
        with cuda.device(self.device.index):
            self.stream.wait_stream(cuda.current_stream(self.device))
            with self.stream:
                moved = converted(batch, lambda t: t.to(self.device, non_blocking=True))
            there = self.stream.record_event()

        def arrive() -> Any:
            there.wait(cuda.current_stream(self.device))
            return moved

        return arrive


def pinned(batch: Any) -> Any:
    """A batch with its tensors in page-locked memory."""
    return converted(batch, lambda t: t if t.is_cuda else t.pin_memory())


def converted(batch: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A batch with its tensors changed, nested as it is."""
    if isinstance(batch, Tensor):
        return change(batch)
    if type(batch) is dict:
        return {name: converted(value, change) for name, value in batch.items()}
    if isinstance(batch, Mapping):
        made = {name: converted(value, change) for name, value in batch.items()}
        return type(batch)(made)  # type: ignore[call-arg]
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(converted(value, change) for value in batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(converted(value, change) for value in batch)
    return batch
