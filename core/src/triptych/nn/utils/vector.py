"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import ShapeError
from ...ops.shape import cat
from ...tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters, in order, as one vector.

    Example:
        >>> parameters_to_vector([triptych.zeros(2, 3), triptych.ones(2)]).shape
        Size([8])
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Put the elements of a vector into the parameters, in order.

    Raises:
        ShapeError: it has not as many elements as they.
    """
    listed = list(parameters)
    wanted = sum(p.numel() for p in listed)
    if tuple(vec.shape) != (wanted,):
        raise ShapeError(f"vector_to_parameters: wanted shape ({wanted},), got {tuple(vec.shape)}")
    start = 0
    for p in listed:
        p.data = vec[start : start + p.numel()].reshape(p.shape).detach().clone()
        start += p.numel()
