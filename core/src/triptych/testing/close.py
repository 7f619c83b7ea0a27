"""`assert_close`: equality of tensors up to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.creation import as_tensor
from ..tensor import Tensor

# (relative, absolute) by dtype, as torch.testing.assert_close.
_TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    msg: str | None = None,
) -> None:
    """Raise AssertionError unless two tensors, or nested lists or dicts of them, agree.

    Args:
        actual, expected: tensors, arrays or numbers.
        rtol, atol: |actual - expected| <= atol + rtol * |expected|; default by dtype.
        equal_nan: NaN equals NaN.
        check_device, check_dtype: devices and dtypes must agree, too.
        msg: replaces the generated message.
    """
    if isinstance(expected, dict):
        _same(set(actual), set(expected), "keys", msg)
        for key, value in expected.items():
            assert_close(actual[key], value, rtol=rtol, atol=atol, equal_nan=equal_nan, msg=msg)
        return
    if isinstance(expected, (list, tuple)):
        _same(len(actual), len(expected), "lengths", msg)
        for a, b in zip(actual, expected, strict=True):
            assert_close(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan, msg=msg)
        return
    one, two = _tensor(actual), _tensor(expected)
    _same(tuple(one.shape), tuple(two.shape), "shapes", msg)
    if check_device:
        _same(one.device, two.device, "devices", msg)
    if check_dtype:
        _same(one.dtype, two.dtype, "dtypes", msg)
    _values(one, two, rtol, atol, equal_nan, msg)


def _tensor(value: Any) -> Tensor:
    return value.detach() if isinstance(value, Tensor) else as_tensor(value)


def _same(a: Any, b: Any, what: str, msg: str | None) -> None:
    if a != b:
        raise AssertionError(msg or f"{what} differ: got {a}, expected {b}")


def _values(
    one: Tensor,
    two: Tensor,
    rtol: float | None,
    atol: float | None,
    equal_nan: bool,
    msg: str | None,
) -> None:
    loosest = max(_TOLERANCES.get(t.dtype.name, (0.0, 0.0)) for t in (one, two))
    relative = loosest[0] if rtol is None else rtol
    absolute = loosest[1] if atol is None else atol
    kind = np.complex128 if one.is_complex() or two.is_complex() else np.float64
    a, b = (t.cpu().numpy().astype(kind) for t in (one, two))
    near = np.isclose(a, b, relative, absolute, equal_nan)
    if near.all():
        return
    distance = np.abs(a - b)
    worst = np.unravel_index(int(np.nanargmax(np.where(near, -1, distance))), a.shape)
    raise AssertionError(
        msg
        or f"{int((~near).sum())} of {near.size} elements differ; the most at "
        f"{tuple(map(int, worst))}: got {a[worst]}, expected {b[worst]} "
        f"(rtol {relative}, atol {absolute})"
    )
