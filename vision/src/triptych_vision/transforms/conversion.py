"""Transforms of kind, dtype and values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from .. import tv_tensors
from . import functional as F
from .dispatch import functional
from .functional.conversion import scale_and_normalize
from .kinds import is_image, is_pil
from .transform import Transform

__all__ = [
    "ConvertImageDtype",
    "Denormalize",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToPureTensor",
    "ToTensor",
]


class ToImage(Transform):
    """Images of any kind as `tv_tensors.Image` (..., c, h, w) of their own values.

    Example:
        >>> ToImage()(np.zeros((4, 6, 3), np.uint8)).shape
        Size([3, 4, 6])
    """

    def selects(self, part: Any) -> bool:
        """Images that are no `tv_tensors` yet."""
        return is_image(part) and not isinstance(part, tv_tensors.TVTensor)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The tensor."""
        return F.to_image(inpt)


class ToPureTensor(Transform):
    """Tensors of `tv_tensors` as plain ones; metadata is dropped, memory shared."""

    def selects(self, part: Any) -> bool:
        """Parts that say what they are."""
        return isinstance(part, tv_tensors.TVTensor)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The plain tensor."""
        return F.to_pure_tensor(inpt)


class PILToTensor(Transform):
    """PIL images as tensors (c, h, w) of their own values; other parts stay."""

    def selects(self, part: Any) -> bool:
        """PIL images."""
        return is_pil(part)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The tensor."""
        return F.pil_to_tensor(inpt) if self.selects(inpt) else inpt


class ToTensor(Transform):
    """PIL images and NumPy arrays as float tensors with values from 0 to 1; tensors stay."""

    def selects(self, part: Any) -> bool:
        """PIL images and NumPy arrays (h, w, c)."""
        return is_pil(part) or (isinstance(part, np.ndarray) and part.ndim >= 3)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The tensor."""
        return F.to_tensor(inpt) if is_pil(inpt) or isinstance(inpt, np.ndarray) else inpt


class ToPILImage(Transform):
    """Tensors and arrays as PIL images.

    Args:
        mode: Pillow's mode; default by dtype and number of channels.
    """

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def selects(self, part: Any) -> bool:
        """Images; films, masks, boxes and keypoints stay."""
        return is_image(part) and not isinstance(part, tv_tensors.Video)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The PIL image."""
        return F.to_pil_image(inpt, self.mode)


DTypes = tp.dtype | Mapping[type | str, tp.dtype | None]


class ToDtype(Transform):
    """Images and films in another dtype, or each kind in its own.

    Args:
        dtype: the new one of images and films; or a dict by type, in which "others" stands for all
            types that are not named and None for no change.
        scale: keep the meaning of images and films: integers run from 0 to their largest value,
            floats from 0 to 1.

    Raises:
        DTypeError: dtype is neither; or, when called, a type is not in the dict.

    Example:
        >>> mask = tv_tensors.Mask([[1]], dtype=tp.uint8)
        >>> to = ToDtype({tv_tensors.Image: tp.float32, tv_tensors.Mask: tp.int64}, scale=True)
        >>> image, mask = to(tv_tensors.Image([[255]], dtype=tp.uint8), mask)
        >>> image.tolist(), mask.dtype
        ([[[1.0]]], triptych.int64)
    """

    def __init__(self, dtype: DTypes, scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, tp.dtype | Mapping):
            raise DTypeError(f"{type(self).__name__}: wanted a dtype or a dict, got {dtype!r}")
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image in the dtype."""
        dtype = self._dtype_for(inpt)
        if dtype is None:
            return inpt
        return self.call_kernel(F.to_dtype, inpt, dtype, self.scale)

    def _dtype_for(self, inpt: Any) -> tp.dtype | None:
        if isinstance(self.dtype, tp.dtype):
            has_pixels = not isinstance(inpt, tv_tensors.TVTensor) or is_image(inpt)
            return self.dtype if has_pixels else None
        named = [cls for cls in type(inpt).__mro__ if cls in self.dtype]
        if not named and "others" not in self.dtype:
            raise DTypeError(
                f"{type(self).__name__}: no dtype for {type(inpt).__name__} in {self.dtype}; "
                "add 'others': None to leave the rest"
            )
        return self.dtype[named[0] if named else "others"]


class ConvertImageDtype(ToDtype):
    """`ToDtype` with scale=True, the older name.

    Args:
        dtype: the new one.
    """

    def __init__(self, dtype: tp.dtype = tp.float32) -> None:
        super().__init__(dtype, scale=True)


class Normalize(Transform):
    """Subtract a mean and divide by a deviation, channel by channel.

    Args:
        mean: one per channel, or one for all.
        std: one per channel, or one for all.
        inplace: write into the tensor itself.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.inplace = inplace

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """(image - mean) / std."""
        return self.call_kernel(F.normalize, inpt, self.mean, self.std, self.inplace)


