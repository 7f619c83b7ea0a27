"""Fused replays: the same numbers as eager mode, in fewer passes."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn, optim
from triptych.backends import native
from triptych.graph import capture, compile
from triptych.graph.fusion import planned
from triptych.nn import functional as F
from triptych.testing import assert_close

pytestmark = pytest.mark.skipif(
    native.native is None, reason=f"the extension is absent: {native.why_absent}"
)


def passes(function, *args):
    """How many equations each fused step of a function has."""
    plan = planned(capture(function, *args))
    return [len(step.equations) for step in plan if step.chain is not None]


def agrees(function, *args, rtol=2e-6, atol=1e-6):
    compiled = compile(function)
    compiled(*args)
    before = native.calls().get("chain", 0)
    got = compiled(*args)
    assert native.calls()["chain"] > before
    want = function(*args)
    for a, b in zip(*([x] if isinstance(x, tp.Tensor) else x for x in (got, want)), strict=True):
        assert_close(a, b, rtol=rtol, atol=atol)
    return compiled


A, W, B = tp.randn(40, 64), tp.randn(64), tp.randn(40, 1)


def test_a_chain_is_one_pass():
    def chain(a, w, b):
        return F.gelu(a * w + b) + a

    assert passes(chain, A, W, B) == [4]
    compiled = agrees(chain, A, W, B)
    assert "4 primitives, 4 of them fused into 1" in compiled.explain()


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x.exp().sum(1, keepdim=True) + x.exp(), [2]),
        (lambda x: (x.exp() + 1, x.exp() * 2), [4]),
        (lambda x: (x - x.mean(1, keepdim=True)).square().sum() + x.tanh().sigmoid(), [2, 3]),
        (lambda x: tp.where(x > 0, x, -x) + tp.where(x.isnan(), 0.0, x.abs().sqrt()), [8]),
        (lambda x: (x > 0) & ~(x > 1), [4]),
        (lambda x: (x > 0).float() * x, [3]),
        (lambda x: x.clamp(-1, 1) ** 2, [3]),
        (lambda x: (x * 0.0, x * -0.0), [2]),
        (lambda x: x.masked_fill(x > 0, -np.inf).exp(), [3]),
        (lambda x: x.double() * 2 + 1, []),
        (lambda x: x.t() * 2 + 1, []),
        (lambda x: x[:2, :2] * 2 + 1, []),
        (lambda x: x + x[:, :1] * 1, []),
    ],
)
def test_groups(function, expected):
    assert passes(function, A) == expected
    if expected:
        agrees(lambda x: function(x), A, atol=1e-5)
    else:
        compiled = compile(lambda x: function(x))
        compiled(A)
        assert_close(compiled(A), function(A))


def test_what_lies_between_is_not_moved():
    def around(x):
        y = x * 2
        total = y.sum()  # reads y before it is read again
        return (y + total) * 3 + y

    assert passes(around, A) == [3]
    agrees(around, A, rtol=1e-5)


def test_intermediate_results_that_others_read_come_out():
    def several(x):
        y = x * 2 + 1
        z = y.exp() - y
        return y, z, z @ z.t()

    agrees(several, A, rtol=1e-5, atol=1e-4)


def test_long_chains_are_cut():
    def long(x):
        for _ in range(50):
            x = x * 0.9 + 0.1
        return x

    assert passes(long, A) == [32, 32, 32, 4]
    agrees(long, A)


def test_other_layouts_at_the_replay_are_computed_unfused():
    w = tp.randn(40, 64)
    compiled = compile(lambda x: (x * w + 1).exp())
    for _ in range(2):
        compiled(A)
    w.data = tp.randn(64, 40).t()
    before = native.calls()["chain"]
    assert_close(compiled(A), (A * w + 1).exp())
    assert native.calls()["chain"] == before


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions(seed):
    rng = np.random.default_rng(seed)
    unary = [tp.tanh, tp.sigmoid, tp.sin, F.relu, F.gelu, F.silu, tp.neg, tp.abs, tp.square]
    binary = [tp.add, tp.sub, tp.mul, tp.maximum, tp.minimum]
    shapes = [(3, 8, 4, 16), (16,), (8, 1, 1), (3, 1, 1, 1), (), (4, 16)]
    inputs = [tp.tensor(rng.normal(size=s).astype(np.float32)) for s in shapes]
    choices = rng.integers(0, 1 << 30, 60)

    def expression(*xs):
        values, others = [xs[0]], [*xs, 0.5, 2]
        for i in choices:
            a = values[i % len(values)]
            if i % 3 == 0:
                values.append(unary[i // 3 % len(unary)](a))
            elif i % 7 == 0:
                values.append(tp.where(a > 0, a, values[-1]))
            elif i % 17 == 0:
                values.append(a - a.mean(dim=-1, keepdim=True))
            else:
                pool = [*values, *others]
                values.append(tp.tanh(binary[i // 5 % len(binary)](a, pool[i // 11 % len(pool)])))
        return values[-1], values[-7], values[len(values) // 2].sum(0)

    agrees(expression, *inputs, rtol=1e-4, atol=1e-4)


def test_a_training_step():
    def make():
        tp.manual_seed(0)
        net = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32), nn.SiLU())
        step = optim.AdamW(net.parameters(), lr=1e-2, weight_decay=0.1)

        def train(x, y):
            step.zero_grad()
            loss = F.mse_loss(net(x), y)
            loss.backward()
            step.step()
            return loss.detach()

        return net, train

    (eager, one), (fused, two) = make(), make()
    compiled = compile(two)
    for i in range(6):
        tp.manual_seed(i)
        x, y = tp.randn(16, 32), tp.randn(16, 32)
        assert_close(compiled(x, y), one(x, y), rtol=1e-4, atol=1e-5)
    assert "fused" in compiled.explain()
    for p, q in zip(eager.parameters(), fused.parameters(), strict=True):
        assert_close(q, p, rtol=1e-3, atol=1e-4)


def test_memory_of_what_is_no_longer_read_is_free():
    def deep(x):
        for _ in range(20):
            x = (x @ x) * 0.01
        return x

    compiled, x = compile(deep), tp.randn(256, 256)
    compiled(x), compiled(x)
    tp.cpu.reset_peak_memory_stats()
    before = tp.cpu.memory_allocated()
    compiled(x)
    assert tp.cpu.max_memory_allocated() - before < 6 * x.numel() * 4


def test_without_the_extension_nothing_is_fused(monkeypatch):
    monkeypatch.setattr("triptych.graph.fusion.native", None)
    assert passes(lambda x: x.exp() + 1, A) == []
    compiled = compile(lambda x: x.exp() + 1)
    compiled(A)
    assert_close(compiled(A), A.exp() + 1)
    assert "fused" not in compiled.explain()
