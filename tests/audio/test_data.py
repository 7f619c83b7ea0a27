"""Batches of different lengths."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych.utils.data import DataLoader
from triptych_audio.data import BucketBatchSampler, pad_collate


class Clips:
    """Ramps of lengths 3 to 12, as data sets give them."""

    lengths = (5, 3, 12, 7, 4, 9)

    def __len__(self):
        return len(self.lengths)

    def __getitem__(self, i):
        return tp.arange(float(self.lengths[i]))[None], 16000, f"clip {i}"


def test_with_a_loader_and_buckets():
    clips = Clips()
    batches = BucketBatchSampler(clips.lengths, 2, shuffle=False)
    loader = DataLoader(clips, batch_sampler=batches, collate_fn=pad_collate)
    seen = []
    for audio, rates, names in loader:
        assert audio.values.shape == (2, 1, int(audio.lengths.max()))
        assert rates.tolist() == [16000, 16000]
        for row, length, mask in zip(audio.values, audio.lengths.tolist(), audio.mask, strict=True):
            assert row[0, :length].tolist() == list(range(length))
            assert (row[0, length:] == 0).all() and mask.sum().item() == length
        seen += names
    assert seen == [f"clip {i}" for i in (1, 4, 0, 3, 5, 2)]


def test_arrays_dicts_and_filling():
    batch = [{"x": np.ones(2, np.int64), "id": 1}, {"x": np.ones(3, np.int64), "id": 2}]
    out = pad_collate(batch, -1)
    assert out["x"].values.tolist() == [[1, 1, -1], [1, 1, 1]]
    assert out["x"].values.dtype == tp.int64 and out["id"].tolist() == [1, 2]
    assert pad_collate([tp.ones(4, 2), tp.ones(4, 1)]).values.shape == (2, 4, 2)


def test_refuses():
    with pytest.raises(ShapeError, match="at least one sample"):
        pad_collate([])
    with pytest.raises(ShapeError, match="more than the last axis"):
        pad_collate([tp.ones(1, 4), tp.ones(2, 4)])
    with pytest.raises(DTypeError, match="different kinds"):
        pad_collate([tp.ones(4), (tp.ones(4),)])
