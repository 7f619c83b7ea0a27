"""Blur and noise."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, prod
from typing import Any, NamedTuple

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych.library import accelerated

from ..dispatch import functional, register_kernel
from ..kinds import PIL_IMAGE
from .conversion import pil_to_tensor, to_pil_image
from .lookup import array_of, on_bytes

__all__ = ["gaussian_blur", "gaussian_noise", "kernel_lengths"]

_BLOCK_ROWS = 32  # new pixels per block; of 16 to 112 the fastest at 224 pixels, 3 to 23 weights


def kernel_lengths(kernel_size: int | Sequence[int]) -> tuple[int, int]:
    """How many pixels across and down a blur reaches.

    Args:
        kernel_size: one odd number above zero, or two.

    Returns:
        (across, down).

    Raises:
        ShapeError: not one or two numbers.
        ValueError: a number is even or below one.
    """
    lengths = [kernel_size] if isinstance(kernel_size, int) else list(kernel_size)
    if len(lengths) not in (1, 2):
        raise ShapeError(f"gaussian_blur: kernel_size is one number or two, got {kernel_size}")
    if any(length < 1 or length % 2 == 0 for length in lengths):
        raise ValueError(
            f"gaussian_blur: kernel_size is odd and above zero, so that it has a middle, got "
            f"{kernel_size}"
        )
    return lengths[0], lengths[-1]


def _deviations(
    sigma: float | Sequence[float] | None, lengths: tuple[int, int]
) -> tuple[float, float]:
    if sigma is None:  # OpenCV's rule: the weights at the edge are small, but count
        return lengths[0] * 0.15 + 0.35, lengths[1] * 0.15 + 0.35
    values = [sigma] if isinstance(sigma, int | float) else list(sigma)
    if len(values) not in (1, 2):
        raise ShapeError(f"gaussian_blur: sigma is one number or two, got {sigma}")
    if min(values) <= 0:
        raise ValueError(f"gaussian_blur: sigma is above zero, got {sigma}")
    return float(values[0]), float(values[-1])


@functional
def gaussian_blur(
    inpt: Any, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None
) -> Any:
    """Mix each pixel with those around it, the nearer the more.

    Args:
        inpt: an image of any kind; beyond its edges it is mirrored.
        kernel_size: how many pixels are mixed, odd: one number, or across and down.
        sigma: standard deviation of the weights in pixels, one or two; default 0.15 of the
            kernel size plus 0.35.

    Returns:
        The image, same kind and dtype; integers are rounded.

    Raises:
        ShapeError: not one or two numbers, or the mirrored edge is larger than the image.
        ValueError: an even kernel size, or a sigma that is not above zero.

    Example:
        >>> image = tp.tensor([[0, 0, 99, 0, 0]], dtype=tp.uint8)
        >>> gaussian_blur(image[None], (3, 1), 0.5).tolist()
        [[[0, 11, 78, 11, 0]]]
    """
    lengths = kernel_lengths(kernel_size)
    deviations = _deviations(sigma, lengths)
    if not inpt.numel():
        return inpt
    _check_reach(lengths, tuple(inpt.shape))
    across, down = (_weights(n, s) for n, s in zip(lengths, deviations, strict=True))
    if on_bytes(inpt):
        return _mixed_bytes(inpt, across, down)
    kind = inpt.dtype
    x = inpt if kind.is_floating_point else inpt.to(tp.float32)
    x = _mixed(_mixed(x, -2, down), -1, across)
    return x if kind.is_floating_point else x.round().to(kind)


def _check_reach(lengths: tuple[int, int], shape: tuple[int, ...]) -> None:
    across, down = lengths[0] // 2, lengths[1] // 2
    if len(shape) < 3 or down >= shape[-2] or across >= shape[-1]:
        raise ShapeError(
            f"gaussian_blur: an edge of {across} and {down} pixels is mirrored, which an image of "
            f"shape {shape} does not have; wanted (..., c, h, w) and a smaller kernel_size"
        )


def _weights(length: int, sigma: float) -> np.ndarray:
    """(length,) float64 that add up to one."""
    x = np.arange(length) - length // 2
    weights = np.exp(-0.5 * (x / sigma) ** 2)
    return weights / weights.sum()


def _mixed(x: tp.Tensor, axis: int, weights: np.ndarray) -> tp.Tensor:
    """One axis blurred by products with a band matrix, block by block."""
    if len(weights) == 1:
        return x
    parts = []
    for start, stop, band in _bands(x.shape[axis], weights, np.float64):
        old = x.narrow(axis, start, stop - start)
        matrix = tp.from_numpy(band).to(x.device, x.dtype)
        parts.append(matrix @ old if axis == -2 else old @ matrix.mT)
    return parts[0] if len(parts) == 1 else tp.cat(parts, dim=axis)


def _mixed_bytes(x: tp.Tensor, across: np.ndarray, down: np.ndarray) -> tp.Tensor:
    """Both axes of bytes, image by image so that they stay in the cache; twin of `_mixed`."""
    *batch, channels, height, width = x.shape
    old = np.ascontiguousarray(x.numpy()).reshape(prod(batch), channels, height, width)
    new = np.empty_like(old)
    rows, columns = _bands(height, down, np.float32), _bands(width, across, np.float32)
    half, whole = np.empty((2, channels, height, width), np.float32)
    for image, blurred in zip(old, new, strict=True):
        _multiply(rows, image.astype(np.float32), half)
        _multiply(columns, half.swapaxes(-2, -1), whole.swapaxes(-2, -1))
        np.copyto(blurred, np.rint(whole, out=whole), casting="unsafe")
    return tp.from_numpy(new.reshape(x.shape))


def _multiply(blocks: list[_Block], old: np.ndarray, new: np.ndarray) -> None:
    """new = matrix @ old, both (c, rows, columns)."""
    first = 0
    for start, stop, band in blocks:
        last = first + len(band)
        np.matmul(band, old[:, start:stop], out=new[:, first:last])
        first = last


class _Block(NamedTuple):
    """Neighbouring new pixels: the old ones from start to stop, and the weights."""

    start: int
    stop: int
    weights: np.ndarray  # (new pixels, stop - start)


def _bands(size: int, weights: np.ndarray, dtype: type[np.floating[Any]]) -> list[_Block]:
    """The rows of a blur's matrix in blocks."""
    reach = len(weights) // 2
    blocks = []
    for first in range(0, size, _BLOCK_ROWS):
        rows = min(_BLOCK_ROWS, size - first)
        band = _band(rows, weights.astype(dtype))
        blocks.append(_mirrored(band, first - reach, size))
    return blocks


