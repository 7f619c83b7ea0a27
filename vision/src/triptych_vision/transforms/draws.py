"""Draws of random shares."""

from __future__ import annotations

import math

import triptych as tp

__all__ = ["dirichlet"]


def dirichlet(alpha: float, count: int, generator: tp.Generator | None = None) -> list[float]:
    """Shares that add up to one; the first of two is from the beta distribution (alpha, alpha).

    Args:
        alpha: above zero; below one a share takes nearly all, far above one they are alike.
        count: how many.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.

    Returns:
        The shares.

    Raises:
        ValueError: alpha is not above zero.
    """
    if alpha <= 0:
        raise ValueError(f"alpha is above zero, got {alpha}")
    logs = [_log_gamma(alpha, generator) for _ in range(count)]
    parts = [math.exp(log - max(logs)) for log in logs]
    return [part / sum(parts) for part in parts]


def _uniform(generator: tp.Generator | None) -> float:
    """Above zero, up to one."""
    return 1.0 - float(tp.rand(1, generator=generator, dtype=tp.float64).item())


def _log_gamma(alpha: float, generator: tp.Generator | None) -> float:
    """Logarithm of a draw from the gamma distribution, as small ones are too small for a float.

    Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables".
    """
    if alpha < 1:
        return _log_gamma(alpha + 1, generator) + math.log(_uniform(generator)) / alpha
    d = alpha - 1 / 3
    while True:
        x = float(tp.randn(1, generator=generator, dtype=tp.float64).item())
        v = (1 + x / math.sqrt(9 * d)) ** 3
        if v > 0 and math.log(_uniform(generator)) < x * x / 2 + d * (1 - v + math.log(v)):
            return math.log(d * v)
