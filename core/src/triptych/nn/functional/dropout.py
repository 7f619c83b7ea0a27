"""Dropout. All take `generator=`; without one the default generator draws."""

from __future__ import annotations

import math

from ... import dtypes
from ...errors import ShapeError
from ...prims import create
from ...prims import elementwise as ew
from ...random import Generator, default_generator
from ...tensor import Tensor
from .activation import SELU_ALPHA, SELU_SCALE
from .arguments import replaced

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


def _check(name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ShapeError(f"{name}: p is a probability, 0 to 1, got {p}")


def _kept(input: Tensor, shape: tuple[int, ...], p: float, generator: Generator | None) -> Tensor:
    """True with probability 1 - p."""
    draws = create.uniform(
        shape=shape,
        dtype=dtypes.float32.dtype,
        device=input.device,
        generator=generator or default_generator,
    )
    return ew.ge(draws, p)


def _drop(input: Tensor, shape: tuple[int, ...], p: float, generator: Generator | None) -> Tensor:
    if p == 1:
        return ew.mul(input, 0)
    kept = ew.cast(_kept(input, shape, p, generator), dtype=input._data.dtype)
    return ew.mul(input, ew.mul(kept, 1 / (1 - p)))


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """In training, each element becomes zero with probability p and the rest grow by 1 / (1 - p).

    Args:
        input: floating, any shape.
        p: probability of zero.
        training: False gives the input back.
        inplace: write into input.
        generator: source of the draws.

    Raises:
        ShapeError: p is no probability.

    Source: Srivastava et al. 2014, section 4.
    """
    _check("dropout", p)
    if not training or p == 0:
        return input
    return replaced(input, _drop(input, tuple(input.shape), p, generator), inplace, "dropout")


def _dropout_channels(
    name: str,
    input: Tensor,
    p: float,
    training: bool,
    inplace: bool,
    generator: Generator | None,
    dims: int,
) -> Tensor:
    """A draw per channel; `dims` space axes follow it."""
    _check(name, p)
    if input.ndim not in (dims + 1, dims + 2):
        raise ShapeError(
            f"{name}: wanted (n, c, {dims} space axes) or (c, {dims} space axes), got "
            f"{tuple(input.shape)}"
        )
    if not training or p == 0:
        return input
    shape = (*input.shape[: input.ndim - dims], *[1] * dims)
    return replaced(input, _drop(input, shape, p, generator), inplace, name)


def dropout1d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """`dropout` of whole channels of (n, c, l) or (c, l)."""
    return _dropout_channels("dropout1d", input, p, training, inplace, generator, 1)


def dropout2d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """`dropout` of whole channels of (n, c, h, w) or (c, h, w)."""
    dims = 1 if input.ndim == 3 else 2  # torch takes (n, c, l) here, as it always did
    return _dropout_channels("dropout2d", input, p, training, inplace, generator, dims)


def dropout3d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """`dropout` of whole channels of (n, c, d, h, w) or (c, d, h, w)."""
    return _dropout_channels("dropout3d", input, p, training, inplace, generator, 3)


def _alpha(
    name: str, input: Tensor, shape: tuple[int, ...], p: float, generator: Generator | None
) -> Tensor:
    if p == 1:
        return ew.mul(input, 0)
    low = -SELU_ALPHA * SELU_SCALE  # what selu gives far below zero
    scale = 1 / math.sqrt((1 - p) * (1 + p * low * low))
    kept = _kept(input, shape, p, generator)
    return ew.add(ew.mul(ew.where(kept, input, low), scale), -scale * low * p)


def alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """`dropout` that keeps mean 0 and variance 1, for use with `selu`.

    Source: Klambauer et al. 2017, section 2, "alpha dropout".
    """
    _check("alpha_dropout", p)
    if not training or p == 0:
        return input
    out = _alpha("alpha_dropout", input, tuple(input.shape), p, generator)
    return replaced(input, out, inplace, "alpha_dropout")


def feature_alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """`alpha_dropout` of whole channels of (n, c, ...)."""
    _check("feature_alpha_dropout", p)
    if not training or p == 0:
        return input
    if input.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout: wanted (n, c, ...), got {tuple(input.shape)}")
    shape = (*input.shape[:2], *[1] * (input.ndim - 2))
    out = _alpha("feature_alpha_dropout", input, shape, p, generator)
    return replaced(input, out, inplace, "feature_alpha_dropout")
