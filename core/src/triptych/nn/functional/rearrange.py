"""Channels traded for space, and shuffled."""

from __future__ import annotations

from ...errors import ShapeError
from ...ops.named import keeps_names
from ...prims import movement as mv
from ...tensor import Tensor

__all__ = ["channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


@keeps_names
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., c r r, h, w) to (..., c, h r, w r): channels become pixels.

    Raises:
        ShapeError: channels are no multiple of r * r.

    Source: Shi et al. 2016, eq. 4.
    """
    r = upscale_factor
    if input.ndim < 3 or r <= 0 or input.shape[-3] % (r * r):
        raise ShapeError(
            f"pixel_shuffle: wanted (..., c * {r} * {r}, h, w), got {tuple(input.shape)}"
        )
    *lead, channels, h, w = input.shape
    c, n = channels // (r * r), len(lead)
    split = mv.reshape(input, shape=(*lead, c, r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)  # (..., c, h, r, w, r)
    return mv.reshape(mv.permute(split, axes=order), shape=(*lead, c, h * r, w * r))


@keeps_names
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., c, h r, w r) to (..., c r r, h, w): the inverse of `pixel_shuffle`.

    Raises:
        ShapeError: height or width are no multiple of r.
    """
    r = downscale_factor
    if input.ndim < 3 or r <= 0 or input.shape[-1] % r or input.shape[-2] % r:
        raise ShapeError(
            f"pixel_unshuffle: wanted (..., c, h * {r}, w * {r}), got {tuple(input.shape)}"
        )
    *lead, c, tall, wide = input.shape
    h, w, n = tall // r, wide // r, len(lead)
    split = mv.reshape(input, shape=(*lead, c, h, r, w, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)  # (..., c, r, r, h, w)
    return mv.reshape(mv.permute(split, axes=order), shape=(*lead, c * r * r, h, w))


@keeps_names
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels dealt out so that each group gets some of every group.

    Args:
        input: (n, c, ...).
        groups: a divisor of c.

    Raises:
        ShapeError: channels do not split evenly.

    Source: Zhang et al. 2017, section 3.1.
    """
    if input.ndim < 3 or groups <= 0 or input.shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: wanted (n, c, ...) with c a multiple of {groups}, got "
            f"{tuple(input.shape)}"
        )
    n, c, *space = input.shape
    split = mv.reshape(input, shape=(n, groups, c // groups, *space))
    order = (0, 2, 1, *range(3, 3 + len(space)))
    return mv.reshape(mv.permute(split, axes=order), shape=(n, c, *space))


native_channel_shuffle = channel_shuffle
