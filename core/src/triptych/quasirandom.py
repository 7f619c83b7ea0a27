"""Low-discrepancy sequences: points that fill the unit cube more evenly than random ones."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import numpy as np

from . import dtypes
from .errors import DomainError
from .ops.creation import as_tensor
from .random import Generator, default_generator
from .tensor import Tensor

__all__ = ["SobolEngine"]

_BITS = 30


@functools.cache
def _starts() -> tuple[np.ndarray, np.ndarray]:
    """Primitive polynomials over two elements, as bits, and the initial direction numbers of each
    dimension: those of S. Joe and F. Kuo 2008, "Constructing Sobol sequences with better
    two-dimensional projections", file new-joe-kuo-6, first 1111 dimensions.
    """
    path = resources.files(__package__) / "sobol_directions.npz"
    with path.open("rb") as file, np.load(file) as found:
        return found["polynomials"].astype(np.int64), found["numbers"].astype(np.int64)


def _directions(dimension: int) -> np.ndarray:
    """(dimension, 30) direction numbers, scaled to 30 bits (P. Bratley and B. Fox 1988, eq. 2)."""
    polynomials, numbers = _starts()
    out = np.ones((dimension, _BITS), np.int64)
    start = 0
    for d in range(1, dimension):
        polynomial = int(polynomials[d])
        degree = polynomial.bit_length() - 1
        row = [int(m) for m in numbers[start : start + degree]]
        start += degree
        for j in range(degree, _BITS):
            new = row[j - degree] ^ (row[j - degree] << degree)
            for k in range(1, degree):
                if polynomial >> (degree - k) & 1:
                    new ^= row[j - k] << k
            row.append(new)
        out[d] = row[:_BITS]
    return out << np.arange(_BITS - 1, -1, -1)


class SobolEngine:
    """Sobol's sequence, optionally scrambled.

    Args:
        dimension: of the points, 1 to 1111.
        scramble: apply a random linear map to the digits and shift them, which keeps the evenness
            and makes estimates unbiased (J. Matousek 1998, "On the L2-discrepancy").
        seed: of the scrambling; by default drawn from the default generator.

    Example:
        >>> SobolEngine(2).draw(3).tolist()
        [[0.0, 0.0], [0.5, 0.5], [0.75, 0.25]]
    """

    MAXBIT = _BITS
    MAXDIM = 1111

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if not 1 <= dimension <= self.MAXDIM:
            raise DomainError(
                f"SobolEngine: wanted a dimension from 1 to {self.MAXDIM}, got {dimension}"
            )
        self.dimension, self.scramble, self.seed = dimension, scramble, seed
        self.num_generated = 0
        self._directions = _directions(dimension)
        self._shift = np.zeros(dimension, np.int64)
        if scramble:
            self._scramble()

    def _scramble(self) -> None:
        """Multiply the digits by lower triangular matrices of bits, and add random digits."""
        generator = default_generator if self.seed is None else Generator().manual_seed(self.seed)
        source = generator.source()
        shape = (self.dimension, _BITS, _BITS)
        matrices = np.tril(source.integers(0, 2, shape), -1) + np.eye(_BITS, dtype=np.int64)
        places = np.arange(_BITS - 1, -1, -1)
        digits = self._directions[:, None, :] >> places[:, None] & 1  # most significant first
        mixed = matrices @ digits % 2
        self._directions = (mixed << places[:, None]).sum(1)
        self._shift = (source.integers(0, 2, (self.dimension, _BITS)) << places).sum(1)

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next n points, (n, dimension) from [0, 1).

        Raises:
            DomainError: the sequence has no more than 2 ** 30 points.
        """
        if n < 0 or self.num_generated + n > 1 << _BITS:
            raise DomainError(
                f"SobolEngine.draw: wanted 0 to {(1 << _BITS) - self.num_generated} points, got {n}"
            )
        wanted = dtypes.get_default_dtype().dtype if dtype is None else dtypes.to_numpy_dtype(dtype)
        points = as_tensor(self._values(n, wanted))
        self.num_generated += n
        return points if out is None else out.resize_(points.shape).copy_(points)

    def _values(self, n: int, dtype: np.dtype) -> np.ndarray:
        index = np.arange(self.num_generated, self.num_generated + n)
        gray = index ^ (index >> 1)
        digits = np.broadcast_to(self._shift, (n, self.dimension)).copy()
        for j in range(int(index[-1]).bit_length() if n else 0):
            digits ^= np.where((gray >> j & 1)[:, None] == 1, self._directions[:, j], 0)
        kept = min(_BITS, 1 - int(np.log2(float(dtypes.finfo(dtypes.from_numpy_dtype(dtype)).eps))))
        whole = digits >> (_BITS - kept)  # cut to what the dtype holds: rounding could give one
        return (whole / (1 << kept)).astype(dtype)

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next 2 ** m points, which keeps the sequence balanced.

        Raises:
            DomainError: the number of points drawn so far would not be a power of two afterwards.
        """
        total = self.num_generated + (1 << m)
        if total & (total - 1):
            raise DomainError(
                f"SobolEngine.draw_base2: after 2 ** {m} more points there were {total}, which is "
                "no power of two; use draw()"
            )
        return self.draw(1 << m, out=out, dtype=dtype)

    def reset(self) -> SobolEngine:
        """Back to the first point; returns self."""
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Skip n points; returns self."""
        self.num_generated += n
        return self

    def __repr__(self) -> str:
        said = [f"dimension={self.dimension}"]
        if self.scramble:
            said.append("scramble=True")
        if self.seed is not None:
            said.append(f"seed={self.seed}")
        return f"SobolEngine({', '.join(said)})"
