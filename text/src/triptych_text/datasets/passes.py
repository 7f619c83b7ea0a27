"""Passes over streams: one step each, with a state to go on from.

A `Step` says how rows come about and starts passes; a pass is an iterator with a state. A share
(n, k) asks for every n-th row from the k-th on: for the workers of a loader. It goes up to the
source, past steps that look at each row by itself; a step that counts rows or draws from them sees
them all, in every worker alike, and gives out its share of what it makes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, NamedTuple

import triptych as tp
from triptych.utils.data import get_worker_info

__all__ = ["Batch", "Filter", "Map", "Pass", "Part", "Repeat", "Share", "Shuffle", "Source",
           "Step", "Unbatch", "Window", "WHOLE", "common_seed"]  # fmt: skip

SEEDS = 1 << 62
EPOCH_STRIDE = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: keeps the seeds of epochs far apart
DRAWS = 512  # numbers drawn at once


class Share(NamedTuple):
    """Every n-th row, from the k-th on."""

    n: int = 1
    k: int = 0


WHOLE = Share()


def common_seed(generator: tp.Generator | None) -> int:
    """A seed for this pass, the same in all workers of a loader.

    Args:
        generator: draws it; in workers its own seed has a part. Default: the global one.
    """
    worker = get_worker_info()
    if worker is None:
        return int(tp.randint(0, SEEDS, (), generator=generator).item())
    given = 0 if generator is None else generator.initial_seed()
    return (worker.seed - worker.id + given) % SEEDS


class Pass(Iterator[Any]):
    """One way through a stream.

    Subclasses list in `fields` the attributes that are their state, and what makes their first
    values. A pass that draws has a `seed` as well.
    """

    fields: ClassVar[Mapping[str, Callable[[], Any]]] = {}
    seed: int | None = None

    def __init__(self, *parents: Pass) -> None:
        self.parents = parents
        self._begin()

    def _begin(self) -> None:
        for name, make in self.fields.items():
            setattr(self, name, make())

    def restart(self) -> None:
        """Go through the stream once more; what is drawn is drawn anew."""
        if self.seed is not None:
            self.seed = (self.seed + EPOCH_STRIDE) % SEEDS
        for parent in self.parents:
            parent.restart()
        self._begin()

    def state_dict(self) -> dict[str, Any]:
        """Where the pass is, in plain values."""
        own = {name: _copied(getattr(self, name)) for name in self.fields}
        parents = [parent.state_dict() for parent in self.parents]
        return {**own, "seed": self.seed, "parents": parents}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another pass over the same stream was.

        Raises:
            ValueError: it is the state of another stream.
        """
        wanted = {*self.fields, "seed", "parents"}
        given = set(state_dict) if isinstance(state_dict, dict) else set()
        if given != wanted or len(state_dict["parents"]) != len(self.parents):
            raise ValueError(
                f"load_state_dict: wanted the state of a stream of the same steps, with "
                f"{sorted(wanted)}, got {sorted(given)}"
            )
        for parent, state in zip(self.parents, state_dict["parents"], strict=True):
            parent.load_state_dict(state)
        self._begin()
        for name in self.fields:
            setattr(self, name, _copied(state_dict[name]))
        self.seed = state_dict["seed"]


def _copied(value: Any) -> Any:
    return [_copied(item) for item in value] if type(value) is list else value


class Step(ABC):
    """What rows come from."""

    @abstractmethod
    def start(self, share: Share) -> Pass:
        """A new pass over a share of the rows."""


@dataclass(frozen=True)
class Source(Step):
    """Records, made rows by a decoder; rows that are None are left out."""

    records: Callable[[], Iterable[Any]]
    decode: Callable[[Any], Any] | None = None

    def start(self, share: Share) -> Pass:
        """A new pass; records of other shares are not decoded."""
        return _SourcePass(self, share)


class _SourcePass(Pass):
    fields: ClassVar = {"position": int}  # number of the next record
    position: int

    def __init__(self, step: Source, share: Share) -> None:
        super().__init__()
        self.step, self.share = step, share

    def _begin(self) -> None:
        super()._begin()
        self._records: Iterator[Any] | None = None

    def __next__(self) -> Any:
        if self._records is None:
            self._records = islice(self.step.records(), self.position, None)
        n, k = self.share
        decode = self.step.decode
        for record in self._records:
            number = self.position
            self.position += 1
            if number % n == k:
                row = record if decode is None else decode(record)
                if row is not None:
                    return row
        raise StopIteration


@dataclass(frozen=True)
class _Above(Step):
    """A step that follows another."""

    above: Step

    def start(self, share: Share) -> Pass:
        return self.follow(self.above.start(share), share)

    @abstractmethod
    def follow(self, rows: Pass, share: Share) -> Pass:
        """The pass of this step over one of the step above."""


@dataclass(frozen=True)
class _Whole(_Above):
    """A step that needs all rows in their order, and gives out its share of what it makes."""

    def start(self, share: Share) -> Pass:
        made = self.follow(self.above.start(WHOLE), WHOLE)
        return made if share.n == 1 else _PartPass(made, share)


@dataclass(frozen=True)
class Part(Step):
    """Every n-th row of a step, from the k-th on."""

    above: Step
    n: int
    k: int

    def start(self, share: Share) -> Pass:
        """A new pass over the share's part of this part."""
        return self.above.start(Share(self.n * share.n, self.k + self.n * share.k))


