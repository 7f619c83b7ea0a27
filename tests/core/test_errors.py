"""The errors users meet: each names the call, what came, and what to do."""

import numpy as np
import pytest

import triptych as tp
from triptych import backends
from triptych.backends.numpy_backend import NumpyBackend


class FakeArray(np.ndarray):
    """NumPy arrays that claim to live elsewhere."""


class FakeBackend(NumpyBackend):
    def __init__(self):
        super().__init__()
        self.name, self.array_type, self.overrides = "fake", FakeArray, {}

    def check(self, where):
        if where.index not in (None, 0):
            raise tp.DeviceError(f"device {where}: there is one fake device")

    def asarray(self, data, dtype=None, where=None):
        return np.array(data, dtype=dtype).view(FakeArray)

    def to_numpy(self, array):
        return np.array(array)

    def device_of(self, array):
        return backends.Device("fake")


@pytest.fixture
def fake():
    """A second device, gone after the test."""
    types, devices = dict(backends._BY_TYPE), dict(backends._BY_DEVICE)
    backends.add_backend("fake", FakeBackend())
    yield tp.device("fake")
    for table, before in ((backends._BY_TYPE, types), (backends._BY_DEVICE, devices)):
        table.clear()
        table.update(before)
    for prim in tp.prims.TABLE.values():
        prim.kernels.pop(FakeArray, None)


def leaf(*values):
    return tp.tensor(values, requires_grad=True)


