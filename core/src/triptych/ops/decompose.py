"""Numbers taken apart: mantissa and exponent, and the lazy conjugates that are none here."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import ShapeError
from ..prims import elementwise as ew
from ..prims import floating
from ..prims import movement as mv
from ..tensor import Tensor
from .creation import as_tensor, cast_to, check_number
from .shape import expand

__all__ = [
    "conj_physical",
    "fill",
    "frexp",
    "is_conj",
    "is_neg",
    "resolve_conj",
    "resolve_neg",
]


class MantissaExponent(NamedTuple):
    """Two tensors of one shape: floating mantissa, int32 exponent."""

    mantissa: Tensor
    exponent: Tensor


def frexp(input: Tensor) -> MantissaExponent:
    """input as mantissa * 2 ** exponent, with 0.5 <= abs(mantissa) < 1 or both zero.

    Args:
        input: (...), real floating; infinite and NaN elements have exponent 0.

    Raises:
        DTypeError: elements are not real floating numbers.

    Example:
        >>> from triptych import tensor
        >>> [part.tolist() for part in frexp(tensor([1.0, -6.0]))]
        [[0.5, -0.75], [1, 3]]
    """
    return MantissaExponent(*floating.frexp(input))


def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate: the same as `conj`, which computes it at once, too."""
    return ew.conj(input)


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: no conjugate is lazy here."""
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: no negative is lazy here."""
    return input


def is_conj(input: Tensor) -> bool:
    """Whether the tensor is a lazy conjugate: never."""
    return False


def is_neg(input: Tensor) -> bool:
    """Whether the tensor is a lazy negative: never."""
    return False


def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor of one value, in the shape and dtype of input.

    Args:
        input: (...); its elements do not matter, and their gradient is zero.
        value: a number or a 0-d tensor, which gets the sum of the gradient.

    Raises:
        ShapeError: value has axes.
        DTypeError: value does not fit the dtype.
    """
    if not isinstance(value, Tensor):
        check_number("fill", value, input._data.dtype)
        value = as_tensor(value, dtype=input.dtype, device=input.device)
    if value.ndim:
        raise ShapeError(f"fill: wanted a number or a 0-d tensor, got shape {tuple(value.shape)}")
    value = cast_to(value, input._data.dtype)
    if input.requires_grad:
        nowhere = ew.ne(ew.fill_like(input.detach(), value=0), 0)
        return ew.where(nowhere, input, value)
    return mv.copy(expand(value, input.shape))
