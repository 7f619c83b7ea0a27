"""The tape in the user's hands: hooks on saved values, on nodes and on several tensors."""

import gc
import weakref

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import Function, grad
from triptych.autograd.graph import (
    GradientEdge,
    Node,
    allow_mutation_on_saved_tensors,
    disable_saved_tensors_hooks,
    get_gradient_edge,
    increment_version,
    register_multi_grad_hook,
    save_on_cpu,
    saved_tensors_hooks,
)
from triptych.state import state


class Exp(Function):
    """Saves its output and its input."""

    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y, x)
        return y

    @staticmethod
    def backward(ctx, g):
        y, _ = ctx.saved_tensors
        return g * y


def through_bytes():
    """Hooks that keep values as bytes, and the list of what came by."""
    seen = []

    def pack(t):
        seen.append(t)
        return t.numpy().tobytes(), t.numpy().dtype, tuple(t.shape)

    def unpack(held):
        data, dtype, shape = held
        return tp.tensor(np.frombuffer(data, dtype).reshape(shape))

    return saved_tensors_hooks(pack, unpack), seen


@pytest.fixture
def w():
    return tp.tensor([0.5, 2.0], dtype=tp.float64, requires_grad=True)


FUNCTIONS = {
    "square": lambda w: w * w,
    "output": lambda w: w.exp().tanh(),
    "number": lambda w: w**3 * 2.0,
    "several outputs": lambda w: tp.linalg.qr(w[:, None] @ w[None] + tp.eye(2).double())[1],
    "joint rule": lambda w: tp.cat([w.exp(), w]).sort().values,
    "function": lambda w: Exp.apply(w) * w,
    "indexing": lambda w: w[tp.tensor([1, 1, 0])] ** 2,
    "composite": lambda w: w.softmax(0) * w,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_packed_values_give_the_same_gradients(w, name):
    fn = FUNCTIONS[name]

    def derivatives():
        y = fn(w).sin().sum()
        (one,) = grad(y, w, create_graph=True)
        return one, grad(one.sum(), w)[0]

    hooks, seen = through_bytes()
    with hooks:
        found = derivatives()
    for one, two in zip(found, derivatives(), strict=True):
        assert tp.allclose(one, two)
    assert seen
    assert all(type(t) is tp.Tensor and not t.requires_grad for t in seen)


def test_hooks_work_when_backward_runs_outside(w):
    hooks, _ = through_bytes()
    with hooks:
        y = (w * w).sum()
    (g,) = grad(y, w, retain_graph=True)
    assert tp.equal(g, grad(y, w)[0])
    assert tp.equal(g, 2 * w.detach())


def test_the_saved_memory_is_let_go(w):
    def saved(keep):
        a = w * 1.0
        array = weakref.ref(a._data)
        if keep:
            y = a * a
        else:
            with through_bytes()[0] as hooks:
                hooks.pack_hook = lambda t: t.tolist()
                y = a * a
        del a
        gc.collect()
        return array() is not None, y

    assert saved(True)[0]
    assert not saved(False)[0]


def test_the_inner_pair_is_used(w):
    one, outer = through_bytes()
    two, inner = through_bytes()
    with one, two:
        w * w
    assert not outer
    assert len(inner) == 2


def test_the_same_hooks_may_be_entered_twice(w):
    hooks, seen = through_bytes()
    with hooks:
        with hooks:
            w.exp()
        w.exp()
    assert len(seen) == 2
    assert state.trace is None


@pytest.mark.parametrize(
    ("unpack", "text"),
    [
        (lambda held: 3, "must give a tensor, got int"),
        (lambda held: tp.ones(3).double(), r"gave float64\[3\], what was packed is float64\[2\]"),
        (lambda held: tp.ones(2), r"gave float32\[2\], what was packed is float64\[2\]"),
    ],
)
def test_a_wrong_unpack_is_an_error(w, unpack, text):
    with saved_tensors_hooks(lambda t: t, unpack):
        y = (w * w).sum()
    with pytest.raises(tp.GradError, match=text):
        y.backward()


def test_a_pack_hook_that_writes_is_an_error(w):
    with (
        saved_tensors_hooks(lambda t: t.zero_(), lambda t: t),
        pytest.raises(tp.GradError, match="pack hook wrote into its tensor"),
    ):
        w * w


def test_writes_are_noticed_where_the_memory_itself_was_kept(w):
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        a = w * 1
        y = (a * a).sum()
        a.add_(1)
    with pytest.raises(tp.GradError, match="modified in place by add_"):
        y.backward()


def test_an_in_place_operation_keeps_its_own_operands(w):
    other = tp.tensor([3.0, 5.0], dtype=tp.float64, requires_grad=True)
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        a = w * 1
        a.mul_(other)
    found = grad(a.sum(), [w, other])
    assert tp.equal(found[0], other.detach())
    assert tp.equal(found[1], w.detach())


def test_hooks_can_be_forbidden(w):
    with disable_saved_tensors_hooks("not here"):
        with pytest.raises(tp.GradError, match="not here"), save_on_cpu():
            pass
        w * w
    with save_on_cpu(pin_memory=True):
        y = (w * w).sum()
    assert tp.equal(grad(y, w)[0], 2 * w.detach())


# Writes into saved tensors


def test_mutation_is_allowed_where_asked_for(w):
    with allow_mutation_on_saved_tensors():
        a = w * 1
        y = (a * a).sum() + Exp.apply(a).sum()
        before = a.detach().clone()
        a.zero_()
        y.backward()
    assert tp.allclose(w.grad, 2 * before + before.exp())
    assert a.tolist() == [0, 0]


def test_mutation_through_a_view_copies_the_output_too(w):
    with allow_mutation_on_saved_tensors():
        y = w.exp()
        z = y.sum()
        kept = y.detach().clone()
        y[0] = 7.0
        assert tp.equal(grad(z, w)[0], kept)


def test_without_it_mutation_is_an_error(w):
    a = w * 1
    y = (a * a).sum()
    a.zero_()
    with pytest.raises(tp.GradError, match="modified in place"):
        y.backward()


def test_increment_version(w):
    a = w * 1
    y = (a * a).sum()
    increment_version([a])
    with pytest.raises(tp.GradError, match="increment_version at"):
        y.backward()


# Nodes and edges


def test_nodes_say_what_they_are(w):
    y = w.exp() * w
    node = y.grad_fn
    assert isinstance(node, Node)
    assert node.name() == "MulBackward"
    (first, nr), (leaf, _) = node.next_functions
    assert (first.name(), nr) == ("ExpBackward", 0)
    assert isinstance(leaf, Node)
    assert leaf.variable is w
    assert leaf.next_functions == ()
    node.metadata["layer"] = 3
    assert y.grad_fn.metadata == {"layer": 3}
    assert first.metadata == {}


def test_hooks_before_and_after_a_node(w):
    y = w * w
    calls = []
    one = y.grad_fn.register_prehook(lambda grads: (calls.append("pre"), (grads[0] * 10,))[1])
    two = y.grad_fn.register_hook(lambda into, out: calls.append((into, out)))
    (g,) = grad(y.sum(), w, retain_graph=True)
    assert tp.equal(g, 20 * w.detach())
    into, out = calls[1]
    assert calls[0] == "pre"
    assert tp.equal(out[0], tp.full((2,), 10.0).double())
    assert len(into) == 2
    one.remove()
    two.remove()
    assert tp.equal(grad(y.sum(), w)[0], 2 * w.detach())
    assert len(calls) == 2


def test_a_hook_after_a_node_replaces_the_gradients_of_its_inputs(w):
    y = w.exp()
    y.grad_fn.register_hook(lambda into, out: (into[0] * 0 + 4,))
    (g,) = grad(y.sum(), w, create_graph=True)
    assert g.tolist() == [4, 4]


def test_a_hook_that_gives_the_wrong_number_is_an_error(w):
    y = w.exp()
    y.grad_fn.register_prehook(lambda grads: (grads[0], grads[0]))
    with pytest.raises(tp.GradError, match="gave 2 gradients for 1"):
        y.sum().backward()


def test_hooks_on_the_node_of_a_leaf(w):
    leaf = get_gradient_edge(w).node
    order = []
    leaf.register_prehook(lambda grads: (order.append("pre"), (grads[0] * 2,))[1])
    w.register_post_accumulate_grad_hook(lambda t: order.append("accumulated"))
    leaf.register_hook(lambda into, out: order.append((into, w.grad is not None)))
    w.sum().backward()
    assert w.grad.tolist() == [2, 2]
    assert order == ["pre", "accumulated", ((), True)]


def test_hooks_on_a_node_with_several_outputs(w):
    values, _ = w.sort()
    seen = []
    values.grad_fn.register_prehook(lambda grads: seen.append(grads))
    grad(values.sum(), w)
    assert len(seen[0]) == 2


def test_gradient_edges_stand_for_tensors(w):
    a = w * 3
    edge = get_gradient_edge(a)
    y = (a * a).sum()
    assert isinstance(edge, GradientEdge)
    assert tp.equal(grad(y, edge, retain_graph=True)[0], 2 * a.detach())
    (slope,) = grad(edge, w, tp.ones(2).double(), retain_graph=True)
    assert slope.tolist() == [3, 3]
    with pytest.raises(tp.GradError, match="pass a gradient for it"):
        grad(edge, w)
    with pytest.raises(tp.GradError, match="does not require grad"):
        get_gradient_edge(tp.ones(2))
    y.backward(inputs=[get_gradient_edge(w)])
    assert tp.equal(w.grad, 18 * w.detach())


def test_an_edge_of_one_output_among_several(w):
    _, s, _ = tp.linalg.svd(w[:, None] @ w[None] + tp.eye(2).double())
    edge = get_gradient_edge(s)
    assert edge.output_nr == 1
    assert grad(s.sum() * 2, edge)[0].tolist() == [2, 2]


# Several tensors


def test_a_hook_for_several_tensors_waits_for_all(w):
    other = tp.ones(2).double().requires_grad_()
    seen = []
    handle = register_multi_grad_hook([w, other], seen.append)
    (w * other * 3).sum().backward()
    (w * 2).sum().backward()
    handle.remove()
    (w * other).sum().backward()
    assert len(seen) == 2
    assert tp.equal(seen[0][1], 3 * w.detach())
    assert seen[1][1] is None
    assert seen[1][0].tolist() == [2, 2]


def test_a_hook_for_any_of_several_runs_once(w):
    a, b = w * 2, w * 3
    seen = []
    with register_multi_grad_hook([a, b], seen.append, mode="any"):
        y = (a + b).sum()
        y.backward(retain_graph=True)
        assert len(seen) == 1
        y.backward()
    assert len(seen) == 2
    with pytest.raises(tp.GradError, match="'all' or 'any'"):
        register_multi_grad_hook([a], seen.append, mode="most")
