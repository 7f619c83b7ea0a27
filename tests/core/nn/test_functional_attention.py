"""Attention against NumPy, row by row."""

import numpy as np
import pytest
from scipy import special

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F

RNG = np.random.default_rng(0)
attend = F.scaled_dot_product_attention


def naive(q, k, v, mask=None, scale=None):
    """One query at a time over the places it may see; mask is added, -inf hides."""
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for at in np.ndindex(*q.shape[:-1]):
        scores = k[at[:-1]] @ q[at] * scale
        if mask is not None:
            scores = scores + np.broadcast_to(mask, (*q.shape[:-1], k.shape[-2]))[at]
        seen = np.isfinite(scores)
        if seen.any():
            out[at] = special.softmax(scores[seen]) @ v[at[:-1]][seen]
    return out


def qkv(*lead, l=5, s=6, e=4, d=3):
    return tuple(RNG.standard_normal((*lead, *shape)) for shape in ((l, e), (s, e), (s, d)))


def run(q, k, v, **options):
    return attend(*map(tp.tensor, (q, k, v)), **options).numpy()


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_plain(lead, scale):
    q, k, v = qkv(*lead)
    np.testing.assert_allclose(run(q, k, v, scale=scale), naive(q, k, v, scale=scale))


@pytest.mark.parametrize(("l", "s"), [(5, 5), (3, 6), (6, 3)])
def test_causal(l, s):
    q, k, v = qkv(2, l=l, s=s)
    mask = np.where(np.tri(l, s, dtype=bool), 0, -np.inf)
    np.testing.assert_allclose(run(q, k, v, is_causal=True), naive(q, k, v, mask))


@pytest.mark.parametrize("shape", [(5, 6), (2, 1, 5, 6), (1, 6)])
def test_masks(shape):
    q, k, v = qkv(2, 3)
    keep = RNG.random(shape) > 0.4
    added = np.where(keep, RNG.standard_normal(shape), -np.inf)
    hidden = np.where(keep, 0, -np.inf)
    np.testing.assert_allclose(run(q, k, v, attn_mask=tp.tensor(keep)), naive(q, k, v, hidden))
    np.testing.assert_allclose(run(q, k, v, attn_mask=tp.tensor(added)), naive(q, k, v, added))


@pytest.mark.parametrize("kind", ["bool", "float"])
def test_rows_that_see_nothing_are_zero_and_have_finite_gradients(kind):
    keep = np.ones((5, 6), bool)
    keep[2] = False
    mask = tp.tensor(keep if kind == "bool" else np.where(keep, 0.0, -np.inf))
    q, k, v = (tp.tensor(a, requires_grad=True) for a in qkv())
    out = attend(q, k, v, mask)
    np.testing.assert_array_equal(out.detach().numpy()[2], 0)
    out.sum().backward()
    for t in (q, k, v):
        assert np.isfinite(t.grad.numpy()).all()
    np.testing.assert_array_equal(q.grad.numpy()[2], 0)


def test_grouped_heads():
    q, k, v = RNG.standard_normal((2, 6, 4, 3)), *(RNG.standard_normal((2, 2, 5, 3)) for _ in "kv")
    got = run(q, k, v, enable_gqa=True)
    np.testing.assert_allclose(got, naive(q, k.repeat(3, 1), v.repeat(3, 1)))
    with pytest.raises(tp.ShapeError, match="6 query heads are no multiple of 4"):
        attend(tp.ones(6, 2, 3), tp.ones(4, 2, 3), tp.ones(4, 2, 3), enable_gqa=True)


def test_derivatives():
    inputs = tuple(tp.tensor(a, requires_grad=True) for a in qkv(2, l=3, s=3, e=2, d=2))
    mask = tp.tensor([[True, False, True], [False, False, False], [True, True, True]])
    for options in ({}, {"is_causal": True}, {"attn_mask": mask}):
        assert gradcheck(lambda q, k, v, o=options: attend(q, k, v, **o), inputs)
        assert gradgradcheck(lambda q, k, v, o=options: attend(q, k, v, **o), inputs)


def test_dropout_replays_and_keeps_the_mean():
    q, k = tp.zeros(1, 4), tp.zeros(4000, 4)
    v = tp.ones(4000, 1)
    one = attend(q, k, v, dropout_p=0.25, generator=tp.Generator().manual_seed(1))
    two = attend(q, k, v, dropout_p=0.25, generator=tp.Generator().manual_seed(1))
    assert tp.equal(one, two)
    assert one.item() != 1
    assert one.item() == pytest.approx(1, abs=0.05)


def test_errors():
    q = tp.ones(2, 3)
    with pytest.raises(tp.ShapeError, match=r"key \(\.\.\., s, e\)"):
        attend(q, tp.ones(2, 4), q)
    with pytest.raises(tp.ShapeError, match="not both"):
        attend(q, q, q, tp.ones(2, 2), is_causal=True)
