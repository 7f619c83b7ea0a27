"""Rows of a table looked up in bags, each bag brought to one row."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

from ... import dtypes
from ...errors import CaptureError, ShapeError
from ...ops.creation import cast_to
from ...prims import create
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims import reduce as rd
from ...prims.index import Slot
from ...state import state
from ...tensor import Tensor
from .linear import by_frequency, embedding

__all__ = ["embedding_bag"]


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of bags of rows of a table.

    Args:
        input: (n, l) integers, a bag per row; or (l,) with offsets.
        weight: (v, e) the table.
        offsets: (n,) where each bag starts in input.
        max_norm, norm_type, scale_grad_by_freq, sparse: as for `embedding`.
        mode: "sum", "mean" or "max".
        per_sample_weights: factors in the shape of input, for mode "sum".
        include_last_offset: whether offsets end with the length of input.
        padding_idx: a row that takes no part.

    Returns:
        (n, e); zeros for an empty bag.

    Raises:
        ShapeError: input, offsets and weights do not fit, or the mode is another word.
        CaptureError: offsets in a captured graph, whose bag lengths depend on values.
        BoundsError: an index is outside the table.
    """
    if dtypes.is_floating(input._data.dtype) and weight._data.dtype.kind in "iu":
        warnings.warn("embedding_bag: the order is (input, weight); swapped", stacklevel=2)
        input, weight = weight, input
    if mode not in _MODES:
        raise ShapeError(f"embedding_bag: mode is one of {sorted(_MODES)}, got {mode!r}")
    if per_sample_weights is not None:
        _check_factors(mode, input, per_sample_weights)
    places, valid = _padded(input, offsets, include_last_offset)
    flat = mv.reshape(input, shape=(input._data.size,))
    index = ix.index(flat, places, key=(Slot(0),)) if flat._data.size else places  # (n, l)
    if padding_idx is not None:
        skipped = ew.eq(index, padding_idx % weight.shape[0])
        valid = ew.logical_and(valid, ew.logical_not(skipped))
    if not flat._data.size:
        return ew.mul(weight.new_zeros((places.shape[0], weight.shape[1])), 1)
    rows = embedding(index, weight, padding_idx, max_norm, norm_type)
    if scale_grad_by_freq:  # by how often in the input, not in the bags filled up to one length
        rows = by_frequency(rows, index, flat, weight.shape[0])
    mask = mv.reshape(valid, shape=(*valid.shape, 1))
    if per_sample_weights is not None:
        factors = mv.reshape(per_sample_weights, shape=(flat._data.size,))
        factors = ix.index(factors, places, key=(Slot(0),))
        rows = ew.mul(rows, mv.reshape(factors, shape=tuple(mask.shape)))
    return _MODES[mode](rows, mask)


def _check_factors(mode: str, input: Tensor, factors: Tensor) -> None:
    if mode != "sum" or factors.shape != input.shape:
        raise ShapeError(
            "embedding_bag: per_sample_weights go with mode 'sum' and have the shape of input "
            f"{tuple(input.shape)}, got mode {mode!r} and {tuple(factors.shape)}"
        )


def _padded(input: Tensor, offsets: Tensor | None, last: bool) -> tuple[Tensor, Tensor]:
    """(n, l) positions in the flat input, bags filled up to one length, and which of them count."""
    if input.ndim == 2:
        if offsets is not None:
            raise ShapeError("embedding_bag: rows of a 2-d input are the bags; leave offsets out")
        flat = _range(input._data.size, input)
        places = mv.reshape(flat, shape=tuple(input.shape))
        return places, ew.ge(places, 0)
    if input.ndim != 1 or offsets is None or offsets.ndim != 1:
        raise ShapeError(
            "embedding_bag: wanted input (n, l), or (l,) with offsets (n,), got "
            f"{tuple(input.shape)}"
        )
    if state.trace is not None:
        raise CaptureError(
            "embedding_bag: bag lengths depend on the values of offsets, which a captured graph "
            "cannot hold; pass a 2-d input and padding_idx"
        )
    return _ragged(input, cast_to(offsets, dtypes.INT64), last)


def _ragged(input: Tensor, offsets: Tensor, last: bool) -> tuple[Tensor, Tensor]:
    total = input._data.size
    edges = offsets.tolist() if last else [*offsets.tolist(), total]
    lengths = [b - a for a, b in pairwise(edges)]
    if not edges or edges[0] != 0 or min(lengths, default=0) < 0 or edges[-1] > total:
        raise ShapeError(
            f"embedding_bag: offsets start at 0, rise, and end within the {total} indices, got "
            f"{offsets.tolist()}"
        )
    longest = max(max(lengths, default=0), 1)
    starts = mv.reshape(offsets.new_tensor(edges[:-1]), shape=(len(lengths), 1))
    counts = mv.reshape(offsets.new_tensor(lengths), shape=(len(lengths), 1))
    steps = _range(longest, input)
    places = ew.minimum(ew.add(starts, steps), max(total - 1, 0))
    return places, ew.lt(steps, counts)


def _range(count: int, like: Tensor) -> Tensor:
    return create.arange(shape=(count,), dtype=dtypes.INT64, device=like.device, start=0, step=1)


def _sum(rows: Tensor, mask: Tensor) -> Tensor:
    return rd.sum(ew.where(mask, rows, 0.0), axes=(1,))


def _mean(rows: Tensor, mask: Tensor) -> Tensor:
    counts = rd.sum(ew.cast(mask, dtype=rows._data.dtype), axes=(1,))
    return ew.div(_sum(rows, mask), ew.maximum(counts, 1.0))


def _max(rows: Tensor, mask: Tensor) -> Tensor:
    low = ew.where(mask, rows, -float("inf"))
    best = rd.argmax(low.detach(), axis=1, keepdim=True)  # the first of equals gets the gradient
    top = ix.gather(rows, best, axis=1)
    top = mv.reshape(top, shape=(rows.shape[0], rows.shape[2]))
    return ew.where(rd.any(mask, axes=(1,)), top, 0.0)


_MODES: dict[str, Any] = {"max": _max, "mean": _mean, "sum": _sum}
