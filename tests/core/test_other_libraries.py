"""`triptych.interop`: tensors to and from PyTorch, JAX and CuPy.

Stand-ins with the libraries' names and NumPy's arrays show that the calls are right. Tests marked
``peers`` use the libraries themselves where they are installed.
"""

import sys
import types

import ml_dtypes
import numpy as np
import pytest

import triptych as tp
from triptych import interop
from triptych.utils import dlpack

PAIRS = [("torch", "to_torch"), ("jax", "to_jax"), ("cupy", "to_cupy")]


class TorchTensor:
    """As much of a torch.Tensor as `from_torch` asks for."""

    __module__ = "torch"
    requires_grad, is_quantized, layout = False, False, "torch.strided"

    def __init__(self, array):
        self.array = array
        self.dtype = f"torch.{array.dtype}"

    def resolve_conj(self):
        return self

    resolve_neg = detach = resolve_conj

    def view(self, dtype):
        return TorchTensor(self.array.view(dtype))

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.fixture
def torch(monkeypatch):
    module = types.ModuleType("torch")
    module.int16, module.bfloat16 = np.int16, ml_dtypes.bfloat16
    module.from_dlpack = lambda x: TorchTensor(np.from_dlpack(x))
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


@pytest.mark.parametrize(("library", "name"), PAIRS)
def test_a_missing_library_is_named_with_its_installation(library, name, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)  # as if it were not installed
    with pytest.raises(tp.errors.MissingDependencyError, match=f"{name} needs {library}; pip inst"):
        getattr(interop, name)(tp.ones(2))


@pytest.mark.parametrize("name", ["from_torch", "from_jax", "from_cupy"])
@pytest.mark.parametrize("value", [np.ones(2), [1.0], tp.ones(2)])
def test_arrays_of_others_are_refused(name, value):
    with pytest.raises(tp.DTypeError, match=f"{name}: wanted a .*got .*from_dlpack"):
        getattr(interop, name)(value)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.complex64, ml_dtypes.bfloat16])
def test_from_torch_shares_memory(torch, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype).T
    x = interop.from_torch(TorchTensor(array))
    assert x.dtype.dtype == array.dtype and x.shape == (3, 2)
    x[0, 0] = 5
    assert array[0, 0] == 5


@pytest.mark.parametrize("dtype", [tp.float32, tp.bool, tp.bfloat16])
def test_to_torch_shares_memory(torch, dtype):
    x = tp.ones(2, 3, dtype=dtype)
    there = interop.to_torch(x)
    assert isinstance(there, TorchTensor) and there.array.dtype == dtype.dtype
    x[0, 0] = 0
    assert there.array[0, 0] == 0


def test_read_only_memory_is_copied_for_torch(torch):
    assert interop.to_torch(tp.frombuffer(b"\1\2", dtype=tp.uint8)).array.flags.writeable


def test_history_does_not_cross(torch):
    x = tp.ones(2, requires_grad=True)
    with pytest.raises(tp.GradError, match=r"to_torch.*use \.detach\(\)"):
        interop.to_torch(x)
    there = TorchTensor(np.ones(2))
    there.requires_grad = True
    with pytest.raises(tp.GradError, match=r"from_torch.*use \.detach\(\)"):
        interop.from_torch(there)
    with pytest.raises(tp.DTypeError, match=r"to_torch: wanted a triptych\.Tensor, got list"):
        interop.to_torch([1])


def test_sparse_and_quantized_tensors_are_refused(torch):
    there = TorchTensor(np.ones(2))
    there.layout = "torch.sparse_coo"
    with pytest.raises(tp.DTypeError, match=r"to_dense\(\)"):
        interop.from_torch(there)


def test_to_cupy_wants_a_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", types.ModuleType("cupy"))
    with pytest.raises(tp.DeviceError, match=r"use \.cuda\(\)"):
        interop.to_cupy(tp.ones(2))


# Weights by name


def test_weights_of_a_torch_module(torch):
    class Linear:
        def state_dict(self):
            weight = np.ones((3, 2), np.float32)
            return {"weight": TorchTensor(weight), "bias": TorchTensor(weight[:, 0].copy())}

    model = tp.nn.Linear(2, 3)
    model.load_state_dict(interop.torch_state_dict(Linear()))
    assert model(tp.ones(1, 2)).tolist() == [[3.0, 3.0, 3.0]]


def test_weights_of_a_file(tmp_path):
    path = tmp_path / "weights.safetensors"
    tp.save({"x": tp.ones(2)}, path)
    assert interop.torch_state_dict(path)["x"].tolist() == [1.0, 1.0]
    assert interop.torch_state_dict(str(path)).keys() == {"x"}


def test_weights_with_something_else_beside_them():
    state = {"x": tp.ones(2), "_extra_state": {"step": 3}}
    assert interop.torch_state_dict(state) == state
    with pytest.raises(tp.DTypeError, match=r"entry 'epoch' is a int.*under one of \['model'\]"):
        interop.torch_state_dict({"epoch": 3, "model": state})
    with pytest.raises(tp.DTypeError, match=r"wanted a torch\.nn\.Module, a state_dict or a path"):
        interop.torch_state_dict(3)


# Capsules


@pytest.mark.parametrize("versioned", [False, True])
def test_capsules_can_be_taken_once(versioned):
    x = tp.arange(4)[::2]
    options = {"max_version": (1, 0)} if versioned else {}
    capsule = x.__dlpack__(**options) if versioned else dlpack.to_dlpack(x)
    twin = dlpack.from_dlpack(capsule)
    x[0] = 9
    assert twin.tolist() == [9, 2]
    with pytest.raises(tp.DTypeError, match="nobody took yet"):
        dlpack.from_dlpack(capsule)


def test_capsules_are_not_the_only_way():
    assert dlpack.from_dlpack(np.arange(2)).tolist() == [0, 1]
    with pytest.raises(tp.GradError):
        dlpack.to_dlpack(tp.ones(2, requires_grad=True))


# The libraries themselves


@pytest.mark.peers
@pytest.mark.parametrize("name", ["float32", "bfloat16", "bool", "uint8", "complex128"])
def test_with_torch_itself(name):
    torch = pytest.importorskip("torch")
    there = torch.arange(6).reshape(2, 3).to(getattr(torch, name)).T
    x = interop.from_torch(there)
    back = interop.to_torch(x)
    assert x.dtype is getattr(tp, name) and x.shape == (3, 2)
    assert back.data_ptr() == there.data_ptr() and torch.equal(back, there)


@pytest.mark.peers
@pytest.mark.parametrize("name", ["float32", "bfloat16", "bool", "int64"])
def test_with_jax_itself(name):
    pytest.importorskip("jax")
    x = tp.arange(6).to(getattr(tp, name))
    back = interop.from_jax(interop.to_jax(x))
    assert back.tolist() == x.tolist()
    with pytest.raises(tp.ReadOnlyError):
        back.zero_()
