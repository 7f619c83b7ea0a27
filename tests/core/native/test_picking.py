"""Native picking, adding and writing along an axis against NumPy's."""

import numpy as np
import pytest

import triptych as tp
import triptych.nn.functional as F
from triptych.backends import native
from triptych.prims import TABLE
from triptych.prims.index import Slot

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
SHAPES = [(700,), (40, 17), (3, 211), (5, 31, 13), (2, 3, 67, 5), (257, 129)]
CASES = [(shape, axis) for shape in SHAPES for axis in range(len(shape))]


def kernel(name):
    return TABLE[name].kernel(np.zeros(1, np.float32))


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def taken(name, call):
    """What the call gives, and whether the kernel of that name was taken."""
    before = native.calls()[name]
    found = call()
    return found, native.calls()[name] == before + 1


def check(name, *xs, **params):
    """The kernel is taken and gives what NumPy does."""
    got, was_taken = taken(name, lambda: kernel(name)(*xs, **params))
    assert was_taken
    np.testing.assert_allclose(got, kernel(name).plain(*xs, **params), rtol=1e-5, atol=1e-5)
    return got


@pytest.fixture
def threads():
    before = tp.get_num_threads()
    yield tp.set_num_threads
    tp.set_num_threads(before)


@pytest.mark.parametrize("places", [(1,), (600,), (20, 30)])
@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_slices(shape, axis, places):
    index = RNG.integers(-shape[axis], shape[axis], places)
    key = (*[slice(None)] * axis, Slot(0))
    x = numbers(*shape)
    y = check("index", x, index, key=key)
    assert y.shape == (*shape[:axis], *places, *shape[axis + 1 :])
    if y.size >= 512:
        check("unindex", numbers(*y.shape), index, shape=shape, key=key)
    if x.size >= 512:
        check("index_put", x, numbers(*y.shape), index, key=key, accumulate=True)


@pytest.mark.parametrize("count", [1, 100, 513])
@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_numbers(shape, axis, count):
    wanted = tuple(count if i == axis else n for i, n in enumerate(shape))
    index, x, g = RNG.integers(-shape[axis], shape[axis], wanted), numbers(*shape), numbers(*wanted)
    check("gather", x, index, axis=axis)
    if g.size >= 512:
        check("ungather", g, index, shape=shape, axis=axis)
    for accumulate in (True, False):
        check("scatter", x, index, g, axis=axis, accumulate=accumulate)


def test_threads_change_nothing(threads):
    index, g = RNG.integers(0, 300, 5000), numbers(5000, 64)
    wide = RNG.integers(0, 300, (5000, 64))
    found = []
    for count in (1, 2):
        threads(count)
        rows = kernel("unindex")(g, index, shape=(300, 64), key=(Slot(0),))
        found.append((rows, kernel("ungather")(g, wide, shape=(300, 64), axis=0)))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_is_refused_goes_to_numpy():
    x, index = numbers(40, 30), RNG.integers(0, 40, 90)
    for other, places in ((x.astype(np.float64), index), (x, index.astype(np.int32)), (x.T, index)):
        places = places % other.shape[0]
        got, was_taken = taken(
            "index", lambda o=other, p=places: kernel("index")(o, p, key=(Slot(0),))
        )
        assert not was_taken
        np.testing.assert_array_equal(got, other[places])
    mask = RNG.random(40) > 0.5
    np.testing.assert_array_equal(kernel("index")(x, mask, key=(Slot(0),)), x[mask])
    few, was_taken = taken("gather", lambda: kernel("gather")(x, np.zeros((3, 9), int), axis=1))
    assert not was_taken  # an index that leaves rows out
    assert few.shape == (3, 9)


@pytest.mark.parametrize("wrong", [40, -41])
def test_errors_are_those_of_numpy(wrong):
    x, index = tp.randn(40, 30), tp.zeros(50).long()
    index[7] = wrong
    wide = index.unsqueeze(1).expand(50, 30)
    with pytest.raises(tp.BoundsError, match="out of bounds"):
        x.index_select(0, index)
    with pytest.raises(tp.BoundsError, match="out of bounds"):
        x.index_add(0, index, tp.ones(50, 30))
    with pytest.raises(tp.BoundsError, match=r"gather: index -?4. is out of range for dim 0"):
        x.gather(0, wide)
    with pytest.raises(tp.BoundsError, match=r"scatter: index -?4. is out of range for dim 0"):
        x.scatter_add(0, wide, tp.ones(50, 30))
    with pytest.raises(tp.BoundsError, match="embedding"):
        F.embedding(index, x)


def test_derivatives_of_embeddings():
    index = tp.tensor(RNG.integers(0, 50, (7, 9)))
    found = []
    for dtype in (tp.float32, tp.float64):
        weight = tp.tensor(np.arange(1000.0).reshape(50, 20) / 1000).to(dtype).requires_grad_()
        loss = F.embedding(index, weight, padding_idx=3).square().sum()
        (once,) = tp.autograd.grad(loss, [weight], create_graph=True)
        once.square().sum().backward()
        found.append((once.detach().numpy(), weight.grad.numpy()))
    for got, want in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5)
    assert not found[0][0][3].any()
