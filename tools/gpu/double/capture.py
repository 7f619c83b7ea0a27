"""Streams that are captured: what they are to do is noted, and done when a graph is launched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np


class Graph:
    """cupy.cuda.Graph: calls that are made again on the memory that they were captured with."""

    running: ClassVar[Graph | None] = None

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[[], Any], tuple[np.ndarray, ...]]] = []
        self._before: list[tuple[np.ndarray, np.ndarray]] = []

    def finish(self) -> None:
        """Undo what was written meanwhile: a GPU notes kernels and does not run them."""
        for memory, values in reversed(self._before):
            memory[...] = values

    def launch(self, stream: Any = None) -> None:
        """Make the calls again; what they give goes where their results were."""
        for again, results in self._calls:
            found = again()
            found = found if isinstance(found, tuple) else (found,)
            for old, new in zip(results, found[: len(results)], strict=True):
                if not np.shares_memory(old, new):
                    old[...] = new


def about_to_write(hosts: Iterable[np.ndarray]) -> None:
    """Say what memory the next call writes to."""
    if Graph.running is not None:
        Graph.running._before += [(host, host.copy()) for host in hosts]


def done(again: Callable[[], Any], *results: np.ndarray) -> None:
    """Say how to make a call again, and the new memory of its results; none if it wrote itself."""
    if Graph.running is not None:
        Graph.running._calls.append((again, results))
