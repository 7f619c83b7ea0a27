"""Backward and grad: what they compute, what they leave behind, and what they refuse."""

import gc
import threading
import weakref

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import backward, engine, grad, gradcheck, gradgradcheck


def leaf(*values, dtype=tp.float64):
    return tp.tensor(values, dtype=dtype, requires_grad=True)


# Accumulation


def test_backward_fills_the_grad_of_leaves_only():
    x = leaf(1.0, 2.0)
    y = x * 3
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert y.grad is None and y.grad_fn is not None and x.grad_fn is None


def test_backward_adds_to_what_is_there_in_place():
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    held = x.grad
    (x * x).sum().backward()
    assert x.grad is held
    assert held.tolist() == [5.0, 7.0]


def test_a_grad_that_cannot_be_written_to_is_replaced():
    x = leaf(1.0, 2.0)
    x.grad = tp.ones(1, dtype=tp.float64).expand(2)
    (x * 3).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_a_tensor_used_twice_gets_both_gradients():
    x = leaf(2.0)
    (x * x + x).backward(tp.ones(1, dtype=tp.float64))
    assert x.grad.tolist() == [5.0]


def test_grads_of_two_leaves_do_not_share_memory():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).sum().backward()
    x.grad.mul_(10)
    assert y.grad.tolist() == [1.0, 1.0]


def test_grad_returns_and_leaves_the_leaves_alone():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    gx, gy = grad((x * y).sum(), [x, y])
    assert (gx.tolist(), gy.tolist()) == ([3.0, 4.0], [1.0, 2.0])
    assert x.grad is None and y.grad is None


def test_what_grad_returns_can_be_written_to():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = tp.ones(2, dtype=tp.float64)
    gx, gy = grad(x + y, [x, y], seed)
    gx.mul_(5)
    assert (gy.tolist(), seed.tolist()) == ([1.0, 1.0], [1.0, 1.0])
    (gz,) = grad(x.sum(), x)  # inside, one number stretched over all elements
    gz[0] = 7
    assert gz.tolist() == [7.0, 1.0]


def test_grad_of_a_tensor_that_is_no_leaf():
    x = leaf(1.0, 2.0)
    y = x * 3
    z = (y * y).sum()
    gy, gx = grad(z, [y, x])
    assert (gy.tolist(), gx.tolist()) == ([6.0, 12.0], [18.0, 36.0])


def test_backward_with_inputs_fills_those_only():
    x, w = leaf(1.0, 2.0), leaf(5.0, 5.0)
    y = x * w
    y.sum().backward(inputs=[x, x, y])
    assert x.grad.tolist() == [5.0, 5.0]  # once, though named twice
    assert y.grad.tolist() == [1.0, 1.0]
    assert w.grad is None


def test_several_outputs_at_once():
    x = leaf(1.0, 2.0)
    backward([(x * 2).sum(), x * 3], [None, tp.tensor([1.0, 10.0], dtype=tp.float64)])
    assert x.grad.tolist() == [5.0, 32.0]


def test_unused_inputs():
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(tp.GradError, match=r"do not depend on input 1.*allow_unused"):
        grad(x.sum(), [x, y], retain_graph=True)
    gx, gy = grad(x.sum(), [x, y], allow_unused=True)
    assert gx.tolist() == [1.0] and gy is None
    assert grad(x.sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0]


def test_the_gradient_has_the_dtype_of_the_input():
    half, single = leaf(1.0, dtype=tp.float16), leaf(2.0, dtype=tp.float32)
    (half * single).sum().backward()
    assert half.grad.dtype is tp.float16 and single.grad.dtype is tp.float32


def test_a_starting_gradient_of_another_dtype_is_converted():
    x = leaf(1.0, dtype=tp.float32)
    (x * 2).backward(tp.ones(1, dtype=tp.float64))
    assert x.grad.dtype is tp.float32


def test_turning_requires_grad_off_stops_accumulation():
    x = leaf(1.0)
    y = (x * 2).sum()
    x.requires_grad_(False)
    y.backward()
    assert x.grad is None


# Retaining and differentiating again


def test_backward_twice_needs_retain_graph():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]
    with pytest.raises(tp.GradError, match=r"mul a second time.*retain_graph=True"):
        y.backward()


def test_an_operation_that_saved_nothing_can_be_walked_again():
    x = leaf(2.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0]


def test_derivatives_of_higher_order():
    x = leaf(2.0)
    y = x**4
    for expected in (32.0, 48.0, 48.0, 24.0):
        (y,) = grad(y.sum(), x, create_graph=True)
        assert y.tolist() == [expected]


