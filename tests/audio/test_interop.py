"""Arrays of every kind in, the same kind out."""

import sys
import types

import numpy as np
import pytest

import triptych as tp
from triptych_audio.interop import same_kind


class Foreign:
    """An array of another library: it has DLPack and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.fixture
def library(monkeypatch):
    """`Foreign` as part of a library that can import DLPack."""
    module = types.ModuleType("foreign")
    module.from_dlpack = lambda array: Foreign(np.from_dlpack(array))
    monkeypatch.setitem(sys.modules, "foreign", module)
    monkeypatch.setattr(Foreign, "__module__", "foreign.arrays")


@same_kind
def scaled(waveform, factor, offset=None):
    assert isinstance(waveform, tp.Tensor)
    out = waveform * factor
    return (out if offset is None else out + offset), waveform.shape[-1]


def test_tensor_keeps_history():
    x = tp.ones(3, requires_grad=True)
    out, count = scaled(x, 2.0)
    assert isinstance(out, tp.Tensor)
    assert out.requires_grad
    assert count == 3


def test_numpy():
    out, _ = scaled(np.ones(3), 2.0, offset=tp.ones(3, dtype=tp.float64))
    assert type(out) is np.ndarray
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, [3, 3, 3])


def test_numpy_comes_back_without_history():
    out, _ = scaled(np.ones(3, np.float32), tp.ones(3, requires_grad=True))
    assert type(out) is np.ndarray


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0)[::2],
        np.arange(3.0).astype(">f8"),
        np.broadcast_to(np.float32(1), (3,)),
        np.asfortranarray(np.ones((2, 3), np.float32)),
    ],
)
def test_numpy_of_any_layout(array):
    out, _ = scaled(array, 2.0)
    np.testing.assert_array_equal(out, array * 2)


def test_dlpack(library):
    out, _ = scaled(Foreign(np.ones(3, np.float32)), 2.0)
    assert type(out) is Foreign
    np.testing.assert_array_equal(out.array, [2, 2, 2])


def test_array_namespace(monkeypatch):
    namespace = types.SimpleNamespace(from_dlpack=lambda a: Foreign(np.from_dlpack(a)))
    monkeypatch.setattr(Foreign, "__array_namespace__", lambda self: namespace, raising=False)
    out, _ = scaled(Foreign(np.ones(3)), 2.0)
    assert type(out) is Foreign


def test_lists_are_refused():
    with pytest.raises(TypeError, match=r"scaled: wanted a Tensor.*got list, float"):
        scaled([1.0, 2.0], 2.0)
