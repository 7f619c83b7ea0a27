"""Evaluating Chebyshev series, and computing in double precision whatever the inputs' own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .promotion import SCALARS


def in_double(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A floating kernel that computes in float64, and rounds once to the dtype of its arrays."""

    @functools.wraps(kernel)
    def wrapped(xp: Any, *xs: Any, **params: Any) -> Any:
        dtype = next(x.dtype for x in xs if not isinstance(x, SCALARS))
        wide = [
            xp.asarray(x, np.float64) if isinstance(x, SCALARS) else x.astype(np.float64)
            for x in xs
        ]
        y = kernel(xp, *wide, **params)
        return y if dtype.kind in "biu" else y.astype(dtype)  # integers: Python numbers alone

    return wrapped


def chebyshev(t: Any, coefficients: tuple[float, ...]) -> Any:
    """The sum of c[k] T_k(t) for t from -1 to 1, by Clenshaw's recurrence."""
    twice = t + t
    one, two = coefficients[-1] + 0 * t, 0 * t
    for c in coefficients[-2:0:-1]:
        one, two = twice * one - two + c, one
    return t * one - two + coefficients[0]


def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """The polynomial with these coefficients, from the highest power down, by Horner's rule."""
    total = x * coefficients[0]
    for c in coefficients[1:-1]:
        total = (total + c) * x
    return total + coefficients[-1]
