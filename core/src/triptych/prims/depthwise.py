"""Convolution of every channel with a kernel of its own, for arrays.

There is no product to hand to BLAS, so what counts is where the numbers are. Narrow images become
products with banded matrices, which is more arithmetic at many times the speed; wide ones are
walked in blocks of channels that stay in the cache.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Ints = tuple[int, ...]

# Padded length of the last axis up to which banded matrices win, and the length of a block: both
# measured with NumPy 2 on x86-64.
NARROW = 46
BLOCK = 1 << 15  # elements: 128 kB of float32 stay in the second-level cache


def taps(kernel: Ints, out: Ints, stride: Ints, dilation: Ints) -> Any:
    """(kernel position, key of the inputs it meets) for every position of the window."""
    for tap in np.ndindex(*kernel):
        starts = [t * d for t, d in zip(tap, dilation, strict=True)]
        spans = [
            slice(a, a + s * (n - 1) + 1, s) for a, s, n in zip(starts, stride, out, strict=True)
        ]
        yield tap, (Ellipsis, *spans)


def depthwise(xp: Any, x: Any, w: Any, out: Ints, stride: Ints, dilation: Ints) -> Any:
    """Cross-correlation of padded x (n, c, *s) with w (c, 1, *k): (n, c, *out)."""
    if len(out) > 1 and x.shape[-1] <= NARROW:
        return _banded(xp, x, w, out, stride, dilation)
    if math.prod(stride) == 1:
        return _by_rows(xp, x, w, out, dilation)
    return _by_blocks(xp, x, w, out, stride, dilation)


def _banded(xp: Any, x: Any, w: Any, out: Ints, stride: Ints, dilation: Ints) -> Any:
    """The last axis of each tap of the others as one product with a banded matrix (c, s, out)."""
    columns, length = xp.arange(out[-1]), x.shape[-1]
    head, last = w.shape[2:-1], w.shape[-1]
    bands = xp.zeros((*head, w.shape[0], length, out[-1]), x.dtype)
    for k in range(last):
        values = xp.moveaxis(w[:, 0, ..., k], 0, -1)[..., None]  # (*head, c, 1)
        bands[..., columns * stride[-1] + k * dilation[-1], columns] = values
    y = None
    for tap, key in taps(head, out[:-1], stride[:-1], dilation[:-1]):
        rows = x[(*key, slice(None))]
        band = bands[tap] if len(out) == 2 else bands[tap][:, None]
        term = xp.matmul(rows, band)
        y = term if y is None else xp.add(y, term, out=y)
    return y


def _blocks(x: Any, size: int) -> Any:
    """(sample, channels) so that a block of so many elements per channel stays in the cache."""
    step = max(1, BLOCK // max(size, 1))
    return ((i, slice(a, a + step)) for i in range(x.shape[0]) for a in range(0, x.shape[1], step))


def _factors(w: Any, ndim: int) -> Any:
    """Per tap, its factor of each channel (c, 1, ...)."""
    return [
        (tap, w[(slice(None), 0, *tap)].reshape(-1, *[1] * ndim))
        for tap in np.ndindex(*w.shape[2:])
    ]


def _by_rows(xp: Any, x: Any, w: Any, out: Ints, dilation: Ints) -> Any:
    """With stride 1 every tap is one shift of the whole image laid out as a line; what wraps around
    at the end of a row is dropped."""
    n, c, *space = x.shape
    steps = [math.prod(space[i + 1 :]) for i in range(len(space))]
    size = sum((o - 1) * s for o, s in zip(out, steps, strict=True)) + 1
    flat, y = x.reshape(n, c, math.prod(space)), xp.empty((n, c, *out), x.dtype)
    inner = tuple(slice(0, o) for o in out)
    factors = [
        (sum(t * d * s for t, d, s in zip(tap, dilation, steps, strict=True)), factor)
        for tap, factor in _factors(w, 1)
    ]
    room = out[0] * steps[0] if len(out) > 1 else size
    total, term = (xp.empty((min(c, max(1, BLOCK // room)), room), x.dtype) for _ in range(2))
    for i, channels in _blocks(x, room):
        rows = flat[i, channels]
        sums, added = total[: rows.shape[0], :size], term[: rows.shape[0], :size]
        for number, (start, factor) in enumerate(factors):
            target = added if number else sums
            xp.multiply(rows[:, start : start + size], factor[channels], out=target)
            if number:
                sums += added
        lines = total[: rows.shape[0]].reshape(rows.shape[0], room // steps[0], *space[1:])
        y[i, channels] = lines[(slice(None), *inner)]
    return y


def _by_blocks(xp: Any, x: Any, w: Any, out: Ints, stride: Ints, dilation: Ints) -> Any:
    n, c = x.shape[:2]
    y = xp.empty((n, c, *out), x.dtype)
    term = xp.empty((min(c, max(1, BLOCK // max(math.prod(out), 1))), *out), x.dtype)
    factors = [f for _, f in _factors(w, len(out))]
    keys = [key for _, key in taps(w.shape[2:], out, stride, dilation)]
    for i, channels in _blocks(x, math.prod(out)):
        images, sums = x[i, channels], y[i, channels]
        added = term[: images.shape[0]]
        for number, (key, factor) in enumerate(zip(keys, factors, strict=True)):
            xp.multiply(images[key], factor[channels], out=added if number else sums)
            if number:
                sums += added
    return y
