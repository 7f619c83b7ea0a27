"""NumPy's arrays of tensors, for steps of generation so small that tensors would take the time."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import TransformError
from triptych.graph import is_capturing

__all__ = ["arrays_of"]

EXACT = (tp.float32, tp.float64)  # halves are computed in float32 by the operations of tensors


def arrays_of(*tensors: Tensor) -> list[np.ndarray] | None:
    """Arrays that share the tensors' memory, where nothing watches what is computed with them.

    Args:
        *tensors: floating, of one type.

    Returns:
        The arrays in inference mode, of float32 or float64 on the CPU; None where derivatives, a
        capture, a transformation, another device or another type want the operations of tensors.

    Example:
        >>> arrays_of(tp.ones(2)) is None
        True
        >>> with tp.inference_mode():
        ...     arrays_of(tp.ones(2))
        [array([1., 1.], dtype=float32)]
    """
    if not tp.is_inference_mode_enabled() or is_capturing():
        return None
    if any(t.dtype not in EXACT or t.device.type != "cpu" for t in tensors):
        return None
    try:
        return [t.numpy() for t in tensors]
    except TransformError:  # inside vmap a tensor stands for many
        return None
