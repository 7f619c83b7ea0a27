"""Points in an image."""

from __future__ import annotations

from typing import Any, Self

import triptych as tp
from triptych.errors import ShapeError

from .base import TVTensor

__all__ = ["KeyPoints"]


class KeyPoints(TVTensor):
    """Points of one image, (..., 2), x to the right and y down, in pixels; (2,) gets n = 1.

    Args:
        data: what `triptych.as_tensor` takes; a tensor's memory is shared.
        canvas_size: (h, w) of the image that the points are in.
        dtype: of the elements; default that of data.
        device: where they are; default where data is.
        requires_grad: whether operations are recorded; default as data.

    Raises:
        ShapeError: the last axis is not 2.
    """

    metadata = ("canvas_size",)
    canvas_size: tuple[int, int]

    def __new__(
        cls,
        data: Any,
        *,
        canvas_size: tuple[int, int],
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> Self:
        """See the class."""
        return super().__new__(
            cls,
            data,
            dtype=dtype,
            device=device,
            requires_grad=requires_grad,
            canvas_size=canvas_size,
        )

    @classmethod
    def checked(cls, tensor: tp.Tensor) -> tp.Tensor:
        """The points with an axis n."""
        if tensor.ndim < 1 or tensor.shape[-1] != 2:
            raise ShapeError(f"{cls.__name__}: wanted (..., 2), got {tuple(tensor.shape)}")
        return tensor[None] if tensor.ndim == 1 else tensor

    @classmethod
    def checked_metadata(cls, metadata: dict[str, Any]) -> dict[str, Any]:
        """The fields, with the size as two numbers."""
        height, width = metadata["canvas_size"]
        return {"canvas_size": (height, width)}
