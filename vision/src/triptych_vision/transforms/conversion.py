"""Transforms of kind, dtype and values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp

from . import functional as F
from .containers import checked_probability
from .functional.size import get_num_channels
from .kinds import is_pil
from .transform import RandomTransform, Transform

__all__ = [
    "ConvertImageDtype",
    "Grayscale",
    "Normalize",
    "PILToTensor",
    "RGB",
    "RandomGrayscale",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToTensor",
]


class ToImage(Transform):
    """Images of any kind as tensors (..., c, h, w) of their own values.

    Example:
        >>> ToImage()(np.zeros((4, 6, 3), np.uint8)).shape
        Size([3, 4, 6])
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The tensor."""
        return F.to_image(inpt)


class PILToTensor(Transform):
    """PIL images as tensors (c, h, w) of their own values; other parts stay."""

    def selects(self, part: Any) -> bool:
        """PIL images."""
        return is_pil(part)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The tensor."""
        return F.pil_to_tensor(inpt)


class ToTensor(Transform):
    """PIL images and NumPy arrays as float tensors with values from 0 to 1; tensors stay."""

    def selects(self, part: Any) -> bool:
        """PIL images and NumPy arrays (h, w, c)."""
        return is_pil(part) or (isinstance(part, np.ndarray) and part.ndim == 3)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The tensor."""
        return inpt if isinstance(inpt, tp.Tensor) else F.to_tensor(inpt)


class ToPILImage(Transform):
    """Tensors and arrays as PIL images.

    Args:
        mode: Pillow's mode; default by dtype and number of channels.
    """

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The PIL image."""
        return F.to_pil_image(inpt, self.mode)


class ToDtype(Transform):
    """Images in another dtype.

    Args:
        dtype: the new one.
        scale: keep the meaning: integers run from 0 to their largest value, floats from 0 to 1.
    """

    def __init__(self, dtype: tp.dtype = tp.float32, scale: bool = False) -> None:
        super().__init__()
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image in the dtype."""
        return F.to_dtype(inpt, self.dtype, self.scale)


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
        return F.normalize(inpt, self.mean, self.std, self.inplace)


class Grayscale(Transform):
    """Grey of the same brightness.

    Args:
        num_output_channels: 1, or 3 equal ones.
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The grey image."""
        return F.rgb_to_grayscale(inpt, self.num_output_channels)


class RandomGrayscale(RandomTransform):
    """Grey with a probability; the number of channels stays.

    Args:
        p: the probability.
        generator: of the draw.
    """

    def __init__(self, p: float = 0.1, *, generator: tp.Generator | None = None) -> None:
        super().__init__(generator=generator)
        self.p = checked_probability("RandomGrayscale", p)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Whether to take the colour out."""
        return {"apply": self.uniform() < self.p}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image, grey or not."""
        if not params["apply"]:
            return inpt
        return F.rgb_to_grayscale(inpt, num_output_channels=get_num_channels(inpt))


class RGB(Transform):
    """Three channels from one."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with three channels."""
        return F.grayscale_to_rgb(inpt)
