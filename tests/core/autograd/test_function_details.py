"""What `Function` offers beyond forward and backward. The plain uses are in test_function."""

import pytest

import triptych as tp
from triptych.autograd import Function, FunctionCtx, grad


def test_gradients_arrive_as_none_when_not_materialized():
    seen = []

    def make(materialize):
        class Two(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(materialize)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx, g, h):
                seen.append((g, h))
                return h

        return Two

    x = tp.ones(2, requires_grad=True)
    for materialize in (True, False):
        grad(make(materialize).apply(x)[1].sum(), x)
    assert seen[0][0].tolist() == [0, 0]
    assert seen[1][0] is None
    assert seen[1][1].tolist() == [1, 1]


class AddInPlace(Function):
    @staticmethod
    def forward(ctx, x, y):
        x.add_(y)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g, 2 * g


def test_a_dirty_input_comes_back_itself_with_a_new_history():
    y = tp.ones(2, requires_grad=True)
    x = y * 3
    view, version = x[:1], x._version
    out = AddInPlace.apply(x, y)
    assert out is x
    assert x._version > version
    assert x.grad_fn.name() == "AddInPlaceBackward"
    assert grad(view.sum(), y, retain_graph=True)[0].tolist() == [5, 0]
    assert grad(out.sum(), y)[0].tolist() == [5, 5]


def test_a_dirty_leaf_or_one_not_returned_is_an_error():
    x = tp.ones(2, requires_grad=True)
    with pytest.raises(tp.GradError, match="a leaf that requires grad"):
        AddInPlace.apply(x, tp.ones(2))

    class Lost(AddInPlace):
        @staticmethod
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            return y * 1

    with pytest.raises(tp.GradError, match="was not returned by forward"):
        Lost.apply(x * 1, x)


def test_a_write_after_saving_is_noticed_also_by_a_dirty_function():
    y = tp.ones(2, requires_grad=True)
    x = y * 3
    z = (x * x).sum()
    AddInPlace.apply(x, y)
    with pytest.raises(tp.GradError, match="modified in place"):
        z.backward()


def test_values_that_are_no_tensors_pass_through():
    class Counted(Function):
        @staticmethod
        def forward(ctx, x, name):
            ctx.mark_non_differentiable(places := (x > 0))
            return x * 2, 7, name, places

        @staticmethod
        def backward(ctx, g, count, name, places):
            assert count is None
            assert name is None
            return g * 2, None

    x = tp.ones(2, requires_grad=True)
    y, count, name, places = Counted.apply(x, "n")
    assert (count, name, places.requires_grad) == (7, "n", False)
    assert grad(y.sum(), x)[0].tolist() == [2, 2]


def test_gradients_are_brought_to_the_shape_and_dtype_of_the_input():
    class Broadcast(Function):
        @staticmethod
        def forward(ctx, x):
            return x.double().expand(3, 2).clone()

        @staticmethod
        def backward(ctx, g):
            return g

    x = tp.ones(1, 2, requires_grad=True)
    (g,) = grad(Broadcast.apply(x).sum(), x)
    assert g.tolist() == [[3, 3]]
    assert g.dtype is tp.float32


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (lambda g: tp.ones(5), r"gradient 0 has shape \(5,\), the input \(2,\)"),
        (lambda g: 1.0, "gradient 0 is no tensor but float"),
    ],
)
def test_other_gradients_are_an_error(result, text):
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return result(g)

    x = tp.ones(2, requires_grad=True)
    with pytest.raises(tp.GradError, match=text):
        Wrong.apply(x).sum().backward()


def test_only_tensors_are_saved():
    ctx = FunctionCtx()
    assert ctx.needs_input_grad == ctx.saved_for_forward == ()
    with pytest.raises(tp.DTypeError, match="save_for_backward: argument 1 is no tensor but int"):
        ctx.save_for_backward(tp.ones(1), 3)
    with pytest.raises(tp.DTypeError, match="save_for_forward: argument 0 is no tensor"):
        ctx.save_for_forward("x")
    kept = tp.ones(1)
    ctx.save_for_forward(kept, None)
    assert ctx.saved_for_forward == (kept, None)
