"""Anomaly mode: remember where each operation was called, and stop at the first NaN gradient."""

from __future__ import annotations

import traceback
from typing import Any

from ..prims.trace import Trace
from .node import Node

_PACKAGE = __name__.split(".")[0]


def user_line() -> str:
    """``file:line`` of the innermost frame outside this package."""
    for frame in reversed(traceback.extract_stack()):
        if f"/{_PACKAGE}/" not in frame.filename.replace("\\", "/"):
            return f"{frame.filename}:{frame.lineno}"
    return "an unknown line"


class detect_anomaly(Trace):  # noqa: N801 -- torch's spelling
    """Inside, gradient errors name the line that called the operation, and backward raises at the
    first operation whose gradient is NaN.

    Slow: meant for finding a mistake, not for training.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def recorded(self, node: Node) -> None:
        node.stack = user_line()
        super().recorded(node)


def nan_in(raw: Any) -> bool:
    """Whether a raw floating array holds a NaN."""
    return raw.dtype.kind in "fc" and bool((raw != raw).any())
