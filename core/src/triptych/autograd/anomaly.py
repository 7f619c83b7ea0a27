"""Anomaly mode: remember where each operation was called, and stop at the first NaN gradient."""

from __future__ import annotations

from typing import Any

from ..callsite import user_line
from ..dtypes import is_inexact
from ..errors import GradError
from ..prims.trace import Trace, chain, dropped, underlay
from ..tensor import Symbol, Tensor
from .node import Node


class detect_anomaly(Trace):  # noqa: N801 -- torch's spelling
    """Inside, gradient errors name the line that called the operation, and backward raises at the
    first operation that passes on a NaN.

    Slow: meant for finding a mistake, not for training.

    Args:
        check_nan: look for NaN in every gradient.

    Example:
        >>> x = triptych.zeros(1, requires_grad=True)
        >>> with detect_anomaly():
        ...     (x.sqrt() * 0).sum().backward()
        Traceback (most recent call last):
        triptych.errors.GradError: backward: sqrt, called at ..., gives a NaN gradient; ...
    """

    alters = False

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def recorded(self, node: Node) -> None:
        node.stack = user_line()
        super().recorded(node)

    def passed_on(self, node: Node, grad: Any) -> None:
        raw = grad._data if isinstance(grad, Tensor) else grad
        if self.check_nan and not isinstance(raw, Symbol) and nan_in(raw):
            where = f"called at {node.stack}" if node.stack else "called outside detect_anomaly"
            raise GradError(
                f"backward: {node.prim.name}, {where}, gives a NaN gradient; look for a zero "
                "divisor, a root or logarithm of zero, or an infinity in what it was given"
            )
        super().passed_on(node, grad)


class set_detect_anomaly:  # noqa: N801 -- torch's spelling
    """Switch `detect_anomaly` on or off for this thread, at once; as a context manager, until the
    end of the block.

    Args:
        mode: on or off.
        check_nan: look for NaN in every gradient.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = [trace for trace in chain() if isinstance(trace, detect_anomaly)]
        for trace in self._before:
            dropped(trace)
        self._made = detect_anomaly(check_nan) if mode else None
        if self._made is not None:
            underlay(self._made)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        if self._made is not None:
            dropped(self._made)
        for trace in self._before:
            underlay(trace)


def is_anomaly_enabled() -> bool:
    """Whether this thread is inside `detect_anomaly`."""
    return any(isinstance(trace, detect_anomaly) for trace in chain())


def is_anomaly_check_nan_enabled() -> bool:
    """Whether this thread looks for NaN in every gradient."""
    return any(isinstance(trace, detect_anomaly) and trace.check_nan for trace in chain())


def nan_in(raw: Any) -> bool:
    """Whether a raw floating array holds a NaN."""
    return is_inexact(raw.dtype) and bool((raw != raw).any())
