"""Drop contiguous blocks of feature maps while training."""

from __future__ import annotations

import math

import triptych as tp
from triptych import nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as F

__all__ = ["DropBlock2d", "DropBlock3d", "drop_block2d", "drop_block3d"]

POOLS = {2: F.max_pool2d, 3: F.max_pool3d}


def drop_block2d(
    input: tp.Tensor,
    p: float,
    block_size: int,
    inplace: bool = False,
    eps: float = 1e-6,
    training: bool = True,
) -> tp.Tensor:
    """Zero squares of pixels at random, each channel by itself, and scale the rest up.

    Args:
        input: (n, c, h, w).
        p: share of pixels to drop, from 0 to 1.
        block_size: side of the squares in pixels, odd; at most h and w.
        inplace: write into the input.
        eps: added to the number of kept pixels before dividing by it.
        training: False gives the input back.

    Returns:
        Same shape; the kept pixels are scaled so that their sum stays the same on average.

    Raises:
        DomainError: p is no probability, or block_size is even.
        ShapeError: input has not four axes.

    Source: Ghiasi, Lin and Le 2018, algorithm 1.
    """
    return _drop(2, input, p, block_size, inplace, eps, training)


def drop_block3d(
    input: tp.Tensor,
    p: float,
    block_size: int,
    inplace: bool = False,
    eps: float = 1e-6,
    training: bool = True,
) -> tp.Tensor:
    """`drop_block2d` for (n, c, t, h, w): zeroes cubes.

    Args:
        input: (n, c, t, h, w).
        p: share of voxels to drop, from 0 to 1.
        block_size: side of the cubes, odd; at most t, h and w.
        inplace: write into the input.
        eps: added to the number of kept voxels before dividing by it.
        training: False gives the input back.

    Returns:
        Same shape.

    Raises:
        DomainError: p is no probability, or block_size is even.
        ShapeError: input has not five axes.
    """
    return _drop(3, input, p, block_size, inplace, eps, training)


def _drop(
    axes: int,
    input: tp.Tensor,
    p: float,
    block_size: int,
    inplace: bool,
    eps: float,
    training: bool,
) -> tp.Tensor:
    name = f"drop_block{axes}d"
    if not 0.0 <= p <= 1.0:
        raise DomainError(f"{name}: drop probability p is from 0 to 1, got {p}")
    if input.ndim != axes + 2:
        raise ShapeError(f"{name}: input has {axes + 2} axes, got shape {tuple(input.shape)}")
    if not training or p == 0.0:
        return input
    kept = _kept_mask(name, tuple(input.shape), axes, p, min(block_size, *input.shape[2:]), input)
    scale = kept.numel() / (eps + kept.sum())
    return input.mul_(kept).mul_(scale) if inplace else input * kept * scale


def _kept_mask(
    name: str, shape: tuple[int, ...], axes: int, p: float, block: int, like: tp.Tensor
) -> tp.Tensor:
    """1 where a pixel is kept, else 0; blocks lie whole inside the map."""
    if block % 2 == 0:
        raise DomainError(f"{name}: block_size is odd, got {block}, which is even")
    starts = [n - block + 1 for n in shape[2:]]
    rate = p * math.prod(shape[2:]) / (block**axes * math.prod(starts))
    centres = tp.empty(*shape[:2], *starts, dtype=like.dtype, device=like.device)
    centres = F.pad(centres.bernoulli_(min(rate, 1.0)), [block // 2] * (2 * axes))
    return 1 - POOLS[axes](centres, kernel_size=block, stride=1, padding=block // 2)


class DropBlock2d(nn.Module):
    """Layer of `drop_block2d`.

    Args:
        p: share of pixels to drop, from 0 to 1.
        block_size: side of the squares in pixels, odd.
        inplace: write into the input.
        eps: added to the number of kept pixels before dividing by it.
    """

    def __init__(self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = p
        self.block_size = block_size
        self.inplace = inplace
        self.eps = eps

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """(n, c, h, w) to the same shape."""
        return drop_block2d(input, self.p, self.block_size, self.inplace, self.eps, self.training)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f"p={self.p}, block_size={self.block_size}, inplace={self.inplace}"


class DropBlock3d(DropBlock2d):
    """Layer of `drop_block3d`; arguments as `DropBlock2d`."""

    def forward(self, input: tp.Tensor) -> tp.Tensor:
        """(n, c, t, h, w) to the same shape."""
        return drop_block3d(input, self.p, self.block_size, self.inplace, self.eps, self.training)
