"""What the array API standard asks of arrays themselves, and of the namespace as a whole."""

import operator

import numpy as np
import pytest

import triptych as tp
from triptych import array_api as xp


def test_tensors_lead_to_the_namespace():
    x = tp.ones(2)
    assert x.__array_namespace__() is xp and tp.array_api is xp
    assert x.__array_namespace__(api_version="2024.12") is xp
    assert x.__array_namespace__(api_version="2021.12") is xp
    assert xp.__array_api_version__ == "2024.12"
    with pytest.raises(ValueError, match=r"one of the versions .*'2024.12'.*got '2031.12'"):
        x.__array_namespace__(api_version="2031.12")


def test_size_is_a_number_and_a_call():
    x = tp.ones(2, 3)
    assert x.size == 6 and isinstance(x.size, int) and x.size // 2 == 3 and f"{x.size}" == "6"
    assert x.size() == (2, 3) and x.size(0) == 2 and x.size(-1) == 3 and x.size(dim=1) == 3
    assert tp.ones(()).size == 1 and tp.ones(0, 2).size == 0
    assert tp.nn.Parameter(x).size() == (2, 3)


def test_code_written_for_the_standard():
    def softmax(x):
        lib = x.__array_namespace__()
        raised = lib.exp(x - lib.max(x, axis=-1, keepdims=True))
        return raised / lib.sum(raised, axis=-1, keepdims=True)

    x = tp.randn(2, 3, dtype=tp.float64, requires_grad=True)
    y = softmax(x)
    assert tp.allclose(y, tp.softmax(x, -1))
    (y * tp.arange(3)).sum().backward()
    expected = tp.autograd.grad((tp.softmax(x, -1) * tp.arange(3)).sum(), x)[0]
    assert tp.allclose(x.grad, expected)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
@pytest.mark.parametrize("scalar", [2, 1.5, True])
def test_operators_take_python_numbers_and_keep_the_dtype(name, scalar):
    x = tp.tensor([1.0, 4.0], dtype=tp.float32)
    op = getattr(operator, name)
    for got, wanted in (
        (op(x, scalar), op(x.numpy(), np.float32(scalar))),
        (op(scalar, x), op(np.float32(scalar), x.numpy())),
    ):
        assert got.dtype is tp.float32
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-6)


def test_devices():
    x = tp.ones(2)
    assert x.to_device("cpu") is x and x.to_device(x.device) is x
    with pytest.raises(tp.DeviceError, match="stream"):
        x.to_device("cpu", stream=1)
    with pytest.raises(tp.DeviceError):
        x.to_device("moon")


def test_inspection():
    info = xp.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert info.default_device() in info.devices()
    assert info.default_dtypes() == {
        "real floating": xp.float32,
        "complex floating": xp.complex64,
        "integral": xp.int64,
        "indexing": xp.int64,
    }
    assert len(info.dtypes()) == 13 and info.dtypes()["int8"] is xp.int8
    assert set(info.dtypes(kind="real floating")) == {"float32", "float64"}
    assert set(info.dtypes(kind=("bool", "unsigned integer"), device="cpu")) == {
        *("bool", "uint8", "uint16", "uint32", "uint64")
    }


def test_constants():
    assert (xp.e, xp.pi, xp.inf, xp.newaxis) == (np.e, np.pi, np.inf, None) and xp.nan != xp.nan


@pytest.mark.parametrize("options", [{}, {"device": "cpu"}, {"copy": False}])
def test_from_dlpack_shares(options):
    array = np.arange(3.0)
    x = xp.from_dlpack(array, **options)
    array[0] = 7
    assert x.tolist() == [7.0, 1.0, 2.0]


def test_from_dlpack_copies_when_asked():
    array = np.arange(3.0)
    for source in (array, tp.from_numpy(array)):
        x = xp.from_dlpack(source, copy=True)
        assert not np.shares_memory(x.numpy(), array) and x.tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(tp.DTypeError, match=r"utils\.dlpack"):
        xp.from_dlpack([1, 2])


def test_dlpack_arguments_of_the_export():
    x = tp.arange(3)
    capsule = x.__dlpack__(max_version=(1, 0), dl_device=(1, 0), copy=True)
    assert "dltensor_versioned" in repr(capsule)
    assert "dltensor_versioned" not in repr(x.__dlpack__())
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))
    twin = np.from_dlpack(x, copy=True)
    x[0] = 5
    assert twin[0] == 0 and np.from_dlpack(x)[0] == 5


def test_asarray_without_a_copy():
    array = np.zeros((0, 3))
    assert tp.asarray(array, copy=False).shape == (0, 3)  # no memory to share, and none copied
    with pytest.raises(ValueError, match="copy"):
        tp.asarray(np.zeros(2), dtype=tp.float32, copy=False)
