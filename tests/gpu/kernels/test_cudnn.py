"""Convolutions that go to cuDNN, over a stand-in for its frontend: what it is told, and what is
done with its answers. cuDNN itself was not at hand.
"""

import ctypes
import sys
from enum import Enum
from types import SimpleNamespace
from typing import ClassVar

import ml_dtypes
import numpy as np
import pytest
from gpu.checks import numbers, reference
from gpu.fixtures import CHOICE

import triptych as tp
from triptych import errors
from triptych.backends import cuda

pytestmark = pytest.mark.skipif(
    CHOICE == "device", reason="the stand-in computes on the host; rungs 2, 4 and 5 are for it"
)
Kind = Enum("Kind", ["HALF", "BFLOAT16", "FLOAT"])
Note = Enum("Note", ["TENSOR_CORE", "NONDETERMINISTIC"])
Heuristic = Enum("Heuristic", ["A", "FALLBACK"])
HELD = {Kind.HALF: np.float16, Kind.BFLOAT16: ml_dtypes.bfloat16, Kind.FLOAT: np.float32}


class NotSupportedError(Exception):
    pass


class Number:
    """A tensor of a graph."""

    def __init__(self, uid, dim=None, stride=None, data_type=None):
        self.uid, self.dim, self.stride, self.held = uid, dim, stride, data_type

    def set_output(self, value):
        assert value is True
        return self

    def set_data_type(self, held):
        self.held = held
        return self

    def set_dim(self, dim):
        self.dim = dim
        return self

    def set_stride(self, stride):
        self.stride = stride
        return self

    def get_uid(self):
        return self.uid

    def at(self, address):
        """Its numbers in memory."""
        dtype, size = np.dtype(HELD[self.held]), int(np.prod(self.dim))
        memory = (ctypes.c_char * (size * dtype.itemsize)).from_address(address)
        return np.frombuffer(memory, dtype).reshape(self.dim)


