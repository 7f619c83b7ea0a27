"""Affine maps, embeddings and distances against NumPy."""

import numpy as np
import pytest
from scipy.spatial import distance

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F

RNG = np.random.default_rng(0)


def grads(*arrays):
    return tuple(tp.tensor(a, requires_grad=True) for a in arrays)


@pytest.mark.parametrize("lead", [(), (2,), (2, 5)])
def test_linear(lead):
    x, w, b = (RNG.standard_normal(s) for s in ((*lead, 3), (4, 3), (4,)))
    tx, tw, tb = map(tp.tensor, (x, w, b))
    np.testing.assert_allclose(F.linear(tx, tw, tb).numpy(), x @ w.T + b)
    np.testing.assert_allclose(F.linear(tx, tw).numpy(), x @ w.T)
    assert gradcheck(F.linear, grads(x, w, b))
    assert gradgradcheck(F.linear, grads(x, w, b))


def test_linear_with_a_vector_weight_has_no_output_axis():
    x, w = RNG.standard_normal((2, 3)), RNG.standard_normal(3)
    np.testing.assert_allclose(F.linear(tp.tensor(x), tp.tensor(w)).numpy(), x @ w)


def test_linear_names_the_shapes_that_differ():
    with pytest.raises(tp.ShapeError, match=r"weight \(4, 3\) takes 3 features"):
        F.linear(tp.ones(2, 5), tp.ones(4, 3))
    with pytest.raises(tp.DTypeError, match="one dtype"):
        F.linear(tp.ones(2, 3), tp.ones(4, 3, dtype=tp.float64))


def test_bilinear():
    a, b, w, c = (RNG.standard_normal(s) for s in ((2, 5, 3), (2, 5, 4), (6, 3, 4), (6,)))
    want = np.einsum("...i,oij,...j->...o", a, w, b) + c
    np.testing.assert_allclose(F.bilinear(*map(tp.tensor, (a, b, w, c))).numpy(), want)
    assert gradcheck(F.bilinear, grads(a[0], b[0], w, c))
    with pytest.raises(tp.ShapeError, match=r"weight \(out, 3, 4\)"):
        F.bilinear(tp.ones(2, 3), tp.ones(2, 4), tp.ones(6, 4, 3))


def test_embedding_picks_rows_and_adds_up_their_gradients():
    w = tp.tensor(RNG.standard_normal((5, 2)), requires_grad=True)
    ids = tp.tensor([[1, 4], [1, 0]])
    out = F.embedding(ids, w)
    np.testing.assert_array_equal(out.detach().numpy(), w.detach().numpy()[ids.numpy()])
    out.sum().backward()
    np.testing.assert_array_equal(w.grad.numpy()[:, 0], [1, 2, 0, 0, 1])


@pytest.mark.parametrize("padding_idx", [1, -4])
def test_embedding_padding_row_gets_no_gradient(padding_idx):
    w = tp.ones(5, 2, requires_grad=True)
    F.embedding(tp.tensor([1, 1, 3]), w, padding_idx).sum().backward()
    np.testing.assert_array_equal(w.grad.numpy()[:, 0], [0, 0, 0, 1, 0])


def test_embedding_max_norm_shortens_the_rows_that_are_used():
    w = tp.tensor([[3.0, 4.0], [6.0, 8.0], [0.3, 0.4]])
    F.embedding(tp.tensor([0, 2]), w, max_norm=1.0)
    np.testing.assert_allclose(w.numpy(), [[0.6, 0.8], [6, 8], [0.3, 0.4]], rtol=1e-6)


def test_embedding_gradient_by_frequency():
    w = tp.ones(3, 2, requires_grad=True)
    out = F.embedding(tp.tensor([0, 0, 0, 2]), w, scale_grad_by_freq=True)
    assert tp.equal(out, tp.ones(4, 2))
    out.sum().backward()
    np.testing.assert_allclose(w.grad.numpy()[:, 0], [1, 0, 1])


@pytest.mark.parametrize("bad", [5, -1])
def test_embedding_refuses_rows_that_are_not_there(bad):
    with pytest.raises(tp.BoundsError, match=f"index {bad} is out of range; wanted 0 to 4"):
        F.embedding(tp.tensor([0, bad]), tp.ones(5, 2))
    with pytest.raises(tp.DTypeError, match="integer indices"):
        F.embedding(tp.ones(2), tp.ones(5, 2))
    with pytest.raises(tp.BoundsError, match="padding_idx 9"):
        F.embedding(tp.tensor([0]), tp.ones(5, 2), 9)


