"""Parts of a spectrogram hidden at random, to train with."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["mask_along_axis", "mask_along_axis_iid"]


def _longest(name: str, specgram: Tensor, mask_param: int, axis: int, p: float, least: int) -> int:
    """How long a mask may be, after a look at the arguments."""
    ndim = specgram.ndim
    if ndim < least:
        raise ShapeError(
            f"{name}: wanted at least {least} axes, the last two frequency and time, got "
            f"{tuple(specgram.shape)}"
        )
    if axis not in (ndim - 2, ndim - 1):
        raise ShapeError(
            f"{name}: axis is {ndim - 2} for frequency or {ndim - 1} for time, got {axis}"
        )
    if not 0.0 <= p <= 1.0:
        raise DomainError(f"{name}: p is from 0 to 1, got {p}")
    return mask_param if p == 1.0 else min(mask_param, int(specgram.shape[axis] * p))


def _masked(
    specgram: Tensor, length: Tensor, start: Tensor, mask_value: float | Tensor, axis: int
) -> Tensor:
    """Fill from `start`, (..., 1, 1) or 0-d, `length` bins of an axis."""
    places = tp.arange(specgram.shape[axis], device=specgram.device)
    if axis == specgram.ndim - 2:
        places = places[:, None]
    first = start.to(tp.int64)
    mask = (places >= first) & (places < first + length.to(tp.int64))
    filled: Tensor = specgram.masked_fill(mask, mask_value)
    return filled


@same_kind
def mask_along_axis_iid(
    specgrams: Tensor,
    mask_param: int,
    mask_value: float | Tensor,
    axis: int,
    p: float = 1.0,
    *,
    generator: Any = None,
) -> Tensor:
    """Hide a band of each example and channel, of random length and place, each its own.

    Args:
        specgrams: (..., f, frames), at least three axes.
        mask_param: lengths are drawn uniformly from 0 to below this.
        mask_value: what is put there.
        axis: the last but one for frequencies, the last for time.
        p: at most this share of the axis is hidden.
        generator: source of the numbers.

    Returns:
        The same shape.

    Raises:
        ShapeError: too few axes, or another axis.
        DomainError: p is not from 0 to 1.

    Source: Park et al. 2019, SpecAugment.
    """
    longest = _longest("mask_along_axis_iid", specgrams, mask_param, axis, p, 3)
    if longest < 1:
        return specgrams
    shape = (*specgrams.shape[:-2], 1, 1)
    length, place = (
        tp.rand(*shape, generator=generator, device=specgrams.device) for _ in range(2)
    )
    length = length * longest
    return _masked(specgrams, length, place * (specgrams.shape[axis] - length), mask_value, axis)


@same_kind
def mask_along_axis(
    specgram: Tensor,
    mask_param: int,
    mask_value: float | Tensor,
    axis: int,
    p: float = 1.0,
    *,
    generator: Any = None,
) -> Tensor:
    """Hide a band of random length and place, the same in all examples and channels.

    Args:
        specgram: (..., f, frames).
        mask_param: the length is drawn uniformly from 0 to below this.
        mask_value: what is put there.
        axis: the last but one for frequencies, the last for time.
        p: at most this share of the axis is hidden.
        generator: source of the numbers.

    Returns:
        The same shape.

    Raises:
        ShapeError: too few axes, or another axis.
        DomainError: p is not from 0 to 1.

    Source: Park et al. 2019, SpecAugment.
    """
    longest = _longest("mask_along_axis", specgram, mask_param, axis, p, 2)
    if longest < 1:
        return specgram
    draws = tp.rand(2, generator=generator, device=specgram.device)
    length = draws[0] * longest
    return _masked(specgram, length, draws[1] * (specgram.shape[axis] - length), mask_value, axis)
