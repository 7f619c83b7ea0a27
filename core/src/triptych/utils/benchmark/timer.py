"""Measuring a statement."""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable
from typing import Any

from .measurement import Measurement

__all__ = ["Timer"]


class Timer:
    """Time a statement, with the device brought to rest before and after each run.

    Args:
        stmt: the code to time, as text or a function without arguments.
        setup: code that runs once before.
        timer: a clock in seconds.
        globals: the names the code knows.
        label, sub_label, description, env: see `Measurement`.
        num_threads: set for the numerical libraries while timing, where `set_num_threads` can.

    Example:
        >>> Timer("x * 2", setup="x = 3").timeit(10).number_per_run
        10
    """

    def __init__(
        self,
        stmt: str | Callable[[], Any] = "pass",
        setup: str = "pass",
        *,
        timer: Callable[[], float] = time.perf_counter,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
    ) -> None:
        import triptych

        names = {"triptych": triptych, **(globals or {})}
        self._timer = timeit.Timer(stmt, setup, timer, names)
        text = stmt if isinstance(stmt, str) else getattr(stmt, "__name__", repr(stmt))
        self._about: dict[str, Any] = {
            "stmt": text,
            "setup": setup,
            "label": label,
            "sub_label": sub_label,
            "description": description,
            "env": env,
            "num_threads": num_threads,
        }

    def _run(self, number: int) -> float:
        from ... import get_num_threads, set_num_threads
        from ...cuda import is_available, synchronize

        before = get_num_threads()
        set_num_threads(self._about["num_threads"])
        try:
            if not is_available():
                return self._timer.timeit(number)
            synchronize()
            before_run = time.perf_counter()
            self._timer.timeit(number)
            synchronize()
            return time.perf_counter() - before_run
        finally:
            set_num_threads(before)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One run of `number` executions, after a short one to warm up.

        Raises:
            ValueError: number is below 1.
        """
        if number < 1:
            raise ValueError(f"timeit: number should be at least 1, got {number}")
        self._run(max(number // 100, 2))
        return Measurement(number, [self._run(number)], **self._about)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Not offered, since it invites taking the minimum; use `blocked_autorange`."""
        raise NotImplementedError("Timer.repeat: use blocked_autorange, which gives all the runs")

    def blocked_autorange(self, min_run_time: float = 0.2) -> Measurement:
        """Runs of a size at which the clock does not matter, for at least `min_run_time` seconds.

        The size is the first for which a run takes a hundredth of the time, but at least 1 ms.
        """
        return self._runs(self._block(min_run_time), min_run_time)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0
    ) -> Measurement:
        """Runs until their quartiles lie close together.

        Args:
            threshold: how far apart, as a fraction of the median.
            min_run_time, max_run_time: bounds of the whole time in seconds.
        """
        number, times = self._block(min_run_time), list[float]()
        while True:
            times += self._runs(number, max(min_run_time, 3 * sum(times[:1]))).raw_times
            measured = Measurement(number, times, **self._about)
            calm = len(times) >= 4 and measured.iqr <= threshold * measured.median
            if calm or sum(times) >= max_run_time:
                return measured

    def _block(self, min_run_time: float) -> int:
        number, wanted = 1, max(min_run_time / 100, 1e-3)
        while (took := self._run(number)) < wanted:
            number = max(number * 2, min(int(number * wanted / max(took, 1e-9)), number * 10))
        return number

    def _runs(self, number: int, total: float) -> Measurement:
        times: list[float] = []
        while not times or sum(times) < total:
            times.append(self._run(number))
        return Measurement(number, times, **self._about)