class Graph:
    """`cudnn.pygraph` of one convolution."""

    made: ClassVar[list] = []
    refused: ClassVar[set] = set()

    def __init__(self, *, io_data_type, intermediate_data_type, compute_data_type, handle):
        assert intermediate_data_type is compute_data_type is Kind.FLOAT
        self.held, self.handle, self.steps, self.notes = io_data_type, handle, [], []
        self.tensors = []
        Graph.made.append(self)

    def tensor(self, *, name, dim, stride, data_type):
        assert data_type is self.held
        found = Number(10 + len(self.tensors), dim, stride, data_type)
        self.tensors.append((name, found))
        return found

    def _convolve(self, name, tensors, options):
        assert set(options) == {"pre_padding", "post_padding", "stride", "dilation"}
        self.name, self.inputs, self.options, self.output = name, tensors, options, Number(99)
        return self.output

    def conv_fprop(self, *, image, weight, **options):
        return self._convolve("conv", {"image": image, "weight": weight}, options)

    def conv_dgrad(self, *, loss, filter, **options):
        return self._convolve("conv_dx", {"loss": loss, "filter": filter}, options)

    def conv_wgrad(self, *, image, loss, **options):
        return self._convolve("conv_dw", {"image": image, "loss": loss}, options)

    def validate(self):
        self.steps.append("validate")

    def build_operation_graph(self):
        self.steps.append("operations")

    def create_execution_plans(self, heuristics):
        assert heuristics == [Heuristic.A, Heuristic.FALLBACK]
        self.steps.append("plans")

    def deselect_numeric_notes(self, notes):
        assert self.steps[-1] == "plans"
        self.notes = notes

    def check_support(self):
        self.steps.append("support")
        if self.name in Graph.refused:
            raise NotSupportedError

    def build_plans(self):
        self.steps.append("build")

    def get_workspace_size(self):
        return 64

    def execute(self, pack, workspace, *, handle):
        assert self.steps == ["validate", "operations", "plans", "support", "build"]
        assert handle is self.handle and handle.stream is not None
        (ctypes.c_char * 64).from_address(workspace)[:] = b"x" * 64  # may be written to
        assert all(type(address) is int for address in pack.values())
        one, two = (t.at(pack[t.uid]) for t in self.inputs.values())
        to, o = self.output.at(pack[99]), self.options
        params = {
            "stride": tuple(o["stride"]),
            "dilation": tuple(o["dilation"]),
            "padding": tuple(zip(o["pre_padding"], o["post_padding"], strict=True)),
        }
        if self.name == "conv":
            found = reference("conv", one, two, groups=one.shape[1] // two.shape[1], **params)
        elif self.name == "conv_dx":
            groups = to.shape[1] // two.shape[1]
            found = reference("conv_dx", one, two, shape=to.shape, groups=groups, **params)
        else:
            groups = one.shape[1] // to.shape[1]
            found = reference("conv_dw", two, one, shape=to.shape, groups=groups, **params)
        to[...] = found


@pytest.fixture
def cudnn(cupy, monkeypatch):
    handle = SimpleNamespace(stream=None)
    module = SimpleNamespace(
        pygraph=Graph,
        data_type=Kind,
        numerical_note=Note,
        heur_mode=Heuristic,
        cudnnGraphNotSupportedError=NotSupportedError,
        create_handle=lambda: handle,
        set_stream=lambda *, handle, stream: setattr(handle, "stream", stream),
    )
    monkeypatch.setitem(sys.modules, "cudnn", module)
    monkeypatch.setenv("TRIPTYCH_CUDNN", "1")
    monkeypatch.setattr(Graph, "made", [])
    monkeypatch.setattr(Graph, "refused", set())
    return cuda.overrides(cupy)


CASES = {  # x, weights, stride, padding, dilation, groups
    "3x3": ((2, 3, 7, 9), (4, 3, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "one side": ((1, 2, 6, 7), (3, 2, 2, 2), (2, 3), ((1, 0), (0, 2)), (1, 2), 1),
    "groups": ((3, 4, 6, 5), (6, 2, 3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 2),
    "sound": ((2, 3, 17), (4, 3, 5), (2,), ((2, 2),), (1,), 1),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("case", CASES)
def test_forward_and_gradients(cupy, cudnn, case, dtype):
    x_shape, w_shape, stride, padding, dilation, groups = CASES[case]
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x, w = numbers(*x_shape, dtype=dtype), numbers(*w_shape, dtype=dtype, seed=1)
    y = reference("conv", x, w, **options)
    g = numbers(*y.shape, dtype=dtype, seed=2)
    calls = {
        "conv": ((x, w), {}, y),
        "conv_dx": (
            (g, w),
            {"shape": x.shape},
            reference("conv_dx", g, w, shape=x.shape, **options),
        ),
        "conv_dw": (
            (g, x),
            {"shape": w.shape},
            reference("conv_dw", g, x, shape=w.shape, **options),
        ),
    }
    for name, (arrays, shape, want) in calls.items():
        found = cudnn[name](*map(cupy.asarray, arrays), **shape, **options).get()
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, want.astype(x.dtype))
    assert [graph.name for graph in Graph.made] == list(calls)
    for graph in Graph.made:
        for _, t in graph.tensors:
            assert t.stride == [int(np.prod(t.dim[i + 1 :])) for i in range(4)]
        assert graph.notes == ([Note.TENSOR_CORE] if dtype == "float32" else [])


def test_plans_are_kept_by_shape_and_by_what_results_must_be(cupy, cudnn):
    x, w = cupy.asarray(numbers(1, 2, 5, 5)), cupy.asarray(numbers(3, 2, 3, 3))
    options = {"stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), "groups": 1}
    for _ in range(3):
        cudnn["conv"](x, w, **options)
    assert len(Graph.made) == 1
    cudnn["conv"](cupy.asarray(numbers(2, 2, 5, 5)), w, **options)
    assert len(Graph.made) == 2
    tp.use_deterministic_algorithms(True)
    try:
        cudnn["conv"](x, w, **options)
    finally:
        tp.use_deterministic_algorithms(False)
    assert Graph.made[2].notes == [Note.TENSOR_CORE, Note.NONDETERMINISTIC]


def test_what_it_does_not_support_goes_to_our_kernels(cupy, cudnn):
    x, w = numbers(1, 2, 5, 5), numbers(3, 2, 3, 3)
    options = {"stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), "groups": 1}
    Graph.refused.add("conv")
    for _ in range(2):
        found = cudnn["conv"](cupy.asarray(x), cupy.asarray(w), **options).get()
        np.testing.assert_allclose(found, reference("conv", x, w, **options), rtol=1e-5, atol=1e-4)
    assert len(Graph.made) == 1  # it is asked once
    wide = [cupy.asarray(a.astype(np.float64)) for a in (x, w)]
    assert cudnn["conv"](*wide, **options).dtype == np.float64
    assert cudnn["conv"](wide[0][:0], wide[1], **options) is NotImplemented


def test_it_is_off_unless_asked_for(cupy, monkeypatch):
    monkeypatch.delenv("TRIPTYCH_CUDNN", raising=False)
    monkeypatch.setitem(sys.modules, "cudnn", None)
    cuda.overrides(cupy)
    monkeypatch.setenv("TRIPTYCH_CUDNN", "1")
    with pytest.raises(errors.MissingDependencyError, match="nvidia-cudnn-frontend"):
        cuda.overrides(cupy)
