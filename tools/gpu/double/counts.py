"""What costs on a GPU and does not show in results."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields


@dataclass
class Counts:
    """Copies to and from the device, waits for it, and kernels launched."""

    to_device: int = 0
    to_host: int = 0
    synchronizations: int = 0
    launches: int = 0

    def waited(self) -> None:
        """A result came to the host, which waits for it."""
        self.to_host += 1
        self.synchronizations += 1


COUNTS = Counts()


@contextlib.contextmanager
def counted() -> Iterator[Counts]:
    """Inside the block everything is counted; afterwards the counts are those of the block."""
    before, within = asdict(COUNTS), Counts()
    yield within
    for field in fields(Counts):
        setattr(within, field.name, getattr(COUNTS, field.name) - before[field.name])
