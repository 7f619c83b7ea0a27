"""Where a pass with workers is: the latest of their states that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .resuming import Requests
from .worker import Reply

if TYPE_CHECKING:
    from .loader import DataLoader

__all__ = ["Position", "Record", "turns_of"]

Position = dict[str, Any]


def turns_of(position: Position | None, num_workers: int) -> list[int]:
    """The workers with something left, the next one first."""
    if position is None:
        return list(range(num_workers))
    first, ended = position["next"], position["ended"]
    circle = [(first + i) % num_workers for i in range(num_workers)]
    return [worker for worker in circle if worker not in ended]


class Record:
    """The position of a pass, from what workers say of themselves beside their batches.

    Workers are ahead of the consumer, so a worker's place is the one it had after the batch of its
    that was handed out last.

    Args:
        loader: whose pass it is.
        begin: the random states when the epoch began.
        requests: what the pass asks for.
        position: where the pass starts, if not at the beginning.
    """

    def __init__(
        self,
        loader: DataLoader[Any],
        begin: dict[str, Any],
        requests: Requests,
        position: Position | None,
    ) -> None:
        self._every, self._workers = loader.snapshot_every_n_steps or 1, loader.num_workers
        self._requests = requests
        self._position = {
            "begin": begin,
            "taken": 0,
            "sampler": requests.state_at(requests.taken),
            "workers": [None] * loader.num_workers,
            "ended": [],
            "next": 0,
            "dropped": 0,
            **(position or {}),
        }
        self._position["dropped"] = 0
        self._states = list(self._position["workers"])
        self._ended = list(self._position["ended"])

    def is_near(self, number: int) -> bool:
        """Whether a batch may be its worker's last before a snapshot, which needs its state."""
        return number % self._every >= self._every - self._workers

    def note(self, reply: Reply, next_worker: int) -> None:
        """Take a reply into account that is handed out now."""
        if reply.state is not None:
            self._states[reply.worker] = reply.state
        if reply.kind == "end" and reply.worker not in self._ended:
            self._ended.append(reply.worker)
        taken = reply.number + 1
        if taken % self._every:
            self._position["dropped"] += reply.kind == "data"
            return
        self._position |= {
            "taken": taken,
            "sampler": self._requests.state_at(taken),
            "workers": list(self._states),
            "ended": sorted(self._ended),
            "next": next_worker,
            "dropped": 0,
        }

    def position(self) -> Position:
        """A copy that stays as it is when the pass goes on."""
        return dict(self._position)
