"""The autocast class of a function that is made of several primitives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..state import state

F = TypeVar("F", bound=Callable[..., Any])

CLASSES = ("low", "single", "widest", "as is")


def computes_in(amp: str) -> Callable[[F], F]:
    """Marks a function that autocast treats as one operation: its floating arguments are converted
    once, and what it calls is left alone.

    Without the mark, each primitive of a function follows its own class; that is wrong where a
    product of matrices is only a means (interpolation), or where a sum of a product and a bias
    should stay in the dtype of the product.

    Args:
        amp: a class of the column of the same name; "as is" only keeps autocast out.
    """

    def mark(fn: F) -> F:
        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            trace = state.trace
            if trace is None:
                return fn(*args, **kwargs)
            return trace.run_as(amp, fn, args, kwargs)

        return call  # type: ignore[return-value]

    return mark
