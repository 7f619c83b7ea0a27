"""Colour changes of images by kernels in C or CUDA, where there are some.

Each function takes (..., 1 or 3, h, w), bytes or float32, and gives None where no kernel is made
for it. The ways over NumPy and over tensors, in `color_bytes`, `color` and `adjusting`, are the
twins.
"""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych.library import accelerated, by_device

from .lookup import array_of

__all__ = ["by_kernel"]


@accelerated("color_scale")
def scaled(x: np.ndarray, factor: float) -> np.ndarray | None:
    """All values times a factor, cut to the range; `adjust_brightness`."""
    return None


@accelerated("color_grey")
def grey(x: np.ndarray, copies: int) -> np.ndarray | None:
    """`rgb_to_grayscale` of three channels."""
    return None


@accelerated("color_contrast")
def contrast(x: np.ndarray, factor: float) -> np.ndarray | None:
    """`adjust_contrast` of three channels."""
    return None


@accelerated("color_saturation")
def saturation(x: np.ndarray, factor: float) -> np.ndarray | None:
    """`adjust_saturation` of three channels."""
    return None


KERNELS = {
    "color_contrast": contrast,
    "color_grey": grey,
    "color_saturation": saturation,
    "color_scale": scaled,
}


def by_kernel(name: str, x: tp.Tensor, number: float) -> tp.Tensor | None:
    """KERNELS[name](x, number) on the device of x; None if there is no kernel for x."""
    if x.dtype not in (tp.uint8, tp.float32):
        return None
    if x.device.type != "cpu":
        return by_device(name, x.contiguous(), number)
    function = KERNELS[name]
    array = array_of(x) if hasattr(function, "fast") else None
    out = None if array is None else function(np.ascontiguousarray(array), number)
    return None if out is None else tp.from_numpy(out)
