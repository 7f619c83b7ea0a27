"""Print the Chebyshev coefficients that the special functions in triptych.prims are made of.

Each function is fitted at Chebyshev nodes in 60-digit arithmetic, on a variable t from -1 to 1 that
covers one of its ranges, and the series is cut where it no longer matters in double precision.

Usage: python tools/fit_special_functions.py [NAME ...]      (needs mpmath)
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from typing import Any

import mpmath as mp

mp.mp.dps = 60

Fit = tuple[Callable[[Any], Any], Callable[[Any], Any]]  # the function, and x as a function of t


def _square(top: float) -> Callable[[Any], Any]:
    """x in [0, top] with t = 2 (x / top) ** 2 - 1: for even functions."""
    return lambda t: top * mp.sqrt((t + 1) / 2)


def _inverse(bottom: float) -> Callable[[Any], Any]:
    """x in [bottom, inf) with t = 2 bottom / x - 1."""
    return lambda t: 2 * bottom / (t + 1)


def _inverse_square(bottom: float) -> Callable[[Any], Any]:
    """x in [bottom, inf) with t = 2 (bottom / x) ** 2 - 1."""
    return lambda t: bottom / mp.sqrt((t + 1) / 2)


def _between(low: Any, high: Any) -> Callable[[Any], Any]:
    return lambda t: (mp.mpf(low) + high) / 2 + t * (mp.mpf(high) - low) / 2


def _hankel(order: int, part: str) -> Callable[[Any], Any]:
    """P or Q x of J = sqrt(2 / (pi x)) (P cos(c) - Q sin(c)), Abramowitz and Stegun 9.2.5."""

    def value(x: Any) -> Any:
        c = x - (mp.mpf(order) / 2 + mp.mpf(1) / 4) * mp.pi
        scale = mp.sqrt(mp.pi * x / 2)
        j, y = mp.besselj(order, x), mp.bessely(order, x)
        if part == "P":
            return scale * (j * mp.cos(c) + y * mp.sin(c))
        return scale * (y * mp.cos(c) - j * mp.sin(c)) * x

    return value


def _airy_zeta(x: Any) -> Any:
    return mp.mpf(2) / 3 * x ** mp.mpf(1.5)


def _airy_wave(part: str) -> Callable[[Any], Any]:
    """P or Q z of Ai(-x) = (P cos(c) + Q sin(c)) / (sqrt(pi) x ** 1/4), c = z - pi / 4."""

    def value(x: Any) -> Any:
        z = _airy_zeta(x)
        c = z - mp.pi / 4
        scale = mp.sqrt(mp.pi) * x ** mp.mpf(0.25)
        a, b = mp.airyai(-x), mp.airybi(-x)
        if part == "P":
            return scale * (a * mp.cos(c) - b * mp.sin(c))
        return scale * (a * mp.sin(c) + b * mp.cos(c)) * z

    return value


def _airy_tail(x: Any) -> Any:
    return 2 * mp.sqrt(mp.pi) * x ** mp.mpf(0.25) * mp.exp(_airy_zeta(x)) * mp.airyai(x)


def _by_zeta(bottom: float, power: int) -> Callable[[Any], Any]:
    """x in [bottom, inf) with t = 2 (z0 / z) ** power - 1, z = 2/3 x ** 1.5."""
    z0 = _airy_zeta(mp.mpf(bottom))
    return lambda t: (mp.mpf(3) / 2 * z0 / ((t + 1) / 2) ** (mp.mpf(1) / power)) ** (mp.mpf(2) / 3)


ROOT = mp.findroot(mp.digamma, 1.46)

FITS: dict[str, Fit] = {
    "I0_NEAR": (lambda x: mp.exp(-x) * mp.besseli(0, x), _between(0, 8)),
    "I0_FAR": (lambda x: mp.exp(-x) * mp.sqrt(x) * mp.besseli(0, x), _inverse(8)),
    "I1_NEAR": (lambda x: mp.exp(-x) * mp.besseli(1, x) / x, _between(0, 8)),
    "I1_FAR": (lambda x: mp.exp(-x) * mp.sqrt(x) * mp.besseli(1, x), _inverse(8)),
    "K0_NEAR": (lambda x: mp.besselk(0, x) + mp.log(x / 2) * mp.besseli(0, x), _square(2)),
    "K0_FAR": (lambda x: mp.exp(x) * mp.sqrt(x) * mp.besselk(0, x), _inverse(2)),
    "K1_NEAR": (lambda x: x * (mp.besselk(1, x) - mp.log(x / 2) * mp.besseli(1, x)), _square(2)),
    "K1_FAR": (lambda x: mp.exp(x) * mp.sqrt(x) * mp.besselk(1, x), _inverse(2)),
    "J0_NEAR": (lambda x: mp.besselj(0, x), _square(8)),
    "J1_NEAR": (lambda x: mp.besselj(1, x) / x, _square(8)),
    "Y0_NEAR": (
        lambda x: mp.bessely(0, x) - 2 / mp.pi * mp.log(x) * mp.besselj(0, x),
        _square(8),
    ),
    "Y1_NEAR": (
        lambda x: (mp.bessely(1, x) - 2 / mp.pi * (mp.log(x) * mp.besselj(1, x) - 1 / x)) / x,
        _square(8),
    ),
    "P0": (_hankel(0, "P"), _inverse_square(8)),
    "Q0": (_hankel(0, "Q"), _inverse_square(8)),
    "P1": (_hankel(1, "P"), _inverse_square(8)),
    "Q1": (_hankel(1, "Q"), _inverse_square(8)),
    "AIRY_NEAR": (mp.airyai, _between(-3, 2)),
    "AIRY_TAIL": (_airy_tail, _by_zeta(2, 1)),
    "AIRY_P": (_airy_wave("P"), _by_zeta(3, 2)),
    "AIRY_Q": (_airy_wave("Q"), _by_zeta(3, 2)),
    "LOG_GAMMA": (lambda t: mp.loggamma(2 + t) / t if t else 1 - mp.euler, _between(-0.5, 0.5)),
    "DIGAMMA": (lambda x: mp.digamma(x) / (x - ROOT), _between(1, 2)),
}


def coefficients(fit: Fit, nodes: int = 60) -> list[Any]:
    """The Chebyshev coefficients c of f(x(t)) = sum of c[k] T_k(t), up to the last that matters."""
    function, place = fit
    angles = [mp.pi * (mp.mpf(i) + mp.mpf(1) / 2) / nodes for i in range(nodes)]
    values = [function(place(mp.cos(a))) for a in angles]
    found = [
        mp.fsum(v * mp.cos(k * a) for v, a in zip(values, angles, strict=True)) * 2 / nodes
        for k in range(nodes)
    ]
    found[0] /= 2
    scale = max(abs(c) for c in found)
    last = max(k for k, c in enumerate(found) if abs(c) > scale * mp.mpf(10) ** -18)
    return found[: last + 1]


def main() -> None:
    """Print the tables asked for, all by default, as triptych.prims.chebyshev_tables has them."""
    margin = "    "
    for name in sys.argv[1:] or FITS:
        numbers = " ".join(repr(float(c)) for c in coefficients(FITS[name]))
        lines = textwrap.wrap(numbers, 96, break_on_hyphens=False)
        body = textwrap.indent("\n".join(lines), margin)
        print(f'{name} = _table(\n{margin}"""\n{body}\n{margin}"""\n)')


if __name__ == "__main__":
    main()
