"""What counts as an image, and the way from each kind to a tensor and back.

| kind | layout |
| --- | --- |
| `PIL.Image.Image` | Pillow's own |
| `triptych.Tensor`, any other DLPack array (torch, JAX, CuPy) | (..., c, h, w) |
| `numpy.ndarray` | (h, w) or (..., h, w, c), as Pillow, OpenCV and scikit-image have it |

The kinds of `triptych_vision.tv_tensors` say themselves what they are. `Transform.chosen` says
which parts of a sample are changed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from .. import tv_tensors

__all__ = [
    "PIL_IMAGE",
    "is_array",
    "is_image",
    "is_pil",
    "is_pure_tensor",
    "stacked",
    "unstacked",
    "via_dlpack",
    "via_numpy",
]

PIL_IMAGE = "PIL.Image.Image"  # a name, so that Pillow is loaded by those who use it only

Kernel = Callable[..., Any]


def is_pil(x: object) -> bool:
    """Whether x is a PIL image; does not load Pillow."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(x, module.Image)


def is_array(x: object) -> bool:
    """Whether x is a tensor, a NumPy array, or anything else that speaks DLPack."""
    return isinstance(x, tp.Tensor | np.ndarray) or hasattr(x, "__dlpack__")


def is_pure_tensor(inpt: object) -> bool:
    """Whether inpt is a tensor that does not say what it holds: none of `tv_tensors`.

    Args:
        inpt: anything.

    Returns:
        True for tensors (any shape and dtype) outside of `tv_tensors`.
    """
    return isinstance(inpt, tp.Tensor) and not isinstance(inpt, tv_tensors.TVTensor)


def is_image(x: object) -> bool:
    """Whether x can be taken for an image: a PIL image, or an array of three or more axes.

    Example:
        >>> is_image(tp.zeros(3, 8, 8)), is_image(tp.zeros(5, 4)), is_image(7)
        (True, False, False)
    """
    if isinstance(x, tv_tensors.TVTensor):
        return isinstance(x, tv_tensors.Image | tv_tensors.Video)
    return is_pil(x) or (is_array(x) and getattr(x, "ndim", 0) >= 3)


# Axes of a single image, film, mask or set of points; one more makes a batch.
_SINGLE_AXES = {tv_tensors.Video: 4, tv_tensors.Mask: 2, tv_tensors.KeyPoints: 2}


def unstacked(batch: Any) -> list[Any]:
    """The samples of a batch, along the first axis, each of the same kind.

    Raises:
        DTypeError: a PIL image, or boxes, which have no axis for the batch.
        ShapeError: there is no axis for the batch.
    """
    if is_pil(batch) or isinstance(batch, tv_tensors.BoundingBoxes):
        raise DTypeError(
            f"per_sample: {type(batch).__name__} holds no batch; call the transform on each sample"
        )
    axes = next((n for kind, n in _SINGLE_AXES.items() if isinstance(batch, kind)), 3)
    if batch.ndim <= axes:
        raise ShapeError(
            f"per_sample: wanted a batch of {type(batch).__name__}s, {axes + 1} axes or more, got "
            f"shape {tuple(batch.shape)}"
        )
    if isinstance(batch, tv_tensors.TVTensor):
        return [tv_tensors.wrap(part, like=batch) for part in batch.unbind(0)]
    return [batch[i] for i in range(batch.shape[0])]


def stacked(samples: list[Any], like: Any) -> Any:
    """What `unstacked` took apart, with changed samples.

    Raises:
        ShapeError: the samples are of several sizes.
    """
    sizes = {tuple(sample.shape) for sample in samples}
    if len(sizes) > 1:
        raise ShapeError(
            f"per_sample: the samples came out in several shapes, {sorted(sizes)}, and make no "
            "batch; call the transform on each sample"
        )
    if isinstance(like, np.ndarray):
        return np.stack(samples)
    if isinstance(like, tp.Tensor):
        return tv_tensors.wrap(tp.stack(samples), like=samples[0])
    return _importer(like)(tp.stack([tp.from_dlpack(sample) for sample in samples]))


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
