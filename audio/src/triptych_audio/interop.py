"""One decorator that lets functions over tensors take and return the arrays of any library."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych.nn import Module

__all__ = ["as_tensor", "floating_samples", "same_kind"]

P = ParamSpec("P")
R = TypeVar("R")


def same_kind(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function over tensors take NumPy arrays and any array that speaks DLPack.

    The function sees tensors only. What it returns comes back as the kind of the first array among
    the arguments, on the same device; gradients are recorded for tensors only.

    Args:
        function: takes and returns tensors, or tuples of them; other values pass through. The
            first parameter that is annotated as Tensor has to be an array; if it is called
            `waveform`, one with an axis for time and of real numbers.

    Returns:
        The function for all kinds of arrays, under the same name and docstring.

    Raises:
        DTypeError: no argument is an array, or the first one is none, or a waveform is complex or
            boolean.
        ShapeError: a waveform has no axes.

    Example:
        >>> @same_kind
        ... def louder(waveform):
        ...     return waveform * 2
        >>> louder(np.ones(2))
        array([2., 2.])
    """

    place, first = _first_tensor(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        arrays = [v for v in (*args, *kwargs.values()) if _is_array(v)]
        given = args[place] if len(args) > place else kwargs.get(first, arrays)
        if not arrays or (given is not arrays and not _is_array(given)):
            values = (given,) if arrays else (*args, *kwargs.values())
            got = [type(v).__name__ for v in values if not isinstance(v, Module)]
            raise DTypeError(
                f"{_called(function, args)}: wanted a Tensor, a NumPy array or a DLPack array"
                f"{f' as {first}' if first else ''}, got {', '.join(got) or 'nothing'}; "
                "make one with triptych.tensor(...)"
            )
        if first == "waveform" and given is not arrays:
            _check_waveform(_called(function, args), as_tensor(given))
        if all(isinstance(v, tp.Tensor) for v in arrays):
            return function(*args, **kwargs)
        result = cast(Any, function)(
            *(as_tensor(v) for v in args), **{k: as_tensor(v) for k, v in kwargs.items()}
        )
        return cast(R, _like(result, arrays[0]))

    return call


def _first_tensor(function: Callable[..., Any]) -> tuple[int, str]:
    """Where the first parameter annotated as Tensor is, and its name; far away if there is none."""
    for place, parameter in enumerate(inspect.signature(function).parameters.values()):
        if parameter.annotation in ("Tensor", tp.Tensor):
            return place, parameter.name
    return sys.maxsize, ""


def _called(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """What the user called: for modules the name of their class."""
    name = function.__name__
    return type(args[0]).__name__ if name == "forward" and args else name


def _check_waveform(caller: str, waveform: Tensor) -> None:
    if not waveform.ndim:
        raise ShapeError(f"{caller}: wanted a waveform (..., t), got a single number, shape ()")
    if waveform.is_complex() or waveform.dtype == tp.bool:
        raise DTypeError(f"{caller}: wanted real samples, got {waveform.dtype}")


def floating_samples(caller: str, waveform: Tensor, least: int = 0) -> None:
    """Refuse integers, and waveforms with too few samples.

    Args:
        caller: the public function, for errors.
        waveform: (..., t).
        least: samples wanted.

    Raises:
        DTypeError: samples are no floating numbers.
        ShapeError: there are fewer samples.

    Example:
        >>> floating_samples("spectrogram", tp.zeros(2), least=1)
    """
    if not waveform.is_floating_point():
        raise DTypeError(
            f"{caller}: wanted floating samples, got {waveform.dtype}; convert with .float() and "
            "divide by full scale"
        )
    if waveform.shape[-1] < least:
        raise ShapeError(
            f"{caller}: wanted at least {least} sample{'s' if least > 1 else ''}, got a waveform "
            f"of shape {tuple(waveform.shape)}"
        )


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
