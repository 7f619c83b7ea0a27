"""Banks of filters that change the sample rate: long ones by Fourier transforms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

LEAST_WORK = 1 << 27  # products of a call: below it, designing a bank takes longer than filtering
MOST_SAMPLES = 4096  # of a block: beyond it the transforms' memory leaves the caches
MOST_RESPONSE = 1 << 22  # bins of a whole response
NEGLIGIBLE = 1e-7  # of the largest gain: below the rounding of float32
DESIGNS = 8  # kept


@dataclass(frozen=True)
class _Design:
    """A bank as `native.filter_bank_fourier` takes it, in blocks of `merged` groups."""

    merged: int
    ends: np.ndarray
    sources: np.ndarray
    gains: np.ndarray


@dataclass(frozen=True)
class _Known:
    filters: np.ndarray
    step: int
    design: _Design | None  # None: better without transforms

    def holds(self, filters: np.ndarray, step: int) -> bool:
        same = self.step == step and self.filters.shape == filters.shape
        return same and np.array_equal(self.filters, filters)


# Replaced as a whole: a lock could be held by another thread while a process forks.
_known: tuple[_Known, ...] = ()


def _transform_cost(n: int) -> float:
    """Operations on vectors for a real transform of n numbers; infinite if n has large primes."""
    m, cost = n // 2, 12.0  # taking apart and putting together
    for r in (4, 2, 3, 5, 7, 11, 13):
        while m % r == 0:
            m, cost = m // r, cost + r + 3
    return cost * (n // 2) if m == 1 else math.inf


def _merged(step: int, phases: int, length: int) -> tuple[float, int]:
    """The cost of a group, and how many groups of a block give the least."""
    best = (math.inf, 0)
    most = MOST_SAMPLES // max(step, phases)
    for odd in (1, 3, 5):
        merged = 2 * odd
        while merged <= most:
            if own := max(0, (merged * step - length) // step + 1):
                cost = _transform_cost(merged * step) + _transform_cost(merged * phases)
                best = min(best, (cost / own, merged))
            merged *= 2
    return best


def _design(filters: np.ndarray, step: int) -> _Design | None:
    phases, length = filters.shape
    if math.gcd(phases, step) > 1:
        return None
    cost, merged = _merged(step, phases, length)
    used = filters != 0
    taps = int((length - used[:, ::-1].argmax(1) - used.argmax(1)).max())
    if cost > phases * taps or merged * step * phases > MOST_RESPONSE:
        return None
    # The samples with phases - 1 zeros put after each, filtered, and each step-th output of that.
    n, m, size = merged * step, merged * phases, merged * step * phases
    response = np.zeros(size)
    p, k = np.ogrid[:phases, :length]
    response[(k * phases - p * step) % size] = filters
    gains = np.fft.rfft(response).conj() / (step * m)
    kept = np.flatnonzero(np.abs(gains) > NEGLIGIBLE * np.abs(gains).max())
    mirrors = kept[(kept > 0) & (2 * kept < size)]
    f = np.concatenate([kept, size - mirrors])
    gain = np.concatenate([gains[kept], gains[mirrors].conj()])
    # Bin f of the whole goes to bin f % m and is the input's f % n; of both, half are enough.
    order = np.argsort(f % m, kind="stable")
    order = order[f[order] % m <= m // 2]
    if not 0 < order.size <= m:  # zeros or NaN, or it lets too much through to be worth it
        return None
    f, gain = f[order], gain[order]
    source = f % n
    mirrored = source > n // 2
    sign = np.where(mirrored, -1, 1)
    table = np.stack([gain.real, -gain.imag * sign, gain.imag, gain.real * sign], 1)
    return _Design(
        merged,
        np.searchsorted(f % m, np.arange(m // 2 + 2)),
        np.where(mirrored, n - source, source),
        table.astype(np.float32),
    )


def _designed(filters: np.ndarray, step: int) -> _Design | None:
    global _known
    before = _known
    found = next((known for known in before if known.holds(filters, step)), None)
    if found is None:
        found = _Known(filters.copy(), step, _design(filters, step))
    _known = (found, *(known for known in before if known is not found))[:DESIGNS]
    return found.design


def _filter_bank(native: ModuleType, x: Any, w: Any, *, step: int) -> Any:
    arrays = isinstance(x, np.ndarray) and isinstance(w, np.ndarray) and w.ndim == 2
    if arrays and x.dtype == w.dtype == np.float32 and x.size // step * w.size > LEAST_WORK:
        design = _designed(w, step)
        if design is not None:
            y = native.filter_bank_fourier(
                x,
                design.ends,
                design.sources,
                design.gains,
                step=step,
                phases=w.shape[0],
                length=w.shape[1],
                merged=design.merged,
            )
            if y is not NotImplemented:
                return y
    return native.filter_bank(x, w, step=step)


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    return {"filter_bank": (partial(_filter_bank, native), 1024)}
