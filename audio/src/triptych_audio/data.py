"""Waveforms of different lengths in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych.utils.data import BucketBatchSampler, default_collate

__all__ = ["BucketBatchSampler", "PaddedBatch", "pad_collate"]


class PaddedBatch(NamedTuple):
    """Waveforms or features of different lengths, filled up at the end.

    Args:
        values: (n, ..., t), t being the longest length.
        lengths: (n,) int64.
        mask: (n, t) bool, true where values are real.
    """

    values: Tensor
    lengths: Tensor
    mask: Tensor


def _padded(rows: list[Tensor], value: float) -> PaddedBatch:
    lengths = [r.shape[-1] for r in rows]
    longest = max(lengths)
    if len({(tuple(r.shape[:-1]), r.dtype) for r in rows}) > 1:
        raise ShapeError(
            "pad_collate: samples differ in more than the last axis: "
            f"{sorted({(tuple(r.shape), str(r.dtype)) for r in rows})}; use to_mono or resample "
            "first"
        )
    values = tp.full((len(rows), *rows[0].shape[:-1], longest), value, dtype=rows[0].dtype)
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        values[i, ..., :length] = row
    counts = tp.tensor(lengths)
    return PaddedBatch(values, counts, tp.arange(longest) < counts[:, None])


def pad_collate(batch: Sequence[Any], padding_value: float = 0.0) -> Any:
    """Put samples of different lengths into one batch: for `DataLoader(collate_fn=)`.

    Batches waste little where lengths are similar: give the DataLoader a `BucketBatchSampler` over
    durations.

    Args:
        batch: samples: waveforms (..., t), tensors or arrays; or tuples, as data sets give them,
            or dicts. What is an array with axes is padded; the rest, numbers and strings, is
            collated as usual.
        padding_value: put after the end of shorter ones.

    Returns:
        A `PaddedBatch`; for tuples a list, for dicts a dict of them and of the rest.

    Raises:
        ShapeError: samples differ in more than the last axis, or there are none.
        DTypeError: samples are of different kinds.

    Example:
        >>> batch = pad_collate([(tp.ones(1, 3), 16000, "a"), (tp.ones(1, 2), 16000, "b")])
        >>> batch[0].values.tolist(), batch[0].lengths.tolist(), batch[2]
        ([[[1.0, 1.0, 1.0]], [[1.0, 1.0, 0.0]]], [3, 2], ['a', 'b'])
    """
    samples = list(batch)
    if not samples:
        raise ShapeError("pad_collate: wanted at least one sample, got an empty batch")
    first = samples[0]
    nested = {isinstance(s, (tuple, list, dict)) for s in samples}
    if len(nested) > 1:
        kinds = sorted({type(s).__name__ for s in samples})
        raise DTypeError(f"pad_collate: samples are of different kinds: {kinds}")
    if isinstance(first, dict):
        return {k: pad_collate([s[k] for s in samples], padding_value) for k in first}
    if isinstance(first, (tuple, list)):
        columns = zip(*samples, strict=True)
        return [pad_collate(c, padding_value) for c in columns]
    if getattr(first, "ndim", 0) > 0:
        return _padded([tp.as_tensor(s) for s in samples], padding_value)
    return default_collate(samples)
