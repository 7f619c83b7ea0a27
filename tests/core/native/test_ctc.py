"""Native connectionist temporal classification against the composition in double precision."""

import numpy as np
import pytest

import triptych as tp
import triptych.nn.functional as F
from triptych.backends import native
from triptych.prims import TABLE

pytestmark = pytest.mark.native
RNG = np.random.default_rng(0)
SHAPES = [(1, 1, 2, 1), (2, 3, 3, 0), (9, 2, 5, 4), (50, 5, 29, 15), (61, 4, 40, 17), (7, 0, 5, 2)]


def kernel(name):
    return TABLE[name].kernel(np.zeros(1, np.float32))


def inputs(t, n, c, s, blank=0):
    """Log probabilities, labels with repetitions, and lengths from none to all."""
    x = RNG.standard_normal((t, n, c)).astype(np.float32)
    x -= np.log(np.exp(x).sum(-1, keepdims=True))
    labels = RNG.integers(0, min(c, 4), (n, s))
    labels[labels == blank] = (blank + 1) % c
    used, spans = RNG.integers(0, t + 1, n), RNG.integers(0, s + 1, n)
    used[: n // 2], spans[: n // 2] = t, s
    return x, labels, used, spans


@pytest.fixture
def threads():
    before = tp.get_num_threads()
    yield tp.set_num_threads
    tp.set_num_threads(before)


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("blank", [0, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_as_numpy(shape, blank, logits):
    x, *rest = inputs(*shape, blank)
    params = {"blank": blank, "logits": logits}
    before = native.calls()
    loss = kernel("ctc")(x, *rest, **params)
    g = RNG.standard_normal(shape[1]).astype(np.float32)
    dx = kernel("ctc_grad")(g, x, *rest, **params)
    if x.size:
        assert native.calls()["ctc"] == before["ctc"] + 1
        assert native.calls()["ctc_grad"] == before["ctc_grad"] + 1
    wide = x.astype(np.float64)
    want = kernel("ctc").plain(wide, *rest, **params)
    np.testing.assert_allclose(loss, want, rtol=2e-6, atol=1e-5)
    want = kernel("ctc_grad").plain(g.astype(np.float64), wide, *rest, **params)
    np.testing.assert_allclose(dx, want, atol=3e-5)


def test_long_sequences_lose_nothing():
    x, labels, *_ = inputs(2000, 1, 30, 400)
    rest = labels, np.array([2000]), np.array([400])
    params = {"blank": 0, "logits": True}
    got, want = (
        kernel("ctc")(x, *rest, **params),
        kernel("ctc").plain(x.astype(np.float64), *rest, **params),
    )
    np.testing.assert_allclose(got, want, rtol=1e-6)
    dx = kernel("ctc_grad")(np.ones(1, np.float32), x, *rest, **params)
    assert abs(dx.sum(-1)).max() < 1e-4  # the probabilities of each step add up to one


def test_what_is_refused_goes_to_the_composition():
    x, labels, used, spans = inputs(6, 3, 5, 2)
    params = {"blank": 0, "logits": False}
    calls = native.calls()["ctc"]
    doubled = np.repeat(x, 2, axis=2)[..., ::2]
    for other in (x.astype(np.float64), doubled):
        kernel("ctc")(other, labels, used, spans, **params)
    kernel("ctc")(x, labels.astype(np.int32), used, spans, **params)
    assert native.calls()["ctc"] == calls
    with pytest.raises(tp.BoundsError):
        TABLE["ctc"].call(x, np.full_like(labels, 7), used, spans, **params)


def test_not_a_number_and_impossible_classes():
    x, labels, used, spans = inputs(8, 3, 5, 2)
    used[:], spans[:] = 8, 2
    x[3, 0], x[2, 1, labels[1, 0]], x[:, 2, labels[2, 1]] = np.nan, -np.inf, -np.inf
    params = {"blank": 0, "logits": False}
    got = kernel("ctc")(x, labels, used, spans, **params)
    want = kernel("ctc").plain(x.astype(np.float64), labels, used, spans, **params)
    np.testing.assert_allclose(got, want, rtol=1e-5)
    assert np.isnan(got[0])
    assert np.isfinite(got[1])
    assert np.isinf(got[2])


def test_threads_change_nothing(threads):
    x, *rest = inputs(60, 7, 40, 20)
    g, params, found = np.ones(7, np.float32), {"blank": 0, "logits": True}, []
    for count in (1, 2):
        threads(count)
        grad = kernel("ctc_grad")(g, x, *rest, **params)
        found.append((kernel("ctc")(x, *rest, **params), grad))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_first_and_second_derivatives_through_tensors():
    x, labels, *_ = inputs(12, 3, 6, 4)
    found = []
    for dtype in (tp.float32, tp.float64):
        leaf = tp.tensor(x).to(dtype).requires_grad_()
        loss = F.ctc_loss(
            leaf.log_softmax(-1), tp.tensor(labels), [12, 9, 1], [4, 2, 3], zero_infinity=True
        )
        (once,) = tp.autograd.grad(loss, [leaf], create_graph=True)
        once.square().sum().backward()
        found.append((once.detach().numpy(), leaf.grad.numpy()))
    for got, want in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, atol=2e-5)
    assert not found[0][0][:, 2].any()