def test_create_graph_in_backward_records_the_grad():
    x = leaf(3.0)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    (second,) = grad(x.grad.sum(), x)
    assert second.tolist() == [18.0]


def test_gradient_penalty():
    w = leaf(1.5, -0.5)
    x = leaf(0.3, 0.7)

    def penalty(w, x):
        (g,) = grad((w * x).tanh().sum(), x, create_graph=True)
        return ((g.norm() - 1) ** 2).sum()

    assert gradcheck(penalty, [w, x])


def test_hessian_vector_product():
    matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
    x = leaf(1.0, -1.0)
    (g,) = grad(0.5 * (x @ tp.tensor(matrix) @ x), x, create_graph=True)
    (hv,) = grad(g, x, tp.tensor([1.0, 2.0], dtype=tp.float64))
    np.testing.assert_allclose(hv.numpy(), matrix @ [1.0, 2.0])


def test_gradgradcheck_of_a_small_network():
    x, w = leaf(0.3, -0.2, 0.7), leaf(0.5, -1.0, 0.25)
    assert gradgradcheck(lambda x, w: ((x * w).sigmoid() * x.exp()).sum(), [x, w])


# Hooks


def test_a_hook_sees_and_may_replace_the_gradient():
    x = leaf(1.0, 2.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g * 10)
    (x * 3).sum().backward()
    assert seen == [[3.0, 3.0]] and x.grad.tolist() == [30.0, 30.0]


def test_a_hook_on_a_result_changes_what_flows_on():
    x = leaf(1.0, 2.0)
    y = x * 3
    y.register_hook(lambda g: g * 0)
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_hooks_run_once_on_the_summed_gradient():
    x = leaf(1.0)
    y = x * 1
    calls = []
    y.register_hook(lambda g: calls.append(g.tolist()))
    (y + y * 2).sum().backward()
    assert calls == [[3.0]]


def test_hooks_run_in_grad_too():
    x = leaf(1.0)
    calls = []
    x.register_hook(calls.append)
    grad((x * 2).sum(), x)
    assert len(calls) == 1


def test_a_handle_removes_its_own_hook_once():
    x = leaf(1.0)
    calls = []
    one, two = x.register_hook(calls.append), x.register_hook(calls.append)
    one.remove()
    one.remove()
    (x * 2).sum().backward()
    assert len(calls) == 1
    with two:
        pass
    (x * 2).sum().backward()
    assert len(calls) == 1


def test_a_hook_on_one_output_of_several():
    x = leaf(3.0, 1.0, 2.0)
    values, _ = x.sort()
    values.register_hook(lambda g: g * 2)
    (values * tp.tensor([1.0, 2.0, 3.0], dtype=tp.float64)).sum().backward()
    assert x.grad.tolist() == [6.0, 2.0, 4.0]


@pytest.mark.parametrize("answer", [lambda g: g[:1], lambda g: 3.0], ids=["shape", "type"])
def test_a_hook_that_returns_nonsense_is_named(answer):
    x = leaf(1.0, 2.0)
    x.register_hook(answer)
    with pytest.raises(tp.GradError, match=r"hook: wanted None or a tensor of shape \(2,\)"):
        (x * 2).sum().backward()


def test_post_accumulate_hooks_run_after_the_grad_is_there():
    x = leaf(1.0)
    seen = []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    (x * 2).sum().backward()
    (x * 2).sum().backward(inputs=[x])
    handle.remove()
    (x * 2).sum().backward()
    assert seen == [[2.0], [4.0]]


def test_post_accumulate_hooks_want_a_leaf():
    with pytest.raises(tp.GradError, match="wanted a leaf that requires grad"):
        (leaf(1.0) * 2).register_post_accumulate_grad_hook(print)
    with pytest.raises(tp.GradError, match="does not require grad"):
        tp.ones(1).register_hook(print)


# retain_grad


def test_retain_grad_keeps_what_other_hooks_made_of_it():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    assert y.retains_grad and y.grad.tolist() == [10.0, 10.0]
    assert x.grad.tolist() == [20.0, 20.0]


def test_a_retained_grad_is_a_copy():
    x = leaf(1.0)
    y = x * 1
    y.retain_grad()
    y.sum().backward()
    y.grad.mul_(7)
    assert x.grad.tolist() == [1.0]


def test_retain_grad_follows_an_in_place_write():
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    assert y.grad.tolist() == [1.0] and x.grad.tolist() == [6.0]


