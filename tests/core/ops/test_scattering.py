"""Writing many values to few places, against a naive twin."""

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

COMBINE = {
    "sum": lambda values: sum(values),
    "prod": np.prod,
    "mean": np.mean,
    "amax": max,
    "amin": min,
}


def scattered(x, dim, index, src, reduce, include_self):
    """One number at a time."""
    meeting = {place: [value] if include_self else [] for place, value in np.ndenumerate(x)}
    touched = set()
    for at, target in np.ndenumerate(index):
        place = (*at[:dim], int(target) % x.shape[dim], *at[dim + 1 :])
        meeting[place].append(src[at])
        touched.add(place)
    out = x.copy()
    for place in touched:
        out[place] = COMBINE[reduce](meeting[place])
    return out


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", COMBINE)
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_scatter_reduce_is_its_naive_twin(dim, reduce, include_self):
    rng = np.random.default_rng(3)
    x, src = rng.normal(size=(3, 4)), rng.normal(size=(4, 5))
    axis = dim % 2
    index = rng.integers(0, x.shape[axis], (3, 2) if axis == 0 else (2, 5))
    got = tp.scatter_reduce(
        tp.tensor(x), dim, tp.tensor(index), tp.tensor(src), reduce, include_self=include_self
    )
    expected = scattered(x, axis, index, src, reduce, include_self)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", COMBINE)
def test_its_gradients(reduce, include_self):
    rng = np.random.default_rng(4)
    x = tp.tensor(rng.normal(size=(2, 3)), requires_grad=True)
    src = tp.tensor(rng.normal(size=(2, 4)), requires_grad=True)
    index = tp.tensor([[0, 2, 2, 0], [1, 1, 1, 0]])

    def call(a, b):
        return a.scatter_reduce(1, index, b, reduce, include_self=include_self)

    assert gradcheck(call, (x, src))
    assert gradgradcheck(call, (x, src))


@pytest.mark.parametrize("zeros", [1, 2])
def test_the_gradient_of_a_product_with_zeros_is_exact(zeros):
    src = tp.tensor([0.0] * zeros + [3.0, 5.0][: 3 - zeros], requires_grad=True)
    x = tp.tensor([2.0], requires_grad=True)
    out = x.scatter_reduce(0, tp.zeros(3, dtype=tp.int64), src, "prod")
    out.sum().backward()
    numbers = np.array(src.tolist())
    others = [2.0 * np.prod(np.delete(numbers, i)) for i in range(3)]
    assert src.grad.tolist() == others and x.grad.item() == np.prod(numbers) == 0


def test_ties_share_the_gradient_of_an_extreme():
    x, src = tp.tensor([3.0], requires_grad=True), tp.tensor([3.0, 1.0, 3.0], requires_grad=True)
    out = x.scatter_reduce(0, tp.zeros(3, dtype=tp.int64), src, "amax")
    out.backward(tp.tensor([6.0]))
    assert (x.grad.tolist(), src.grad.tolist()) == ([2.0], [2.0, 0.0, 2.0])


def test_integers_booleans_numbers_without_axes_and_nothing_at_all():
    index = tp.tensor([0, 0])
    ints = tp.tensor([-7, 3]).scatter_reduce(0, index, tp.tensor([1, 1]), "mean")
    assert ints.tolist() == [-2, 3] and ints.dtype is tp.int64
    bools = tp.tensor([True, True]).scatter_reduce(0, index, tp.tensor([False, True]), "prod")
    assert bools.tolist() == [False, True]
    assert tp.tensor(5.0).scatter_reduce(0, tp.tensor(0), tp.tensor(2.0), "prod").item() == 10
    src = tp.zeros(0, requires_grad=True)
    same = tp.ones(2).scatter_reduce(0, tp.zeros(0, dtype=tp.int64), src, "prod")
    same.sum().backward()
    assert same.tolist() == [1, 1] and src.grad.shape == (0,)


@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
def test_index_reduce_combines_slices(reduce):
    rng = np.random.default_rng(5)
    x, source = rng.normal(size=(3, 4)), rng.normal(size=(3, 2))
    index = np.array([3, 3])
    got = tp.index_reduce(tp.tensor(x), 1, tp.tensor(index), tp.tensor(source), reduce)
    wide = np.broadcast_to(index, (3, 2))
    np.testing.assert_allclose(got.numpy(), scattered(x, 1, wide, source, reduce, True))
    y = tp.tensor(x)
    assert y.index_reduce_(1, tp.tensor(index), tp.tensor(source), reduce) is y
    assert tp.equal(y, got)


def test_scatter_multiplies():
    x = tp.full((3,), 2.0)
    index = tp.tensor([0, 0, 2])
    assert x.scatter(0, index, tp.tensor([3.0, 4.0, 5.0]), reduce="multiply").tolist() == [
        24,
        2,
        10,
    ]
    assert x.scatter_(0, tp.tensor([1]), 7.0, reduce="multiply").tolist() == [2, 14, 2]


