"""Batches of waveforms of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError

__all__ = ["PaddedBatch", "pad_collate"]


class PaddedBatch(NamedTuple):
    """Waveforms filled up to the longest.

    Args:
        waveforms: (n, channels, time).
        lengths: (n,) int64, the samples of each.
        mask: (n, time) bool, true where there is sound.
        labels: what else the samples held: for each place, a list of n.
    """

    waveforms: Tensor
    lengths: Tensor
    mask: Tensor
    labels: tuple[list[Any], ...]


def pad_collate(batch: Sequence[tuple[Any, ...]], padding_value: float = 0.0) -> PaddedBatch:
    """Make a batch of samples (waveform, *labels); for `DataLoader(collate_fn=...)`.

    Args:
        batch: samples; waveforms are (channels, time) or (time,), of the same channels and dtype.
        padding_value: after the end of the shorter ones.

    Returns:
        Waveforms, lengths, mask and labels.

    Raises:
        ShapeError: no samples, or waveforms of other shapes.

    Example:
        >>> batch = pad_collate([(tp.zeros(1, 3), 16000, "a"), (tp.zeros(1, 5), 16000, "b")])
        >>> tuple(batch.waveforms.shape), batch.lengths.tolist(), batch.labels
        ((2, 1, 5), [3, 5], ([16000, 16000], ['a', 'b']))

    """
    if not batch:
        raise ShapeError("pad_collate: wanted at least one sample, got an empty batch")
    waveforms = [sample[0] for sample in batch]
    rests = {tuple(waveform.shape[:-1]) for waveform in waveforms}
    if len(rests) > 1:
        raise ShapeError(f"pad_collate: waveforms differ in their channels: {sorted(rests)}")
    lengths = np.array([waveform.shape[-1] for waveform in waveforms], np.int64)
    longest = int(lengths.max())
    like = waveforms[0]
    padded = tp.full(
        (len(batch), *like.shape[:-1], longest), padding_value, dtype=like.dtype, device=like.device
    )
    for i, waveform in enumerate(waveforms):
        padded[i, ..., : lengths[i]] = waveform
    mask = tp.from_numpy(np.arange(longest) < lengths[:, None])
    labels = tuple(list(column) for column in zip(*(s[1:] for s in batch), strict=True))
    return PaddedBatch(padded, tp.from_numpy(lengths), mask, labels)
