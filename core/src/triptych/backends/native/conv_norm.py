"""Convolution, batch normalisation in evaluation or a bias, and an activation, in one call."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ...state import state
from .conv import MODES, get_winograd


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    codes = {name: code for name, (code, _) in native.elementwise_operations().items()}
    codes["identity"] = -1

    def conv_norm(
        *arrays: Any, stride: Any, padding: Any, dilation: Any, groups: int, eps: float, then: str
    ) -> Any:
        tile = MODES[get_winograd()][not state.grad]
        options = (stride, padding, dilation, groups, tile, eps, codes[then])
        return native.conv_norm(*arrays, *options)

    def conv_bias(
        *arrays: Any, stride: Any, padding: Any, dilation: Any, groups: int, then: str
    ) -> Any:
        tile = MODES[get_winograd()][not state.grad]
        options = (stride, padding, dilation, groups, tile, codes[then])
        return native.conv_bias(*arrays, *options)

    return {"conv_norm": (conv_norm, 1), "conv_bias": (conv_bias, 1)}
