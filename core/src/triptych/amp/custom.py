"""Autocast for `autograd.Function`: what forward and backward of a user's own are run with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..errors import DTypeError
from ..prims.elementwise import cast
from ..tensor import Tensor
from ..tree import tree_map
from .autocast_mode import autocast, get_autocast_dtype, is_autocast_enabled

__all__ = ["custom_bwd", "custom_fwd"]

Call = Callable[..., Any]


def _with_device(decorate: Any, fn: Call | None, device_type: Any, **options: Any) -> Any:
    if not isinstance(device_type, str):
        raise DTypeError(
            f"{decorate.__name__}: wanted device_type='cpu' or 'cuda', got {device_type!r}"
        )
    return functools.partial(decorate, device_type=device_type, **options) if fn is None else None


def custom_fwd(
    fwd: Call | None = None, *, device_type: str, cast_inputs: dtypes.dtype | None = None
) -> Any:
    """Decorates the static method ``forward(ctx, ...)`` of an `autograd.Function`.

    Args:
        fwd: the method.
        device_type: whose autocast it minds, "cpu" or "cuda".
        cast_inputs: inside an autocast region, convert floating tensors among the arguments to
            this dtype and run without autocast; None runs under the autocast that is active.

    Example:
        >>> class Cube(triptych.autograd.Function):
        ...     @staticmethod
        ...     @custom_fwd(device_type="cpu", cast_inputs=triptych.float32)
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x * x
        ...     @staticmethod
        ...     @custom_bwd(device_type="cpu")
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return g * 3 * x * x
    """
    partial = _with_device(custom_fwd, fwd, device_type, cast_inputs=cast_inputs)
    if fwd is None:
        return partial

    @functools.wraps(fwd)
    def forward(*args: Any, **kwargs: Any) -> Any:
        ctx, active = args[0], is_autocast_enabled(device_type)
        ctx._dtype = get_autocast_dtype(device_type)
        ctx._fwd_used_autocast = active and cast_inputs is None
        if cast_inputs is None or not active:
            return fwd(*args, **kwargs)
        wanted = dtypes.to_numpy_dtype(cast_inputs)
        args, kwargs = tree_map(lambda x: _converted(x, wanted, device_type), (args, kwargs))
        with autocast(device_type, enabled=False):
            return fwd(*args, **kwargs)

    return forward


def _converted(x: Any, wanted: Any, device_type: str) -> Any:
    if not isinstance(x, Tensor) or x.device.type != device_type:
        return x
    dtype = x._data.dtype
    if not dtypes.is_floating(dtype) or dtype.itemsize > 4 or dtype == wanted:
        return x
    return cast(x, dtype=wanted)


def custom_bwd(bwd: Call | None = None, *, device_type: str) -> Any:
    """Decorates the static method ``backward(ctx, ...)`` of an `autograd.Function` whose forward is
    decorated with `custom_fwd`: it runs under the autocast that forward ran under.

    Args:
        bwd: the method.
        device_type: whose autocast it minds, "cpu" or "cuda".
    """
    partial = _with_device(custom_bwd, bwd, device_type)
    if bwd is None:
        return partial

    @functools.wraps(bwd)
    def backward(*args: Any, **kwargs: Any) -> Any:
        ctx = args[0]
        with autocast(device_type, dtype=ctx._dtype, enabled=ctx._fwd_used_autocast):
            return bwd(*args, **kwargs)

    return backward
