"""Masks: one band, of the drawn length, shared or not."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio import functional as F


def bands(mask, axis):
    """Length of the one run of true along an axis; fails if there are two."""
    rows = np.moveaxis(mask, axis, -1)
    padded = np.pad(rows.astype(int), [(0, 0)] * (rows.ndim - 1) + [(1, 1)])
    assert (np.abs(np.diff(padded)).sum(-1) <= 2).all()
    return rows.sum(-1)


@pytest.mark.parametrize("axis", [2, 3])
def test_shared_mask(axis):
    x = tp.ones(3, 2, 30, 40)
    lengths = set()
    for seed in range(40):
        out = F.mask_along_axis(x, 12, 0.0, axis, generator=tp.Generator().manual_seed(seed))
        hidden = out.numpy() == 0
        assert (hidden == hidden[:1, :1]).all()
        assert (hidden == hidden.all(5 - axis, keepdims=True)).all()
        lengths.add(int(bands(hidden, axis).max()))
    assert max(lengths) < 12 and len(lengths) > 6


@pytest.mark.parametrize("axis", [2, 3])
def test_own_masks(axis):
    generator = tp.Generator().manual_seed(0)
    out = F.mask_along_axis_iid(tp.ones(30, 4, 30, 40), 12, -1.0, axis, generator=generator)
    hidden = out.numpy() == -1
    lengths = bands(hidden, axis)[..., 0]
    assert lengths.max() == 11 and len(np.unique(lengths)) == 12
    assert not (hidden == hidden[:1]).all()
    starts = hidden.argmax(axis)[lengths[..., None].repeat(hidden.shape[5 - axis], -1) > 0]
    assert starts.min() == 0 and starts.max() > 20


def test_share_of_the_axis_limits():
    out = F.mask_along_axis_iid(tp.ones(200, 1, 4, 20), 100, 0.0, 3, p=0.2)
    assert bands(out.numpy() == 0, 3).max() == 3
    x = tp.ones(2, 4, 20)
    assert F.mask_along_axis(x, 100, 0.0, 2, p=0.01) is x
    assert F.mask_along_axis_iid(x, 0, 0.0, 2) is x


def test_value_and_gradient():
    x = tp.ones(2, 5, 50, requires_grad=True)
    generator = tp.Generator().manual_seed(3)
    out = F.mask_along_axis(x, 40, x.detach().mean() * 7, 2, generator=generator)
    out.sum().backward()
    hidden = out.detach().numpy() == 7
    assert hidden.any()
    np.testing.assert_array_equal(x.grad.numpy(), ~hidden)


def test_refuses():
    with pytest.raises(ShapeError, match="at least 3 axes"):
        F.mask_along_axis_iid(tp.ones(4, 5), 2, 0.0, 1)
    with pytest.raises(ShapeError, match="axis is 1 for frequency or 2"):
        F.mask_along_axis(tp.ones(2, 4, 5), 2, 0.0, 0)
    with pytest.raises(DomainError, match="from 0 to 1"):
        F.mask_along_axis(tp.ones(4, 5), 2, 0.0, 1, p=1.5)
