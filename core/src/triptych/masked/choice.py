"""What stands in the place of elements that a mask leaves out."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..ops.creation import cast_to
from ..ops.named import with_names
from ..ops.shape import expand
from ..prims import elementwise as ew
from ..tensor import Tensor


def chosen(name: str, input: Tensor, mask: Any) -> Tensor:
    """The mask as booleans in the shape of input.

    Raises:
        DTypeError: the mask is no tensor.
        ShapeError: it does not broadcast to the shape of input.
    """
    if not isinstance(mask, Tensor):
        raise DTypeError(f"masked.{name}: mask must be a tensor, got {type(mask).__name__}")
    lead = input.ndim - mask.ndim
    fits = lead >= 0 and all(
        n in (1, m) for n, m in zip(mask.shape, input.shape[lead:], strict=True)
    )
    if not fits:
        raise ShapeError(
            f"masked.{name}: the mask has shape {tuple(mask.shape)}, which does not broadcast to "
            f"the input's {tuple(input.shape)}"
        )
    wide = expand(cast_to(mask.detach(), dtypes.BOOL), input.shape)
    return wide if input._names is None else with_names(wide, input._names)


def filled(name: str, input: Tensor, mask: Any, identity: Any) -> Tensor:
    """The input with `identity` where the mask leaves elements out; without a mask, itself."""
    return input if mask is None else ew.where(chosen(name, input, mask), input, identity)


def lowest(name: str, dtype: dtypes.dtype) -> Any:
    """What never is the largest element of a dtype.

    Raises:
        DTypeError: numbers of that dtype have no order, or it is bool.
    """
    return -math.inf if dtype.is_floating_point else _limits(name, dtype).min


def highest(name: str, dtype: dtypes.dtype) -> Any:
    """What never is the smallest element of a dtype.

    Raises:
        DTypeError: numbers of that dtype have no order, or it is bool.
    """
    return math.inf if dtype.is_floating_point else _limits(name, dtype).max


def _limits(name: str, dtype: dtypes.dtype) -> dtypes.iinfo:
    if dtype.is_complex or dtype is dtypes.bool:
        raise DTypeError(f"masked.{name}: not defined for {dtype} elements; convert with .to()")
    return dtypes.iinfo(dtype)


def converted(x: Tensor, dtype: Any) -> Tensor:
    """The tensor in a dtype; None leaves it as it is."""
    return x if dtype is None else cast_to(x, dtypes.to_numpy_dtype(dtype))
