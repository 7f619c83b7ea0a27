"""Attention within windows of images and videos, with windows that are shifted.

Source: Liu et al. 2021, section 3.2 (Swin), and 2022, section 3.3 (cosine attention).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

import triptych as tp
from triptych.nn import functional as F

__all__ = ["relative_position_index", "shifted_window_attention"]

APART = -100.0  # added to the score of two pixels that are neighbours by the shift alone
MAX_LOGIT_SCALE = math.log(100.0)


def relative_position_index(window_size: Sequence[int]) -> np.ndarray:
    """Which row of a table of biases belongs to each pair of pixels of a window.

    Args:
        window_size: pixels along each axis.

    Returns:
        (p, p) int64 for windows of p pixels; less than the product of 2 * size - 1.

    Example:
        >>> relative_position_index([2])
        array([[1, 0],
               [2, 1]])
    """
    places = np.indices(tuple(window_size)).reshape(len(window_size), -1)  # (axes, p)
    ends = np.array(window_size)[:, None, None] - 1
    apart = places[:, :, None] - places[:, None, :] + ends  # (axes, p, p), from 0 on
    return np.ravel_multi_index(tuple(apart), tuple(2 * n - 1 for n in window_size))


@cache
def _shift_mask(
    sizes: tuple[int, ...], window: tuple[int, ...], shift: tuple[int, ...]
) -> np.ndarray:
    """(windows, p, p) float32: APART where the shift brought two pixels together, else 0."""
    regions = np.zeros(sizes, np.int64)
    for axis, (size, side, step) in enumerate(zip(sizes, window, shift, strict=True)):
        if step:  # before the last window, in it, and wrapped around
            line = np.arange(size)
            part = (line >= size - side).astype(np.int64) + (line >= size - step)
            regions = 3 * regions + part.reshape(
                [-1 if a == axis else 1 for a in range(len(sizes))]
            )
    counts = [n // side for n, side in zip(sizes, window, strict=True)]
    split = regions.reshape([n for pair in zip(counts, window, strict=True) for n in pair])
    axes = len(sizes)
    split = split.transpose([*range(0, 2 * axes, 2), *range(1, 2 * axes, 2)])
    split = split.reshape(math.prod(counts), -1)  # (windows, p)
    return np.where(split[:, None, :] == split[:, :, None], 0.0, APART).astype(np.float32)


def shifted_window_attention(
    input: tp.Tensor,
    qkv_weight: tp.Tensor,
    proj_weight: tp.Tensor,
    relative_position_bias: tp.Tensor,
    window_size: Sequence[int],
    num_heads: int,
    shift_size: Sequence[int],
    attention_dropout: float = 0.0,
    dropout: float = 0.0,
    qkv_bias: tp.Tensor | None = None,
    proj_bias: tp.Tensor | None = None,
    logit_scale: tp.Tensor | None = None,
    training: bool = True,
) -> tp.Tensor:
    """Attention of the pixels of each window among themselves.

    Args:
        input: (n, h, w, c) images or (n, t, h, w, c) videos.
        qkv_weight: (3 * c, c) from a pixel to query, key and value.
        proj_weight: (c, c) of the last layer.
        relative_position_bias: (1, heads, p, p) added to the scores, p pixels in a window.
        window_size: pixels along each axis; the input is padded to multiples.
        num_heads: c is a multiple of it.
        shift_size: pixels along each axis by which the windows are shifted, less than window_size.
        attention_dropout: part of the attention's weights that are zeroed while training.
        dropout: part of the output that is zeroed while training.
        qkv_bias: (3 * c,).
        proj_bias: (c,).
        logit_scale: (heads, 1, 1); with it, scores are cosines times its exponential, at most 100,
            and keys have no bias.
        training: False for no dropout.

    Returns:
        The input's shape.
    """
    axes = range(1, input.ndim - 1)
    *sizes, c = input.shape[1:]
    missing = [-size % side for size, side in zip(sizes, window_size, strict=True)]
    x = _padded(input, missing)
    padded = tuple(x.shape[1:-1])
    rows = zip(shift_size, window_size, padded, strict=True)
    shift = tuple(0 if side >= size else step for step, side, size in rows)
    if any(shift):
        x = x.roll([-step for step in shift], list(axes))
    x = _to_windows(x, window_size)  # (n, windows, p, c)
    if logit_scale is not None and qkv_bias is not None:
        qkv_bias = tp.cat([qkv_bias[:c], tp.zeros_like(qkv_bias[:c]), qkv_bias[2 * c :]])
    qkv = F.linear(x, qkv_weight, qkv_bias).reshape(*x.shape[:3], 3, num_heads, c // num_heads)
    q, k, v = qkv.permute(3, 0, 1, 4, 2, 5).unbind(0)  # (n, windows, heads, p, d)
    scale = None
    if logit_scale is not None:
        q = F.normalize(q, dim=-1) * logit_scale.clamp(max=MAX_LOGIT_SCALE).exp()
        k, scale = F.normalize(k, dim=-1), 1.0
    bias = relative_position_bias
    if any(shift):
        mask = tp.tensor(_shift_mask(padded, tuple(window_size), shift), device=x.device)
        bias = bias + mask[:, None].to(bias.dtype)  # (windows, heads, p, p)
    dropped = attention_dropout if training else 0.0
    x = F.scaled_dot_product_attention(q, k, v, bias, dropped, scale=scale)
    x = F.linear(x.transpose(2, 3).flatten(3), proj_weight, proj_bias)
    x = _from_windows(F.dropout(x, dropout, training), window_size, padded)
    if any(shift):
        x = x.roll(list(shift), list(axes))
    return x[(slice(None), *(slice(size) for size in sizes))] if any(missing) else x


def _padded(x: tp.Tensor, missing: Sequence[int]) -> tp.Tensor:
    if not any(missing):
        return x
    return F.pad(x, [0, 0, *(n for after in reversed(missing) for n in (0, after))])


def _to_windows(x: tp.Tensor, window: Sequence[int]) -> tp.Tensor:
    """(n, *sizes, c) to (n, windows, p, c)."""
    n, *sizes, c = x.shape
    axes = len(sizes)
    pairs = [(size // side, side) for size, side in zip(sizes, window, strict=True)]
    x = x.reshape(n, *(number for pair in pairs for number in pair), c)
    x = x.permute(0, *range(1, 2 * axes, 2), *range(2, 2 * axes + 1, 2), 2 * axes + 1)
    return x.reshape(n, math.prod(count for count, _ in pairs), math.prod(window), c)


def _from_windows(x: tp.Tensor, window: Sequence[int], sizes: Sequence[int]) -> tp.Tensor:
    """(n, windows, p, c) to (n, *sizes, c)."""
    n, c, axes = x.shape[0], x.shape[-1], len(sizes)
    counts = [size // side for size, side in zip(sizes, window, strict=True)]
    x = x.reshape(n, *counts, *window, c)
    mixed = [place for axis in range(1, axes + 1) for place in (axis, axis + axes)]
    return x.permute(0, *mixed, 2 * axes + 1).reshape(n, *sizes, c)
