"""Where the largest, the smallest and the middle elements along an axis stand, without a sort."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import Aval, reduced_shape
from . import naming
from .batching import along
from .index import order
from .kinds import primitive
from .table import NA

PLACES = NA("the output is an index")


SMALL = 4096  # so few elements are sorted in less time than it takes to select some of them


def _rows(xp: Any, x: Any, axis: int) -> Any:
    """(rows, length) with the axis last, and elements of at least four bytes: NumPy selects among
    these by SIMD, and knows no order of bfloat16.
    """
    size = x.dtype.itemsize
    wide = x.dtype if size > 2 else np.int32 if x.dtype.kind in "biu" else np.float32
    last = xp.ascontiguousarray(x.swapaxes(axis, -1), wide)
    return last.reshape(math.prod(last.shape[:-1]), last.shape[-1])


def _back(places: Any, x: Any, axis: int) -> Any:
    """(rows, k) places in the layout of x."""
    last = x.swapaxes(axis, -1).shape
    return places.reshape(*last[:-1], places.shape[-1]).swapaxes(axis, -1)


def _top(xp: Any, x: Any, *, axis: int, k: int, largest: bool) -> Any:
    rows = _rows(xp, x, axis)
    length = rows.shape[-1]
    if k == 0 or 2 * k > length or x.size < SMALL:
        return _back(order(xp, rows, 1, largest)[:, :k], x, axis)
    border = length - k if largest else k - 1
    parted = xp.argpartition(rows, border, axis=-1)
    chosen = xp.sort(parted[:, border:] if largest else parted[:, :k], axis=-1)
    found = xp.take_along_axis(rows, chosen, axis=-1)
    edge = xp.take_along_axis(rows, parted[:, border : border + 1], axis=-1)
    places = xp.take_along_axis(chosen, order(xp, found, -1, largest), axis=-1)
    # Where the border parts equal elements (NaN equals nothing), the first of them are to be taken.
    whole = xp.count_nonzero(rows == edge, axis=-1) == xp.count_nonzero(found == edge, axis=-1)
    parts = ~(whole & (edge == edge)[:, 0])
    if parts.any():
        places[parts] = order(xp, rows[parts], -1, largest)[:, :k]
    return _back(places, x, axis)


def _top_aval(x: Any, *, axis: int, k: int, largest: bool) -> Aval:
    return Aval([k if i == axis else n for i, n in enumerate(x.shape)], dtypes.INT64)


top_places = primitive(
    "top_places", "index", _top, _top_aval, PLACES, check="late", vmap=along, names=naming.keep
)
"""The k largest or smallest along an axis, in the order of a stable sort."""


def _kth(xp: Any, x: Any, *, axis: int, k: int) -> Any:
    rows = _rows(xp, x, axis)
    if x.size < SMALL:
        return _back(order(xp, rows, -1, False)[:, k : k + 1], x, axis)
    edge = xp.partition(rows, k, axis=-1)[:, k : k + 1]
    alike, before = rows == edge, xp.count_nonzero(rows < edge, axis=-1)
    lost = (edge != edge)[:, 0]
    if lost.any():
        alike[lost] = rows[lost] != rows[lost]
        before[lost] = rows.shape[-1] - xp.count_nonzero(alike[lost], axis=-1)
    rank = k - before  # among those equal to it
    place = xp.argmax(alike, axis=-1)
    later = rank > 0
    if later.any():
        counts = xp.cumsum(alike[later], axis=-1, dtype=np.int32)
        place[later] = xp.argmax(counts > rank[later][:, None], axis=-1)
    return _back(place[:, None], x, axis)


def _kth_aval(x: Any, *, axis: int, k: int) -> Aval:
    return Aval(reduced_shape(x.shape, (axis,), True), dtypes.INT64)


kth_place = primitive(
    "kth_place", "index", _kth, _kth_aval, PLACES, check="late", vmap=along, names=naming.keep
)
"""Where the element stands that comes k places after the first in a stable sort along an axis."""


def _mode(xp: Any, x: Any, *, axis: int) -> Any:
    rows = _rows(xp, x, axis)
    ranks = order(xp, rows, 1, False)
    found = xp.take_along_axis(rows, ranks, axis=1)
    fresh = xp.ones(rows.shape, bool)
    fresh[:, 1:] = found[:, 1:] != found[:, :-1]
    run = xp.cumsum(fresh.reshape(-1)) - 1
    lengths = xp.bincount(run)[run].reshape(rows.shape)
    start = xp.argmax(lengths, axis=1)[:, None]  # of the first of the longest runs
    end = start + xp.take_along_axis(lengths, start, axis=1) - 1
    return _back(xp.take_along_axis(ranks, end, axis=1), x, axis)


def _mode_aval(x: Any, *, axis: int) -> Aval:
    return Aval(reduced_shape(x.shape, (axis,), True), dtypes.INT64)


mode_place = primitive(
    "mode_place", "index", _mode, _mode_aval, PLACES, check="late", vmap=along, names=naming.keep
)
"""The last place of the most frequent element along an axis, of several the smallest."""
