"""The seam between files and tensors: the readers and writers know NumPy arrays only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import from_numpy_dtype

if TYPE_CHECKING:
    from .torch_tensors import Wrap

__all__ = ["unwrap", "wrapper"]


def wrapper(map_location: Any = None) -> Wrap:
    """A function from an array to a tensor over the same memory, on a device if one is given.

    A NumPy dtype becomes Triptych's.
    """
    from triptych import from_numpy  # here, because triptych imports this package

    def wrap(value: Any) -> Any:
        if isinstance(value, np.dtype):
            return from_numpy_dtype(value)
        tensor = from_numpy(value)
        return tensor if map_location is None else tensor.to(map_location)

    return wrap


def unwrap(value: object) -> np.ndarray | None:
    """A tensor's values on the CPU, not copied if they are there already; None if no tensor."""
    from triptych import Tensor  # here, because triptych imports this package

    return value.detach().cpu().numpy() if isinstance(value, Tensor) else None