def test_retain_grad_on_a_leaf_does_nothing_and_without_grad_refuses():
    x = leaf(1.0)
    x.retain_grad()
    assert not x.retains_grad
    with pytest.raises(tp.GradError, match="does not require grad"):
        tp.ones(1).retain_grad()


# Switching recording off and on


@pytest.mark.parametrize("mode", [tp.no_grad, tp.inference_mode])
def test_modes_as_context_and_decorator(mode):
    x = leaf(1.0)
    with mode():
        assert not (x * 2).requires_grad and not tp.is_grad_enabled()
    assert tp.is_grad_enabled()

    @mode()
    def double(v):
        """Twice."""
        return v * 2

    assert not double(x).requires_grad and double.__doc__ == "Twice."
    assert (x * 2).requires_grad


def test_no_grad_decorates_without_parentheses():
    @tp.no_grad
    def double(v):
        return v * 2

    assert not double(leaf(1.0)).requires_grad


def test_enable_grad_inside_no_grad():
    x = leaf(1.0)
    with tp.no_grad():
        with tp.enable_grad():
            y = x * 2
        assert not (x * 2).requires_grad
    assert y.requires_grad


def test_modes_end_when_an_exception_leaves_them():
    with pytest.raises(KeyError), tp.no_grad():
        raise KeyError
    assert tp.is_grad_enabled()


def test_a_decorated_function_may_call_itself():
    @tp.no_grad()
    def down(n):
        return down(n - 1) if n else tp.is_grad_enabled()

    assert down(3) is False and tp.is_grad_enabled()


def test_a_decorated_generator_records_nothing_and_leaves_its_caller_alone():
    @tp.no_grad()
    def steps():
        for _ in range(2):
            got = yield tp.is_grad_enabled()
            assert got == "sent"
        return "end"

    def outer():
        return (yield from running)

    running = steps()
    assert next(running) is False and tp.is_grad_enabled()
    assert running.send("sent") is False and tp.is_grad_enabled()
    with pytest.raises(StopIteration) as stop:
        running.send("sent")
    assert stop.value.value == "end"


def test_an_exception_thrown_into_a_decorated_generator_reaches_it():
    @tp.no_grad()
    def steps():
        try:
            yield 1
        except KeyError:
            yield tp.is_grad_enabled()

    running = steps()
    next(running)
    assert running.throw(KeyError) is False
    running.close()


def test_closing_a_decorated_generator_runs_its_cleanup_inside_the_mode():
    seen = []

    @tp.no_grad()
    def steps():
        try:
            yield 1
        finally:
            seen.append(tp.is_grad_enabled())

    running = steps()
    next(running)
    running.close()
    assert seen == [False] and tp.is_grad_enabled()


def test_set_grad_enabled_as_a_call_context_and_decorator():
    x = leaf(1.0)
    try:
        tp.set_grad_enabled(False)
        assert not (x * 2).requires_grad
    finally:
        tp.set_grad_enabled(True)
    with tp.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad

    @tp.set_grad_enabled(False)
    def double(v):
        return v * 2

    assert tp.is_grad_enabled() and not double(x).requires_grad


def test_inference_mode_can_be_asked_for_and_switched():
    with tp.inference_mode():
        assert tp.is_inference_mode_enabled()
        with tp.inference_mode(False):
            assert tp.is_grad_enabled() and not tp.is_inference_mode_enabled()
    assert not tp.is_inference_mode_enabled()


# Detaching


def test_detach_shares_memory_and_stops_gradients():
    x = leaf(1.0, 2.0)
    y = x * 2
    d = y.detach()
    assert not d.requires_grad and np.shares_memory(d.numpy(), y.detach().numpy())
    (y * d).sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_detach_in_place():
    y = leaf(1.0) * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad


def test_data_is_the_memory_without_history():
    x = leaf(1.0, 2.0)
    x.data.mul_(3)
    assert x.tolist() == [3.0, 6.0] and x._version == 0 and not x.data.requires_grad
    x.data = tp.zeros(2, dtype=tp.float64)
    assert x.tolist() == [0.0, 0.0] and x.requires_grad and x.is_leaf


# The engine


def test_a_chain_of_20000_operations_needs_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1e-9
    y.backward(tp.ones(1, dtype=tp.float64))
    assert x.grad.tolist() == [1.0]
    node = weakref.ref(y.grad_fn)
    del y
    assert node() is None


def test_a_diamond_of_many_paths_is_walked_once_per_node():
    x = leaf(1.0)
    y = x
    for _ in range(60):  # 2 ** 60 paths
        y = y * 0.5 + y * 0.5
    y.backward(tp.ones(1, dtype=tp.float64))
    np.testing.assert_allclose(x.grad.numpy(), [1.0])


