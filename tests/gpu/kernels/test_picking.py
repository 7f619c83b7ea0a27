"""Picking, adding and writing by indices in CUDA C, against NumPy's way."""

import numpy as np
import pytest
from gpu.checks import DTYPES, check, numbers, run
from gpu.fixtures import CHOICE, compiles

import triptych as tp
from triptych.backends.cuda import faults
from triptych.errors import BoundsError
from triptych.prims.index import Slot

pytestmark = compiles
SHAPES = [(1, 5, 1), (3, 7, 1), (4, 16, 8), (1, 1, 3), (2, 13, 17)]


@pytest.fixture(params=["any order", "deterministic"])
def order(request):
    """Both ways to add."""
    tp.use_deterministic_algorithms(request.param == "deterministic")
    yield request.param
    tp.use_deterministic_algorithms(False)


def places(shape, axis, picks):
    """An index array for all positions; a third of it counts from the end."""
    rng = np.random.default_rng([picks, *shape])
    length, wanted = shape[axis], list(shape)
    wanted[axis] = picks
    return rng.integers(-(length // 3), length, wanted)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gather(cupy, shape, axis, dtype):
    x = numbers(*shape, dtype=dtype)
    check(cupy, "gather", x, places(shape, axis, 6), axis=axis, steps=0)
    check(cupy, "gather", x, places(shape, axis, 6).astype(np.int32), axis=axis, steps=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_additions(cupy, shape, axis, dtype, order):
    idx = places(shape, axis, 9)
    src = numbers(*idx.shape, dtype=dtype)
    check(cupy, "ungather", src, idx, shape=shape, axis=axis, steps=8, floor=64)
    x = numbers(*shape, dtype=dtype, seed=1)
    check(cupy, "scatter", x, idx, src, axis=axis, accumulate=True, steps=8, floor=64)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rows(cupy, shape, axis, dtype, order):
    idx = places((shape[axis],), 0, 11)
    key = tuple(Slot(0) if i == axis else slice(None) for i in range(3))
    x = numbers(*shape, dtype=dtype)
    check(cupy, "index", x, idx, key=key, steps=0)
    g = numbers(*shape[:axis], 11, *shape[axis + 1 :], dtype=dtype, seed=1)
    check(cupy, "unindex", g, idx, shape=shape, key=key, steps=8, floor=64)
    for v in (g, g[None, :1], g[:, :1], g[..., 0:1], g[0, 0, :1]):
        check(cupy, "index_put", x, v, idx, key=key, accumulate=True, steps=8, floor=64)


def test_writing_in_place_of(cupy):
    x, src = numbers(5, 4), numbers(3, 4, seed=1)
    idx = np.argsort(numbers(5, 4, seed=2), 0)[:3]  # no place twice
    check(cupy, "scatter", x, idx, src, axis=0, accumulate=False, steps=0)


def test_other_dtypes_are_picked_as_well(cupy):
    for dtype in (np.uint8, np.int64, np.bool_):
        x = (np.arange(12).reshape(3, 4) % 2).astype(dtype)
        got, was_taken = run(cupy, "gather", x, np.array([[0, 2, -1, 1]]), axis=0)
        assert was_taken and got.get().tolist() == x[[[0, 2, -1, 1]], [[0, 1, 2, 3]]].tolist()


def test_what_is_refused_runs_over_cupy(cupy):
    x, idx = numbers(6, 8), places((6, 8), 0, 3)
    got, was_taken = run(cupy, "gather", x, idx[:, :5], axis=0)  # shorter on another axis
    assert not was_taken and got.shape == (3, 5)
    got, was_taken = run(cupy, "gather", cupy.asarray(x).T, idx.T, axis=1)
    assert not was_taken and np.array_equal(got.get(), np.take_along_axis(x, idx, 0).T)
    got, was_taken = run(cupy, "gather", x, idx[:0], axis=0)
    assert not was_taken and got.shape == (0, 8)


def stored(x, *key):
    """Writes where a key points."""
    x = x.clone()
    x[key] = 1.0
    return x


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x, i: x.gather(0, i.expand(3, 4)), "gather"),
        (lambda x, i: x[i[:, 0]], "indexing"),
        (lambda x, i: x[i[:, 0], i[:, 0] * 0], "indexing"),
        (lambda x, i: x.T[..., None, i[:, 0] * 0, :][..., i[:, 0]], "indexing"),
        (lambda x, i: stored(x, i[:, 0]), "indexing"),
        (lambda x, i: x.index_put((i[:, 0],), x[:3], accumulate=True), "indexing"),
        (lambda x, i: x.index_put((i[:, 0], i[:, 0] * 0), x[:3, 0], accumulate=True), "indexing"),
        (lambda x, i: x.index_put((i[:, 0],), x[:3]), "indexing"),
        (lambda x, i: x.index_add(0, i[:, 0], x[:3]), "indexing"),
        (lambda x, i: stored(x, i[:, 0], slice(1, 3)), "indexing"),
        (lambda x, i: stored(x.T, x[0] > 0, i[1:2, 0]), "indexing"),
        (lambda x, i: x.scatter_add(0, i.expand(3, 4), x[:3]), "scatter"),
        (lambda x, i: x.scatter(0, i.expand(3, 4), x[:3]), "scatter"),
    ],
)
def test_an_index_out_of_range_is_told_when_results_come(cupy, call, name):
    x, bad = tp.ones(5, 4, device="cuda"), tp.tensor([[0], [5], [1]], device="cuda")
    y = call(x, bad)
    with pytest.raises(BoundsError, match=f"{name}: index 5 is out of range for a dim of length 5"):
        y.cpu()
    assert y.cpu().shape == y.shape  # told once
    call(x, bad)
    with pytest.raises(BoundsError, match="index 5"):
        tp.cuda.synchronize()


