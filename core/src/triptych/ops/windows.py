"""Window functions: weights that fade a frame of samples out towards both ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from .creation import DeviceLike, DTypeLike, _dtype, _finish, as_tensor

__all__ = [
    "bartlett_window",
    "blackman_window",
    "hamming_window",
    "hann_window",
    "kaiser_window",
]

Formula = Callable[[np.ndarray], np.ndarray]


def _window(
    name: str,
    formula: Formula,
    length: int,
    periodic: bool,
    dtype: DTypeLike,
    device: DeviceLike,
    requires_grad: bool,
) -> Tensor:
    """A window from its formula over x from 0 to 1, computed in float64 and rounded once.

    A periodic window is the symmetric one that is a sample longer, without its last sample.
    """
    if length < 0:
        raise ShapeError(f"{name}: window_length must not be negative, got {length}")
    wanted = _dtype(dtype)
    if wanted.kind in "biuc":
        raise DTypeError(f"{name}: wanted a real floating dtype, got {wanted}; use float32")
    if length <= 1:
        values = np.ones(length)
    else:
        values = formula(np.arange(length) / (length if periodic else length - 1))
    return _finish(as_tensor(values.astype(wanted), device=device), requires_grad)


def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The Hann window, one arch of a squared sine.

    Args:
        window_length: in samples.
        periodic: of period window_length, as spectra want it; False makes it symmetric, as filter
            design wants it.

    Returns:
        (window_length,) weights from 0 to 1.

    Example:
        >>> hann_window(4).tolist()
        [0.0, 0.5, 1.0, 0.5]

    Source: Harris 1978, "On the use of windows", eq. 27a with alpha 2.
    """

    def formula(x: np.ndarray) -> np.ndarray:
        return np.sin(np.pi * x) ** 2

    return _window("hann_window", formula, window_length, periodic, dtype, device, requires_grad)


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The Hamming window, alpha - beta * cos(2 pi x).

    Args:
        window_length: in samples.
        periodic: as in `hann_window`.
        alpha: mean level.
        beta: depth of the cosine.

    Returns:
        (window_length,) weights.

    Source: Harris 1978, eq. 30 with the rounded coefficients.
    """

    def formula(x: np.ndarray) -> np.ndarray:
        return alpha - beta * np.cos(2 * np.pi * x)

    return _window("hamming_window", formula, window_length, periodic, dtype, device, requires_grad)


def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The Blackman window, 0.42 - 0.5 cos(2 pi x) + 0.08 cos(4 pi x).

    Args:
        window_length: in samples.
        periodic: as in `hann_window`.

    Returns:
        (window_length,) weights.

    Source: Harris 1978, eq. 32 with the rounded coefficients.
    """

    def formula(x: np.ndarray) -> np.ndarray:
        return 0.42 - 0.5 * np.cos(2 * np.pi * x) + 0.08 * np.cos(4 * np.pi * x)

    return _window(
        "blackman_window", formula, window_length, periodic, dtype, device, requires_grad
    )


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The Bartlett window, a triangle that is zero at its ends.

    Args:
        window_length: in samples.
        periodic: as in `hann_window`.

    Returns:
        (window_length,) weights from 0 to 1.

    Source: Harris 1978, eq. 23.
    """

    def formula(x: np.ndarray) -> np.ndarray:
        return 1 - np.abs(2 * x - 1)

    return _window(
        "bartlett_window", formula, window_length, periodic, dtype, device, requires_grad
    )


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The Kaiser window, whose beta trades the main lobe's width for lower side lobes.

    Args:
        window_length: in samples.
        periodic: as in `hann_window`.
        beta: shape; 0 is a rectangle, larger is narrower in time.

    Returns:
        (window_length,) weights.

    Source: Kaiser and Schafer 1980, eq. 3.
    """

    def formula(x: np.ndarray) -> np.ndarray:
        inside = np.sqrt(np.maximum(1 - (2 * x - 1) ** 2, 0))
        values: np.ndarray = np.i0(beta * inside) / np.i0(beta)
        return values

    return _window("kaiser_window", formula, window_length, periodic, dtype, device, requires_grad)
