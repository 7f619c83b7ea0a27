"""`IterableDataset`: a stream of rows that is changed step by step, and can be taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import triptych as tp
from triptych.errors import DomainError
from triptych.utils import data
from triptych.utils.data import get_worker_info

from .features import Features
from .passes import (
    WHOLE,
    Batch,
    Filter,
    Map,
    Part,
    Pass,
    Repeat,
    Share,
    Shuffle,
    Source,
    Step,
    Unbatch,
    Window,
)
from .row_functions import changed, changed_batch, column_names_of, counted, only, without

if TYPE_CHECKING:
    from .indexed import Dataset

__all__ = ["IterableDataset"]


class IterableDataset(data.IterableDataset[Any]):
    """Rows one after the other, from a file or anything else that can be read again and again.

    Steps are put behind each other and done while rows are read: nothing is kept in memory but what
    `shuffle` draws from. In the workers of a `triptych.utils.data.DataLoader` each reads a share of
    the rows, so that every row comes once. A pass, and the dataset for its latest pass, has
    `state_dict` and `load_state_dict`, which `StatefulDataLoader` uses to go on in the middle.

    Args:
        rows: called without arguments, gives the rows from the first on, every time the same; or a
            step of `triptych_text.datasets.passes`.
        features: what the columns of rows that are dicts hold.
        num_rows: how many there should be, where a publisher says so; not checked.

    Attributes:
        features: as given; None where it is not known.
        num_rows: as given; None where it is not known.

    Example:
        >>> numbers = IterableDataset(lambda: range(10)).filter(lambda n: n % 2).map(str)
        >>> list(numbers.skip(1).batch(2))
        [['3', '5'], ['7', '9']]
    """

    def __init__(
        self,
        rows: Callable[[], Iterable[Any]] | Step,
        features: Features | None = None,
        num_rows: int | None = None,
    ) -> None:
        self._step: Step = rows if isinstance(rows, Step) else Source(rows)
        self.features, self.num_rows = features, num_rows
        self._pass: Pass | None = None
        self._resume: dict[str, Any] | None = None

    @property
    def step(self) -> Step:
        """The last step; with those above it, all that is done to rows."""
        return self._step

    def __iter__(self) -> Iterator[Any]:
        """A pass over this worker's share of the rows."""
        worker = get_worker_info()
        share = WHOLE if worker is None else Share(worker.num_workers, worker.id)
        self._pass = self._step.start(share)
        if self._resume is not None:
            self._pass.load_state_dict(self._resume)
            self._resume = None
        return self._pass

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pass": None}

    def state_dict(self) -> dict[str, Any]:
        """Where the latest pass is; before the first, that of a pass that starts."""
        if self._resume is not None:
            return self._resume
        return (self._pass or self._step.start(WHOLE)).state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Have the next pass go on where a pass was.

        Args:
            state_dict: of a dataset of the same files and steps.
        """
        self._resume, self._pass = state_dict, None

    def _then(self, step: Step, keeps_features: bool = True) -> IterableDataset:
        return IterableDataset(step, self.features if keeps_features else None)

    def map(
        self,
        function: Callable[[Any], Any],
        *,
        batched: bool = False,
        batch_size: int = 1000,
        remove_columns: str | Sequence[str] = (),
    ) -> IterableDataset:
        """Rows changed by a function.

        Args:
            function: of a row. Where row and result are dicts, the result's columns are added or
                put in place of the row's; else the result is the row.
            batched: call it with many rows at once: a dict of lists where rows are dicts, else a
                list. It may give back more or fewer rows.
            batch_size: how many at once.
            remove_columns: leave out these columns of the rows that come in.
        """
        names = column_names_of(remove_columns)
        if not batched:
            return self._then(Map(self._step, partial(changed, function, names)), False)
        _positive("map", batch_size=batch_size)
        many = Map(Batch(self._step, batch_size), partial(changed_batch, function, names))
        return self._then(Unbatch(many), False)

    def filter(self, function: Callable[[Any], Any]) -> IterableDataset:
        """The rows for which a function is true.

        Args:
            function: of a row; its result counts as true or false.
        """
        return self._then(Filter(self._step, function))

    def shuffle(
        self, buffer_size: int = 1000, *, generator: tp.Generator | None = None
    ) -> IterableDataset:
        """Rows in random order, as far as memory goes; another order in every pass.

        Args:
            buffer_size: how many rows wait to be drawn from.
            generator: draws the order; default the global one. In workers, the loader's seed has a
                part in it.
        """
        _positive("shuffle", buffer_size=buffer_size)
        return self._then(Shuffle(self._step, buffer_size, generator))

    def take(self, n: int) -> IterableDataset:
        """The first n rows.

        Args:
            n: how many, 0 or more.

        Raises:
            DomainError: n is negative.
        """
        return self._then(Window(self._step, 0, counted("take", n)))

    def skip(self, n: int) -> IterableDataset:
        """The rows after the first n.

        Args:
            n: how many to leave out, 0 or more.

        Raises:
            DomainError: n is negative.
        """
        return self._then(Window(self._step, counted("skip", n)))

    def shard(self, num_shards: int, index: int) -> IterableDataset:
        """Every num_shards-th row of the source from row index on; for several processes.

        Args:
            num_shards: how many processes there are.
            index: the number of this one, from 0.
        """
        _positive("shard", num_shards=num_shards)
        if not 0 <= index < num_shards:
            raise DomainError(f"shard: wanted an index from 0 to {num_shards - 1}, got {index}")
        return self._then(Part(self._step, num_shards, index))

    def batch(self, batch_size: int, drop_last_batch: bool = False) -> IterableDataset:
        """Lists of rows; of rows that are dicts, dicts of lists.

        Args:
            batch_size: rows in each.
            drop_last_batch: leave out a last one that is shorter.
        """
        _positive("batch", batch_size=batch_size)
        batches = Batch(self._step, batch_size, drop_last_batch)
        return self._then(Map(batches, partial(changed_batch, None, ())), False)

    def repeat(self, num_times: int | None = None) -> IterableDataset:
        """The rows again and again; for ever by default.

        Args:
            num_times: how often; None never ends.
        """
        return self._then(Repeat(self._step, num_times))

    def select_columns(self, column_names: str | Sequence[str]) -> IterableDataset:
        """Only these columns of rows that are dicts.

        Args:
            column_names: one name or several.
        """
        return self._then(Map(self._step, partial(only, column_names_of(column_names))), False)

    def remove_columns(self, column_names: str | Sequence[str]) -> IterableDataset:
        """Rows that are dicts without these columns.

        Args:
            column_names: one name or several.
        """
        return self._then(Map(self._step, partial(without, column_names_of(column_names))), False)

    def to_map_style(self) -> Dataset | data.Dataset[Any]:
        """All rows in memory: a `Dataset` of dicts, and of other rows one with a length and index.

        Example:
            >>> len(IterableDataset(lambda: "abc").to_map_style())
            3
        """
        from ..data.functional import to_map_style_dataset
        from .indexed import Dataset

        rows = list(self)
        if rows and all(isinstance(row, dict) for row in rows):
            return Dataset.from_list(rows, features=self.features)
        return to_map_style_dataset(rows)

    def __repr__(self) -> str:
        steps, step = [], self._step
        while not isinstance(step, Source) and hasattr(step, "above"):
            steps.append(type(step).__name__.lower())
            step = step.above
        named = " > ".join([type(step).__name__.lower(), *reversed(steps)])
        known = "" if self.num_rows is None else f", num_rows={self.num_rows}"
        return f"IterableDataset({named}{known})"


def _positive(what: str, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise DomainError(f"{what}: {name} should be at least 1, got {size}")
