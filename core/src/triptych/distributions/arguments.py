"""Parameters brought to one shape, probabilities and logits, and raw random numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from ..autograd.modes import enable_grad
from ..errors import DTypeError
from ..ops.creation import as_tensor, zeros_like
from ..ops.pointwise import clamp, log_softmax, logaddexp, sigmoid, softmax
from ..ops.random import rand, randn
from ..ops.shape import broadcast_tensors
from ..prims.promotion import SCALARS
from ..tensor import Tensor

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "logits_to_probs",
    "normal_draw",
    "parameter",
    "probs_to_logits",
    "softplus",
    "uniform_draw",
]


def parameter(compute: Callable[[Any], Tensor]) -> Any:
    """A parameter that follows from another: computed when first read, with its history, and kept.

    It is no data descriptor, so setting the attribute takes its place.
    """

    @functools.wraps(compute)
    def tracked(self: Any) -> Tensor:
        with enable_grad():
            return compute(self)

    return functools.cached_property(tracked)


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one shape; numbers take the dtype and the device of the
    first tensor, or the default ones.

    Raises:
        DTypeError: a value is neither a number nor a tensor.
    """
    like = next((v for v in values if isinstance(v, Tensor)), None)
    for v in values:
        if not isinstance(v, (Tensor, *SCALARS)):
            raise DTypeError(
                f"wanted numbers or tensors as parameters, got {type(v).__name__}; "
                "convert with tensor(...)"
            )
    if like is None:
        dtype, device = dtypes.get_default_dtype(), None
    else:
        dtype = like.dtype if like.is_floating_point() else dtypes.get_default_dtype()
        device = like.device
    tensors = [
        v if isinstance(v, Tensor) else as_tensor(v, dtype=dtype, device=device) for v in values
    ]
    return tuple(broadcast_tensors(*tensors))


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept a rounding error away from zero and one."""
    eps = dtypes.finfo(probs.dtype).eps
    return clamp(probs, eps, 1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """log(p / (1 - p)) if binary, else log(p); finite by `clamp_probs`."""
    kept = clamp_probs(probs)
    return kept.log() - (-kept).log1p() if is_binary else kept.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The inverse of `probs_to_logits`: sigmoid if binary, else softmax over the last dim."""
    return sigmoid(logits) if is_binary else softmax(logits, -1)


def normalized(logits: Tensor) -> Tensor:
    """Logits shifted so that their exponentials add up to one along the last dim."""
    return log_softmax(logits, -1)


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)) without overflow."""
    return logaddexp(x, zeros_like(x))


def uniform_draw(like: Tensor, shape: Sequence[int], generator: Any) -> Tensor:
    """Uniform numbers strictly between zero and one."""
    limits = dtypes.finfo(like.dtype)
    draws = rand(*shape, dtype=like.dtype, device=like.device, generator=generator)
    return clamp(draws, limits.tiny, 1 - limits.eps / 2)


def normal_draw(like: Tensor, shape: Sequence[int], generator: Any) -> Tensor:
    """Standard normal numbers."""
    return randn(*shape, dtype=like.dtype, device=like.device, generator=generator)
