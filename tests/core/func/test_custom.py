"""`autograd.Function` under transforms."""

import pytest

import triptych
from triptych.autograd import Function
from triptych.func import grad, jvp, vmap
from triptych.testing import assert_close


class Cube(Function):
    """x ** 3 with a gradient ten times too large, to see that it is this one that is used."""

    @staticmethod
    def forward(x):
        return x * x * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 30 * x * x


class OldCube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    backward = Cube.backward


class Forward(Cube):
    @staticmethod
    def jvp(ctx, t):
        (x,) = ctx.saved_tensors
        return 300 * x * x * t


class WithRule(Cube):
    seen = ()

    @staticmethod
    def vmap(info, in_dims, x):
        WithRule.seen = (info.batch_size, info.randomness, in_dims)
        return WithRule.apply(x.T), 1


class TwoWays(Function):
    @staticmethod
    def forward(a, b, scale):
        return a * b * scale, (a + b).detach()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2], output[0])
        ctx.scale = inputs[2]
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, g, _):
        a, b, _y = ctx.saved_tensors
        return g * b * ctx.scale, g * a * ctx.scale, None


KINDS = [Cube, OldCube, Forward, WithRule]


@pytest.fixture
def x():
    triptych.manual_seed(0)
    return triptych.randn(4, 3, dtype=triptych.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_the_value_in_a_batch(x, kind):
    assert_close(vmap(kind.apply)(x), x**3)


@pytest.mark.parametrize("kind", KINDS)
def test_its_gradient_outside_a_batch(x, kind):
    def fn(a):
        return vmap(kind.apply)(a).sum()

    assert_close(grad(fn)(x), 30 * x * x)
    assert_close(grad(lambda a: grad(fn)(a).sum())(x), 60 * x)


@pytest.mark.parametrize("kind", [Cube, Forward, WithRule])
def test_its_gradient_inside_a_batch(x, kind):
    found = vmap(grad(lambda a: kind.apply(a).sum()))
    assert_close(found(x), 30 * x * x)
    assert_close(grad(lambda a: found(a).sum())(x), 60 * x)


def test_the_old_form_cannot_be_differentiated_inside(x):
    with pytest.raises(triptych.GradError, match="setup_context"):
        vmap(grad(lambda a: OldCube.apply(a).sum()))(x)


def test_its_own_rule_is_called(x):
    vmap(WithRule.apply, randomness="same")(x)
    assert WithRule.seen == (4, "same", (0,))


def test_forward_mode_by_its_own_jvp_or_from_backward(x):
    ones = triptych.ones_like(x)
    for kind in KINDS:
        value, change = jvp(kind.apply, (x,), (ones,))
        assert_close(value, x**3)
        assert_close(change, (300 if kind is Forward else 30) * x * x)


def test_forward_mode_nests(x):
    ones = triptych.ones_like(x)

    def change(a):
        return jvp(Forward.apply, (a,), (triptych.ones_like(a),))[1]

    assert_close(vmap(change)(x), 300 * x * x)
    assert_close(grad(lambda a: change(a).sum())(x), 600 * x)
    assert_close(jvp(grad(lambda a: Cube.apply(a).sum()), (x,), (ones,))[1], 60 * x)


def test_inputs_that_are_the_same_for_all_samples(x):
    w = x[0] + 1

    def fn(b):
        product, total = vmap(lambda a: TwoWays.apply(a, b, 2.0))(x)
        return product.sum() + total.sum()

    assert_close(grad(fn)(w), 2 * x.sum(0))
    assert_close(jvp(fn, (w,), (w,))[1], (2 * x * w).sum())


def test_a_rule_that_gives_something_else_is_refused(x):
    class Wrong(Cube):
        @staticmethod
        def vmap(info, in_dims, x):
            return x

    with pytest.raises(triptych.TransformError, match="out_dims"):
        vmap(Wrong.apply)(x)


def test_a_custom_operation_keeps_its_derivative(x):
    from triptych.library import custom_op

    @custom_op("tests_func::cube", mutates_args=())
    def cube(a: triptych.Tensor) -> triptych.Tensor:
        return triptych.from_numpy(a.numpy() ** 3)

    def setup(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    def backward(ctx, g):
        (a,) = ctx.saved_tensors
        return g * 3 * a * a

    cube.register_autograd(backward, setup_context=setup)
    cube.register_fake(triptych.empty_like)
    assert_close(vmap(grad(lambda a: cube(a).sum()))(x), 3 * x * x)
    assert_close(grad(lambda rows: vmap(cube)(rows).sum())(x), 3 * x * x)
    assert_close(jvp(cube, (x,), (x,))[1], 3 * x**3)
