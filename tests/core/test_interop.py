"""Between Triptych, NumPy, DLPack, buffers, pickles and copies."""

import copy
import io
import pickle

import ml_dtypes
import numpy as np
import pytest

import triptych as tp

NAMES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


# NumPy


@pytest.mark.parametrize("name", [*NAMES, "bfloat16"])
def test_numpy_and_back_share_memory(name):
    x = tp.ones(2, 3, dtype=getattr(tp, name)).T
    array = x.numpy()
    back = tp.from_numpy(array)
    assert back.dtype is x.dtype and back.shape == x.shape and array.dtype == x.dtype.dtype
    back[0, 0] = 0
    assert x[0, 0].item() == 0 and np.asarray(x).shape == (3, 2)


def test_numpy_refuses_what_would_lose_history():
    x = tp.ones(2, requires_grad=True)
    for call in (x.numpy, lambda: np.asarray(x), lambda: np.from_dlpack(x)):
        with pytest.raises(tp.GradError, match=r"requires grad.*\.detach\(\)"):
            call()
    assert x.numpy(force=True).tolist() == [1.0, 1.0]


def test_asarray_converts_and_copies_as_asked():
    x = tp.arange(3)
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())
    assert np.array([x, x]).shape == (2, 3)
    with pytest.raises(ValueError, match="needs a copy"):
        np.asarray(x, dtype=np.float32, copy=False)


def test_numpy_functions_of_tensors_are_tensors_with_gradients():
    x = tp.tensor([1.0, 2.0], requires_grad=True)
    y = np.exp(x) + np.multiply(np.ones(2, np.float32), x)
    assert isinstance(y, tp.Tensor)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([1.0, 2.0]) + 1, rtol=1e-6)
    for call in (np.sqrt, np.absolute, np.isfinite, np.conjugate, np.reciprocal, np.negative):
        assert isinstance(call(x), tp.Tensor)


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "@", "==", "<", ">="])
def test_an_array_on_the_left(op):
    a, b = np.array([3.0, 5.0]), tp.tensor([2.0, 4.0], dtype=tp.float64)
    got = eval(f"a {op} b")
    assert isinstance(got, tp.Tensor)
    np.testing.assert_array_equal(got.numpy(), eval(f"a {op} c", {"a": a, "c": b.numpy()}))


@pytest.mark.parametrize("op", ["&", "|", "^", "<<", ">>"])
def test_an_integer_array_on_the_left(op):
    a, b = np.array([6, 9]), tp.tensor([1, 3])
    got = eval(f"a {op} b")
    assert isinstance(got, tp.Tensor)
    assert got.tolist() == eval(f"a {op} c", {"a": a, "c": b.numpy()}).tolist()


def test_numpy_functions_without_a_counterpart_compute_on_the_numbers():
    x = tp.tensor([1.0, 2.0])
    assert isinstance(np.spacing(x), tp.Tensor)
    quotient, rest = np.divmod(x, 2)
    assert (quotient.tolist(), rest.tolist()) == ([0.0, 1.0], [1.0, 0.0])
    assert np.add.reduce(x) == 3.0 and np.multiply.outer(x, x).shape == (2, 2)
    array = np.zeros(2, np.float32)
    array += x
    np.add(x, x, out=array)
    assert array.tolist() == [2.0, 4.0]
    with pytest.raises(tp.GradError, match="requires grad"):
        np.spacing(x.requires_grad_())


def test_numpy_testing_and_joining_take_tensors():
    np.testing.assert_allclose(tp.ones(2), np.ones(2))
    assert np.concatenate([tp.ones(2), np.zeros(1)]).tolist() == [1.0, 1.0, 0.0]
    assert np.stack([tp.ones(2), tp.ones(2)]).shape == (2, 2)


def test_tensors_as_python_numbers():
    x = tp.tensor([3])
    assert (int(x), float(x), complex(x), bool(x), x.item()) == (3, 3.0, 3 + 0j, True, 3)
    assert [10, 20, 30, 40][tp.tensor(3)] == 40 and list(range(x[0])) == [0, 1, 2]
    assert tp.tensor([[1, 2]]).tolist() == [[1, 2]] and tp.tensor(True).tolist() is True
    assert type(tp.tensor(1.5, dtype=tp.bfloat16).item()) is float
    assert tp.tensor([1.5], dtype=tp.bfloat16).tolist() == [1.5]
    assert tp.tensor(1, dtype=tp.uint8).item() == 1 and type(tp.tensor(1j).item()) is complex