def test_masked_scatter_takes_the_source_in_order():
    x, mask = np.zeros((2, 3)), np.array([[True, False, True], [False, True, True]])
    source = tp.tensor(np.arange(1.0, 7.0), requires_grad=True)
    expected = x.copy()
    expected[mask] = [1, 2, 3, 4]
    out = tp.masked_scatter(tp.tensor(x), tp.tensor(mask), source)
    np.testing.assert_array_equal(out.numpy(force=True), expected)
    out.sum().backward()
    assert source.grad.tolist() == [1, 1, 1, 1, 0, 0]
    row = tp.masked_scatter(tp.zeros(2), tp.tensor([[True], [False]]), tp.tensor([5.0, 6.0]))
    assert row.tolist() == [[5, 6], [0, 0]]
    none = tp.masked_scatter(tp.ones(2), tp.tensor([False, False]), tp.zeros(0))
    assert none.tolist() == [1, 1]


def test_put_writes_into_the_flattened_tensor():
    x, source = tp.zeros(2, 3), tp.tensor([[5.0], [6.0]], requires_grad=True)
    out = x.put(tp.tensor([[1], [-1]]), source)
    assert out.tolist() == [[0, 5, 0], [0, 0, 6]]
    out.sum().backward()
    assert source.grad.tolist() == [[1], [1]]
    twice = tp.zeros(2).put_(tp.tensor([0, 0]), tp.tensor([1.0, 2.0]), accumulate=True)
    assert twice.tolist() == [3, 0]
    nothing = tp.zeros(0, requires_grad=True)
    tp.ones(2).put(tp.zeros(0, dtype=tp.int64), nothing).sum().backward()
    assert nothing.grad.shape == (0,)


def test_take_along_dim_without_a_dim_takes_from_the_row_of_all():
    x = tp.tensor([[10, 30, 20], [60, 40, 50]])
    assert tp.take_along_dim(x, x.argmax()[None]).tolist() == [60]
    assert tp.take_along_dim(x, tp.tensor([[0], [1]]), 1).tolist() == [[10], [40]]


REFUSED = {
    "word": (lambda: tp.ones(2).scatter_reduce(0, I, tp.ones(2), "max"), "reduce is one of 'amax'"),
    "dtype": (lambda: tp.ones(2).scatter_reduce(0, I, I, "sum"), "src is triptych.int64"),
    "range": (
        lambda: tp.ones(2).scatter_reduce(0, tp.tensor([2]), tp.ones(1), "prod"),
        "index 2 is out of range for dim 0 of length 2",
    ),
    "small src": (lambda: tp.ones(2).scatter_reduce(0, I, tp.ones(1), "sum"), "smaller than the"),
    "index_reduce": (
        lambda: tp.ones(2, 3).index_reduce(1, I, tp.ones(2, 3), "amax"),
        r"source has shape \(2, 3\), wanted \(2, 2\)",
    ),
    "index_reduce sum": (
        lambda: tp.ones(2).index_reduce(0, I, tp.ones(2), "sum"),
        "use index_add",
    ),
    "scatter": (lambda: tp.ones(2).scatter(0, I, tp.ones(2), reduce="max"), "'add' or 'multiply'"),
    "masked_scatter": (
        lambda: tp.ones(2).masked_scatter(tp.tensor([True, True]), tp.ones(1)),
        "the mask has 2 places, source 1",
    ),
    "mask": (lambda: tp.ones(2).masked_scatter(I, tp.ones(2)), "mask must be bool"),
    "put": (lambda: tp.ones(2).put(I, tp.ones(3)), "2 indices for a source of 3"),
    "put range": (lambda: tp.ones(2).put(tp.tensor([2]), tp.ones(1)), "index 2 is out of range"),
    "take_along_dim": (lambda: tp.take_along_dim(tp.ones(2, 2), I, 1), "as many dims"),
}
I = tp.tensor([0, 1])


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_named(name):
    call, text = REFUSED[name]
    with pytest.raises(tp.TriptychError, match=text):
        call()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_many_halves_in_one_place_are_added_in_single_precision(dtype):
    """Sums of halves stop at 2,048 ones or at 256, where the next one is less than half a step."""
    half = getattr(tp, dtype)
    ones, places = tp.ones(4000, 3, dtype=half), tp.zeros(4000, dtype=tp.int64)
    zeros = tp.zeros(2, 3, dtype=half)
    wanted = tp.tensor([[4000.0] * 3, [0.0] * 3], dtype=half)
    across = places[:, None].expand(4000, 3)
    for found in (
        zeros.index_add(0, places, ones),
        zeros.scatter_add(0, across, ones),
        zeros.index_put((places,), ones, accumulate=True),
    ):
        assert found.dtype == half
        assert found.eq(wanted).all()
    x = zeros.clone().requires_grad_()
    for picked in (x[places], x.index_select(0, places), x.gather(0, across)):
        x.grad = None
        picked.sum().backward()
        assert x.grad.eq(wanted).all()
    for rows in (2, 20_000):  # of few or of most
        weight = tp.zeros(rows, 3, dtype=half, requires_grad=True)
        tp.nn.functional.embedding(places + 1, weight).sum().backward()
        assert weight.grad[1].eq(4000).all()
        assert weight.grad.sum(dtype=tp.float32) == 12_000
    table = tp.zeros(3, 20_000, dtype=half).index_add(1, places + 7, ones.t())
    assert table[:, 7].eq(4000).all()
    assert table.sum(dtype=tp.float32) == 12_000
    few = tp.zeros(1000, 64, dtype=half)  # one row for many places
    few.index_put_((tp.arange(100),), tp.ones(64, dtype=half), accumulate=True)
    assert few[:100].eq(1).all()
    assert few[100:].eq(0).all()
