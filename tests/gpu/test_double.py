"""The strict double refuses what CuPy refuses, differs from NumPy where CuPy does, and counts."""

import numpy as np
import pytest
from gpu.fixtures import CHOICE

import triptych as tp

double_only = pytest.mark.skipif(CHOICE != "double", reason="stricter than CuPy, or counted there")


@pytest.fixture
def x(cupy):
    return cupy.asarray(np.arange(12, dtype=np.float32).reshape(3, 4))


def test_numpy_does_not_mix(cupy, x):
    with pytest.raises(TypeError, match="Unsupported type"):
        x + np.ones(4, np.float32)
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.asarray(x)
    with pytest.raises(ValueError, match="non-scalar"):
        x[0] = np.ones(4, np.float32)
    assert (x + np.float32(1)).get()[0, 0] == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda cp, x: cp.add(x, x, where=x > 0),
        lambda cp, x: cp.sum(x, initial=1.0),
        lambda cp, x: cp.add([1, 2], x),
    ],
)
def test_keywords_that_cupy_lacks(cupy, x, call):
    with pytest.raises(TypeError):
        call(cupy, x)


def test_names_that_cupy_lacks(cupy, x):
    for name in ("geomspace", "nanquantile", "vecdot"):
        assert not hasattr(cupy, name)
    assert not hasattr(cupy.linalg, "multi_dot")
    assert not hasattr(cupy.random.Generator, "permutation") or CHOICE == "double"
    with pytest.raises(AttributeError):
        x.flags.writeable  # noqa: B018
    with pytest.raises(AttributeError):
        x.dtype = np.int32


def test_what_differs_from_numpy(cupy, x):
    total = x.sum()
    assert isinstance(total, cupy.ndarray) and total.shape == ()
    assert x[cupy.asarray([4, -1])].get().tolist() == x.get()[[1, 2]].tolist()  # wraps around
    big = cupy.asarray(np.array([1e30, -1e30], np.float32)).astype(np.int32)
    if CHOICE != "emulator":  # there it is g++ that converts
        assert big.get().tolist() == [2**31 - 1, -(2**31)]
    turned = cupy.asfortranarray(x)
    assert (turned + turned).flags.c_contiguous or CHOICE != "double"
    with pytest.raises(ValueError, match=r"[Uu]nsupported dtype"):
        cupy.asarray(np.array(["a"]))


@double_only
def test_undefined_assignments_are_refused(cupy, x):
    from gpu.double import Undefined

    with pytest.raises(Undefined, match="several values"):
        x[cupy.asarray([0, 0])] = cupy.asarray(np.arange(8, dtype=np.float32).reshape(2, 4))
    x[cupy.asarray([0, 0])] = 5  # one value: defined
    assert x[0].get().tolist() == [5] * 4


@double_only
def test_arrays_stay_on_their_device(cupy, x):
    with cupy.cuda.Device(1), pytest.raises(ValueError, match="current device"):
        x + 1


@double_only
def test_costs_are_counted(cupy, x):
    from gpu.double import counted

    with counted() as costs:
        y = (x + 1).reshape(4, 3).T
    assert (costs.launches, costs.synchronizations, costs.to_host) == (1, 0, 0)
    with counted() as costs:
        assert float(y[0, 0]) == 1
        assert bool((x >= 0).all())
    assert costs.synchronizations == costs.to_host == 2
    with counted() as costs:
        cupy.asarray(np.ones(3))
    assert costs.to_device == 1


@double_only
def test_a_step_of_training_neither_waits_nor_copies(cupy):
    from gpu.double import counted

    net = tp.nn.Sequential(tp.nn.Linear(8, 16), tp.nn.GELU(), tp.nn.Linear(16, 4)).cuda()
    x, g = tp.randn(4, 8, device="cuda"), tp.randn(4, 4, device="cuda")
    optimizer = tp.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(2):  # the first step makes what later ones keep
        with counted() as costs:
            optimizer.zero_grad()
            tp.softmax(net(x), -1).backward(g)
            optimizer.step()
    assert (costs.to_device, costs.to_host, costs.synchronizations) == (0, 0, 0)
    assert costs.launches <= 30


def test_a_copy_has_the_order_that_was_asked_for(cupy, x):
    assert cupy.array(x.T, order="C").flags.c_contiguous
