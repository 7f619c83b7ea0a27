"""Shapes: the same elements in another arrangement, as views where torch's are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import triptych as tp
from triptych.autograd import gradcheck

X = np.arange(24.0).reshape(2, 3, 4)

VIEWS = {
    "reshape": (lambda x: x.reshape(6, 4), X.reshape(6, 4)),
    "reshape with -1": (lambda x: x.reshape(-1, 2, 3), X.reshape(-1, 2, 3)),
    "reshape by keyword": (lambda x: tp.reshape(x, (4, 6)), X.reshape(4, 6)),
    "view": (lambda x: x.view(24), X.ravel()),
    "view_as": (lambda x: x.view_as(tp.zeros(4, 6)), X.reshape(4, 6)),
    "flatten": (lambda x: x.flatten(1), X.reshape(2, 12)),
    "ravel": (lambda x: x.ravel(), X.ravel()),
    "unflatten": (lambda x: x.unflatten(2, (2, -1)), X.reshape(2, 3, 2, 2)),
    "permute": (lambda x: x.permute(2, 0, -2), X.transpose(2, 0, 1)),
    "transpose": (lambda x: x.transpose(0, -1), X.swapaxes(0, 2)),
    "T": (lambda x: x.T, X.T),
    "mT": (lambda x: x.mT, X.swapaxes(1, 2)),
    "t": (lambda x: x[0].t(), X[0].T),
    "movedim": (lambda x: x.movedim((0, 1), (-1, 0)), np.moveaxis(X, (0, 1), (-1, 0))),
    "swapaxes": (lambda x: x.swapaxes(0, 1), X.swapaxes(0, 1)),
    "unsqueeze": (lambda x: x.unsqueeze(-1), X[..., None]),
    "squeeze": (lambda x: x[:, :1].squeeze(), X[:, 0]),
    "squeeze dims": (lambda x: x[:1, :1].squeeze((0, 2)), X[0, :1]),
    "squeeze of none": (lambda x: x[:1].squeeze(()), X[:1]),
    "expand": (lambda x: x[:, :1].expand(-1, 5, 4), np.repeat(X[:, :1], 5, 1)),
    "expand to more dims": (lambda x: x.expand(2, *x.shape), np.stack([X, X])),
    "broadcast_to": (lambda x: x[:1].broadcast_to((3, 3, 4)), np.repeat(X[:1], 3, 0)),
    "narrow": (lambda x: x.narrow(2, 1, 2), X[..., 1:3]),
    "select": (lambda x: x.select(1, -1), X[:, -1]),
    "split": (lambda x: x.split(2, 1)[1], X[:, 2:]),
    "chunk": (lambda x: x.chunk(2, 2)[0], X[..., :2]),
    "unbind": (lambda x: x.unbind(1)[2], X[:, 2]),
    "diagonal": (lambda x: x.diagonal(1, 1, 2), np.diagonal(X, 1, 1, 2)),
    "unfold": (
        lambda x: x.unfold(2, 3, 1),
        np.lib.stride_tricks.sliding_window_view(X, 3, 2),
    ),
    "detach": (lambda x: x.detach(), X),
}
COPIES = {
    "reshape of a transpose": (lambda x: x.T.reshape(6, 4), X.T.reshape(6, 4)),
    "flip": (lambda x: x.flip(0, -1), X[::-1, :, ::-1]),
    "flip by keyword": (lambda x: tp.flip(x, dims=(1,)), X[:, ::-1]),
    "flip of nothing": (lambda x: x.flip(()), X),
    "fliplr": (lambda x: x.fliplr(), X[:, ::-1]),
    "roll": (lambda x: x.roll((1, -2), (0, 2)), np.roll(X, (1, -2), (0, 2))),
    "roll flat": (lambda x: x.roll(5), np.roll(X, 5)),
    "repeat": (lambda x: x.repeat(2, 1, 1, 3), np.tile(X, (2, 1, 1, 3))),
    "tile": (lambda x: x.tile(2, 2), np.tile(X, (2, 2))),
    "cat": (lambda x: tp.cat([x, x[:1]]), np.concatenate([X, X[:1]])),
    "cat with an empty vector": (lambda x: tp.cat([tp.zeros(0), x], 1), X),
    "stack": (lambda x: tp.stack([x, x], -1), np.stack([X, X], -1)),
    "tril": (lambda x: x.tril(-1), np.tril(X, -1)),
    "triu": (lambda x: x.triu(1), np.triu(X, 1)),
    "diag": (lambda x: x[0, 0].diag(1), np.diag(X[0, 0], 1)),
    "diag of a matrix": (lambda x: x[0].diag(-1), np.diag(X[0], -1)),
    "clone": (lambda x: x.clone(), X),
    "meshgrid": (
        lambda x: tp.meshgrid(x[0, 0], x[0, 1])[0] * 1,
        np.meshgrid(X[0, 0], X[0, 1], indexing="ij")[0],
    ),
}


@pytest.mark.parametrize(("fn", "expected"), VIEWS.values(), ids=VIEWS)
def test_views_share_memory_version_and_gradient(fn, expected):
    x = tp.tensor(X)
    out = fn(x)
    np.testing.assert_array_equal(out.numpy(), expected)
    assert np.shares_memory(out.numpy(), x.numpy()) and out._cell is x._cell
    if "detach" not in fn.__code__.co_names:
        assert gradcheck(fn, [x.requires_grad_()])


@pytest.mark.parametrize(("fn", "expected"), COPIES.values(), ids=COPIES)
def test_copies_do_not(fn, expected):
    x = tp.tensor(X)
    out = fn(x)
    np.testing.assert_array_equal(out.numpy(), expected)
    assert not np.shares_memory(out.numpy(), x.numpy()) and out._cell is not x._cell
    assert gradcheck(fn, [x.requires_grad_()])


@given(st.data(), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
@settings(max_examples=150, deadline=None)
def test_reshape_of_any_layout_is_a_view_exactly_where_numpys_is(data, shape):
    array = np.arange(float(np.prod(shape))).reshape(shape)
    axes = data.draw(st.permutations(range(len(shape))))
    steps = tuple(slice(None, None, data.draw(st.sampled_from([1, 2, -1]))) for _ in shape)
    x = tp.from_numpy(array).permute(*axes)[steps] if shape else tp.from_numpy(array)
    raw = array.transpose(axes)[(*steps, ...)]
    target = data.draw(st.permutations([n for n in raw.shape for n in (n, 1)]))
    out = x.reshape(target)
    np.testing.assert_array_equal(out.numpy(), raw.reshape(target))
    if raw.size:
        assert (out._cell is x._cell) == np.shares_memory(raw.reshape(target), raw)


def test_pieces():
    x = tp.arange(7)
    assert [p.tolist() for p in x.split(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [p.tolist() for p in x.split([2, 0, 5])] == [[0, 1], [], [2, 3, 4, 5, 6]]
    assert [p.numel() for p in x.chunk(3)] == [3, 3, 1] and len(x.chunk(6)) == 4
    assert len(tp.zeros(0).split(2)) == 1 and tp.zeros(2, 0).unbind(1) == ()
    assert [t.item() for t in x[:2]] == [0, 1]


def test_0d_and_empty_tensors():
    s, e = tp.tensor(3.0), tp.zeros(0, 3)
    assert s.T.shape == () and s.reshape(1, 1).shape == (1, 1) and s.expand(2).tolist() == [3.0] * 2
    assert s.unsqueeze(0).shape == (1,) and s.flatten().shape == (1,) and s.squeeze().shape == ()
    assert s.flip(()).item() == 3.0 and s.transpose(0, -1).item() == 3.0
    assert e.T.shape == (3, 0) and e.reshape(0).shape == (0,) and e.flip(0).shape == (0, 3)
    assert tp.cat([e, tp.ones(1, 3)]).tolist() == [[1.0] * 3] and e.roll(1, 0).shape == (0, 3)
    assert e.sum(1).shape == (0,) and tp.stack([e, e]).shape == (2, 0, 3)


def test_a_transpose_of_more_than_two_dims_reverses_them():
    assert tp.zeros(2, 3, 4).T.shape == (4, 3, 2)
    with pytest.raises(tp.ShapeError, match="t: wanted at most 2 dims"):
        tp.zeros(2, 3, 4).t()


def test_adjoint():
    z = tp.tensor([[1j, 2.0]])
    assert z.H.tolist() == [[-1j], [2 + 0j]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: x.reshape(5, 5), r"reshape: \(2, 3, 4\) has 24 elements, \(5, 5\) wants 25"),
        (lambda x: x.reshape(-1, 7), r"reshape: .* does not fit"),
        (lambda x: x.reshape(-1, -1), "does not fit"),
        (lambda x: x.permute(0, 1), r"permute: \(0, 1\) is no ordering of the 3 axes"),
        (lambda x: x.permute(0, 1, 1), "no ordering"),
        (lambda x: x.permute(0, 1, 3), "dim 3 is out of range for 3 dims; wanted -3 to 2"),
        (lambda x: x.transpose(0, 3), "transpose: dim 3 is out of range"),
        (lambda x: x.unsqueeze(4), "unsqueeze: dim 4 is out of range"),
        (lambda x: x.squeeze(3), "squeeze: dim 3 is out of range"),
        (lambda x: x.expand(2, 3, 5), r"\(2, 3, 4\) (cannot|and)"),
        (lambda x: x.expand(3, 4), "has more dims than"),
        (lambda x: x.flatten(2, 1), "start_dim 2 comes after end_dim 1"),
        (lambda x: x.unflatten(2, (3, 2)), r"dim 2 has length 4, which is not \(3, 2\)"),
        (lambda x: x.narrow(2, 3, 2), "narrow: 3 to 5 is outside dim 2 of length 4"),
        (lambda x: x.split([1, 2], 2), r"split: sizes \[1, 2\] add up to 3, dim 2 has 4"),
        (lambda x: x.split(0), "positive size, got 0"),
        (lambda x: x.chunk(0), "positive number of chunks"),
        (lambda x: x.repeat(2), "a count for each of 3 dims"),
        (lambda x: tp.cat([]), "non-empty sequence"),
        (lambda x: tp.cat([x, x[0]]), r"cat: input 1 has shape \(3, 4\), input 0 has \(2, 3, 4\)"),
        (lambda x: tp.cat([x, x[:, :2]], 2), "all but axis 2 must agree"),
        (lambda x: tp.stack([x, x[0]]), "stack: tensor 1 has shape"),
        (lambda x: tp.stack([]), "non-empty sequence"),
        (lambda x: x.movedim((0, 1), (0,)), "must be as many"),
        (lambda x: tp.meshgrid(x[0, 0], indexing="uv"), "indexing is 'ij' or 'xy'"),
        (lambda x: x.flip(0, 0), "name one axis twice"),
        (
            lambda x: tp.broadcast_tensors(x, tp.zeros(5)),
            "do not broadcast: 4 against 5 at axis -1",
        ),
        (lambda x: x + tp.zeros(2, 4), "add: shapes .* do not broadcast: 3 against 2 at axis -2"),
    ],
)
def test_errors_say_what_was_wanted(call, text):
    with pytest.raises(tp.ShapeError, match=text):
        call(tp.zeros(2, 3, 4))
