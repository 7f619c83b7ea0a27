"""Functions around forward and backward."""

import copy
import pickle

import numpy as np
import pytest

import triptych
from triptych import nn


class Double(nn.Module):
    def forward(self, x, *, plus=0):
        return x * 2 + plus


def test_order_and_replacement():
    layer, log = Double(), []

    def before(module, args):
        log.append("before")
        return args[0] + 1

    layer.register_forward_pre_hook(before)
    layer.register_forward_pre_hook(lambda m, a: log.append("first"), prepend=True)
    layer.register_forward_hook(lambda m, a, out: log.append(f"after {float(a[0])}"))
    layer.register_forward_hook(lambda m, a, out: out * 10)
    assert float(layer(triptych.tensor(1.0))) == 40
    assert log == ["first", "before", "after 2.0"]


def test_hooks_with_keywords():
    layer = Double()
    layer.register_forward_pre_hook(lambda m, a, k: (a, {"plus": k["plus"] + 1}), with_kwargs=True)
    layer.register_forward_hook(lambda m, a, k, out: out + k["plus"], with_kwargs=True)
    assert float(layer(triptych.tensor(1.0), plus=5)) == 14
    layer.register_forward_pre_hook(lambda m, a, k: a, with_kwargs=True)
    with pytest.raises(TypeError, match="wanted None or a pair"):
        layer(triptych.tensor(1.0), plus=5)


def test_handles_remove_only_their_own():
    layer, log = Double(), []
    hook = lambda m, a, out: log.append(1)  # noqa: E731 -- the same function, twice
    first, second = layer.register_forward_hook(hook), layer.register_forward_hook(hook)
    second.remove()
    second.remove()
    layer(triptych.tensor(1.0))
    with first:
        pass
    layer(triptych.tensor(1.0))
    assert log == [1]


def test_always_called_hooks_see_failures():
    layer, log = Double(), []
    layer.register_forward_hook(lambda m, a, out: log.append(out), always_call=True)
    layer.register_forward_hook(lambda m, a, out: log.append("not me"))
    with pytest.raises(TypeError) as caught:
        layer("text", "more")
    assert log == [None]
    assert caught.value.__notes__ == ["in layer Double"]


def test_hooks_survive_copies():
    layer = nn.Linear(1, 1)
    layer.register_forward_hook(count)
    count.calls = 0
    for twin in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        twin(triptych.ones(1))
    assert count.calls == 3


def count(module, args, out):
    count.calls += 1


def leaf(*shape):
    return triptych.ones(*shape, requires_grad=True)


def test_full_backward_hook_sees_and_replaces_gradients():
    layer, log = Double(), []

    def hook(module, grad_input, grad_output):
        log.append((grad_input[0].tolist(), grad_output[0].tolist()))
        return (grad_input[0] * 100,)

    layer.register_full_backward_hook(hook)
    x = leaf(2)
    (layer(x * 1) * triptych.tensor([1.0, 3.0])).sum().backward()
    assert log == [([2.0, 6.0], [1.0, 3.0])]
    assert x.grad.tolist() == [200.0, 600.0]


def test_backward_pre_hook_runs_before_the_parameters():
    layer, log = nn.Linear(1, 1), []

    def halve(module, grad_output):
        log.append("pre")
        return (grad_output[0] / 2,)

    layer.register_full_backward_pre_hook(halve)
    layer.register_full_backward_hook(lambda m, gi, go: log.append(go[0].tolist()))
    layer(leaf(1)).backward(triptych.ones(1))
    assert log == ["pre", [0.5]]
    assert layer.weight.grad.tolist() == [[0.5]]


def test_backward_hook_of_a_first_layer_gets_no_input_gradient():
    layer, log = nn.Linear(1, 1), []
    layer.register_full_backward_hook(lambda m, gi, go: log.append((gi, go[0].tolist())))
    layer(triptych.ones(1)).sum().backward()
    assert log == [((None,), [1.0])]


def test_backward_hook_with_several_inputs_and_outputs():
    class Cross(nn.Module):
        def forward(self, a, n, b):
            return a * b, n, a + b

    layer, log = Cross(), []
    layer.register_full_backward_hook(lambda m, gi, go: log.append((gi, go)))
    a, b = leaf(1), leaf(1)
    out, n, total = layer(a * 3, 7, b * 5)
    assert n == 7
    (out * 2).sum().backward()
    ((grad_a, middle, grad_b), (first, nothing, third)) = log[0]
    assert (float(grad_a), middle, float(grad_b)) == (10.0, None, 6.0)
    assert (float(first), nothing, float(third)) == (2.0, None, 0.0)
    assert (float(a.grad), float(b.grad)) == (30.0, 30.0)
    assert total.requires_grad


def test_backward_hooks_do_not_change_results_or_derivatives():
    plain = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    hooked = copy.deepcopy(plain)
    for layer in hooked:
        layer.register_full_backward_hook(lambda m, gi, go: None)
    x = triptych.tensor(np.random.default_rng(0).standard_normal((2, 3)), requires_grad=True)
    found = []
    for model in (plain, hooked):
        out = model(x)
        (grad,) = triptych.autograd.grad(out.sum(), x, create_graph=True)
        (second,) = triptych.autograd.grad((grad * grad).sum(), x)
        found.append([t.detach().numpy() for t in (out, grad, second)])
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_writing_into_the_input_is_refused_with_a_backward_hook():
    layer = nn.ReLU(inplace=True)
    layer.register_full_backward_hook(lambda m, gi, go: None)
    with pytest.raises(triptych.GradError, match="wrote into its input in place"):
        layer(leaf(2) * 1)
    with triptych.no_grad():
        assert layer(triptych.ones(2)).tolist() == [1.0, 1.0]


def test_wrong_number_of_gradients():
    layer = Double()
    layer.register_full_backward_hook(lambda m, gi, go: (1, 2))
    with pytest.raises(triptych.GradError, match="returned 2 gradients, wanted 1"):
        layer(leaf(1) * 1).sum().backward()