# DLPack


@pytest.mark.parametrize("name", NAMES)
def test_dlpack_both_ways(name):
    x = tp.ones(2, 3, dtype=getattr(tp, name))[:, ::2]
    array = np.from_dlpack(x)
    assert array.dtype == x.dtype.dtype and np.shares_memory(array, x.numpy())
    back = tp.from_dlpack(x.numpy())
    assert back.dtype is x.dtype and np.shares_memory(back.numpy(), x.numpy())
    assert x.__dlpack_device__() == (1, 0)


def test_from_dlpack_takes_tensors_and_objects_with_the_protocol_alone():
    class Holder:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    x = tp.ones(2)
    assert tp.from_dlpack(x) is x
    array = np.arange(3.0)
    shared = tp.from_dlpack(Holder(array))
    array[0] = 7
    assert shared.tolist() == [7.0, 1.0, 2.0]
    assert tp.as_tensor(Holder(array)).tolist() == [7.0, 1.0, 2.0]
    copied = tp.tensor(Holder(array))
    array[0] = 9
    assert copied[0].item() == 7.0
    assert (tp.ones(3, dtype=tp.float64) * Holder(array)).tolist() == [9.0, 1.0, 2.0]


# Pickles and copies


@pytest.mark.parametrize("name", [*NAMES, "bfloat16"])
def test_pickles_keep_numbers_dtype_and_layout_free_of_the_rest(name):
    big = tp.ones(1000, 2, dtype=getattr(tp, name))
    part = big[:3].T
    raw = pickle.dumps(part)
    back = pickle.loads(raw)
    assert tp.equal(back, part) and back.dtype is part.dtype and len(raw) < 1000
    back[0].zero_()
    assert back[0, 0].item() == 0


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_leaves_require_grad_again(protocol):
    x = tp.ones(2, requires_grad=True)
    back = pickle.loads(pickle.dumps(x, protocol))
    assert back.requires_grad and back.is_leaf and back.grad is None
    (back * 2).sum().backward()
    assert back.grad.tolist() == [2.0, 2.0]


def test_one_tensor_twice_in_a_pickle_stays_one():
    x = tp.ones(2)
    one, two = pickle.loads(pickle.dumps((x, x)))
    assert one is two


def test_pickled_sizes_and_devices():
    stream = io.BytesIO()
    pickle.dump((tp.zeros(2, 3).shape, tp.float32), stream)
    stream.seek(0)
    shape, dtype = pickle.load(stream)
    assert shape == (2, 3) and dtype is tp.float32


def test_deepcopy():
    x = tp.ones(2, requires_grad=True)
    x.grad = tp.ones(2) * 5
    pair = copy.deepcopy([x, x])
    twin = pair[0]
    assert pair[0] is pair[1] and twin is not x and twin.requires_grad and twin.is_leaf
    twin.grad.zero_()
    with tp.no_grad():
        twin.zero_()
    assert x.tolist() == [1.0, 1.0] and x.grad.tolist() == [5.0, 5.0]
    with pytest.raises(tp.GradError, match=r"only leaves.*\.detach\(\)\.clone\(\)"):
        copy.deepcopy(x * 2)


def test_a_shallow_copy_is_a_tensor_of_its_own():
    x = tp.ones(2, requires_grad=True)
    twin = copy.copy(x)
    assert twin is not x and tp.equal(twin, x) and twin.requires_grad and twin.is_leaf


def test_clone_keeps_history_and_order():
    x = tp.arange(6.0).reshape(2, 3).T.requires_grad_()
    y = x.clone()
    assert y.grad_fn is not None and y.tolist() == x.tolist() and y.is_contiguous()


def test_bfloat16_arrays_come_in_as_bfloat16():
    assert tp.from_numpy(np.ones(2, ml_dtypes.bfloat16)).dtype is tp.bfloat16
    assert tp.tensor(np.ones(2, ml_dtypes.bfloat16)).sum().item() == 2
    assert (tp.ones(2, dtype=tp.bfloat16) * ml_dtypes.bfloat16(3)).tolist() == [3.0, 3.0]
