"""Forward mode with tensors that carry their change along: `make_dual` inside a `dual_level`.

`func.jvp` does the same for a function, and nests.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import GradError, ShapeError
from ..func.forward import JvpTrace
from ..state import state
from ..tensor import Tensor

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]


class UnpackedDualTensor(NamedTuple):
    """A value and its change; the change is None where there is none."""

    primal: Tensor
    tangent: Tensor | None


class dual_level(JvpTrace):  # noqa: N801 -- torch's spelling
    """Inside, dual tensors can be made, and every operation carries the changes along. Levels do
    not nest; use `func.jvp` for derivatives of higher order.

    Example:
        >>> with dual_level():
        ...     x = make_dual(triptych.zeros(1), triptych.ones(1))
        ...     unpack_dual(x.sin()).tangent
        tensor([1.])
    """

    def __enter__(self) -> dual_level:
        if _level() is not None:
            raise GradError("dual_level: levels do not nest; use func.jvp")
        super().__enter__()
        return self


def _level() -> dual_level | None:
    trace: Any = state.trace
    while trace is not None and not isinstance(trace, dual_level):
        trace = trace.outer
    return trace


def enter_dual_level() -> dual_level:
    """Begin a `dual_level` without a with statement; returns it."""
    return dual_level().__enter__()


def exit_dual_level(*, level: dual_level | None = None) -> None:
    """End a level that `enter_dual_level` began.

    Raises:
        GradError: it is not the innermost thing that is active.
    """
    found = _level() if level is None else level
    if found is None or state.trace is not found:
        raise GradError("exit_dual_level: no dual level to end, or something inside is not ended")
    found.__exit__(None, None, None)


def make_dual(tensor: Tensor, tangent: Tensor, *, level: dual_level | None = None) -> Tensor:
    """The tensor with a change to carry along.

    Args:
        tensor: floating or complex.
        tangent: the change, of its shape and dtype.

    Raises:
        GradError: there is no `dual_level` around.
        ShapeError: the two do not fit.
    """
    found = _level() if level is None else level
    if found is None:
        raise GradError("make_dual: no level; call it inside `with dual_level():`")
    if tuple(tensor.shape) != tuple(tangent.shape) or tensor.dtype != tangent.dtype:
        raise ShapeError(
            f"make_dual: the tangent is {tangent.dtype}{list(tangent.shape)}, the tensor "
            f"{tensor.dtype}{list(tensor.shape)}"
        )
    return found.dual(found.parts(tensor)[0], found.parts(tangent)[0])


def unpack_dual(tensor: Tensor, *, level: dual_level | None = None) -> UnpackedDualTensor:
    """The value and the change of a tensor; outside a level there is no change."""
    found = _level() if level is None else level
    if found is None:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(*found.parts(tensor))
