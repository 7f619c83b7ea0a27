"""Fewer frames of a film."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from ..dispatch import functional

__all__ = ["get_num_frames", "uniform_temporal_subsample"]


@functional
def get_num_frames(inpt: Any) -> int:
    """Number of frames of a film (..., t, c, h, w).

    Args:
        inpt: a film, (..., t, c, h, w).

    Returns:
        t.

    Raises:
        ShapeError: fewer than four axes.
    """
    _check_film("get_num_frames", inpt)
    return int(inpt.shape[-4])


@functional
def uniform_temporal_subsample(inpt: Any, num_samples: int) -> Any:
    """Pick frames at equal distances, the first and the last among them.

    Args:
        inpt: a film (..., t, c, h, w).
        num_samples: how many frames; more than there are repeats some.

    Returns:
        (..., num_samples, c, h, w), same kind and dtype.

    Raises:
        ShapeError: fewer than four axes.

    Example:
        >>> film = tp.arange(7).reshape(7, 1, 1, 1)
        >>> uniform_temporal_subsample(film, 3).flatten().tolist()
        [0, 3, 6]
    """
    _check_film("uniform_temporal_subsample", inpt)
    places = tp.linspace(0, inpt.shape[-4] - 1, num_samples, device=inpt.device)
    return inpt.index_select(-4, places.to(tp.int64))


def _check_film(name: str, x: tp.Tensor) -> None:
    if x.ndim < 4:
        raise ShapeError(f"{name}: wanted a film (..., t, c, h, w), got shape {tuple(x.shape)}")
