"""Selection by parting against a stable sort, and running and most frequent elements against
loops."""

import numpy as np
import pytest

import triptych as tp
from triptych.prims import selection

RNG = np.random.default_rng(0)
DTYPES = ["float32", "float64", "float16", "bfloat16", "int64", "int16", "uint8", "bool"]
SHAPES = [(17,), (4, 30), (30, 4), (3, 12, 2)]


@pytest.fixture(params=[0, selection.SMALL], ids=["parted", "sorted"])
def size(request, monkeypatch):
    monkeypatch.setattr(selection, "SMALL", request.param)


def numbers(dtype, shape, ties):
    x = RNG.integers(0, 4, shape) if ties else RNG.permutation(np.prod(shape)).reshape(shape) % 200
    x = x.astype(float)
    if getattr(tp, dtype).is_floating_point:
        x[RNG.random(shape) < 0.2] = np.nan
        x[RNG.random(shape) < 0.1] = -np.inf
    return tp.tensor(x).to(getattr(tp, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ties", [False, True])
def test_places_are_those_of_a_stable_sort(dtype, shape, ties, size):
    x = numbers(dtype, shape, ties)
    for dim in range(len(shape)):
        rising, falling = (x.sort(dim, descending=down, stable=True) for down in (False, True))
        for k in (1, 2, shape[dim] // 2, shape[dim]):
            for largest, order in ((True, falling), (False, rising)):
                found = x.topk(k, dim, largest=largest)
                assert tp.equal(found.indices, order.indices.narrow(dim, 0, k))
                assert found.values.dtype == x.dtype
            found = x.kthvalue(k, dim, keepdim=True)
            assert tp.equal(found.indices, rising.indices.narrow(dim, k - 1, 1))


def test_nothing_is_chosen():
    assert tp.ones(3, 0).topk(0).values.shape == (3, 0)
    assert tp.ones(0, 5).topk(2).indices.shape == (0, 2)
    with pytest.raises(tp.ShapeError, match="topk: k = -1"):
        tp.ones(3).topk(-1)
    with pytest.raises(tp.DTypeError, match="topk: complex"):
        tp.ones(3, dtype=tp.complex64).topk(1)


def test_gradients_go_to_what_was_chosen(size):
    x = tp.tensor([[3.0, 1.0, 2.0, 0.0]], requires_grad=True)
    (x.topk(2).values * tp.tensor([10.0, 20.0])).sum().backward()
    assert x.grad.tolist() == [[10.0, 0.0, 20.0, 0.0]]
    x.grad = None
    x.kthvalue(2).values.sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0, 0.0, 0.0]]


def most_frequent(row):
    known = np.unique(row[~np.isnan(row)])
    counts = [(row == v).sum() for v in known]
    return np.flatnonzero(row == known[np.argmax(counts)])[-1] if len(known) else 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_mode(dtype, shape):
    x = numbers(dtype, shape, True)
    for dim in range(len(shape)):
        want = np.apply_along_axis(most_frequent, dim, x.double().numpy())
        found = x.mode(dim)
        np.testing.assert_array_equal(found.indices.numpy(), want)
        assert found.values.dtype == x.dtype


def running(row, better):
    places = [0]
    for i, v in enumerate(row[1:], 1):
        places.append(i if better(v, row[places[-1]]) or np.isnan(v) else places[-1])
    return places


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_running_extremes(dtype, shape):
    x = numbers(dtype, shape, True)
    for dim in range(len(shape)):
        for call, better in ((x.cummax, np.greater_equal), (x.cummin, np.less_equal)):
            want = np.apply_along_axis(running, dim, x.double().numpy(), better)
            found = call(dim)
            np.testing.assert_array_equal(found.indices.numpy(), want)
            assert found.values.dtype == x.dtype
