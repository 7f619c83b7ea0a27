"""A compiled training step does what the eager one does, also when the schedule moves on."""

from __future__ import annotations

import numpy as np
import pytest

import triptych
from triptych import optim

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5}),
    ("Adam", {"weight_decay": 0.1}),
    ("AdamW", {"amsgrad": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "eps": 0.1}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("Adadelta", {}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {}),
    ("Rprop", {}),
    ("ASGD", {"lambd": 0.1, "t0": 3.0}),
    ("Lion", {"weight_decay": 0.1}),
    ("LAMB", {"weight_decay": 0.1}),
    ("LARS", {}),
    ("Adafactor", {}),
]


def train(name, options, compiled, steps=12, schedule=None):
    w = triptych.tensor([1.0, 2.0], requires_grad=True)
    optimizer = getattr(optim, name)([w], lr=0.1, **options)
    scheduler = schedule and schedule(optimizer)

    def step(x):
        optimizer.zero_grad()
        loss = ((w * x - 1) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss.detach()

    run = triptych.compile(step) if compiled else step
    losses = []
    for i in range(steps):
        losses.append(run(triptych.tensor([1.0, 1.0 + i * 0.1])).item())
        if scheduler:
            scheduler.step()
    return w.detach().numpy(), losses, optimizer


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_compiled_steps_agree_with_eager_ones(name, options):
    eager, eager_losses, _ = train(name, options, compiled=False)
    compiled, losses, optimizer = train(name, options, compiled=True)
    np.testing.assert_allclose(compiled, eager, rtol=1e-5)
    np.testing.assert_allclose(losses, eager_losses, rtol=1e-4, atol=1e-6)
    (state,) = optimizer.state.values() or [{}]
    assert "step" not in state or state["step"].item() == 12


def test_a_schedule_reaches_into_the_graph():
    def schedule(optimizer):
        return optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)

    eager, _, _ = train("Adam", {}, compiled=False, schedule=schedule)
    compiled, _, optimizer = train("Adam", {}, compiled=True, schedule=schedule)
    np.testing.assert_allclose(compiled, eager, rtol=1e-5)
    assert float(optimizer.param_groups[0]["lr"]) == pytest.approx(0.1 * 0.5**12)
    constant, _, _ = train("Adam", {}, compiled=False)
    assert np.abs(constant - eager).max() > 1e-2


def test_a_rate_set_by_hand_reaches_into_the_graph():
    w = triptych.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)

    @triptych.compile
    def step():
        optimizer.zero_grad()
        (3 * w).sum().backward()
        optimizer.step()

    step()
    step()
    before = w.item()
    optimizer.param_groups[0]["lr"] = 0.0
    step()
    assert w.item() == before
    assert optimizer.state_dict()["param_groups"][0]["lr"] == 0.0


def test_dampening_cannot_be_captured_in_its_first_step():
    from triptych.graph.capture import capture

    w = triptych.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], momentum=0.9, dampening=0.1)

    def step():
        w.sum().backward()
        optimizer.step()

    with pytest.raises(triptych.CaptureError, match="first step"):
        capture(step)
