"""`StatefulDataLoader`: a loader that resumes in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .iterate import InlineIterator, WorkerIterator
from .loader import DataLoader
from .resuming import draws, generators_of, restore_draws

__all__ = ["StatefulDataLoader"]

_VERSION = 1


class StatefulDataLoader(DataLoader[Any]):
    """A `DataLoader` whose position can be saved and taken up again, under torchdata's name.

    After ``load_state_dict(state)`` the next pass goes on with the batch that would have come after
    ``state_dict()`` was called: same order, same random draws. Then come ordinary epochs.

    Args:
        dataset: as of `DataLoader`, and so are all other arguments.
        snapshot_every_n_steps: how often workers send their state along. Resuming repeats and
            drops the batches since, so larger numbers save time now for time then.

    What is saved, in plain values that `triptych.save` can store:

    - the order: from a sampler's or batch sampler's own ``state_dict``, if it or its iterator has
      one; else the states of the generators when the epoch began, and how many batches were taken.
    - the dataset's place: from ``state_dict`` of a stream's iterator, or of the dataset, in each
      worker. A stream without either starts anew and skips what was handed out.
    - random draws: each worker's default generators of Triptych, Python and NumPy, and those of
      this process at the time of the call. Resuming sets them. Threads (``worker_type="thread"``)
      share this process's, whose draws no state can repeat. A `Generator` that a dataset keeps for
      itself is saved only by the dataset's own ``state_dict``.

    Raises:
        ValueError: in_order=False, as there is no order to take up; or snapshot_every_n_steps is
            less than one.

    Example:
        >>> loader = StatefulDataLoader(range(6), batch_size=2)
        >>> batches = iter(loader)
        >>> next(batches).tolist()
        [0, 1]
        >>> again = StatefulDataLoader(range(6), batch_size=2)
        >>> again.load_state_dict(loader.state_dict())
        >>> [batch.tolist() for batch in again]
        [[2, 3], [4, 5]]
    """

    def __init__(
        self, dataset: Any, *args: Any, snapshot_every_n_steps: int = 1, **options: Any
    ) -> None:
        super().__init__(dataset, *args, **options)
        if not self.in_order:
            raise ValueError("StatefulDataLoader: in_order=False has no order to resume")
        if not isinstance(snapshot_every_n_steps, int) or snapshot_every_n_steps < 1:
            raise ValueError(
                "StatefulDataLoader: snapshot_every_n_steps should be a positive integer, got "
                f"{snapshot_every_n_steps!r}"
            )
        self.snapshot_every_n_steps = snapshot_every_n_steps
        self._pass: InlineIterator | WorkerIterator | None = None
        self._resume: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Where the latest pass is; before the first, or after the last batch of one, that a new
        epoch comes next. A loaded state stays the answer until the next pass starts.
        """
        if self._resume is not None:
            return self._resume
        generators = generators_of(self)
        position = None if self._pass is None else self._pass.position()
        return {
            "version": _VERSION,
            "num_workers": self.num_workers,
            "position": position,
            "draws": draws(generators),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Have the next pass go on where another loader was, of the same dataset and arguments.

        Raises:
            ValueError: it is no such state, or that of a loader with another number of workers.
        """
        if not isinstance(state_dict, dict) or state_dict.get("version") != _VERSION:
            raise ValueError(
                "load_state_dict: wanted what StatefulDataLoader.state_dict() of this version gave"
            )
        if state_dict["num_workers"] != self.num_workers:
            raise ValueError(
                f"load_state_dict: the state is that of {state_dict['num_workers']} workers, this "
                f"loader has {self.num_workers}; each has a place of its own"
            )
        self._resume, self._pass = state_dict, None

    def __iter__(self) -> Iterator[Any]:
        resume, self._resume = self._resume, None
        position = None if resume is None else resume["position"]
        if resume is not None:
            begin = resume["draws"] if position is None else position["begin"]
            restore_draws(begin, generators_of(self))
        self._pass = self._start(position)
        if resume is not None and position is not None:
            for _ in range(position["dropped"]):
                next(self._pass, None)
            restore_draws({**resume["draws"], "generators": []})
        # Not ahead: the state is that of the batches which were handed out.
        return self._delivered(self._pass, ahead=0)
