"""How near one image, or flow, comes to another."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as F

__all__ = ["aepe", "psnr", "ssim"]


def psnr(image: tp.Tensor, target: tp.Tensor, max_val: float = 1.0) -> tp.Tensor:
    """Peak signal-to-noise ratio in decibels: 10 log10(max_val**2 / mean squared error).

    Args:
        image: (..., c, h, w) floats or integers.
        target: of the same shape.
        max_val: the largest possible value, 1 for floats, 255 for uint8.

    Returns:
        (...) float, one for each image; inf for equal ones. Has derivatives.

    Raises:
        ShapeError: other shapes.
        DomainError: max_val is not positive.

    Example:
        >>> float(psnr(tp.full((3, 4, 4), 0.5), tp.full((3, 4, 4), 0.6)).round(decimals=3))
        20.0
    """
    x, y = _pair("psnr", image, target, max_val)
    return 10 * (max_val**2 / ((x - y) ** 2).mean((-3, -2, -1))).log10()


def ssim(
    image: tp.Tensor,
    target: tp.Tensor,
    window_size: int = 11,
    max_val: float = 1.0,
    sigma: float = 1.5,
) -> tp.Tensor:
    """Structural similarity, mean over all places where the window fits.

    Args:
        image: (..., c, h, w) floats or integers.
        target: of the same shape.
        window_size: of the Gaussian window in pixels, odd.
        max_val: the largest possible value, 1 for floats, 255 for uint8.
        sigma: of the window in pixels.

    Returns:
        (...) float, one for each image, 1 for equal ones. Has derivatives.

    Raises:
        ShapeError: other shapes, or images smaller than the window.
        DomainError: an even window, or max_val is not positive.

    Source: Wang, Bovik, Sheikh and Simoncelli 2004, equation 13, with their constants.
    """
    x, y = _pair("ssim", image, target, max_val)
    if window_size % 2 == 0 or window_size < 1:
        raise DomainError(f"ssim: window_size is odd, got {window_size}")
    if min(x.shape[-2:]) < window_size:
        raise ShapeError(f"ssim: {tuple(x.shape[-2:])} is smaller than the window {window_size}")
    flat = [a.reshape(-1, 1, *a.shape[-2:]) for a in (x, y, x * x, y * y, x * y)]  # (m, 1, h, w)
    mx, my, mxx, myy, mxy = _blurred(tp.stack(flat), window_size, sigma)
    c1, c2 = (0.01 * max_val) ** 2, (0.03 * max_val) ** 2
    alike = (2 * mx * my + c1) * (2 * (mxy - mx * my) + c2)
    scale = (mx * mx + my * my + c1) * ((mxx - mx * mx) + (myy - my * my) + c2)
    return (alike / scale).mean((-3, -2, -1)).reshape(x.shape[:-2]).mean(-1)


def _blurred(stack: tp.Tensor, size: int, sigma: float) -> tp.Tensor:
    """(k, m, 1, h, w) weighted by a Gaussian window, first down, then across."""
    steps = np.arange(size) - size // 2
    bell = np.exp(-(steps**2) / (2 * sigma**2))
    window = tp.from_numpy(bell / bell.sum()).to(stack.dtype).to(stack.device)
    flat = stack.reshape(-1, *stack.shape[2:])
    flat = F.conv2d(flat, window.reshape(1, 1, size, 1))
    flat = F.conv2d(flat, window.reshape(1, 1, 1, size))
    return flat.reshape(*stack.shape[:2], *flat.shape[1:])


def _pair(
    caller: str, image: tp.Tensor, target: tp.Tensor, max_val: float
) -> tuple[tp.Tensor, tp.Tensor]:
    if image.shape != target.shape or image.ndim < 3:
        raise ShapeError(
            f"{caller}: wanted two images (..., c, h, w) of one shape, got {tuple(image.shape)} "
            f"and {tuple(target.shape)}"
        )
    if not max_val > 0:
        raise DomainError(f"{caller}: max_val is positive, got {max_val}")
    x, y = (a if a.dtype.is_floating_point else a.to(tp.float32) for a in (image, target))
    return x, y


def aepe(flow: tp.Tensor, target: tp.Tensor) -> tp.Tensor:
    """Average end-point error: mean distance between two flows, in pixels.

    Args:
        flow: (..., 2, h, w).
        target: of the same shape.

    Returns:
        (...) float, one for each flow.

    Raises:
        ShapeError: other shapes.

    Example:
        >>> float(aepe(tp.zeros(2, 5, 5), tp.tensor([3.0, 4.0])[:, None, None].expand(2, 5, 5)))
        5.0
    """
    x, y = _pair("aepe", flow, target, 1.0)
    if x.shape[-3] != 2:
        raise ShapeError(f"aepe: wanted flows (..., 2, h, w), got {tuple(x.shape)}")
    return ((x - y) ** 2).sum(-3).sqrt().mean((-2, -1))
