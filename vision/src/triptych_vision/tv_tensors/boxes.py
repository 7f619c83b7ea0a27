"""Boxes around objects, upright and rotated."""

from __future__ import annotations

from enum import Enum
from typing import Any, Self

import triptych as tp
from triptych.errors import DTypeError, ShapeError, UnknownNameError

from .base import TVTensor

__all__ = [
    "BoundingBoxFormat",
    "BoundingBoxes",
    "bounding_box_format",
    "checked_clamping_mode",
    "is_rotated_bounding_format",
]


class BoundingBoxFormat(Enum):
    """What the numbers of a box are. Lengths are in pixels, angles in degrees, counter-clockwise.

    XYXY: left, top, right, bottom. XYWH: left, top, width, height. CXCYWH: centre, width, height.
    XYWHR, CXCYWHR: the same of a rotated box, and its angle; x and y of XYWHR are the corner that
    was top left before the box was turned. XYXYXYXY: the four corners, clockwise from that one.
    """

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    CXCYWHR = "CXCYWHR"
    XYXYXYXY = "XYXYXYXY"

    @property
    def rotated(self) -> bool:
        """Whether boxes of this format have an angle."""
        return self in _ROTATED

    @property
    def length(self) -> int:
        """Numbers per box: 4, 5 or 8."""
        return 8 if self is BoundingBoxFormat.XYXYXYXY else 4 + self.rotated


_ROTATED = {BoundingBoxFormat.XYWHR, BoundingBoxFormat.CXCYWHR, BoundingBoxFormat.XYXYXYXY}
_CLAMPING_MODES = ("soft", "hard", None)


def bounding_box_format(format: BoundingBoxFormat | str) -> BoundingBoxFormat:
    """The format that an argument means.

    Raises:
        UnknownNameError: no format is called so.
    """
    if isinstance(format, BoundingBoxFormat):
        return format
    try:
        return BoundingBoxFormat[format.upper()]
    except (KeyError, AttributeError):
        raise UnknownNameError(
            f"format: wanted one of {', '.join(f.name for f in BoundingBoxFormat)}, got {format!r}"
        ) from None


def is_rotated_bounding_format(format: BoundingBoxFormat | str) -> bool:
    """Whether boxes of a format, given as member or name, have an angle.

    Args:
        format: a member of `BoundingBoxFormat` or its name, such as "XYWHR".

    Returns:
        True for XYWHR, CXCYWHR and XYXYXYXY.
    """
    return bounding_box_format(format).rotated


def checked_clamping_mode(mode: str | None) -> str | None:
    """The mode itself.

    Raises:
        UnknownNameError: not "soft", "hard" or None.
    """
    if mode not in _CLAMPING_MODES:
        raise UnknownNameError(f"clamping_mode: wanted 'soft', 'hard' or None, got {mode!r}")
    return mode


class BoundingBoxes(TVTensor):
    """The boxes of one image, (n, 4), (n, 5) or (n, 8) by their format; one box gets n = 1.

    Args:
        data: what `triptych.as_tensor` takes; a tensor's memory is shared.
        format: a `BoundingBoxFormat` or its name.
        canvas_size: (h, w) of the image that the boxes are in.
        clamping_mode: how transforms treat what leaves the canvas: "soft" lets rotated boxes keep
            their shape, "hard" cuts them to the canvas, None keeps all boxes as they are.
        dtype: of the elements; default that of data.
        device: where they are; default where data is.
        requires_grad: whether operations are recorded; default as data.

    Raises:
        ShapeError: not one or two axes, or another count of numbers per box.
        DTypeError: rotated boxes in integers.
        UnknownNameError: another format or clamping mode.

    Example:
        >>> BoundingBoxes([[1, 2, 3, 4]], format="XYWH", canvas_size=(8, 9))
        BoundingBoxes([[1, 2, 3, 4]], format=XYWH, canvas_size=(8, 9), clamping_mode=soft)
    """

    metadata = ("format", "canvas_size", "clamping_mode")
    format: BoundingBoxFormat
    canvas_size: tuple[int, int]
    clamping_mode: str | None

    def __new__(
        cls,
        data: Any,
        *,
        format: BoundingBoxFormat | str,
        canvas_size: tuple[int, int],
        clamping_mode: str | None = "soft",
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> Self:
        """See the class."""
        out = super().__new__(
            cls,
            data,
            dtype=dtype,
            device=device,
            requires_grad=requires_grad,
            format=format,
            canvas_size=canvas_size,
            clamping_mode=clamping_mode,
        )
        if out.shape[-1] != out.format.length and out.numel():
            raise ShapeError(
                f"BoundingBoxes: {out.format.name} has {out.format.length} numbers per box, got "
                f"shape {tuple(out.shape)}"
            )
        if out.format.rotated and not out.dtype.is_floating_point:
            raise DTypeError(
                f"BoundingBoxes: rotated boxes ({out.format.name}) are floats, got {out.dtype}; "
                "use dtype=triptych.float32"
            )
        return out

    @classmethod
    def checked(cls, tensor: tp.Tensor) -> tp.Tensor:
        """The boxes with an axis n."""
        if tensor.ndim not in (1, 2):
            raise ShapeError(
                f"{cls.__name__}: wanted (n, numbers) or (numbers,), got {tuple(tensor.shape)}"
            )
        return tensor[None] if tensor.ndim == 1 else tensor

    @classmethod
    def checked_metadata(cls, metadata: dict[str, Any]) -> dict[str, Any]:
        """The fields, with the format as a member."""
        height, width = metadata["canvas_size"]
        return {
            "format": bounding_box_format(metadata["format"]),
            "canvas_size": (height, width),
            "clamping_mode": checked_clamping_mode(metadata["clamping_mode"]),
        }
