"""Fused steps of optimizers against the same steps as single operations."""

import numpy as np
import pytest

import triptych as tp
from triptych import optim
from triptych.backends import native
from triptych.graph import compile
from triptych.testing import assert_close

pytestmark = pytest.mark.native
KINDS = [
    (optim.SGD, {"lr": 0.1}),
    (optim.SGD, {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (optim.Adam, {"lr": 0.01}),
    (optim.Adam, {"lr": 0.01, "weight_decay": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}),
    (optim.AdamW, {"lr": 0.01, "weight_decay": 0.2, "maximize": True}),
]
IDS = [f"{kind.__name__}-{i}" for i, (kind, _) in enumerate(KINDS)]


def taken(kind):
    return native.calls()["sgd" if kind is optim.SGD else "adam"]


def run(kind, options, fused, steps=5, shapes=((33, 7), (1,), (300, 200))):
    tp.manual_seed(0)
    params = [tp.randn(*shape).requires_grad_() for shape in shapes]
    step = kind(params, fused=fused, **options)
    for _ in range(steps):
        for p in params:
            p.grad = tp.randn(*p.shape)
        step.step()
    return params, step


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=IDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_numbers(kind, options, threads):
    before = tp.get_num_threads()
    try:
        tp.set_num_threads(threads)
        plain, one = run(kind, options, fused=False)
        count = taken(kind)
        fused, two = run(kind, options, fused=None)
    finally:
        tp.set_num_threads(before)
    assert taken(kind) >= count + 4 * len(fused)  # the first step may make the buffers
    for p, q in zip(plain, fused, strict=True):
        assert_close(q, p, rtol=1e-5, atol=1e-6)
        for key, value in one.state[p].items():
            assert_close(tp.as_tensor(two.state[q][key]), tp.as_tensor(value), rtol=1e-5, atol=1e-6)


def test_turned_off_and_other_tensors():
    count = taken(optim.SGD)
    run(optim.SGD, {"lr": 0.1}, fused=False)
    p = tp.randn(5, 4, dtype=tp.float64).requires_grad_()
    q = tp.randn(4, 5).t().requires_grad_()
    step = optim.SGD([p, q], lr=0.1)
    p.grad, q.grad = tp.ones(5, 4, dtype=tp.float64), tp.ones(5, 4)
    want = p.detach() - 0.1, q.detach() - 0.1
    step.step()
    assert taken(optim.SGD) == count
    assert_close(p.detach(), want[0]), assert_close(q.detach(), want[1])


def test_infinite_parameters_stay_without_decay():
    p = tp.tensor([np.inf, 1.0], requires_grad=True)
    p.grad = tp.ones(2)
    optim.SGD([p], lr=0.5).step()
    assert p.tolist() == [np.inf, 0.5]


def test_a_subclass_with_a_rule_of_its_own_keeps_it():
    class Still(optim.Adam):
        def update(self, p, grad, state, group):
            pass

    p = tp.ones(3, requires_grad=True)
    p.grad = tp.ones(3)
    Still([p]).step()
    assert p.tolist() == [1, 1, 1]


def test_saved_gradients_notice_the_step():
    w = tp.ones(3, requires_grad=True)
    w.grad = tp.ones(3)
    y = (w * w).sum()
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(tp.GradError, match=r"SGD\.step"):
        y.backward()


def test_eager_and_captured_steps_go_on_from_each_other():
    def make():
        tp.manual_seed(0)
        w = tp.randn(20, 30).requires_grad_()
        step = optim.AdamW([w], lr=0.01)

        def train(x):
            step.zero_grad()
            ((x @ w) ** 2).mean().backward()
            step.step()

        return w, train

    (w, eager), (v, other) = make(), make()
    compiled = compile(other)
    for i in range(6):
        tp.manual_seed(i)
        x = tp.randn(5, 20)
        eager(x), (compiled if i < 4 else other)(x)
    assert_close(v, w, rtol=1e-4, atol=1e-5)
