"""Transforms of shape and place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych.errors import DTypeError

from .. import tv_tensors
from . import functional as F
from .filling import FillByKind, checked_fill_by_kind, fill_for
from .functional.geometry import sides, two_lengths
from .functional.resizing import Mode, resized_size
from .interpolation import InterpolationMode, interpolation_mode
from .transform import RandomApplyTransform, Transform

__all__ = [
    "CenterCrop",
    "FiveCrop",
    "Pad",
    "RandomHorizontalFlip",
    "RandomRotate90",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
]


class Resize(Transform):
    """Change height and width.

    Args:
        size: (h, w), or an int for the shorter side, or None with max_size.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        max_size: bound of the longer side, when size is an int.
        antialias: when shrinking, let every old pixel count.

    Example:
        >>> import triptych
        >>> Resize((4, 6))(triptych.zeros(3, 8, 8)).shape
        Size([3, 4, 6])
    """

    def __init__(
        self,
        size: int | Sequence[int] | None,
        interpolation: Mode = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        resized_size((1, 1), size, max_size)  # refuses what is no size now, not at the first image
        self.size = size
        self.interpolation = interpolation_mode(interpolation)
        self.max_size = max_size
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image resized."""
        return self.call_kernel(
            F.resize, inpt, self.size, self.interpolation, self.max_size, self.antialias
        )


class CenterCrop(Transform):
    """Cut out the middle; a smaller image is framed with zeros first.

    Args:
        size: (h, w), or one length for both.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = two_lengths("CenterCrop", size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The middle."""
        return self.call_kernel(F.center_crop, inpt, self.size)


class _Crops(Transform):
    """Several crops of each image; what must lie over an image as it is, is refused."""

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise for boxes, points and masks."""
        refused = tv_tensors.BoundingBoxes, tv_tensors.KeyPoints, tv_tensors.Mask
        for part in flat_inputs:
            if isinstance(part, refused):
                raise DTypeError(
                    f"{type(self).__name__}: {type(part).__name__} cannot be cut into several; "
                    "take it out of the sample"
                )


class FiveCrop(_Crops):
    """The four corners and the middle, as a tuple in the image's place.

    Args:
        size: (h, w) of each, or one length for both.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = two_lengths("FiveCrop", size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Five images."""
        return self.call_kernel(F.five_crop, inpt, self.size)


class TenCrop(_Crops):
    """`FiveCrop` of the image and of its mirror image.

    Args:
        size: (h, w) of each, or one length for both.
        vertical_flip: mirror top and bottom in place of left and right.
    """

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = two_lengths("TenCrop", size)
        self.vertical_flip = vertical_flip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Ten images."""
        return self.call_kernel(F.ten_crop, inpt, self.size, self.vertical_flip)


class Pad(Transform):
    """Put a frame around the image.

    Args:
        padding: widths in pixels: one, (left and right, top and bottom), or (left, top, right,
            bottom).
        fill: value of a constant frame: one, one per channel, or a dict of these by type.
        padding_mode: "constant", "edge", "reflect" or "symmetric".
    """

    def __init__(
        self, padding: int | Sequence[int], fill: FillByKind = 0, padding_mode: str = "constant"
    ) -> None:
        super().__init__()
        sides(padding)
        self.padding = padding
        self.fill = checked_fill_by_kind("Pad", fill)
        self.padding_mode = padding_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The framed image."""
        return self.call_kernel(
            F.pad, inpt, self.padding, fill_for(self.fill, inpt), self.padding_mode
        )


class _RandomFlip(RandomApplyTransform):
    """Mirror the images with a probability."""

    flip: Any

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The mirror image."""
        return self.call_kernel(self.flip, inpt)


class RandomHorizontalFlip(_RandomFlip):
    """Mirror left and right with probability p.

    Args:
        p: the probability.
        generator: of the draw.
        per_sample: one draw for each sample of a batch.
    """

    flip = staticmethod(F.horizontal_flip)


class RandomVerticalFlip(_RandomFlip):
    """Mirror top and bottom with probability p.

    Args:
        p: the probability.
        generator: of the draw.
        per_sample: one draw for each sample of a batch.
    """

    flip = staticmethod(F.vertical_flip)


class RandomRotate90(RandomApplyTransform):
    """Turn by one, two or three quarters with probability p; no pixel is mixed or lost.

    Args:
        p: the probability.
        generator: of the draws.
        per_sample: draws of its own for each sample of a batch, whose images must be square.

    Example:
        >>> import triptych
        >>> image = triptych.arange(4).reshape(1, 2, 2)
        >>> turned = RandomRotate90(p=1)(image)
        >>> sorted(turned.flatten().tolist()), turned.equal(image)
        ([0, 1, 2, 3], False)
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The number of quarter turns against the clock."""
        return {"quarters": self.integer(1, 3)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image turned; its canvas, too."""
        return self.call_kernel(F.rotate, inpt, 90.0 * params["quarters"], expand=True)