def test_two_threads_run_backward_independently():
    results, barrier = {}, threading.Barrier(2)

    def work(name, factor):
        x = leaf(*range(50))
        barrier.wait()
        for _ in range(50):
            (x * factor).exp().log().sum().backward()
        results[name] = x.grad.numpy()

    threads = [threading.Thread(target=work, args=(i, 0.01 * (i + 1))) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i in range(2):
        np.testing.assert_allclose(results[i], np.full(50, 0.5 * (i + 1)), rtol=1e-6)


def test_no_grad_in_one_thread_does_not_reach_another():
    seen = []
    with tp.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tp.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_dropping_the_loss_frees_the_graph_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: g)
        z = y.sin()
        z[0] = 1.0
        loss = (z.reshape(1, 2)[:, 1:] @ tp.ones(1, 1, dtype=tp.float64)).sum()
        nodes = [weakref.ref(t.grad_fn) for t in (y, z, loss)]
        big = weakref.ref(z)
        loss.backward(retain_graph=True)
        del y, z, loss
        assert [node() for node in nodes] == [None, None, None] and big() is None
    finally:
        gc.enable()


def test_backward_frees_what_was_saved():
    x = leaf(*np.zeros(1000))
    y = x.exp()
    saved = weakref.ref(y.grad_fn.y)
    loss = (y * 2).sum()
    del y
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_a_leaf_that_died_is_skipped():
    x = leaf(1.0)
    y = (x * 2).sum()
    del x
    y.backward()


def test_next_functions_lead_to_the_leaves():
    x = leaf(1.0)
    y = (x * 2).exp()
    ((inner, place),) = y.grad_fn.next_functions
    assert (y.grad_fn.name(), inner.name(), place) == ("ExpBackward", "MulBackward", 0)
    assert inner.next_functions[0][0].name() == "AccumulateGrad"


# Values at ties, zeros and edges, as torch 2.13 gives them


@pytest.mark.parametrize(
    ("fn", "values", "expected"),
    [
        (lambda x: x.relu(), [-1.0, 0.0, 1.0], [0, 0, 1]),
        (lambda x: x.abs(), [-1.0, 0.0, 1.0], [-1, 0, 1]),
        (lambda x: x.clamp(0, 1), [0.0, 0.5, 1.0, 2.0], [1, 1, 1, 0]),
        (lambda x: tp.maximum(x, tp.zeros(3).double()), [-1.0, 0.0, 1.0], [0, 0.5, 1]),
        (lambda x: x.max(), [1.0, 3.0, 3.0], [0, 0.5, 0.5]),
        (lambda x: x.max(0).values, [1.0, 3.0, 3.0], [0, 1, 0]),
        (lambda x: x.prod(), [2.0, 0.0, 3.0], [0, 6, 0]),
        (lambda x: x.prod(), [0.0, 0.0, 3.0], [0, 0, 0]),
        (lambda x: x**0, [0.0, 2.0], [0, 0]),
        (lambda x: x**2, [0.0, 2.0], [0, 4]),
        (lambda x: x.norm(), [0.0, 0.0], [0, 0]),
        (lambda x: x.norm(3), [0.0, 0.0], [0, 0]),
        (lambda x: x.norm(0.5), [0.0, 0.0], [0, 0]),
        (lambda x: x.std(), [1.0, 1.0, 1.0], [0, 0, 0]),
        (lambda x: x // 0.3, [1.0, 2.0], [0, 0]),
        (lambda x: x.floor(), [1.5, 2.0], [0, 0]),
        (lambda x: x % 0.4, [1.0, 2.0], [1, 1]),
        (lambda x: 2.0**x, [0.0], [np.log(2)]),
        (lambda x: 0.0**x, [1.0], [0]),
    ],
)
def test_gradients_at_special_points(fn, values, expected):
    x = leaf(*values)
    fn(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 1), (2, 3), ()])
@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "maximum", "atan2"])
def test_gradients_of_broadcast_inputs_have_their_shape(op, shape):
    rng = np.random.default_rng(0)
    x = tp.tensor(rng.uniform(0.5, 2.0, (2, 3)), requires_grad=True)
    y = tp.tensor(rng.uniform(2.5, 4.0, shape), requires_grad=True)
    assert gradcheck(getattr(tp, op), [x, y])
    getattr(tp, op)(y, x).sum().backward()
    assert y.grad.shape == y.shape and x.grad.shape == x.shape


