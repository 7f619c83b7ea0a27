"""One decorator that lets functions over tensors take and return the arrays of any library."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

import triptych as tp
from triptych.errors import DTypeError

__all__ = ["as_tensor", "same_kind"]

P = ParamSpec("P")
R = TypeVar("R")


def same_kind(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function over tensors take NumPy arrays and any array that speaks DLPack.

    The function sees tensors only. What it returns comes back as the kind of the first array among
    the arguments, on the same device; gradients are recorded for tensors only.

    Args:
        function: takes and returns tensors, or tuples of them; other values pass through.

    Returns:
        The function for all kinds of arrays, under the same name and docstring.

    Raises:
        DTypeError: no argument is an array.

    Example:
        >>> @same_kind
        ... def louder(waveform):
        ...     return waveform * 2
        >>> louder(np.ones(2))
        array([2., 2.])
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        arrays = [v for v in (*args, *kwargs.values()) if _is_array(v)]
        if not arrays:
            raise DTypeError(
                f"{function.__name__}: wanted a Tensor, a NumPy array or a DLPack array, got "
                f"{', '.join(type(v).__name__ for v in (*args, *kwargs.values())) or 'nothing'}; "
                "make one with triptych.tensor(...)"
            )
        if all(isinstance(v, tp.Tensor) for v in arrays):
            return function(*args, **kwargs)
        result = cast(Any, function)(
            *(as_tensor(v) for v in args), **{k: as_tensor(v) for k, v in kwargs.items()}
        )
        return cast(R, _like(result, arrays[0]))

    return call


def _is_array(value: Any) -> bool:
    return isinstance(value, (tp.Tensor, np.ndarray)) or hasattr(value, "__dlpack__")


def as_tensor(value: Any) -> Any:
    """A NumPy or DLPack array as a tensor that shares its memory; other values as they are.

    Args:
        value: anything.

    Returns:
        A tensor for arrays, else the value.
    """
    if isinstance(value, np.ndarray):
        return tp.as_tensor(value)
    return tp.from_dlpack(value) if _is_array(value) and not isinstance(value, tp.Tensor) else value


def _like(result: Any, original: Any) -> Any:
    """Tensors in the result as the kind of array that `original` is."""
    if isinstance(result, tuple):
        return tuple(_like(r, original) for r in result)
    if not isinstance(result, tp.Tensor) or isinstance(original, tp.Tensor):
        return result
    if isinstance(original, np.ndarray):
        return result.numpy(force=True)
    return _library_of(original).from_dlpack(result.detach())


def _library_of(array: Any) -> Any:
    """The array's namespace: where its library keeps from_dlpack."""
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    return importlib.import_module(type(array).__module__.partition(".")[0])
