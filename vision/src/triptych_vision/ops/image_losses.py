"""Losses between pictures."""

from __future__ import annotations

import triptych as tp
from triptych.errors import ShapeError
from triptych.nn import functional as F

from .box_losses import reduced

__all__ = ["ssim_loss", "total_variation"]

WINDOW_STD = 1.5  # in pixels; Wang et al. 2004, section 3.3
K1, K2 = 0.01, 0.03  # likewise


def ssim_loss(
    img1: tp.Tensor,
    img2: tp.Tensor,
    window_size: int,
    max_val: float = 1.0,
    eps: float = 1e-12,
    reduction: str = "mean",
) -> tp.Tensor:
    """Half of 1 less the structural similarity.

    Args:
        img1: (n, c, h, w).
        img2: same shape.
        window_size: of the Gaussian window, in pixels, odd; 11 in the paper.
        max_val: largest value of a pixel.
        eps: added to the divisor.
        reduction: "none", "mean" or "sum".

    Returns:
        (n, c, h, w) from 0 to 1, or a number.

    Raises:
        ShapeError: the shapes differ, the window is even, or larger than twice the picture.
        DomainError: there is no such reduction.

    Source: Wang, Bovik, Sheikh and Simoncelli 2004, equation 13; the border is mirrored.
    """
    if img1.ndim != 4 or img1.shape != img2.shape:
        raise ShapeError(
            f"ssim_loss: wanted two of (n, c, h, w), got {tuple(img1.shape)}, {tuple(img2.shape)}"
        )
    if window_size % 2 == 0 or window_size // 2 >= min(img1.shape[2:]):
        raise ShapeError(
            "ssim_loss: window_size is odd, and its half is less than the picture's sides; got "
            f"{window_size} for {tuple(img1.shape[2:])}"
        )
    c1, c2 = (K1 * max_val) ** 2, (K2 * max_val) ** 2
    kernel = _window(window_size, img1)
    mean1, mean2 = _smoothed(img1, kernel), _smoothed(img2, kernel)
    var1 = _smoothed(img1 * img1, kernel) - mean1 * mean1
    var2 = _smoothed(img2 * img2, kernel) - mean2 * mean2
    both = _smoothed(img1 * img2, kernel) - mean1 * mean2
    high = (2 * mean1 * mean2 + c1) * (2 * both + c2)
    low = (mean1 * mean1 + mean2 * mean2 + c1) * (var1 + var2 + c2)
    return reduced("ssim_loss", ((1 - high / (low + eps)) / 2).clamp(0, 1), reduction)


def total_variation(img: tp.Tensor, reduction: str = "sum") -> tp.Tensor:
    """Absolute differences of neighbours, down and across.

    Args:
        img: (..., c, h, w).
        reduction: "sum", or "mean" of each direction.

    Returns:
        (...) one number for each picture.

    Raises:
        ShapeError: img has fewer than three axes.
        DomainError: there is no such reduction.

    Example:
        >>> total_variation(tp.tensor([[[0.0, 1.0], [3.0, 1.0]]]))
        tensor(6.)

    Source: Rudin, Osher and Fatemi 1992, with the sum of both directions' absolute values.
    """
    if img.ndim < 3:
        raise ShapeError(f"total_variation: wanted (..., c, h, w), got {tuple(img.shape)}")
    down = (img[..., 1:, :] - img[..., :-1, :]).abs()
    across = (img[..., :, 1:] - img[..., :, :-1]).abs()
    if reduction == "mean":
        return down.mean((-3, -2, -1)) + across.mean((-3, -2, -1))
    total = down.sum((-3, -2, -1)) + across.sum((-3, -2, -1))
    return total if reduction == "sum" else reduced("total_variation", total, reduction)


def _window(size: int, like: tp.Tensor) -> tp.Tensor:
    """(c, 1, size): a Gaussian of sum 1, for each channel."""
    at = tp.arange(size, dtype=like.dtype, device=like.device) - size // 2
    weights = (-(at**2) / (2 * WINDOW_STD**2)).exp()
    return (weights / weights.sum()).expand(like.shape[1], 1, size)


def _smoothed(img: tp.Tensor, kernel: tp.Tensor) -> tp.Tensor:
    channels, half = img.shape[1], kernel.shape[2] // 2
    padded = F.pad(img, (half,) * 4, mode="reflect")
    rows = F.conv2d(padded, kernel[:, :, None, :], groups=channels)
    return F.conv2d(rows, kernel[:, :, :, None], groups=channels)
