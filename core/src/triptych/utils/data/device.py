"""Batches on their way to a device, ahead of the step that needs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...backends import Device, backend_for
from ...tensor import Tensor

__all__ = ["DeviceLoader"]


class DeviceLoader(Iterable[Any]):
    """Moves the tensors of batches to a device, a few batches ahead.

    Copies are queued on the device while the consumer is still at an earlier batch. On the CPU the
    batches come as they are.

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
        waiting: deque[Any] = deque()
        for batch in self.loader:
            waiting.append(moved(batch, self.device))
            if len(waiting) > self.ahead:
                yield waiting.popleft()
        yield from waiting

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]


def moved(batch: Any, device: Device) -> Any:
    """A batch with its tensors on a device."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if type(batch) is dict:
        return {name: moved(value, device) for name, value in batch.items()}
    if isinstance(batch, Mapping):
        return type(batch)({name: moved(value, device) for name, value in batch.items()})  # type: ignore[call-arg]
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(moved(value, device) for value in batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(moved(value, device) for value in batch)
    return batch