class _ScaleAndNormalize(Transform):
    """`ToDtype` to float32 with scale=True and then `Normalize`, so that bytes take one pass."""

    def __init__(self, first: ToDtype, then: Normalize) -> None:
        super().__init__()
        self.first, self.then = first, then
        self.__dict__["plain_arrays"] = first.plain_arrays

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """(image - mean) / std."""
        if isinstance(inpt, tv_tensors.TVTensor) and not is_image(inpt):
            return inpt
        then = self.then
        return self.call_kernel(scale_and_normalize, inpt, then.mean, then.std, then.inplace)


def joined(steps: Sequence[Callable[..., Any]]) -> Iterator[Callable[..., Any]]:
    """The steps of a pipeline; what can be done in one pass comes as one.

    Args:
        steps: callables, one after the other.

    Yields:
        The callables that do the same.
    """
    waiting: Callable[..., Any] | None = None  # a step that the next one may be joined to
    for step in steps:
        if type(waiting) is ToDtype and type(step) is Normalize and _make_one_pass(waiting, step):
            yield _ScaleAndNormalize(waiting, step)
            waiting = None
            continue
        if waiting is not None:
            yield waiting
        waiting = step
    if waiting is not None:
        yield waiting


def _make_one_pass(first: ToDtype, then: Normalize) -> bool:
    """Whether both change the same parts, and nobody watches what is between them."""
    watched = any((m._forward_hooks or m._forward_pre_hooks) for m in (first, then))
    one_kind = first.scale and first.dtype is tp.float32
    return one_kind and not watched and first.plain_arrays == then.plain_arrays


class Denormalize(Transform):
    """The way back from `Normalize`: multiply by a deviation and add a mean, to look at images.

    Args:
        mean: one per channel, or one for all: those that `Normalize` had.
        std: one per channel, or one for all; not zero.

    Example:
        >>> image = tp.rand(3, 4, 5)
        >>> there = Normalize([0.5, 0.4, 0.3], [0.2])(image)
        >>> tp.allclose(Denormalize([0.5, 0.4, 0.3], [0.2])(there), image)
        True
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        if 0 in self.std:
            raise ValueError(f"Denormalize: std is not zero, got {self.std}")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """image * std + mean."""
        length = max(len(self.mean), len(self.std))
        mean, std = (v * length if len(v) == 1 else v for v in (self.mean, self.std))
        if len(mean) != len(std):
            raise ShapeError(
                f"Denormalize: one mean and std per channel, got {len(mean)} and {len(std)}"
            )
        shift = [-m / s for m, s in zip(mean, std, strict=True)]
        return self.call_kernel(F.normalize, inpt, shift, [1 / s for s in std])


class LinearTransformation(Transform):
    """Flatten an image, subtract a mean and multiply by a matrix, as whitening does.

    Args:
        transformation_matrix: (c h w, c h w).
        mean_vector: (c h w,).

    Raises:
        ShapeError: the matrix is not square, or its size not that of the mean or of the image.
        DTypeError: a PIL image, or a matrix and mean of several dtypes.
    """

    def __init__(self, transformation_matrix: tp.Tensor, mean_vector: tp.Tensor) -> None:
        super().__init__()
        matrix, mean = transformation_matrix, mean_vector
        if matrix.ndim != 2 or mean.shape != matrix.shape[:1] or mean.shape != matrix.shape[1:]:
            raise ShapeError(
                "LinearTransformation: wanted a matrix (d, d) and a mean (d,), got "
                f"{tuple(matrix.shape)} and {tuple(mean.shape)}"
            )
        if matrix.dtype is not mean.dtype:
            raise DTypeError(
                f"LinearTransformation: matrix and mean are {matrix.dtype} and {mean.dtype}; "
                "wanted one dtype"
            )
        self.transformation_matrix = matrix
        self.mean_vector = mean

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise for PIL images."""
        if any(map(is_pil, flat_inputs)):
            raise DTypeError("LinearTransformation: takes tensors; use ToImage() and ToDtype first")

    def selects(self, part: Any) -> bool:
        """Images and films."""
        return is_image(part)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """(image - mean) @ matrix in the shape of the image."""
        return _multiplied(inpt, self.transformation_matrix, self.mean_vector)


@functional
def _multiplied(inpt: Any, matrix: tp.Tensor, mean: tp.Tensor) -> Any:
    size = prod(inpt.shape[-3:])
    if size != len(mean):
        raise ShapeError(
            f"LinearTransformation: the matrix is for {len(mean)} values, an image of "
            f"{tuple(inpt.shape)} has {size}"
        )
    centred = inpt.reshape(-1, size) - mean
    return (centred @ matrix.to(centred.dtype)).reshape(inpt.shape)
