"""Convolution and its derivatives."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...state import state

MODES = {"auto": (2, 4), "off": (0, 0), "always": (4, 4)}
"""Edges of the tiles while gradients are recorded, and else."""

_mode = "auto"


def set_winograd(mode: str) -> None:
    """Set how 3x3 convolutions of stride 1 use Winograd's method, which multiplies less.

    Tiles of 2x2 outputs, F(2x2, 3x3), take four ninths of the multiplications and tiles of 4x4,
    F(4x4, 3x3), a quarter. Their largest errors are some 5e-7 and 2e-6 of the largest output, where
    summing in order has 1e-6 (normal random numbers, 256 channels). Gradients of their weights go
    by tiles of 2x2, F(3x3, 2x2), with an error of 5e-7, unless mode is "off".

    Args:
        mode: "auto" takes 4x4 where gradients are not recorded and 2x2 in training; "off" neither;
            "always" 4x4 in training as well. At first it is TRIPTYCH_WINOGRAD in the environment,
            or else "auto".

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
        tile = MODES[_mode][not state.grad]
        return native.conv(packed(x), packed(w), stride, padding, dilation, groups, tile)

    def conv_dx(g: Any, w: Any, *, shape: Any, **options: Any) -> Any:
        tile = MODES[_mode][0]
        return native.conv_dx(packed(g), packed(w), shape, **options, winograd=tile)

    def conv_dw(g: Any, x: Any, *, shape: Any, **options: Any) -> Any:
        tile = MODES[_mode][0]
        return native.conv_dw(packed(g), packed(x), shape, **options, winograd=tile)

    return {"conv": (conv, 1), "conv_dx": (conv_dx, 1), "conv_dw": (conv_dw, 1)}


def packed(x: Any) -> Any:
    """Copying is cheap beside a convolution."""
    return x if x.flags.c_contiguous else np.ascontiguousarray(x)