def test_the_same_sums_run_after_run(cupy):
    tp.use_deterministic_algorithms(True)
    try:
        table = tp.zeros(7, 16, device="cuda", requires_grad=True)
        idx = tp.arange(96, device="cuda").remainder(7)
        g = tp.from_numpy(numbers(96, 16)).cuda()
        (found,) = tp.autograd.grad(table[idx], table, g)
    finally:
        tp.use_deterministic_algorithms(False)
    want = np.zeros((7, 16), np.float32)
    np.add.at(want, np.arange(96) % 7, numbers(96, 16))
    assert np.array_equal(found.cpu().numpy(), want)  # added in the order of the rows


def test_an_index_without_axes(cupy):
    x, at = numbers(5, 4), np.array(2)
    for axis in (0, 1):
        key = tuple(Slot(0) if i == axis else slice(None) for i in range(2))
        assert check(cupy, "index", x, at, key=key, steps=0).shape == ((4,), (5,))[axis]
    row = tp.nn.functional.embedding(tp.tensor(2).cuda(), tp.from_numpy(x).cuda())
    assert row.shape == (4,) and row.tolist() == x[2].tolist()


@pytest.mark.parametrize("bad", [-6, -7, -8, 5, 9])
def test_nothing_is_added_outside(cupy, order, bad):
    """Numbers below -length are not to become places counted from the end a second time."""
    key = (Slot(0), slice(None))
    g, at = np.ones((3, 4), np.float32), np.array([0, bad, -5])
    got, was_taken = run(cupy, "unindex", g, at, shape=(5, 4), key=key)
    cupy.cuda.Device().synchronize()
    with pytest.raises(BoundsError, match=f"index {bad} is out of range"):
        faults.check(cupy)
    assert was_taken and got.get().tolist() == [[2.0] * 4] + [[0.0] * 4] * 4


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("axis", [0, 1])
def test_halves_are_added_in_single_precision(cupy, axis, dtype, order):
    """300 ones at one place: numbers of bfloat16 stop growing at 256."""
    shape = (3, 300) if axis else (300, 3)
    idx, src = np.zeros(shape, np.int64), np.ones(shape, DTYPES[dtype])
    wanted = tuple(4 if i == axis else n for i, n in enumerate(shape))
    check(cupy, "ungather", src, idx, shape=wanted, axis=axis)
    check(cupy, "scatter", np.ones(wanted, src.dtype), idx, src, axis=axis, accumulate=True)
    key = tuple(Slot(0) if i == axis else slice(None) for i in range(2))
    check(cupy, "unindex", src, np.zeros(300, np.int64), shape=wanted, key=key)


def test_where_there_is_nothing_to_add(cupy, order):
    x, none = numbers(5, 4), np.zeros((0, 4), np.int64)
    got, was_taken = run(
        cupy, "scatter", x, none, numbers(0, 4), axis=0, accumulate=order == "deterministic"
    )
    assert was_taken and np.array_equal(got.get(), x)
    got, was_taken = run(cupy, "ungather", numbers(0, 4), none, shape=(5, 4), axis=0)
    assert was_taken and not got.get().any() and got.shape == (5, 4)
    key = (Slot(0), slice(None))
    got, was_taken = run(cupy, "unindex", numbers(0, 4), none[:, 0], shape=(5, 4), key=key)
    assert was_taken and not got.get().any() and got.shape == (5, 4)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "bfloat16", "complex64"])
def test_additions_of_what_cupy_does_not_add(cupy, dtype):
    """Over CuPy, whose `add.at` knows some dtypes only."""
    kind = getattr(tp, dtype)

    def sums(device):
        x = (tp.arange(15, device=device).reshape(5, 3) % 2).to(kind)
        more = (tp.arange(12, device=device).reshape(4, 3) % 3).to(kind)
        more = more * 100 if dtype == "uint8" else more
        at = tp.tensor([0, 0, 3, 0], device=device)
        columns = tp.tensor([0, 1, 2, 1], device=device)
        yield x.scatter_add(0, at[:, None].expand(4, 3), more)
        yield x.index_put((at,), more, accumulate=True)
        yield x.index_put((at, columns), more[:, 0], accumulate=True)

    for one, two in zip(sums("cuda"), sums("cpu"), strict=True):
        assert one.dtype == two.dtype and one.tolist() == two.tolist()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_training_in_halves_neither_waits_nor_copies(cupy, dtype):
    if CHOICE != "double":
        pytest.skip("the double alone counts copies and waits")
    from gpu.double import counted

    kind = getattr(tp, dtype)
    table = tp.ones(5, 4, device="cuda", dtype=kind, requires_grad=True)
    image = tp.ones(2, 4, 6, 6, device="cuda", dtype=kind, requires_grad=True)
    at = tp.tensor([0, 3, 3], device="cuda")
    for _ in range(2):
        with counted() as costs:
            more = table.index_add(0, at, table[:3]).index_put((at,), table[2:], accumulate=True)
            loss = tp.nn.functional.cross_entropy(2 * more[at] + 0.5, at)
            (loss + tp.nn.functional.max_pool2d(image, 2).sum()).backward()
    assert (costs.to_device, costs.to_host, costs.synchronizations) == (0, 0, 0)
