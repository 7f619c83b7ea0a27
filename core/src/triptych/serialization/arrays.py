"""The seam between files and tensors: the readers and writers know NumPy arrays only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import from_numpy_dtype
from ..errors import DTypeError
from ..ops.creation import from_numpy
from ..tensor import Tensor

__all__ = ["unwrap", "wrapper"]


def wrapper(map_location: Any = None, where: str = "load") -> Callable[[Any], Any]:
    """A function from an array to a tensor over the same memory, on a device if one is given.

    A NumPy dtype becomes Triptych's. Either raises DTypeError for a type that tensors do not have;
    its text starts with where, the call and the file.
    """

    def wrap(value: Any) -> Any:
        dtype = value if isinstance(value, np.dtype) else value.dtype
        try:
            known = from_numpy_dtype(dtype)
        except DTypeError as error:
            raise DTypeError(
                f"{where}: the file holds {dtype}, for which there is {error}; read_safetensors "
                "and read_torch of triptych.serialization give NumPy arrays of it"
            ) from None
        if value is dtype:
            return known
        tensor = from_numpy(value)
        return tensor if map_location is None else tensor.to(map_location)

    return wrap


def unwrap(value: object) -> np.ndarray | None:
    """A tensor's values on the CPU, not copied if they are there already; None if no tensor."""
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else None