def test_one_hot():
    ids = tp.tensor([[0, 2], [1, 1]])
    got = F.one_hot(ids)
    assert got.dtype == tp.int64
    np.testing.assert_array_equal(got.numpy(), np.eye(3, dtype=int)[ids.numpy()])
    assert F.one_hot(ids, 7).shape == (2, 2, 7)
    with pytest.raises(tp.BoundsError, match="index 2"):
        F.one_hot(ids, 2)


def bags(w, ids, offsets, mode):
    """Naive: one bag after the other."""
    rows = []
    for a, b in zip(offsets, [*offsets[1:], len(ids)], strict=True):
        picked = w[ids[a:b]]
        reduce = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
        rows.append(reduce(picked, axis=0) if b > a else np.zeros(w.shape[1]))
    return np.stack(rows)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embedding_bag(mode):
    w, ids, offsets = RNG.standard_normal((6, 3)), np.array([1, 5, 5, 0, 2, 3]), [0, 2, 2, 5]
    got = F.embedding_bag(tp.tensor(ids), tp.tensor(w), tp.tensor(offsets), mode=mode)
    np.testing.assert_allclose(got.numpy(), bags(w, ids, offsets, mode))
    last = tp.tensor([*offsets, len(ids)])
    again = F.embedding_bag(tp.tensor(ids), tp.tensor(w), last, mode=mode, include_last_offset=True)
    assert tp.equal(got, again)
    square = F.embedding_bag(tp.tensor(ids.reshape(2, 3)), tp.tensor(w), mode=mode)
    np.testing.assert_allclose(square.numpy(), bags(w, ids, [0, 3], mode))
    assert gradcheck(
        lambda w: F.embedding_bag(tp.tensor(ids), w, tp.tensor(offsets), mode=mode), grads(w)
    )


def test_embedding_bag_weights_and_padding():
    w, ids = RNG.standard_normal((6, 3)), np.array([[1, 5], [5, 0]])
    factors = RNG.standard_normal((2, 2))
    got = F.embedding_bag(
        tp.tensor(ids), tp.tensor(w), mode="sum", per_sample_weights=tp.tensor(factors)
    )
    np.testing.assert_allclose(got.numpy(), (w[ids] * factors[..., None]).sum(1))
    mean = F.embedding_bag(tp.tensor(ids), tp.tensor(w), padding_idx=5).numpy()
    np.testing.assert_allclose(mean, w[[1, 0]])
    with pytest.raises(tp.ShapeError, match="go with mode 'sum'"):
        F.embedding_bag(tp.tensor(ids), tp.tensor(w), per_sample_weights=tp.tensor(factors))
    with pytest.raises(tp.ShapeError, match="offsets start at 0"):
        F.embedding_bag(tp.tensor([0, 1]), tp.tensor(w), tp.tensor([1]))


def test_distances():
    a, b = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3))
    near = F.pairwise_distance(tp.tensor(a), tp.tensor(b), p=3.0, eps=0.0).numpy()
    np.testing.assert_allclose(
        near, [distance.minkowski(u, v, 3) for u, v in zip(a, b, strict=True)]
    )
    for p, metric in ((1.0, "cityblock"), (2.0, "euclidean"), (np.inf, "chebyshev")):
        np.testing.assert_allclose(F.pdist(tp.tensor(a), p).numpy(), distance.pdist(a, metric))
    cosine = F.cosine_similarity(tp.tensor(a), tp.tensor(b)).numpy()
    want = [1 - distance.cosine(u, v) for u, v in zip(a, b, strict=True)]
    np.testing.assert_allclose(cosine, want)
    wide = F.cosine_similarity(tp.tensor(a), tp.tensor(b[:1]), dim=0).numpy()
    np.testing.assert_allclose(
        wide, F.cosine_similarity(tp.tensor(a), tp.tensor(b[:1].repeat(4, 0)), dim=0).numpy()
    )
    assert gradcheck(F.pdist, grads(a))
    with pytest.raises(tp.ShapeError, match=r"\(n, d\)"):
        F.pdist(tp.ones(3))


@pytest.mark.parametrize("rows", [1, 2, 32, 33])
def test_linear_of_few_rows(rows):
    x, w, b = (RNG.standard_normal(s) for s in ((rows, 5), (4, 5), (4,)))
    for weight in (tp.tensor(w), tp.tensor(np.ascontiguousarray(w.T)).T):
        y = F.linear(tp.tensor(x), weight, tp.tensor(b)).numpy()
        np.testing.assert_allclose(y, x @ w.T + b)
        assert y.flags.c_contiguous
