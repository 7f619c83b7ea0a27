"""Convolution, batch normalisation in evaluation or a bias, and an activation, in one call."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ...state import state
from .conv import MODES, get_winograd


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    codes = {name: code for name, (code, _) in native.elementwise_operations().items()}
    codes["identity"] = -1

    def taking(kernel: Callable[..., Any]) -> Callable[..., Any]:
        def call(
            *arrays: Any,
            stride: Any,
            padding: Any,
            dilation: Any,
            groups: int,
            then: str,
            **eps: float,
        ) -> Any:
            tile = MODES[get_winograd()][not state.grad]
            options = (stride, padding, dilation, groups, tile, *eps.values(), codes[then])
            return kernel(*arrays, *options)

        return call

    return {
        "conv_norm": (taking(native.conv_norm), 1),
        "conv_bias": (taking(native.conv_bias), 1),
    }
