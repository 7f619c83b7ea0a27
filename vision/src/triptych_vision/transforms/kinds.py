"""What counts as an image, and the way from each kind to a tensor and back.

| kind | layout |
| --- | --- |
| `PIL.Image.Image` | Pillow's own |
| `triptych.Tensor`, any other DLPack array (torch, JAX, CuPy) | (..., c, h, w) |
| `numpy.ndarray` | (h, w) or (..., h, w, c), as Pillow, OpenCV and scikit-image have it |

In a sample, a tuple or dict of several things, an image is a PIL image or an array of three or
more axes. Everything else (numbers, strings, labels, arrays of one or two axes) is left alone.
Given alone, outside of a sample, any array is the image.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import triptych as tp

__all__ = ["PIL_IMAGE", "is_array", "is_image", "is_pil", "via_dlpack", "via_numpy"]

PIL_IMAGE = "PIL.Image.Image"  # a name, so that Pillow is loaded by those who use it only

Kernel = Callable[..., Any]


def is_pil(x: object) -> bool:
    """Whether x is a PIL image; does not load Pillow."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(x, module.Image)


def is_array(x: object) -> bool:
    """Whether x is a tensor, a NumPy array, or anything else that speaks DLPack."""
    return isinstance(x, tp.Tensor | np.ndarray) or hasattr(x, "__dlpack__")


def is_image(x: object) -> bool:
    """Whether a part of a sample is an image: a PIL image, or an array of three or more axes.

    Example:
        >>> is_image(tp.zeros(3, 8, 8)), is_image(tp.zeros(5, 4)), is_image(7)
        (True, False, False)
    """
    return is_pil(x) or (is_array(x) and getattr(x, "ndim", 0) >= 3)


def via_numpy(kernel: Kernel) -> Kernel:
    """A kernel for NumPy arrays (h, w) or (..., h, w, c) from one for tensors (..., c, h, w)."""

    def call(image: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        plain = image.ndim == 2
        chw = image[None] if plain else np.moveaxis(image, -1, -3)

        def back(out: tp.Tensor) -> np.ndarray:
            array = out.numpy()
            if plain and array.shape[-3] == 1:
                return np.ascontiguousarray(array[..., 0, :, :])
            return np.ascontiguousarray(np.moveaxis(array, -3, -1))

        return _each_tensor(kernel(tp.from_numpy(chw), *args, **kwargs), back)

    return call


def via_dlpack(kernel: Kernel) -> Kernel:
    """A kernel for DLPack arrays (..., c, h, w) from one for tensors; the memory is shared."""

    def call(image: Any, *args: Any, **kwargs: Any) -> Any:
        back = _importer(image)
        return _each_tensor(kernel(tp.from_dlpack(image), *args, **kwargs), back)

    return call


def _each_tensor(out: Any, back: Callable[[tp.Tensor], Any]) -> Any:
    if isinstance(out, tp.Tensor):
        return back(out)
    if isinstance(out, tuple):
        return tuple(_each_tensor(item, back) for item in out)
    return out


def _importer(array: Any) -> Callable[[Any], Any]:
    """The function `from_dlpack` of the library that an array is from."""
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__().from_dlpack
    library = importlib.import_module(type(array).__module__.partition(".")[0])
    return library.from_dlpack
