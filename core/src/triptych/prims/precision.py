"""In which precision a function computes that is made of several primitives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from .. import dtypes
from ..state import state
from ..tensor import Tensor
from .elementwise import cast

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


def rounds_once(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function that computes float16 and bfloat16 in float32 and rounds its result once, since
    sums of squares overflow half precision, and long sums stop growing.
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Tensor:
        given = (*args, *kwargs.values())
        if not any(isinstance(x, Tensor) and x._data.dtype.itemsize == 2 for x in given):
            return function(*args, **kwargs)
        floating = [x for x in given if _is_floating(x)]
        short = {x._data.dtype for x in floating if x._data.dtype.itemsize == 2}
        if len(short) != 1 or any(x._data.dtype.itemsize > 2 for x in floating):
            return function(*args, **kwargs)
        wide = function(*map(_as_single, args), **{k: _as_single(v) for k, v in kwargs.items()})
        return cast(wide, dtype=short.pop())

    return wrapped


def _is_floating(x: Any) -> bool:
    """Whether x is a tensor of floating numbers."""
    return isinstance(x, Tensor) and dtypes.is_floating(x._data.dtype)


def _as_single(x: Any) -> Any:
    short = _is_floating(x) and x._data.dtype.itemsize == 2
    return cast(x, dtype=dtypes.float32.dtype) if short else x
