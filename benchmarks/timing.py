"""Interleaved medians, and the tables that the measurements are printed in."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Cell",
    "Measured",
    "Row",
    "Skipped",
    "Table",
    "measure_apart",
    "median_seconds",
    "median_seconds_apart",
]

Call = Callable[[], object]
Cell = float | str | None


class Skipped(Exception):
    """A benchmark cannot run here; the text says why."""


@dataclass(frozen=True)
class Row:
    """One measured thing: its name and a value per column; None where there is nothing to say."""

    name: str
    cells: tuple[Cell, ...]


@dataclass
class Table:
    """What a benchmark gives back: rows of numbers with a title, and notes printed below.

    Args:
        title: what was measured, with the unit of the numbers.
        columns: headings of the cells; the column of names has none.
        rows: in the order in which they are printed.
        notes: how to read it, and what was left out and why.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, *cells: Cell) -> None:
        """Append a row.

        Raises:
            ValueError: the number of cells is not that of the columns.
        """
        if len(cells) != len(self.columns):
            raise ValueError(
                f"Table.add: wanted {len(self.columns)} cells ({', '.join(self.columns)}), "
                f"got {len(cells)} for {name!r}"
            )
        self.rows.append(Row(name, cells))

    def __str__(self) -> str:
        grid = [("", *self.columns)]
        grid += [(row.name, *map(_shown, row.cells)) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
        lines = [_aligned(cells, widths) for cells in grid]
        lines.insert(1, "-" * len(lines[0]))
        return "\n".join([self.title, "", *lines, *(f"  {note}" for note in self.notes)])


def median_seconds(
    calls: Mapping[str, Call], *, rounds: int = 100, batch_s: float = 0.002
) -> dict[str, float]:
    """Time several calls side by side.

    Each round runs a batch of every call, one after the other, so that a slow moment of the machine
    hits all of them; the median over the rounds drops such moments. Garbage collection waits.

    Args:
        calls: what to time, by name.
        rounds: batches of each call.
        batch_s: how long a batch should take, in seconds; a call that takes longer runs once.

    Returns:
        Median seconds of a single call, by name.
    """
    numbers = {name: _calls_per_batch(call, batch_s) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, call in calls.items():
                samples[name].append(_batch_seconds(call, numbers[name]) / numbers[name])
            gc.collect(0)
    finally:
        if enabled:
            gc.enable()
    return {name: statistics.median(times) for name, times in samples.items()}


@dataclass(frozen=True)
class Measured:
    """What was seen of one call.

    Args:
        seconds: the median over the rounds.
        spread: the middle half of the rounds, from its slowest to its fastest, over the median.
        peak_bytes: the most memory that its process has held.
        result: what the first call gave.
    """

    seconds: float
    spread: float
    peak_bytes: int
    result: Any


def measure_apart(
    makers: Mapping[str, Callable[[], Call]],
    *,
    rounds: int = 15,
    batch_s: float = 0.3,
    threads: int | None = None,
) -> dict[str, Measured]:
    """Like `median_seconds`, with a process for each call; the processes take turns.

    Libraries with threads of their own disturb each other inside one process: the threads of one
    spin for a while, waiting for more work, when the other's turn has come.

    Args:
        makers: functions of a module that set a call up; they run in the process of the call.
        rounds: batches of each call.
        batch_s: how long a batch should take, in seconds; a call that takes longer runs once.
        threads: OMP_NUM_THREADS of the processes; None leaves it as it is.

    Returns:
        What was seen, by name.

    Raises:
        Skipped: a maker has raised it.
    """
    with ExitStack() as stack:
        with _threads(threads):
            workers = {n: stack.enter_context(_Worker(make, batch_s)) for n, make in makers.items()}
        results = {name: worker.receive() for name, worker in workers.items()}
        samples: dict[str, list[float]] = {name: [] for name in makers}
        peaks = dict.fromkeys(makers, 0)
        for _ in range(rounds):
            for name, worker in workers.items():
                worker.pipe.send(True)
                seconds, peaks[name] = worker.receive()
                samples[name].append(seconds)
    return {
        name: Measured(statistics.median(times), _spread(times), peaks[name], results[name])
        for name, times in samples.items()
    }


def median_seconds_apart(
    makers: Mapping[str, Callable[[], Call]], *, rounds: int = 15, batch_s: float = 0.3
) -> tuple[dict[str, float], dict[str, Any]]:
    """The medians and the results of `measure_apart`, both by name."""
    seen = measure_apart(makers, rounds=rounds, batch_s=batch_s)
    return {n: m.seconds for n, m in seen.items()}, {n: m.result for n, m in seen.items()}


def _spread(times: list[float]) -> float:
    if len(times) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(times, n=4)
    return (high - low) / middle


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Processes started inside the block use so many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    if number is not None:
        os.environ.update(dict.fromkeys(names, str(number)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class _Worker:
    """A process that makes a call and runs a batch of it whenever it is told to."""

    def __init__(self, make: Callable[[], Call], batch_s: float) -> None:
        context = multiprocessing.get_context("spawn")  # nothing of this process is copied
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, batch_s), daemon=True)
        self.process.start()
        theirs.close()

    def receive(self) -> Any:
        """The next answer; raises Skipped when that is the answer."""
        try:
            answer = self.pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise RuntimeError(
                "a measured process has failed; its error is printed above"
            ) from error
        if isinstance(answer, Skipped):
            raise answer
        return answer

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.pipe.close()  # ends the loop of the process
        self.process.join()


def _serve(pipe: Any, make: Callable[[], Call], batch_s: float) -> None:
    try:
        call = make()
    except Skipped as reason:
        pipe.send(reason)
        return
    pipe.send(call())
    number = _calls_per_batch(call, batch_s)
    gc.disable()
    try:
        while pipe.recv():
            seconds = _batch_seconds(call, number) / number
            gc.collect()  # before the answer, since then it is another's turn
            pipe.send((seconds, _peak_bytes()))
    except EOFError:
        return  # enough


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _calls_per_batch(call: Call, batch_s: float) -> int:
    call()  # the first call may set things up
    number = 1
    while (seconds := _batch_seconds(call, number)) < batch_s / 2:
        number *= 2
    return max(1, round(number * batch_s / seconds))


def _batch_seconds(call: Call, number: int) -> float:
    repeats = range(number)
    start = time.perf_counter()
    for _ in repeats:
        call()
    return time.perf_counter() - start


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    digits = 3 if abs(cell) < 10 else 1 if abs(cell) < 1000 else 0
    return f"{cell:.{digits}f}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = (
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([name, *numbers])