class _PartPass(Pass):
    fields: ClassVar = {"position": int}
    position: int

    def __init__(self, rows: Pass, share: Share) -> None:
        super().__init__(rows)
        self.share = share

    def __next__(self) -> Any:
        while True:
            row = next(self.parents[0])
            self.position += 1
            if (self.position - 1) % self.share.n == self.share.k:
                return row


@dataclass(frozen=True)
class Map(_Above):
    """A function of each row."""

    function: Callable[[Any], Any]

    def follow(self, rows: Pass, share: Share) -> Pass:
        """A new pass."""
        return _MapPass(rows, self.function)


class _MapPass(Pass):
    def __init__(self, rows: Pass, function: Callable[[Any], Any]) -> None:
        super().__init__(rows)
        self.function = function

    def __next__(self) -> Any:
        return self.function(next(self.parents[0]))


@dataclass(frozen=True)
class Filter(Map):
    """The rows for which a function is true."""

    def follow(self, rows: Pass, share: Share) -> Pass:
        """A new pass."""
        return _FilterPass(rows, self.function)


class _FilterPass(_MapPass):
    def __next__(self) -> Any:
        while True:
            row = next(self.parents[0])
            if self.function(row):
                return row


@dataclass(frozen=True)
class Window(_Whole):
    """Rows from number `first` up to but not including `last`."""

    first: int = 0
    last: int | None = None

    def follow(self, rows: Pass, share: Share) -> Pass:
        """A new pass."""
        return _WindowPass(rows, self.first, self.last)


class _WindowPass(Pass):
    fields: ClassVar = {"position": int}
    position: int

    def __init__(self, rows: Pass, first: int, last: int | None) -> None:
        super().__init__(rows)
        self.first, self.last = first, last

    def __next__(self) -> Any:
        while self.last is None or self.position < self.last:
            row = next(self.parents[0])
            self.position += 1
            if self.position > self.first:
                return row
        raise StopIteration


@dataclass(frozen=True)
class Batch(_Above):
    """Lists of so many rows."""

    size: int
    drop_last: bool = False

    def follow(self, rows: Pass, share: Share) -> Pass:
        """A new pass."""
        return _BatchPass(rows, self.size, self.drop_last)


class _BatchPass(Pass):
    def __init__(self, rows: Pass, size: int, drop_last: bool) -> None:
        super().__init__(rows)
        self.size, self.drop_last = size, drop_last

    def __next__(self) -> Any:
        batch = list(islice(self.parents[0], self.size))
        if not batch or (self.drop_last and len(batch) < self.size):
            raise StopIteration
        return batch


@dataclass(frozen=True)
class Unbatch(_Above):
    """The rows of lists, one by one."""

    def follow(self, rows: Pass, share: Share) -> Pass:
        """A new pass."""
        return _UnbatchPass(rows)


class _UnbatchPass(Pass):
    fields: ClassVar = {"waiting": list}  # the next row last
    waiting: list[Any]

    def __next__(self) -> Any:
        while not self.waiting:
            self.waiting = list(reversed(next(self.parents[0])))
        return self.waiting.pop()


@dataclass(frozen=True)
class Repeat(_Above):
    """The rows again and again; None never ends."""

    times: int | None = None

    def follow(self, rows: Pass, share: Share) -> Pass:
        """A new pass; each time through, what is drawn is drawn anew."""
        return _RepeatPass(rows, self.times)


class _RepeatPass(Pass):
    fields: ClassVar = {"done": int, "came": bool}
    done: int
    came: bool

    def __init__(self, rows: Pass, times: int | None) -> None:
        super().__init__(rows)
        self.times = times

    def __next__(self) -> Any:
        while self.times is None or self.done < self.times:
            for row in self.parents[0]:
                self.came = True
                return row
            if not self.came:
                break  # nothing to repeat
            self.done += 1
            self.parents[0].restart()
        raise StopIteration


@dataclass(frozen=True)
class Shuffle(_Above):
    """Rows in an order drawn from the next `size` of them at a time."""

    size: int
    generator: tp.Generator | None = None

    def follow(self, rows: Pass, share: Share) -> Pass:
        """A new pass."""
        return _ShufflePass(rows, self.size, common_seed(self.generator))


class _ShufflePass(Pass):
    fields: ClassVar = {"blocks": int, "draws": list, "waiting": list}
    blocks: int
    draws: list[float]
    waiting: list[Any]
    seed: int

    def __init__(self, rows: Pass, size: int, seed: int) -> None:
        super().__init__(rows)
        self.size, self.seed = size, seed

    def _draw(self, below: int) -> int:
        if not self.draws:
            stream = tp.Generator().manual_seed((self.seed + self.blocks) % SEEDS)
            self.draws = tp.rand(DRAWS, generator=stream, dtype=tp.float64).tolist()
            self.blocks += 1
        return int(self.draws.pop() * below)

    def __next__(self) -> Any:
        while len(self.waiting) < self.size:
            try:
                self.waiting.append(next(self.parents[0]))
            except StopIteration:
                break
        if not self.waiting:
            raise StopIteration
        at = self._draw(len(self.waiting))
        self.waiting[at], self.waiting[-1] = self.waiting[-1], self.waiting[at]
        return self.waiting.pop()