def test_gradients_flow_through_empty_tensors():
    x = tp.zeros(0, 3, requires_grad=True)
    ((x * 2).sum() + x.reshape(3, 0).mean(0).sum()).backward()
    assert x.grad.shape == (0, 3)


def test_complex_gradients_follow_the_conjugate_convention():
    z = tp.tensor([1 + 2j, -0.5 + 1j], dtype=tp.complex128, requires_grad=True)
    (z * z.conj()).real.sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), 2 * z.detach().numpy())
    x = leaf(1.0, 2.0)
    (x * tp.tensor([1j, 2j], dtype=tp.complex128)).imag.sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


def test_gradcheck_finds_a_wrong_derivative_and_wants_double_precision():
    class Wrong(tp.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 3

    assert gradcheck(Wrong.apply, [leaf(1.0)], raise_exception=False) is False
    with pytest.raises(tp.GradError, match="finite differences"):
        gradcheck(Wrong.apply, [leaf(1.0)])
    with pytest.raises(tp.DTypeError, match=r"float32.*double"):
        gradcheck(lambda x: x, [leaf(1.0, dtype=tp.float32)])
    with pytest.raises(tp.GradError, match="no input requires grad"):
        gradcheck(lambda x: x, [tp.ones(1).double()])


WITH_NUMBERS = [
    prim
    for prim in tp.prims.TABLE.values()
    if prim.kind == "binary" and prim.differentiable and prim.name != "copysign"
]


SECOND_ONLY = ("igamma", "igammac", "zeta")  # no derivative by the first input


@pytest.mark.parametrize("prim", WITH_NUMBERS, ids=lambda p: p.name)
@pytest.mark.parametrize("number", [0.7, 1, True])
def test_a_python_number_beside_a_tensor_changes_neither_dtype_nor_precision(prim, number):
    low, high = prim.domain if isinstance(prim.domain, tuple) else (-2.0, 2.0)
    numbers = np.random.default_rng(0).uniform(low, high, 5)
    number = number + 1 if prim.name == "zeta" else number  # of exponents that converge
    first, second = (lambda x: prim.call(x, number)), (lambda x: prim.call(number, x))
    for fn in (second,) if prim.name in SECOND_ONLY else (first, second):
        for dtype in (tp.float16, tp.bfloat16, tp.float32):
            x = tp.tensor(numbers).to(dtype).requires_grad_()
            fn(x).sum().backward()
            assert x.grad.dtype is dtype
        x = tp.tensor(numbers, requires_grad=True)
        assert gradcheck(fn, [x], eps=1e-5, rtol=1e-8, atol=1e-8)


def test_gradients_that_nothing_else_holds_are_kept_without_a_copy(monkeypatch):
    monkeypatch.delattr(engine, "own")  # makes the copy
    a, b = (tp.randn(9, 9).requires_grad_() for _ in range(2))
    (a * b).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), b.detach().numpy())
    np.testing.assert_array_equal(b.grad.numpy(), a.detach().numpy())


def test_gradients_that_are_shared_are_copied():
    """Two leaves and a tensor of the user never get the same memory."""
    a, b = (tp.randn(64, 33).requires_grad_() for _ in range(2))
    given = tp.randn(64, 33)
    before = given.numpy().copy()
    (a + b).backward(given)
    arrays = [t.numpy() for t in (a.grad, b.grad, given)]
    for i, one in enumerate(arrays):
        np.testing.assert_array_equal(one, before)
        assert not any(np.shares_memory(one, other) for other in arrays[:i])


def test_added_gradients_leave_others_alone():
    """y gets three gradients, of which the tape adds the later ones in place."""
    x, given = tp.randn(40, 41).requires_grad_(), tp.randn(40, 41)
    before = given.numpy().copy()
    y = x * 1
    y.retain_grad()
    seen = []
    z = y + y * 2
    z.register_hook(seen.append)
    (z + y * y).backward(given)
    want = before * (3 + 2 * x.detach().numpy())
    np.testing.assert_allclose(y.grad.numpy(), want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(seen[0].numpy(), before)
    np.testing.assert_array_equal(given.numpy(), before)
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())


def test_retained_gradients_stay_when_the_leaf_goes_on():
    """A hook's gradient and the leaf's are not one memory, even if the rule passed it through."""
    x = tp.randn(50).requires_grad_()
    y = x + tp.zeros(50)
    y.retain_grad()
    y.sum().backward()
    kept = y.grad.numpy().copy()
    (x * 3).sum().backward()  # adds into x.grad
    np.testing.assert_array_equal(y.grad.numpy(), kept)
    np.testing.assert_array_equal(x.grad.numpy(), np.full(50, 4, np.float32))
