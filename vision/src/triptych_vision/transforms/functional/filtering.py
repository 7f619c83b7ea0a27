"""Filters that mix or compare neighbouring pixels: kernels of one's own, medians, bilateral."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError
from triptych.nn.functional import conv2d
from triptych.nn.functional import pad as framed

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE
from .conversion import pil_to_tensor, to_pil_image
from .lookup import array_of, largest

__all__ = ["bilateral_blur", "filter2d", "median_blur", "motion_kernel", "odd_lengths"]

_BORDERS = ("constant", "reflect", "replicate", "circular")


def odd_lengths(name: str, kernel_size: int | Sequence[int]) -> tuple[int, int]:
    """(down, across) from one odd length or two.

    Raises:
        ShapeError: not one or two, or one is even or below 1.
    """
    lengths = [kernel_size] if isinstance(kernel_size, int) else list(kernel_size)
    if len(lengths) not in (1, 2) or any(n < 1 or n % 2 == 0 for n in lengths):
        raise ShapeError(f"{name}: kernel_size is one odd number or (h, w), got {kernel_size!r}")
    return lengths[0], lengths[-1]


def _planes(name: str, x: tp.Tensor, reach: tuple[int, int], border_type: str) -> tp.Tensor:
    """(..., c, h, w) as framed planes (n, 1, h + frame, w + frame)."""
    if border_type not in _BORDERS:
        raise UnknownNameError(f"{name}: border_type is one of {_BORDERS}, got {border_type!r}")
    height, width = x.shape[-2:]
    most = {"reflect": (height - 1, width - 1), "circular": (height, width)}.get(border_type, reach)
    if x.ndim < 3 or reach[0] > most[0] or reach[1] > most[1]:
        raise ShapeError(
            f"{name}: wanted (..., c, h, w), larger than the reach {reach} of the kernel, got "
            f"{tuple(x.shape)}"
        )
    planes = x.reshape(-1, 1, height, width)
    widths = (reach[1], reach[1], reach[0], reach[0])
    return framed(planes, widths, mode=border_type) if any(widths) else planes


def as_before(x: tp.Tensor, dtype: tp.dtype) -> tp.Tensor:
    """Floats as the dtype they came from: integers are rounded and cut to their range."""
    return x if dtype.is_floating_point else x.round().clamp(0, largest(dtype)).to(dtype)


@functional
def filter2d(inpt: Any, kernel: Any, border_type: str = "reflect", normalized: bool = False) -> Any:
    """Each pixel and its neighbours added up with weights, each channel alone.

    Args:
        inpt: an image of any kind.
        kernel: (kh, kw) or (1, kh, kw) weights, odd sides; its middle lies on the pixel
            (correlation: the kernel is not turned).
        border_type: beyond the edges "constant" zeros, "reflect" the mirror image, "replicate" the
            outermost pixel, or "circular" the other side.
        normalized: divide the weights by the sum of their absolute values.

    Returns:
        The image, same kind, shape and dtype; integers are rounded and cut to their range.

    Raises:
        ShapeError: another shape of the kernel, or it reaches further than the border has.
        UnknownNameError: another border_type.

    Example:
        >>> row = tp.tensor([[[1.0, 2.0, 4.0]]])
        >>> filter2d(row, tp.tensor([[0.0, 0.0, 1.0]]), border_type="replicate").tolist()
        [[[2.0, 4.0, 4.0]]]
    """
    dtype = inpt.dtype if inpt.dtype.is_floating_point else tp.float32
    weights = tp.as_tensor(kernel).to(inpt.device, dtype)
    weights = weights[0] if weights.ndim == 3 and len(weights) == 1 else weights
    if weights.ndim != 2:
        raise ShapeError(f"filter2d: kernel is (kh, kw), got {tuple(weights.shape)}")
    down, across = odd_lengths("filter2d", tuple(weights.shape))
    if normalized:
        weights = weights / weights.abs().sum()
    planes = _planes("filter2d", inpt.to(dtype), (down // 2, across // 2), border_type)
    out = conv2d(planes, weights[None, None]).reshape(inpt.shape)
    return as_before(out, inpt.dtype)


@register_kernel(filter2d, PIL_IMAGE)
def _filter2d_pil(
    image: Any, kernel: Any, border_type: str = "reflect", normalized: bool = False
) -> Any:
    out = filter2d(pil_to_tensor(image), kernel, border_type, normalized)
    return to_pil_image(out, image.mode)


def _shifts(
    planes: tp.Tensor, lengths: tuple[int, int]
) -> Iterator[tuple[tuple[int, int], tp.Tensor]]:
    """Each offset from the middle, and the framed planes moved by it."""
    height, width = planes.shape[-2] - lengths[0] + 1, planes.shape[-1] - lengths[1] + 1
    for i in range(lengths[0]):
        for j in range(lengths[1]):
            offset = (i - lengths[0] // 2, j - lengths[1] // 2)
            yield offset, planes[..., i : i + height, j : j + width]


@functional
def median_blur(inpt: Any, kernel_size: int | Sequence[int]) -> Any:
    """Each pixel replaced by the median of those around it, each channel alone.

    Args:
        inpt: an image of any kind; its outermost pixels go on beyond the edge.
        kernel_size: odd, one number or (h, w); PIL images take one.

    Returns:
        The image, same kind, shape and dtype.

    Raises:
        ShapeError: an even kernel_size, or not one or two.

    Example:
        >>> median_blur(tp.tensor([[[1, 9, 2, 3]]]), (1, 3)).tolist()
        [[[1, 2, 3, 3]]]
    """
    lengths = odd_lengths("median_blur", kernel_size)
    reach = lengths[0] // 2, lengths[1] // 2
    array = array_of(inpt)
    if array is not None and inpt.ndim >= 3:
        widths = [(0, 0)] * (inpt.ndim - 2) + [(n, n) for n in reach]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(array, widths, "edge"), lengths, (-2, -1)
        )
        flat = np.array(windows).reshape(*array.shape, -1)  # a copy of its own, to sort in
        middle = flat.shape[-1] // 2
        flat.partition(middle, axis=-1)
        return tp.from_numpy(np.ascontiguousarray(flat[..., middle]))
    planes = _planes("median_blur", inpt, reach, "replicate")
    stack = tp.stack([part for _, part in _shifts(planes, lengths)], -1)
    return stack.median(-1)[0].reshape(inpt.shape)


@register_kernel(median_blur, PIL_IMAGE)
def _median_blur_pil(image: Any, kernel_size: int | Sequence[int]) -> Any:
    from PIL import ImageFilter

    down, across = odd_lengths("median_blur", kernel_size)
    if down == across and image.mode in ("L", "RGB"):
        return image.filter(ImageFilter.MedianFilter(down)) if down > 1 else image.copy()
    return to_pil_image(median_blur(pil_to_tensor(image), (down, across)), image.mode)


@functional
def bilateral_blur(
    inpt: Any,
    kernel_size: int | Sequence[int],
    sigma_color: float,
    sigma_space: float | Sequence[float],
    border_type: str = "reflect",
    color_distance_type: str = "l1",
) -> Any:
    """Blur that keeps edges: neighbours of another colour count less.

    Args:
        inpt: an image of any kind.
        kernel_size: odd, one number or (h, w).
        sigma_color: difference of colour at which a neighbour counts little, where full brightness
            is 1; of bytes, too.
        sigma_space: the same for its distance in pixels, one number or (down, across).
        border_type: as of `filter2d`.
        color_distance_type: differences of channels add up as "l1" or "l2".

    Returns:
        The image, same kind, shape and dtype.

    Raises:
        ShapeError: an even kernel_size.
        ValueError: a sigma that is not above zero.
        UnknownNameError: another border or distance.

    Source: Tomasi and Manduchi 1998, "Bilateral filtering for gray and color images".
    """
    name = "bilateral_blur"
    lengths = odd_lengths(name, kernel_size)
    spaces = [sigma_space] if isinstance(sigma_space, int | float) else list(sigma_space)
    if sigma_color <= 0 or min(spaces) <= 0:
        raise ValueError(f"{name}: sigmas are above zero, got {sigma_color} and {sigma_space}")
    if color_distance_type not in ("l1", "l2"):
        raise UnknownNameError(f"{name}: 'l1' or 'l2', got {color_distance_type!r}")
    dtype = inpt.dtype if inpt.dtype.is_floating_point else tp.float32
    x = inpt.to(dtype)
    wide = _planes(name, x, (lengths[0] // 2, lengths[1] // 2), border_type)
    wide = wide.reshape(*x.shape[:-2], *wide.shape[-2:])
    total, weight = tp.zeros_like(x), tp.zeros_like(x[..., :1, :, :])
    bright = float(largest(inpt.dtype)) * sigma_color
    for (i, j), moved in _shifts(wide, lengths):
        apart = (moved - x).abs()
        squared = apart.sum(-3, keepdim=True) ** 2
        if color_distance_type == "l2":
            squared = (apart * apart).sum(-3, keepdim=True)
        far = (i / spaces[0]) ** 2 + (j / spaces[-1]) ** 2
        share = (squared * (-0.5 / bright**2) - 0.5 * far).exp()
        total, weight = total + moved * share, weight + share
    return as_before(total / weight, inpt.dtype)


@register_kernel(bilateral_blur, PIL_IMAGE)
def _bilateral_blur_pil(image: Any, *args: Any, **kwargs: Any) -> Any:
    return to_pil_image(bilateral_blur(pil_to_tensor(image), *args, **kwargs), image.mode)


def motion_kernel(kernel_size: int, angle: float, direction: float = 0.0) -> tp.Tensor:
    """Weights along a line through the middle, for `filter2d`: what moves leaves such a trace.

    Args:
        kernel_size: odd; the line is as long.
        angle: of the line in degrees, counter-clockwise from the x axis.
        direction: from -1 to 1; where on the line most of the weight is, 0 spreads it evenly.

    Returns:
        (kernel_size, kernel_size) float32 that adds up to 1.

    Example:
        >>> motion_kernel(3, angle=90.0)[:, 1].sum().item() > 0.999
        True
    """
    odd_lengths("motion_kernel", kernel_size)
    reach, radians = kernel_size // 2, math.radians(angle)
    along = np.linspace(-1.0, 1.0, 2 * kernel_size - 1) if reach else np.zeros(1)
    weight = 1 + direction * along
    x, y = (reach + reach * along * f for f in (math.cos(radians), -math.sin(radians)))
    columns = rows = np.arange(kernel_size)
    across = np.clip(1 - np.abs(columns[:, None] - x), 0, None)  # (k, points)
    down = np.clip(1 - np.abs(rows[:, None] - y), 0, None)
    kernel = (down * weight) @ across.T
    return tp.from_numpy((kernel / kernel.sum()).astype(np.float32))
