"""Filters that run along the waveform."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.functional.recursive import filtered
from triptych_audio.interop import same_kind

__all__ = ["deemphasis", "preemphasis"]


@same_kind
def preemphasis(waveform: Tensor, coeff: float = 0.97) -> Tensor:
    """Lift high frequencies: y[t] = x[t] - coeff * x[t - 1].

    Args:
        waveform: (..., t) samples.
        coeff: from 0, nothing, to 1, the difference of neighbours.

    Returns:
        The same shape; the first sample is as it was.

    Example:
        >>> preemphasis(tp.ones(3), 0.5).tolist()
        [1.0, 0.5, 0.5]
    """
    return tp.cat([waveform[..., :1], waveform[..., 1:] - coeff * waveform[..., :-1]], -1)


@same_kind
def deemphasis(waveform: Tensor, coeff: float = 0.97, *, clamp: bool = True) -> Tensor:
    """Undo `preemphasis`: y[t] = x[t] + coeff * y[t - 1].

    Args:
        waveform: (..., t) samples, floating.
        coeff: magnitude below 1.
        clamp: limit the result to [-1, 1], as torchaudio does.

    Returns:
        The same shape.

    Raises:
        ShapeError: the filter would not be stable.
        DTypeError: samples are integers.

    Example:
        >>> deemphasis(tp.tensor([0.5, 0.0, 0.0]), 0.5).tolist()
        [0.5, 0.25, 0.125]
    """
    if not waveform.is_floating_point():
        raise DTypeError(f"deemphasis: wanted floating samples, got {waveform.dtype}")
    if abs(coeff) >= 1:
        raise ShapeError(f"deemphasis: wanted a coeff of magnitude below 1, got {coeff}")
    options: dict[str, Any] = {"dtype": tp.float64, "device": waveform.device}
    a, b = tp.tensor([[1.0, -coeff]], **options), tp.tensor([[1.0, 0.0]], **options)
    result = filtered(waveform, a, b)
    return result.clamp(-1.0, 1.0) if clamp else result
