"""Operations with a derivative of the user's own."""

import gc
import weakref

import numpy as np
import pytest

import triptych
from triptych.autograd import Function, grad, gradcheck, gradgradcheck, once_differentiable


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


class Scaled(Function):
    @staticmethod
    def forward(x, factor):
        return x * factor, (x > 0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, g, _):
        return g * ctx.factor, None


def leaf(*values):
    return triptych.tensor(values, dtype=triptych.float64, requires_grad=True)


def test_first_and_second_derivative():
    x = leaf(1.0, -2.0)
    assert gradcheck(Cube.apply, [x])
    assert gradgradcheck(Cube.apply, [x])


def test_setup_context_and_non_differentiable_outputs():
    x = leaf(1.0, -2.0)
    y, positive = Scaled.apply(x, 3.0)
    assert not positive.requires_grad
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3.0, 3.0])


def test_backward_twice_names_the_remedy():
    y = Cube.apply(leaf(1.0)).sum()
    y.backward()
    with pytest.raises(triptych.GradError, match="retain_graph=True"):
        y.backward()


def test_a_saved_tensor_written_to_is_an_error():
    x = leaf(1.0) * 1
    y = Cube.apply(x)
    x.add_(1)
    with pytest.raises(triptych.GradError, match="Cube: a saved tensor was modified in place"):
        y.sum().backward()


def test_wrong_number_and_shape_of_gradients():
    class Few(Cube):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(triptych.GradError, match="each of 2 inputs, got 1"):
        Few.apply(leaf(1.0), leaf(2.0)).sum().backward()

    class Misshapen(Cube):
        @staticmethod
        def backward(ctx, g):
            return g.sum()

    with pytest.raises(triptych.GradError, match=r"gradient 0 has shape \(\), the input \(2,\)"):
        Misshapen.apply(leaf(1.0, 2.0)).sum().backward()


def test_once_differentiable():
    class Once(Cube):
        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    x = leaf(2.0)
    Once.apply(x).backward()
    assert x.grad.item() == 12.0
    (slope,) = grad(Once.apply(x).sum(), x, create_graph=True)
    assert slope.item() == 12.0
    with pytest.raises(triptych.GradError, match="no derivative of its own"):
        slope.sum().backward()


def test_no_reference_cycle():
    gc.disable()
    try:
        y = Cube.apply(leaf(1.0))
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_inputs_returned_as_they_are_do_not_change_the_caller_s_tensor():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(1.0)
    y = Same.apply(x)
    y.sum().backward()
    assert y is not x
    assert x.grad.item() == 2.0


class SavesItsResult(Function):
    @staticmethod
    def forward(ctx, x):
        y, z = x.exp(), x * 2
        ctx.save_for_backward(y)
        return y, z

    @staticmethod
    def backward(ctx, g, h):
        (y,) = ctx.saved_tensors
        return g * y + h * 2


def test_a_saved_output_has_its_history_in_the_second_derivative():
    x = leaf(0.5, -1.0)
    assert gradgradcheck(lambda x: SavesItsResult.apply(x)[0], [x])
    assert gradgradcheck(SavesItsResult.apply, [x])


def test_a_saved_output_makes_no_cycle():
    gc.collect()
    gc.disable()
    try:
        y = SavesItsResult.apply(leaf(1.0))[0]
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_what_is_saved_from_outside_is_read_anew_at_a_replay():
    class Weighted(Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0], None

    x, w = leaf(1.0), triptych.tensor([2.0], dtype=triptych.float64)
    graph = triptych.graph.capture(lambda x: grad(Weighted.apply(x, w).sum(), x), x)
    w.fill_(5.0)
    assert triptych.graph.replay(graph, x)[0].tolist() == [5.0]
