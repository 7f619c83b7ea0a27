"""Checkpoints: equal values and gradients, less memory, and errors where the two runs differ."""

import contextlib
import gc
import weakref

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.autograd import Function, grad
from triptych.autograd.graph import saved_tensors_hooks
from triptych.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_debug_enabled,
    set_checkpoint_early_stop,
)


@pytest.fixture
def net():
    tp.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 8), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)
    )


@pytest.fixture
def x():
    return tp.tensor(
        np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    ).requires_grad_()


WAYS = {
    "plain": lambda net, x: net(x),
    "whole": lambda net, x: checkpoint(net, x),
    "reentrant spelling": lambda net, x: checkpoint(net, x, use_reentrant=True),
    "sequential": lambda net, x: checkpoint_sequential(net, 3, x),
    "list": lambda net, x: checkpoint_sequential(list(net), 6, input=x),
    "nested": lambda net, x: checkpoint(lambda t: checkpoint(net[3:], checkpoint(net[:3], t)), x),
    "nested three deep": lambda net, x: checkpoint(
        lambda t: checkpoint(lambda u: checkpoint(net, u), t), x
    ),
    "keyword": lambda net, x: checkpoint(lambda *, t: net(t), t=x),
    "in a dict": lambda net, x: checkpoint(lambda d: net(d["t"][0]), {"t": [x]}),
    "closure": lambda net, x: checkpoint(lambda: net(x)),
    "no early stop": lambda net, x: checkpoint(net, x, early_stop=False),
}


@pytest.mark.parametrize("way", WAYS)
def test_first_and_second_derivatives_are_the_same(net, x, way):
    def derivatives(call):
        tp.manual_seed(3)
        y = call(net, x)
        first = grad(y.square().sum(), [x, *net.parameters()], create_graph=True)
        second = grad(first[0].square().sum(), [x, *net.parameters()], allow_unused=True)
        return [y.detach(), *(g.detach() for g in first), *(g for g in second if g is not None)]

    for one, two in zip(derivatives(WAYS[way]), derivatives(WAYS["plain"]), strict=True):
        assert tp.allclose(one, two, rtol=1e-5, atol=1e-7)


def test_backward_reaches_parameters_when_no_input_requires_grad(net, x):
    checkpoint(net, x.detach()).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_the_function_runs_again_once_per_backward_and_not_beyond_what_is_needed():
    runs = []

    def fn(t):
        runs.append("start")
        y = (t.exp() * t).sum()
        runs.append("end")
        return y

    w = tp.ones(2, requires_grad=True)
    y = checkpoint(fn, w)
    y.backward(retain_graph=True)
    assert runs == ["start", "end", "start"]
    y.backward()
    assert runs == ["start", "end", "start", "start"]
    runs.clear()
    with set_checkpoint_early_stop(False):
        checkpoint(fn, w).backward()
    assert runs == ["start", "end"] * 2


def test_no_intermediate_value_stays_in_memory():
    arrays = []

    def fn(t):
        for _ in range(3):
            t = t.exp() * 0.5
            arrays.append(weakref.ref(t._data))
        return t * t

    def alive(call):
        arrays.clear()
        w = tp.ones(2, requires_grad=True)
        y = call(fn, w)
        gc.collect()
        return sum(ref() is not None for ref in arrays), y

    assert alive(lambda fn, w: fn(w))[0] == 1  # exp saves outputs of its own, mul this one
    count, y = alive(checkpoint)
    assert count == 0
    y.sum().backward()
    del y
    gc.collect()
    assert all(ref() is None for ref in arrays)


def saved_bytes(call):
    """Bytes that backward of a call keeps, without parameters."""
    found = {}

    def pack(t):
        found[id(t._data)] = t
        return t

    with saved_tensors_hooks(pack, lambda t: t):
        call()
    return sum(t.nbytes for t in found.values())


def test_memory_held_is_that_of_the_arguments():
    w = tp.ones(100, requires_grad=True)

    def fn(t):
        for _ in range(10):
            t = t.sin() * t
        return t

    plain = saved_bytes(lambda: fn(w))
    assert saved_bytes(lambda: checkpoint(fn, w)) == w.nbytes
    assert plain > 10 * w.nbytes


def test_random_numbers_repeat_and_the_stream_goes_on_as_without(net, x):
    def after(call):
        tp.manual_seed(5)
        y = call(net, x)
        drawn = tp.rand(3)
        grad(y.sum(), x)
        return y.detach(), drawn, tp.rand(3)

    for one, two in zip(after(checkpoint), after(lambda net, x: net(x)), strict=True):
        assert tp.equal(one, two)


def test_without_preserved_random_numbers_dropout_differs():
    x = tp.ones(1000, requires_grad=True)

    def run(**options):
        tp.manual_seed(0)
        y = checkpoint(lambda t: nn.functional.dropout(t * 1, 0.5), x, **options)
        return tp.equal((grad(y.sum(), x)[0] != 0), y != 0)

    assert run()
    assert not run(preserve_rng_state=False)