def _band(rows: int, weights: np.ndarray) -> np.ndarray:
    """(rows, rows + length - 1): each row has the weights one place further."""
    longer = np.zeros((rows, rows + len(weights)), weights.dtype)
    longer[:, : len(weights)] = weights
    columns = rows + len(weights) - 1
    return longer.reshape(-1)[: rows * columns].reshape(rows, columns)


def _mirrored(band: np.ndarray, start: int, size: int) -> _Block:
    """What lies beyond the image adds to its mirror image inside."""
    before, after = max(-start, 0), max(start + band.shape[1] - size, 0)
    inside = band[:, before : band.shape[1] - after]
    if before:
        inside[:, 1 : before + 1] += band[:, before - 1 :: -1]
    if after:
        end = inside.shape[1]
        inside[:, end - 1 - after : end - 1] += band[:, : -after - 1 : -1]
    return _Block(max(start, 0), min(start + band.shape[1], size), inside)


@register_kernel(gaussian_blur, PIL_IMAGE)
def _gaussian_blur_pil(
    image: Any, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None
) -> Any:
    blurred = gaussian_blur(pil_to_tensor(image), kernel_size, sigma)
    return to_pil_image(blurred, image.mode)


@functional
def gaussian_noise(
    inpt: Any,
    mean: float = 0.0,
    sigma: float = 0.1,
    clip: bool = True,
    *,
    generator: tp.Generator | None = None,
) -> Any:
    """Add normal noise to each value.

    Args:
        inpt: floats from 0 to 1 or bytes; mean and sigma are in units of full brightness for both.
        mean: of the noise.
        sigma: its standard deviation.
        clip: cut the sum to the range; else floats leave it and bytes wrap around.
        generator: where the noise comes from; default the one that `triptych.manual_seed` seeds.

    Returns:
        The image, same kind and dtype.

    Raises:
        ValueError: sigma is negative.
        DTypeError: another dtype, or a PIL image.
    """
    if sigma < 0:
        raise ValueError(f"gaussian_noise: sigma is zero or more, got {sigma}")
    floats = inpt.dtype.is_floating_point
    if not (floats or inpt.dtype is tp.uint8):
        raise DTypeError(f"gaussian_noise: wanted floats or uint8, got {inpt.dtype}")
    if floats:
        noise = _normal(inpt.shape, sigma, inpt.dtype, inpt.device, generator)
        out = inpt + noise.add_(mean)
        return out.clamp(0, 1) if clip else out
    noise = _normal(inpt.shape, 255 * sigma, tp.float32, inpt.device, generator)
    out = noise.add_(255 * mean).to(tp.int16).add_(inpt)
    return (out.clamp_(0, 255) if clip else out).to(tp.uint8)


def _normal(
    shape: Sequence[int],
    sigma: float,
    dtype: tp.dtype,
    device: tp.device,
    generator: tp.Generator | None,
) -> tp.Tensor:
    """Normal numbers two by two, as points around the origin.

    NumPy has logarithms and cosines of float32 in vector instructions, but not its normal numbers,
    which take three times as long. The 24 bits of float32 reach out to 5.8 sigma.

    Source: Box and Muller 1958.
    """
    if dtype is tp.float64:
        return tp.randn(*shape, generator=generator, dtype=dtype, device=device).mul_(sigma)
    count = prod(shape)
    pairs = tp.rand(2, (count + 1) // 2, generator=generator, device=device)
    array = array_of(pairs)
    found = None if array is None else _normal_pairs(array, sigma)
    if found is not None:
        return tp.from_numpy(found)[:count].reshape(*shape).to(dtype)
    radius = (1 - pairs[0]).log_().mul_(-2 * sigma**2).sqrt_()
    angle = pairs[1].mul_(2 * pi)
    out = tp.cat((angle.cos().mul_(radius), angle.sin_().mul_(radius)))
    return out[:count].reshape(*shape).to(dtype)


@accelerated("normal_pairs")
def _normal_pairs(pairs: np.ndarray, sigma: float) -> np.ndarray | None:
    """(2, n) uniform numbers to (2 n,) normal ones; None for the way in operations of tensors."""
    return None


@register_kernel(gaussian_noise, PIL_IMAGE)
def _gaussian_noise_pil(image: Any, *args: Any, **kwargs: Any) -> Any:
    raise DTypeError("gaussian_noise: a PIL image takes no noise; use to_image(image) first")
