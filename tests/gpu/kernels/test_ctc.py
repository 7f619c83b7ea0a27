"""Connectionist temporal classification in CUDA C, against NumPy's path."""

import numpy as np
import pytest
from gpu.checks import DTYPES, STEP, reference, run
from gpu.fixtures import compiles

import triptych as tp
import triptych.nn.functional as F
from triptych.backends import Device, backend_for

pytestmark = compiles
SHAPES = [(1, 1, 2, 1), (2, 3, 3, 0), (9, 2, 5, 4), (31, 5, 29, 15), (12, 2, 300, 5)]


def inputs(t, n, c, s, blank=0, dtype="float32"):
    """Log probabilities, labels with repetitions, and lengths from none to all."""
    rng = np.random.default_rng([t, n, c, s])
    x = rng.standard_normal((t, n, c))
    x -= np.log(np.exp(x).sum(-1, keepdims=True))
    labels = rng.integers(0, min(c, 4), (n, s))
    labels[labels == blank] = (blank + 1) % c
    used, spans = rng.integers(0, t + 1, n), rng.integers(0, s + 1, n)
    used[: n // 2], spans[: n // 2] = t, s
    return x.astype(DTYPES[dtype]), labels, used, spans


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("blank", [0, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_as_numpy(cupy, shape, blank, logits, dtype):
    x, *rest = inputs(*shape, blank, dtype)
    params = {"blank": blank, "logits": logits}
    step = max(STEP[dtype], 2**-40)
    loss, was_taken = run(cupy, "ctc", x, *rest, **params)
    assert was_taken and loss.dtype == x.dtype
    want = reference("ctc", x, *rest, **params)
    np.testing.assert_allclose(loss.get().astype(float), want, rtol=4 * step, atol=8 * step)
    g = np.random.default_rng(1).standard_normal(shape[1]).astype(x.dtype)
    dx, was_taken = run(cupy, "ctc_grad", g, x, *rest, **params)
    assert was_taken and dx.dtype == x.dtype
    want = reference("ctc_grad", g, x, *rest, **params)
    near = 40 * step if dtype in ("float32", "float64") else 4 * step
    np.testing.assert_allclose(dx.get().astype(float), want, rtol=near, atol=near)


def test_long_sequences_lose_nothing(cupy):
    x, labels, *_ = inputs(600, 1, 30, 100)
    rest = labels, np.array([600]), np.array([100])
    params = {"blank": 0, "logits": True}
    got, _ = run(cupy, "ctc", x, *rest, **params)
    np.testing.assert_allclose(got.get(), reference("ctc", x, *rest, **params), rtol=1e-6)


def test_no_alignment(cupy):
    """Three steps are too few for two equal labels and the blank between, and for lengths of 0."""
    x = np.log(np.full((2, 2, 3), 1 / 3, np.float32))
    rest = np.array([[1, 1], [1, 2]]), np.array([2, 0]), np.array([2, 1])
    got, _ = run(cupy, "ctc", x, *rest, blank=0, logits=False)
    assert got.get().tolist() == [np.inf, np.inf]
    dx, _ = run(cupy, "ctc_grad", np.ones(2, np.float32), x, *rest, blank=0, logits=True)
    assert not dx.get().any()


def test_labels_that_are_no_classes_have_no_alignment(cupy):
    x = np.log(np.full((4, 1, 3), 1 / 3, np.float32))
    rest = np.array([[3]]), np.array([4]), np.array([1])
    got, _ = run(cupy, "ctc", x, *rest, blank=0, logits=False)
    assert got.get().tolist() == [np.inf]


def test_the_loss_of_a_network(cupy):
    x, labels, *_ = inputs(20, 3, 6, 4)
    found = []
    for device in ("cpu", "cuda"):
        scores = tp.from_numpy(x).to(device).requires_grad_()
        given = (tp.from_numpy(labels).to(device), [20, 19, 15], [4, 3, 2])
        loss = F.ctc_loss(F.log_softmax(scores, -1), *given)
        loss.backward()
        found.append([loss.detach().cpu(), scores.grad.cpu()])
    tp.testing.assert_close(found[1][0], found[0][0], rtol=1e-5, atol=1e-6)
    tp.testing.assert_close(found[1][1], found[0][1], rtol=1e-5, atol=1e-6)


def test_others_are_left_to_operations(cupy):
    x, *rest = (cupy.asarray(v) for v in inputs(5, 2, 4, 2))
    fast = backend_for(Device("cuda")).fast["ctc"]
    for other in (x[:0], x[..., ::2], x.astype(np.int64)):
        assert fast(other, *rest, blank=0, logits=False) is NotImplemented
    short = [v.astype(np.int32) for v in rest]
    assert fast(x, *short, blank=0, logits=False) is NotImplemented