def test_the_second_run_has_the_autocast_of_the_first(net, x):
    def run(call):
        tp.manual_seed(1)
        with tp.autocast("cpu"):
            y = call(net, x)
        assert y.dtype is tp.bfloat16
        return grad(y.sum(), list(net.parameters()))

    for one, two in zip(run(checkpoint), run(lambda net, x: net(x)), strict=True):
        assert tp.equal(one, two)


def test_an_optimizer_trains_through_it(net, x):
    def losses(call):
        twin = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 1))
        tp.manual_seed(2)
        for p in twin.parameters():
            nn.init.uniform_(p, -0.5, 0.5)
        optimizer = tp.optim.SGD(twin.parameters(), lr=0.1)
        found = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = call(twin, x).square().mean()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    found = losses(checkpoint)
    assert found == losses(lambda net, x: net(x))
    assert found[-1] < found[0]


def test_functions_of_the_users_own_inside():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, None)
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            x, none = ctx.saved_tensors
            assert none is None
            return 3 * g * x * x

    w = tp.tensor([2.0], requires_grad=True)
    (first,) = grad(checkpoint(Cube.apply, w), w, create_graph=True)
    assert first.item() == 12
    assert grad(first, w)[0].item() == 12


def test_gradients_taken_inside_the_function():
    def fn(t):
        (slope,) = grad((t**3).sum(), t, create_graph=True)
        return slope * t

    w = tp.tensor([2.0], requires_grad=True)
    assert grad(checkpoint(fn, w * 1), w)[0].item() == 36


def test_under_no_grad_and_in_a_capture_the_function_is_just_called(net, x):
    net.eval()
    with tp.no_grad():
        assert tp.equal(checkpoint(net, x), net(x))

    def step(t):
        return grad(checkpoint(net, t).sum(), t)[0]

    replayed = tp.graph.replay(tp.graph.capture(step, x), x)
    assert tp.equal(replayed, step(x))


def test_contexts_of_the_two_runs():
    entered = []

    @contextlib.contextmanager
    def note(name):
        entered.append(name)
        yield

    w = tp.ones(2, requires_grad=True)
    y = checkpoint(lambda t: t.exp(), w, context_fn=lambda: (note("first"), note("second")))
    assert entered == ["first"]
    y.sum().backward()
    assert entered == ["first", "second"]


# Where the two runs differ


def unsteady(*fns):
    calls = iter(fns)
    return lambda t: next(calls)(t)


@pytest.mark.parametrize(
    ("fns", "text"),
    [
        ((lambda t: (t.exp() * t).sum(), lambda t: t.sum() * 1.0), "the second 0"),
        ((lambda t: t.exp(), lambda t: t[:1].exp()), "in the second"),
    ],
)
def test_other_saved_values_are_an_error(fns, text):
    y = checkpoint(unsteady(*fns), tp.ones(2, requires_grad=True))
    with pytest.raises(CheckpointError, match=text):
        y.sum().backward()


def test_more_saved_values_are_an_error():
    with set_checkpoint_early_stop(False):
        y = checkpoint(
            unsteady(lambda t: t.exp(), lambda t: t.exp().exp()), tp.ones(2, requires_grad=True)
        )
    with pytest.raises(CheckpointError, match="saved more than the 1 tensors"):
        y.sum().backward()


def test_debug_lists_the_operations():
    fns = (lambda t: t.exp(), lambda t: t[:1].cos())
    w = tp.ones(2, requires_grad=True)
    y = checkpoint(unsteady(*fns), w, debug=True)
    with pytest.raises(CheckpointError, match=r"(?s)exp\(float32\[2\]\).*cos\(float32\[1\]\)"):
        y.sum().backward()
    with set_checkpoint_debug_enabled(True):
        y = checkpoint(unsteady(*fns), w)
    with pytest.raises(CheckpointError, match="second run:"):
        y.sum().backward()


def test_the_check_can_be_left_out():
    fns = (lambda t: t.exp(), lambda t: (t * 2).exp())
    w = tp.zeros(2, requires_grad=True)
    y = checkpoint(unsteady(*fns), w, determinism_check="none")
    y.sum().backward()
    assert w.grad.tolist() == [1, 1]
    with pytest.raises(tp.ShapeError, match="'default' or 'none', got 'some'"):
        checkpoint(lambda t: t, w, determinism_check="some")


def test_a_value_that_was_written_to_since_is_an_error():
    w = tp.ones(2, requires_grad=True)
    scale = tp.ones(2)
    y = checkpoint(lambda t: t * scale, w)
    scale.add_(1)
    with pytest.raises(tp.GradError, match="modified in place by add_"):
        y.sum().backward()
    a = w * 1
    y = checkpoint(lambda t: t.exp() * t, a)
    with tp.no_grad():
        a.mul_(2)
    with pytest.raises(tp.GradError, match="modified in place"):
        y.sum().backward()


def test_segments_are_checked(net, x):
    for wrong in (0, 7):
        with pytest.raises(tp.ShapeError, match="1 to 6 segments for 6 layers"):
            checkpoint_sequential(net, wrong, x)
