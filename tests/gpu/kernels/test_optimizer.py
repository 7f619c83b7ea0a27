"""Steps of optimizers in CUDA C, against those of the CPU."""

import pytest
from gpu.checks import numbers, taken
from gpu.fixtures import compiles

import triptych as tp

pytestmark = compiles
RULES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"betas": (0.5, 0.7), "eps": 1e-3, "maximize": True}),
    ("AdamW", {}),
]


def steps(rule, options, device, shape):
    """The parameter after five steps, and whether the last was one kernel."""
    p = tp.from_numpy(numbers(*shape)).to(device).requires_grad_()
    optimizer = getattr(tp.optim, rule)([p], lr=0.01, **options)
    for i in range(5):
        p.grad = tp.from_numpy(numbers(*shape, seed=i + 1)).to(device)
        kernel = "sgd_step" if rule == "SGD" else "adam_step"
        _, was_taken = taken(kernel, optimizer.step)
    return p.detach().cpu(), was_taken


@pytest.mark.parametrize(("rule", "options"), RULES)
@pytest.mark.parametrize("shape", [(1,), (7, 13), (4, 64), (0, 3)])
def test_as_on_the_cpu(cupy, rule, options, shape):
    got, was_taken = steps(rule, options, "cuda", shape)
    assert was_taken
    want, _ = steps(rule, options | {"fused": False}, "cpu", shape)
    assert tp.allclose(got, want, rtol=1e-5, atol=1e-6)


def test_without_kernels_where_they_do_not_suit(cupy):
    p = tp.ones(4, 4, device="cuda", dtype=tp.float64).requires_grad_()
    optimizer = tp.optim.SGD([p], lr=0.5)
    p.grad = tp.ones_like(p)
    _, was_taken = taken("sgd_step", optimizer.step)
    assert not was_taken and p.tolist() == [[0.5] * 4] * 4


def test_a_step_counts_as_a_write(cupy):
    p = tp.ones(3, device="cuda").requires_grad_()
    square = (p * p).sum()
    p.grad = tp.ones(3, device="cuda")
    tp.optim.SGD([p], lr=0.5).step()
    with pytest.raises(RuntimeError, match="in place"):
        square.backward()