ERRORS = {
    "shapes that do not broadcast": (
        lambda: tp.ones(2, 3) + tp.ones(2, 4),
        (tp.ShapeError, ValueError),
        r"add: shapes \(2, 3\) and \(2, 4\) do not broadcast: 3 against 4 at axis -1; use",
    ),
    "in-place broadcasting the wrong way": (
        lambda: tp.ones(3).add_(tp.ones(2, 3)),
        (tp.ShapeError, ValueError),
        r"add_: the result has shape \(2, 3\), the tensor \(3,\).*out-of-place form",
    ),
    "matmul": (
        lambda: tp.ones(2, 3) @ tp.ones(2, 3),
        (tp.ShapeError, ValueError),
        r"matmul: \(2, 3\) @ \(2, 3\): the last dim of the first must equal .* \.mT",
    ),
    "mixed dtypes in matmul": (
        lambda: tp.ones(2, 2) @ tp.ones(2, 2, dtype=tp.float64),
        (tp.DTypeError, TypeError),
        r"matmul: inputs want one dtype.*convert one with \.to\(dtype\)",
    ),
    "reshape": (
        lambda: tp.ones(2, 3).reshape(4),
        (tp.ShapeError, ValueError),
        r"reshape: \(2, 3\) has 6 elements, \(4,\) wants 4; one length may be -1",
    ),
    "a dim out of range": (
        lambda: tp.ones(2, 3).sum(2),
        (tp.ShapeError, ValueError),
        "sum: dim 2 is out of range for 2 dims; wanted -2 to 1",
    ),
    "an index out of range": (
        lambda: tp.ones(2)[2],
        (tp.BoundsError, IndexError),
        r"indexing: index 2 is out of bounds.*tensor has shape \(2,\)",
    ),
    "item of many": (
        lambda: tp.ones(2).item(),
        (tp.ShapeError, ValueError),
        r"item\(\): wanted one element, got shape \(2,\); use tolist\(\)",
    ),
    "float of many": (lambda: float(tp.ones(2)), (tp.ShapeError, ValueError), r"item\(\)"),
    "bool of many": (
        lambda: bool(tp.ones(2)),
        (tp.ShapeError, ValueError),
        r"bool\(\): the truth of 2 elements.*ambiguous; use \.any\(\) or \.all\(\)",
    ),
    "bool of none": (lambda: bool(tp.ones(0)), (tp.ShapeError, ValueError), "truth of 0 elements"),
    "an index that is no integer": (
        lambda: [1][tp.tensor(0.0)],
        (tp.DTypeError, TypeError),
        "index: wanted an integer tensor, got triptych.float32",
    ),
    "integers that should require grad": (
        lambda: tp.ones(2, dtype=tp.int64).requires_grad_(),
        (tp.GradError, RuntimeError),
        r"only floating and complex tensors have gradients, got triptych.int64; convert with",
    ),
    "backward of many": (
        lambda: (leaf(1.0, 2.0) * 2).backward(),
        (tp.GradError, RuntimeError),
        r"output 0 has shape \(2,\); only a scalar has a gradient by itself.*\.sum\(\).*gradient=",
    ),
    "backward without history": (
        lambda: tp.ones(()).backward(),
        (tp.GradError, RuntimeError),
        r"made by no recorded operation; its inputs need requires_grad=True.*no_grad\(\)",
    ),
    "backward with no inputs": (
        lambda: leaf(1.0).sum().backward(inputs=[]),
        (tp.GradError, RuntimeError),
        "inputs is empty; leave it out to reach all leaves",
    ),
    "backward into a constant": (
        lambda: leaf(1.0).sum().backward(inputs=[tp.ones(1)]),
        (tp.GradError, RuntimeError),
        r"input 0 \(shape \(1,\)\) does not require a gradient; call requires_grad_\(\)",
    ),
    "a gradient of another shape": (
        lambda: (leaf(1.0, 2.0) * 2).backward(tp.ones(3)),
        (tp.GradError, RuntimeError),
        r"gradient 0 has shape \(3,\), the output \(2,\)",
    ),
    "a gradient that is no tensor": (
        lambda: (leaf(1.0) * 2).backward(np.ones(1)),
        (tp.DTypeError, TypeError),
        "gradient 0 is no tensor but ndarray",
    ),
    "too few gradients": (
        lambda: tp.autograd.backward([leaf(1.0) * 2, leaf(1.0) * 2], [tp.ones(1)]),
        (tp.GradError, RuntimeError),
        "2 outputs, but 1 gradients",
    ),
    "a grad of another shape": (
        lambda: setattr(leaf(1.0), "grad", tp.ones(2)),
        (tp.GradError, RuntimeError),
        r"grad: wanted shape Size\(\[1\]\) like the tensor, got Size\(\[2\]\)",
    ),
    "a grad of another dtype": (
        lambda: setattr(leaf(1.0), "grad", tp.ones(1, dtype=tp.float64)),
        (tp.GradError, RuntimeError),
        "grad: wanted dtype triptych.float32 like the tensor, got triptych.float64",
    ),
    "a grad that is no tensor": (
        lambda: setattr(leaf(1.0), "grad", np.ones(1)),
        (tp.GradError, RuntimeError),
        "grad: wanted a tensor or None, got ndarray",
    ),
    "data that is no tensor": (
        lambda: setattr(leaf(1.0), "data", np.ones(1)),
        (tp.DTypeError, TypeError),
        r"data: wanted a tensor, got ndarray; use tensor\(\)",
    ),
    "stopping the history of a result": (
        lambda: (leaf(1.0) * 2).requires_grad_(False),
        (tp.GradError, RuntimeError),
        r"result of a recorded operation; use detach\(\)",
    ),
    "a function that booleans do not have": (
        lambda: -tp.ones(2, dtype=tp.bool),
        (tp.DTypeError, TypeError),
        r"neg: not defined for bool elements; convert with \.to\(dtype\)",
    ),
    "bits of floats": (
        lambda: tp.ones(2) & 1,
        (tp.DTypeError, TypeError),
        "bitwise_and: not defined for float32 elements",
    ),
    "the mean of integers": (
        lambda: tp.arange(3).mean(),
        (tp.DTypeError, TypeError),
        r"mean: wanted floating or complex elements, got triptych.int64; use \.float\(\)",
    ),
    "a function of a list": (
        lambda: tp.exp([1.0]),
        (tp.DTypeError, TypeError),
        "exp: wanted a tensor or a number, got list",
    ),
    "ragged data": (
        lambda: tp.tensor([[1, 2], [3]]),
        (tp.ShapeError, ValueError),
        "tensor: nested sequences must have equal lengths",
    ),
    "an unknown device": (
        lambda: tp.zeros(1, device="tpu"),
        (tp.DeviceError, RuntimeError),
        "device 'tpu' is unknown; wanted one of: cpu, cuda",
    ),
    "a second CPU": (
        lambda: tp.zeros(1, device="cpu:1"),
        (tp.DeviceError, RuntimeError),
        "device cpu:1: there is one CPU device; use 'cpu'",
    ),
    "a name of no dtype": (
        lambda: tp.zeros(1, dtype="float31"),
        (tp.DTypeError, TypeError),
        "'float31' is not a dtype; pass triptych.float32",
    ),
    "a name that is not there": (
        lambda: tp.no_such_name,
        (AttributeError, AttributeError),
        "module 'triptych' has no attribute 'no_such_name'",
    ),
}


@pytest.mark.parametrize(("call", "kinds", "text"), ERRORS.values(), ids=ERRORS)
def test_the_text(call, kinds, text):
    with pytest.raises(kinds[0], match=text) as caught:
        call()
    assert isinstance(caught.value, kinds[1])


