"""Several data sets as one: one after the other, or in turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import numpy as np

import triptych as tp
from triptych.errors import DomainError, DTypeError

from .indexed import Dataset
from .iterable import IterableDataset
from .passes import DRAWS, SEEDS, Pass, Share, Step, common_seed
from .row_functions import columns_of

__all__ = ["concatenate_datasets", "interleave_datasets"]

Tables = Sequence[Dataset] | Sequence[IterableDataset]
STOPPING = ("first_exhausted", "all_exhausted")


@dataclass(frozen=True)
class Concatenated(Step):
    """Streams one after the other."""

    steps: tuple[Step, ...]

    def start(self, share: Share) -> Pass:
        """A new pass."""
        return _ChainPass(*(step.start(share) for step in self.steps))


class _ChainPass(Pass):
    fields: ClassVar = {"at": int}
    at: int

    def __next__(self) -> Any:
        while self.at < len(self.parents):
            for row in self.parents[self.at]:
                return row
            self.at += 1
        raise StopIteration


@dataclass(frozen=True)
class Interleaved(Step):
    """Streams in turns, or drawn by weight; each worker takes turns among its own shares."""

    steps: tuple[Step, ...]
    weights: tuple[float, ...] | None
    generator: tp.Generator | None
    all_exhausted: bool

    def start(self, share: Share) -> Pass:
        """A new pass."""
        return _TurnsPass(self, share)


class _TurnsPass(Pass):
    fields: ClassVar = {"turn": int, "block": list, "ahead": list, "ended": list}
    turn: int
    block: list[float]  # draws
    ahead: list[list[Any]]  # a row of each stream that was read before its turn
    ended: list[bool]

    def __init__(self, step: Interleaved, share: Share) -> None:
        self.step = step
        super().__init__(*(above.start(share) for above in step.steps))
        self.seed = None if step.weights is None else common_seed(step.generator)

    def _begin(self) -> None:
        super()._begin()
        self.ahead = [[] for _ in self.parents]
        self.ended = [False for _ in self.parents]

    def _next_turn(self) -> int:
        turn, self.turn = self.turn, self.turn + 1
        if self.step.weights is None or self.seed is None:
            return turn % len(self.parents)
        if turn % DRAWS == 0:
            draw = tp.Generator().manual_seed((self.seed + turn // DRAWS) % SEEDS)
            self.block = tp.rand(DRAWS, generator=draw, dtype=tp.float64).tolist()
        ends = np.cumsum(self.step.weights)
        at = np.searchsorted(ends, self.block[turn % DRAWS] * ends[-1], "right")
        return min(int(at), len(self.parents) - 1)

    def __next__(self) -> Any:
        while not all(self.ended):
            at = self._next_turn()
            rows = self._read(at)
            if rows and self.step.all_exhausted:
                self.ahead[at] = self._read(at)  # so that the end is known with the last row
            if not rows or (self.step.all_exhausted and not self.ahead[at]):
                self.ended = [e or i == at or not self.step.all_exhausted
                              for i, e in enumerate(self.ended)]  # fmt: skip
                self.parents[at].restart()
            if rows:
                return rows[0]
        raise StopIteration

    def _read(self, at: int) -> list[Any]:
        """The next row of a stream in a list, which is empty at its end."""
        waiting, self.ahead[at] = self.ahead[at], []
        return waiting or list(islice(self.parents[at], 1))


def concatenate_datasets(dsets: Tables) -> Any:
    """Data sets one after the other.

    Args:
        dsets: tables with the same columns, or streams.

    Returns:
        A `Dataset` of tables, an `IterableDataset` of streams.

    Raises:
        DTypeError: tables and streams are mixed, or there is none.
    """
    if _are_tables("concatenate_datasets", dsets):
        return Dataset(columns_of([row for table in dsets for row in table]), dsets[0].features)
    streams = [d for d in dsets if isinstance(d, IterableDataset)]
    return IterableDataset(Concatenated(tuple(d.step for d in streams)), dsets[0].features)


def interleave_datasets(
    datasets: Tables,
    probabilities: Sequence[float] | None = None,
    *,
    generator: tp.Generator | None = None,
    stopping_strategy: str = "first_exhausted",
) -> Any:
    """Rows of several data sets in turns.

    Args:
        datasets: tables with the same columns, or streams.
        probabilities: of each, to draw whose turn it is; they need not add up to 1. Default: one
            after the other.
        generator: draws; default the global one.
        stopping_strategy: "first_exhausted" ends with the first that has nothing left;
            "all_exhausted" starts those that end anew until all have ended once.

    Returns:
        A `Dataset` of tables, an `IterableDataset` of streams.

    Raises:
        DomainError: probabilities are not one for each, or the strategy is unknown.
        DTypeError: tables and streams are mixed, or there is none.

    Example:
        >>> few, many = IterableDataset(lambda: "ab"), IterableDataset(lambda: "1234")
        >>> "".join(interleave_datasets([few, many], stopping_strategy="all_exhausted"))
        'a1b2a3b4'
    """
    tables = _are_tables("interleave_datasets", datasets)
    if stopping_strategy not in STOPPING:
        raise DomainError(
            f"interleave_datasets: stopping_strategy is one of {STOPPING}, got "
            f"{stopping_strategy!r}"
        )
    weights = None if probabilities is None else tuple(map(float, probabilities))
    if weights is not None and (len(weights) != len(datasets) or min(weights) <= 0):
        raise DomainError(
            f"interleave_datasets: wanted {len(datasets)} probabilities above 0, got {weights}"
        )
    streams = [d.to_iterable_dataset() if isinstance(d, Dataset) else d for d in datasets]
    step = Interleaved(
        tuple(d.step for d in streams), weights, generator, stopping_strategy == "all_exhausted"
    )
    mixed = IterableDataset(step, datasets[0].features)
    return mixed.to_map_style() if tables else mixed


def _are_tables(what: str, datasets: Tables) -> bool:
    kinds = {isinstance(d, Dataset) for d in datasets}
    if len(kinds) != 1 or not all(isinstance(d, Dataset | IterableDataset) for d in datasets):
        raise DTypeError(
            f"{what}: wanted Datasets, or IterableDatasets, got "
            f"{', '.join(type(d).__name__ for d in datasets) or 'nothing'}"
        )
    return kinds == {True}
