"""What a tensor looks like when printed."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from . import dtypes
from .backends import backend_of
from .errors import UnknownNameError
from .tensor import Symbol, Tensor

__all__ = ["set_printoptions"]

_PREFIX = "tensor("
_DEFAULT: dict[str, Any] = {
    "precision": 4,
    "threshold": 1000,
    "edgeitems": 3,
    "linewidth": None,
    "sci_mode": None,
}
_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": sys.maxsize, "edgeitems": 3, "linewidth": 80},
}
_options = dict(_DEFAULT)


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors are printed; what is not given stays as it is.

    Args:
        precision: digits after the point; at first 4.
        threshold: tensors with more elements are shortened; at first 1000.
        edgeitems: how many elements of a shortened axis are shown at each end; at first 3.
        linewidth: characters in a line; at first NumPy's setting.
        profile: "default", "short" or "full", which never shortens; taken before the others.
        sci_mode: write floats as 1.0000e+00 always or never; None leaves it to the numbers.

    Raises:
        UnknownNameError: there is no such profile.
    """
    if profile is not None:
        if profile not in _PROFILES:
            known = ", ".join(sorted(_PROFILES))
            raise UnknownNameError(f"set_printoptions: profile is one of {known}; got {profile!r}")
        _options.update(_PROFILES[profile])
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    _options.update({k: v for k, v in given.items() if v is not None})
    _options["sci_mode"] = sci_mode


def tensor_repr(t: Tensor) -> str:
    """``tensor([1., 2.])``, with dtype, device and history where they are not the usual ones."""
    data = t._data
    if isinstance(data, Symbol):
        names = "" if t._names is None else f", names={t._names}"
        return f"tensor(traced, shape={tuple(data.shape)}, dtype={t.dtype}{names})"
    parts = [_numbers(t)]
    if t._data.size == 0 and t.ndim != 1:
        parts.append(f"size={tuple(t.shape)}")
    if t.device.type != "cpu":
        parts.append(f"device='{t.device}'")
    usual = (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool, dtypes.complex64)
    if t.dtype not in usual or (t._data.size == 0 and t.dtype is not usual[0]):
        parts.append(f"dtype={t.dtype}")
    if t._names is not None:
        parts.append(f"names={t._names}")
    if t.grad_fn is not None:
        parts.append(f"grad_fn={t.grad_fn!r}")
    elif t.requires_grad:
        parts.append("requires_grad=True")
    return f"{_PREFIX}{', '.join(parts)})"


def _numbers(t: Tensor) -> str:
    array: Any = backend_of(t._data).to_numpy(t._data)
    if array.dtype == dtypes.bfloat16.dtype:
        array = array.astype(np.float32)
    return np.array2string(
        array,
        separator=", ",
        prefix=_PREFIX,
        precision=_options["precision"],
        threshold=_options["threshold"],
        edgeitems=_options["edgeitems"],
        max_line_width=_options["linewidth"],
        floatmode="maxprec",
        formatter=_formatter(),  # type: ignore[arg-type]
    )


def _formatter() -> dict[str, Any] | None:
    """How to write floats, if that is not left to NumPy."""
    if _options["sci_mode"] is None:
        return None
    style = f".{_options['precision']}{'e' if _options['sci_mode'] else 'f'}"
    return {"float_kind": lambda number: format(number, style)}


def tensor_format(t: Tensor, spec: str) -> str:
    """``f"{t:.3f}"`` formats the one element of a 0-d tensor, ``f"{t}"`` too."""
    one = t.ndim == 0 and not isinstance(t._data, Symbol)
    return format(t.item() if one else tensor_repr(t), spec)