def test_every_error_is_also_what_a_caller_would_expect():
    builtin = (ValueError, TypeError, RuntimeError, IndexError, KeyError, ImportError)
    for name in tp.errors.__all__:
        kind = getattr(tp, name)
        assert issubclass(kind, tp.TriptychError)
        assert kind is tp.TriptychError or issubclass(kind, builtin)
        assert kind.__doc__.endswith(".") or "\n" in kind.__doc__


def test_an_error_of_a_kernel_itself_says_what_it_was_called_with():
    with pytest.raises(tp.DTypeError, match="negative integer powers") as caught:
        tp.tensor([2, 3]) ** -1
    assert caught.value.__notes__ == ["pow: called with int64[2], -1"]
    with pytest.raises(ZeroDivisionError, match="floor_divide: an integer divided") as zero:
        tp.tensor([2, 3]) // 0
    assert zero.value.__notes__ == ["floor_divide: called with int64[2], 0"]


# Two devices


def test_tensors_move_between_devices(fake):
    x = tp.ones(2, device="fake")
    assert x.device == fake and type(x._data) is FakeArray
    assert x.cpu().device.type == "cpu" and x.cpu().to(fake).device == fake
    assert x.to("fake") is x and x.to("fake", tp.float64).dtype is tp.float64
    assert "device='fake'" in repr(x)
    assert (x * 2 + x.exp().sum(0)).device == fake and x[0].device == fake
    assert tp.zeros_like(x).device == x.new_ones(2).device == fake
    assert tp.ones(2).to("cpu:0").device.type == "cpu"


def test_gradients_move_back(fake):
    x = tp.ones(2, requires_grad=True)
    (x.to("fake") * 3).sum().backward()
    assert x.grad.device.type == "cpu" and x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: a + b,
        lambda a, b: b * a,
        lambda a, b: a.unsqueeze(0) @ b.unsqueeze(1),
        lambda a, b: tp.cat([a, b]),
        lambda a, b: tp.where(a > 0, a, b),
        lambda a, b: a < b,
        lambda a, b: a.add_(b),
        lambda a, b: tp.maximum(a, b),
        lambda a, b: tp.stack([b, a]),
    ],
)
def test_mixed_devices_are_named(fake, call):
    for requires_grad in (False, True):
        a, b = tp.ones(2, requires_grad=requires_grad), tp.ones(2, device=fake)
        with pytest.raises(tp.DeviceError, match=r"\w+: inputs are on (cpu and fake|fake and cpu)"):
            call(a * 1, b)


def test_mixed_devices_are_named_while_capturing(fake):
    with pytest.raises(tp.DeviceError, match="add: inputs are on cpu and fake; move one with"):
        tp.graph.capture(lambda a, b: a + b, tp.ones(2), tp.ones(2, device=fake))
    graph = tp.graph.capture(lambda a: a * 2, tp.ones(2))
    with pytest.raises(tp.CaptureError, match=r"captured as .* on cpu, got .* on fake"):
        tp.graph.replay(graph, tp.ones(2, device=fake))


def test_indices_may_stay_on_the_cpu(fake):
    x = tp.arange(4.0, device=fake)
    assert x[tp.tensor([3, 0])].tolist() == [3.0, 0.0]
    x[tp.tensor([True, False, False, True])] = 9.0
    assert x.tolist() == [9.0, 1.0, 2.0, 9.0] and x.device == fake


def test_only_the_cpu_gives_numpy_arrays_away(fake):
    x = tp.ones(2, device=fake)
    with pytest.raises(tp.DeviceError, match=r"numpy\(\): the tensor is on fake; use \.cpu\(\)"):
        x.numpy()
    assert x.numpy(force=True).tolist() == x.tolist() == [1.0, 1.0]
    with pytest.raises(AttributeError, match="the tensor is on fake"):
        _ = x.__cuda_array_interface__


def test_a_gradient_on_another_device_is_refused(fake):
    x = tp.ones(2, requires_grad=True)
    with pytest.raises(tp.GradError, match="wanted device cpu like the tensor, got fake"):
        x.grad = tp.ones(2, device=fake)


def test_devices():
    assert tp.device("cuda:1") == tp.device("cuda", 1) != tp.device("cuda")
    assert tp.device(tp.device("cpu")) == tp.device("cpu") and tp.device(2) == tp.device("cuda:2")
    assert len({tp.device("cpu"), tp.device("cpu")}) == 1 and tp.device("cpu") != "cpu"
    for wrong in ("cuda:x", "cuda:1:2"):
        with pytest.raises(tp.DeviceError, match="wanted 'cpu', 'cuda' or 'cuda:0'"):
            tp.device(wrong)
    with pytest.raises(tp.DeviceError):
        tp.device("cuda:1", 2)
