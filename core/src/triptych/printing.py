"""What a tensor looks like when printed."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes
from .tensor import Symbol, Tensor

_PREFIX = "tensor("


def tensor_repr(t: Tensor) -> str:
    """``tensor([1., 2.])``, with dtype, device and history where they are not the usual ones."""
    data = t._data
    if isinstance(data, Symbol):
        return f"tensor(traced, shape={tuple(data.shape)}, dtype={t.dtype})"
    parts = [_numbers(t)]
    if t._data.size == 0 and t.ndim != 1:
        parts.append(f"size={tuple(t.shape)}")
    if t.device.type != "cpu":
        parts.append(f"device='{t.device}'")
    usual = (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool, dtypes.complex64)
    if t.dtype not in usual or (t._data.size == 0 and t.dtype is not usual[0]):
        parts.append(f"dtype={t.dtype}")
    if t.grad_fn is not None:
        parts.append(f"grad_fn={t.grad_fn!r}")
    elif t.requires_grad:
        parts.append("requires_grad=True")
    return f"{_PREFIX}{', '.join(parts)})"


def _numbers(t: Tensor) -> str:
    array: Any = t.detach().cpu()._data
    if array.dtype == dtypes.bfloat16.dtype:
        array = array.astype(np.float32)
    return np.array2string(
        array,
        separator=", ",
        prefix=_PREFIX,
        precision=4,
        threshold=1000,
        edgeitems=3,
        floatmode="maxprec",
    )


def tensor_format(t: Tensor, spec: str) -> str:
    """``f"{t:.3f}"`` formats the one element of a 0-d tensor, ``f"{t}"`` too."""
    one = t.ndim == 0 and not isinstance(t._data, Symbol)
    return format(t.item() if one else tensor_repr(t), spec)
