"""Convolution and its derivatives."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...state import state

MODES = ("auto", "off", "always")
_mode = "auto"


def set_winograd(mode: str) -> None:
    """Set where 3x3 convolutions of stride 1 may use Winograd's method, F(4x4, 3x3).

    It needs a quarter of the multiplications. Its rounding errors are larger than those of the
    direct method, some 1e-6 of the largest output in place of 2e-7.

    Args:
        mode: "auto" where gradients are not recorded; "off" nowhere; "always" in training as well.
            At first it is TRIPTYCH_WINOGRAD in the environment, or else "auto".

    Raises:
        ShapeError: mode is none of these.
    """
    global _mode
    if mode not in MODES:
        raise ShapeError(f"set_winograd: wanted one of {', '.join(MODES)}, got {mode!r}")
    _mode = mode


def get_winograd() -> str:
    """What `set_winograd` was last given, or the environment's choice."""
    return _mode


set_winograd(os.environ.get("TRIPTYCH_WINOGRAD", "auto"))


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""

    def conv(x: Any, w: Any, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
        winograd = _mode == "always" or (_mode == "auto" and not state.grad)
        return native.conv(_packed(x), _packed(w), stride, padding, dilation, groups, winograd)

    return {"conv": (conv, 1)}


def _packed(x: Any) -> Any:
    """Copying is cheap beside a convolution."""
    return x if x.flags.c_contiguous else np.ascontiguousarray(x)
