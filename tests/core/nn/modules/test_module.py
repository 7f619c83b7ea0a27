"""Hooks for all modules of the process."""

import pytest

import triptych as tp
from triptych import nn
from triptych.nn.hooks import EVERYWHERE
from triptych.nn.modules import module as everywhere


@pytest.fixture
def net():
    return nn.Sequential(nn.Linear(2, 2), nn.ReLU())


@pytest.fixture
def x():
    return tp.ones(1, 2, requires_grad=True)


@pytest.fixture(autouse=True)
def none_left():
    yield
    assert EVERYWHERE == []


def test_forward_hooks_see_every_module(net, x):
    order = []
    with (
        everywhere.register_module_forward_pre_hook(
            lambda m, args: order.append(("before", type(m).__name__))
        ),
        everywhere.register_module_forward_hook(
            lambda m, args, out: order.append(("after", type(m).__name__))
        ),
    ):
        net(x)
    names = ["Sequential", "Linear", "Linear", "ReLU", "ReLU", "Sequential"]
    assert [name for _, name in order] == names
    net(x)
    assert len(order) == 6


def test_they_run_before_the_modules_own_and_may_replace(net, x):
    order = []
    net.register_forward_hook(lambda m, args, out: order.append("own"))

    def replace(m, args, kwargs, out):
        order.append("all")
        assert kwargs == {}
        return out * 0 + 3 if m is net else None

    with everywhere.register_module_forward_hook(replace, with_kwargs=True):
        assert net(x).tolist() == [[3, 3]]
    assert order[-2:] == ["all", "own"]


def test_a_forward_that_raises_is_seen_if_asked_for():
    seen = []
    with (
        everywhere.register_module_forward_hook(
            lambda m, args, out: seen.append(out), always_call=True
        ),
        pytest.raises(tp.ShapeError),
    ):
        nn.Linear(2, 2)(tp.ones(3))
    assert seen == [None]


def test_backward_hooks_see_every_module(net, x):
    calls = []
    with (
        everywhere.register_module_full_backward_pre_hook(
            lambda m, out: calls.append(("before", type(m).__name__))
        ),
        everywhere.register_module_full_backward_hook(
            lambda m, into, out: calls.append(("after", type(m).__name__))
        ),
    ):
        net(x).sum().backward()
    assert calls[0] == ("before", "Sequential")
    assert calls[-1] == ("after", "Sequential")
    assert ("after", "Linear") in calls


def test_a_backward_hook_may_replace_the_gradient(net, x):
    with everywhere.register_module_backward_hook(
        lambda m, into, out: (tp.full((1, 2), 5.0),) if m is net else None
    ):
        net(x).sum().backward()
    assert x.grad.tolist() == [[5, 5]]


def test_the_old_name_of_a_modules_own_hook(net, x):
    seen = []
    net.register_backward_hook(lambda m, into, out: seen.append(into))
    net(x).sum().backward()
    assert seen[0][0].shape == (1, 2)
