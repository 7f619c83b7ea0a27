"""The times of some runs of a statement."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable

__all__ = ["Measurement"]


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Times of runs, and what was run.

    Attributes:
        number_per_run: how often the statement ran in each run.
        raw_times: seconds of each run.
        stmt, setup: the code.
        label, sub_label, description: what `Compare` makes tables, rows and columns of.
        env: a text that tells environments apart.
        num_threads: threads of the numerical libraries.
    """

    number_per_run: int
    raw_times: list[float]
    stmt: str = ""
    setup: str = "pass"
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def times(self) -> list[float]:
        """Seconds per execution, of each run."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def mean(self) -> float:
        """The mean time per execution in seconds."""
        return statistics.fmean(self.times)

    @property
    def median(self) -> float:
        """The median time per execution in seconds."""
        return statistics.median(self.times)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles in seconds; 0 for a single run."""
        if len(self.raw_times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return high - low

    @property
    def significant_figures(self) -> int:
        """How many digits of the median mean something, from 1 to 4."""
        if self.median == 0 or len(self.raw_times) < 2:
            return 4
        # The quartiles of n normal values lie 1.35 deviations apart; 1.65 bound 90 % of medians.
        error = 1.65 * self.iqr / 1.349 / math.sqrt(len(self.raw_times))
        spread = max(error / self.median, 1e-4)
        return max(1, min(4, math.floor(-math.log10(spread))))

    @property
    def title(self) -> str:
        """What was measured, in words."""
        head = ": ".join(t for t in (self.label, self.sub_label) if t)
        return head or self.stmt.strip()

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """Join measurements of the same thing; runs of one batch size stay apart from others."""
        found: dict[tuple[object, ...], Measurement] = {}
        for m in measurements:
            fields = dataclasses.astuple(dataclasses.replace(m, raw_times=[]))
            key = tuple(f for f in fields if not isinstance(f, list))
            held = found.get(key)
            times = m.raw_times if held is None else [*held.raw_times, *m.raw_times]
            found[key] = dataclasses.replace(m, raw_times=times)
        return list(found.values())

    def __repr__(self) -> str:
        count = len(self.raw_times)
        text = f"{self.title}\n  {seconds(self.median, self.significant_figures)}"
        if count > 1:
            text += f" (median; quartiles {seconds(self.iqr, 2)} apart)"
        runs = f"{count} run{'s' if count > 1 else ''} of {self.number_per_run}"
        return f"{text}\n  {runs}, {self.num_threads} thread{'s' if self.num_threads > 1 else ''}"


_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def seconds(t: float, digits: int = 4) -> str:
    """A time with a unit, rounded to some significant digits."""
    scale, unit = next((u for u in _UNITS if t >= u[0]), _UNITS[-1])
    return f"{float(f'{t / scale:.{digits}g}'):g} {unit}"
