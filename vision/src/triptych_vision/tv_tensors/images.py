"""Pictures, films and masks."""

from __future__ import annotations

import triptych as tp
from triptych.errors import ShapeError

from .base import TVTensor

__all__ = ["Image", "Mask", "Video"]


def _check_axes(kind: type, tensor: tp.Tensor, least: int, layout: str) -> None:
    if tensor.ndim < least:
        raise ShapeError(
            f"{kind.__name__}: wanted {layout}, at least {least} axes, got shape "
            f"{tuple(tensor.shape)}"
        )


class Image(TVTensor):
    """An image or a batch of them, (..., c, h, w); (h, w) gets one channel.

    Args:
        data: a PIL image, or what `triptych.as_tensor` takes; a tensor's memory is shared.
        dtype: of the elements; default that of data.
        device: where they are; default where data is.
        requires_grad: whether operations are recorded; default as data.

    Raises:
        ShapeError: fewer than two axes.
    """

    @classmethod
    def checked(cls, tensor: tp.Tensor) -> tp.Tensor:
        """The tensor with a channel axis."""
        _check_axes(cls, tensor, 2, "(..., c, h, w) or (h, w)")
        return tensor[None] if tensor.ndim == 2 else tensor


class Video(TVTensor):
    """A film or a batch of them, (..., t, c, h, w).

    Args:
        data: what `triptych.as_tensor` takes; a tensor's memory is shared.
        dtype: of the elements; default that of data.
        device: where they are; default where data is.
        requires_grad: whether operations are recorded; default as data.

    Raises:
        ShapeError: fewer than four axes.
    """

    @classmethod
    def checked(cls, tensor: tp.Tensor) -> tp.Tensor:
        """The tensor itself."""
        _check_axes(cls, tensor, 4, "(..., t, c, h, w)")
        return tensor


class Mask(TVTensor):
    """What each pixel belongs to, (..., h, w): a map of classes, or one mask per object.

    Transforms pick the nearest pixel of a mask, never a mixture.

    Args:
        data: a PIL image, or what `triptych.as_tensor` takes; a tensor's memory is shared.
        dtype: of the elements; default that of data.
        device: where they are; default where data is.
        requires_grad: whether operations are recorded; default as data.
    """
