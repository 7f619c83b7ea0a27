"""Print the table of core/native/kernels/normal.h: polynomials for the normal distribution's tail.

Range k of 32 holds the t whose square rounds to k. There the tail Phi(-t) is a polynomial of degree
6 in t - c, fitted to the least relative error (least squares, reweighted until the error is even),
one coefficient after the other rounded to float32 and the rest fitted again. The centre c is a
float32 near the middle whose tail is by luck almost a float32 itself, so that the first coefficient
costs no accuracy.

Source: Gal 1986, Computing elementary functions: a new approach for achieving high accuracy and
good performance; Lawson 1961 for the weights.

Usage: python tools/fit_normal_table.py      (needs mpmath and numpy)
"""

from __future__ import annotations

import mpmath as mp
import numpy as np

mp.mp.dps = 40
RANGES, DEGREE, NODES, CANDIDATES = 32, 6, 80, 2000


def tail(t: mp.mpf) -> mp.mpf:
    """Phi(-t)."""
    return mp.erfc(t / mp.sqrt(2)) / 2


def single(x: mp.mpf) -> mp.mpf:
    """x rounded to float32."""
    return mp.mpf(float(np.float32(float(x))))


def centre(low: mp.mpf, high: mp.mpf) -> mp.mpf:
    """A float32 near the middle of a range, where the tail is nearest to a float32."""
    middle, reach = (low + high) / 2, (high - low) / 10
    found = (single(middle + reach * (2 * mp.mpf(i) / CANDIDATES - 1)) for i in range(CANDIDATES))
    return min(found, key=lambda c: abs(single(tail(c)) / tail(c) - 1))


def fitted(
    nodes: list[mp.mpf], wanted: list[mp.mpf], first: int, weights: list[mp.mpf]
) -> list[mp.mpf]:
    """Coefficients of the powers from `first` to DEGREE, by weighted least squares."""
    rows = mp.matrix(
        [[w * d**p for p in range(first, DEGREE + 1)] for d, w in zip(nodes, weights, strict=True)]
    )
    right = mp.matrix([w * y for y, w in zip(wanted, weights, strict=True)])
    return list(mp.lu_solve(rows, right))


def even(nodes: list[mp.mpf], wanted: list[mp.mpf], first: int, size: list[mp.mpf]) -> list[mp.mpf]:
    """The same with relative errors made even."""
    share = [mp.mpf(1)] * len(nodes)
    for _ in range(12):
        weights = [mp.sqrt(s) / y for s, y in zip(share, size, strict=True)]
        found = fitted(nodes, wanted, first, weights)
        errors = [
            abs(mp.fsum(a * d ** (first + i) for i, a in enumerate(found)) - y) / s
            for d, y, s in zip(nodes, wanted, size, strict=True)
        ]
        total = mp.fsum(s * e for s, e in zip(share, errors, strict=True))
        share = [s * e / total * len(nodes) for s, e in zip(share, errors, strict=True)]
    return found


def polynomial(k: int) -> tuple[mp.mpf, list[mp.mpf], mp.mpf]:
    """The centre of range k, its coefficients, and the largest relative error."""
    low = mp.sqrt(max(mp.mpf(k) - 0.5, mp.mpf(0)))
    high = mp.sqrt(mp.mpf(k) + 0.5)
    c = centre(low, high)
    angles = [mp.pi * (2 * i + 1) / (2 * NODES) for i in range(NODES)]
    nodes = [(low + high) / 2 + (high - low) / 2 * mp.cos(a) - c for a in angles]
    exact = [tail(c + d) for d in nodes]
    coefficients = [single(tail(c))]
    left = [y - coefficients[0] for y in exact]
    for power in range(1, DEGREE + 1):
        a = single(even(nodes, left, power, exact)[0])
        coefficients.append(a)
        left = [y - a * d**power for y, d in zip(left, nodes, strict=True)]
    worst = max(abs(y) / e for y, e in zip(left, exact, strict=True))
    return c, coefficients, worst


def main() -> None:
    """Print the table and its largest relative error."""
    found = [polynomial(k) for k in range(RANGES)]
    columns = {"centres": [c for c, _, _ in found]}
    for power in range(DEGREE + 1):
        columns[f"powers of {power}"] = [coefficients[power] for _, coefficients, _ in found]
    for name, values in columns.items():
        print(f"    {{ /* {name} */")
        for i in range(0, RANGES, 4):
            print("     " + " ".join(f"{float(v):.9g}f," for v in values[i : i + 4]))
        print("    },")
    worst = max(e for _, _, e in found)
    print(f"largest relative error {float(worst):.2e}")


if __name__ == "__main__":
    main()
