"""Reading the arguments that many functions share: window sizes, batches, reductions, in-place."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ...avals import integers
from ...errors import BoundsError, DTypeError, ShapeError
from ...ops.inplace import overwrite
from ...ops.named import named_like, unnamed
from ...prims import elementwise as ew
from ...prims import movement as mv
from ...prims import reduce as rd
from ...prims.precision import rounds_once
from ...state import run_kernel, state
from ...tensor import Tensor, current_edge

__all__ = [
    "batched",
    "check_range",
    "legacy_reduction",
    "onto",
    "per_axis",
    "recorded",
    "reduced",
    "replaced",
    "same_shape",
    "softmax_dim",
]

Ints = tuple[int, ...]


def per_axis(
    name: str, label: str, value: int | Sequence[int], dims: int, least: int | None = None
) -> Ints:
    """An int for each of `dims` space axes, from one int for all or a sequence.

    Raises:
        ShapeError: the sequence has another length, or an int is below the least.
        DTypeError: a value is no integer.
    """
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(given) not in (1, dims):
        raise ShapeError(f"{name}: {label} wants one int or {dims}, got {given}")
    for v in given:
        if type(v) is not int:
            given = integers(f"{name}: {label}", given)
            break
    if least is not None and given and min(given) < least:
        raise ShapeError(f"{name}: {label} must be at least {least}, got {value}")
    return given * dims if len(given) == 1 else given


def batched(name: str, input: Tensor, dims: int, call: Callable[[Tensor], Any]) -> Any:
    """Run `call` on (n, c, *space); a single sample (c, *space) gets a batch axis for the time.

    Raises:
        ShapeError: neither fits.
    """
    if input.ndim == dims + 2:
        return call(input) if input._names is None else named_like(call(input), input._names)
    if input.ndim != dims + 1:
        raise ShapeError(
            f"{name}: wanted input (n, c, {dims} space axes) or one sample (c, {dims} space axes), "
            f"got {tuple(input.shape)}"
        )
    out = call(mv.reshape(unnamed(input), shape=(1, *input.shape)))
    several = out if isinstance(out, tuple) else (out,)
    found = tuple(mv.reshape(t, shape=tuple(t.shape[1:])) for t in several)
    if input._names is not None:
        named_like(found, input._names)
    return found if isinstance(out, tuple) else found[0]


def replaced(input: Tensor, out: Tensor, inplace: bool, name: str) -> Tensor:
    """`out`; with inplace, written into input's memory."""
    return overwrite(input, out, f"{name}_") if inplace else out


def recorded(input: Tensor) -> bool:
    """Whether an operation on input is recorded: on a tape, or in a trace."""
    return state.trace is not None or (state.grad and current_edge(input) is not None)


def onto(y: Tensor, b: Tensor) -> Tensor:
    """y + b, for a y that nothing else holds: written over it where nothing is recorded.

    Args:
        y: just computed.
        b: broadcasts to y.
    """
    kept = state.trace is None and current_edge(y) is None and not recorded(b)
    if not kept or y._data.dtype != b._data.dtype or type(y._data) is not type(b._data):
        return ew.add(y, b)
    run_kernel(operator.iadd, y._data, b._data)
    return y


def same_shape(name: str, input: Tensor, target: Tensor, label: str = "target") -> None:
    """Refuse to broadcast a loss: the commonest silent mistake in training code.

    Raises:
        ShapeError: the shapes differ.
    """
    if input.shape == target.shape:
        return
    a, b = tuple(input.shape), tuple(target.shape)
    raise ShapeError(
        f"{name}: input is {a} and {label} {b}; losses do not broadcast; {_fix(a, b, label)}"
    )


def _fix(a: Ints, b: Ints, label: str) -> str:
    if a[: len(b)] == b and set(a[len(b) :]) == {1}:
        return "input.squeeze(-1) would agree"
    if b[: len(a)] == a and set(b[len(a) :]) == {1}:
        return f"{label}.squeeze(-1) would agree"
    return f"bring them to one shape, for instance with {label}.expand_as(input)"


@rounds_once
def _mean(loss: Tensor) -> Tensor:
    return ew.div(_sum(loss), loss._data.size or float("nan"))


@rounds_once
def _sum(loss: Tensor) -> Tensor:
    return rd.sum(loss, axes=tuple(range(loss.ndim)))


_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": _mean,
    "sum": _sum,
    "none": lambda loss: loss,
}


def reduced(name: str, loss: Tensor, reduction: str) -> Tensor:
    """The mean or sum of losses, or all of them.

    Raises:
        ShapeError: reduction is another word.
    """
    try:
        return _REDUCTIONS[reduction](loss)
    except KeyError:
        raise ShapeError(
            f"{name}: reduction is 'mean', 'sum' or 'none', got {reduction!r}"
        ) from None


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """torch's old pair of flags as a reduction."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"


def check_range(name: str, index: Tensor, count: int, spare: int | None = None) -> None:
    """Refuse class or row numbers outside 0 ... count - 1, save one that is to be ignored.

    Checked where numbers are at hand: not while a graph is captured, nor on a GPU, where looking
    would wait for it.

    Raises:
        DTypeError: they are not integers.
        BoundsError: one is out of range.
    """
    if index._data.dtype.kind not in "iu":
        raise DTypeError(f"{name}: wanted integer indices, got {index.dtype}; convert with .long()")
    if state.trace is not None or index.device.type != "cpu" or not index._data.size:
        return
    values = index._data
    bad = (values < 0) | (values >= count)
    if spare is not None:
        bad &= values != spare
    if bad.any():
        raise BoundsError(
            f"{name}: index {int(values[bad].flat[0])} is out of range; wanted 0 to {count - 1}"
        )


def softmax_dim(name: str, ndim: int) -> int:
    """The dim torch once chose for a softmax that names none, with its warning."""
    warnings.warn(f"{name}: give dim=; without it dim 0 or 1 is guessed from ndim", stacklevel=3)
    return 0 if ndim in (0, 1, 3) else 1
