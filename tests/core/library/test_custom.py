"""Custom operations in eager mode, backward, capture, compile and vmap."""

from collections.abc import Sequence

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import grad
from triptych.library import (
    CustomOpError,
    Library,
    custom_op,
    define,
    impl,
    infer_schema,
    opcheck,
    operation,
    register_autograd,
    register_fake,
    register_kernel,
    register_vmap,
)
from triptych.library.custom import OPERATIONS, _forget
from triptych.prims import TABLE
from triptych.utils.checkpoint import checkpoint


@pytest.fixture(autouse=True)
def table_as_before():
    before = set(TABLE), set(OPERATIONS)
    yield
    for name in set(OPERATIONS) - before[1]:
        _forget(name)
    assert (set(TABLE), set(OPERATIONS)) == before


@pytest.fixture
def scaled():
    """x * by, computed by NumPy where no trace sees it."""

    @custom_op("test::scaled", mutates_args=())
    def scaled(x: tp.Tensor, by: float = 2.0) -> tp.Tensor:
        """Multiplies."""
        return tp.from_numpy(np.asarray(x.numpy() * by, x.numpy().dtype))

    scaled.register_autograd(
        lambda ctx, g: (scaled(g, ctx.by), None),
        setup_context=lambda ctx, inputs, output: setattr(ctx, "by", inputs[1]),
    )
    scaled.register_fake(lambda x, by=2.0: tp.empty_like(x))
    return scaled


@pytest.fixture
def x():
    return tp.tensor([1.0, 2.0], dtype=tp.float64, requires_grad=True)


def test_calls_bind_like_the_function(scaled):
    x = tp.ones(2)
    assert scaled(x).tolist() == [2, 2]
    assert scaled(x, by=3.0).tolist() == scaled(by=3.0, x=x).tolist() == [3, 3]
    assert scaled.__doc__ == "Multiplies."
    assert repr(scaled) == "<custom operation test::scaled(Tensor x, float by=2.0) -> Tensor>"
    with pytest.raises(TypeError, match="missing a required argument"):
        scaled()


def test_it_is_a_primitive_of_the_table(scaled):
    prim = TABLE["test::scaled"]
    assert prim.kind == "custom"
    assert operation("test::scaled") is scaled
    graph = tp.graph.capture(lambda t: scaled(t) + 1, tp.ones(2))
    assert [eqn.prim.name for eqn in graph.equations] == ["test::scaled", "add"]
    assert tp.graph.replay(graph, tp.full((2,), 5.0)).tolist() == [11, 11]


def test_derivatives_of_first_and_second_order(scaled, x):
    y = scaled(x, 3.0)
    assert y.grad_fn.name() == "test_scaledBackward"
    (g,) = grad((y * y).sum(), x, create_graph=True)
    assert g.tolist() == [18, 36]
    assert grad(g.sum(), x)[0].tolist() == [18, 18]
    assert not scaled(x.detach()).requires_grad
    with tp.no_grad():
        assert not scaled(x).requires_grad


def test_compile_transforms_checkpoint_and_autocast(scaled, x):
    @tp.compile
    def step(t):
        return grad(scaled(t, 3.0).square().sum(), t)[0]

    for _ in range(3):
        assert step(x).tolist() == [18, 36]
    assert tp.func.grad(lambda t: scaled(t, 3.0).sum())(x.detach()).tolist() == [3, 3]
    assert grad(checkpoint(scaled, x, 4.0).sum(), x)[0].tolist() == [4, 4]
    with tp.autocast("cpu"):
        assert scaled(tp.ones(2).bfloat16()).dtype is tp.bfloat16


def test_opcheck_passes(scaled, x):
    results = opcheck(scaled, (x, 4.0))
    assert set(results.values()) == {"SUCCESS"}
    assert len(results) == 4
    assert opcheck("test::scaled", (x.detach(),), test_utils="test_schema") == {
        "test_schema": "SUCCESS"
    }


def test_a_batch_is_a_loop_unless_there_is_a_rule(scaled):
    calls = []
    rows = tp.ones(3, 2)
    assert tp.equal(tp.func.vmap(scaled)(rows), rows * 2)

    def rule(info, in_dims, x, by=2.0):
        calls.append((info.batch_size, in_dims))
        return scaled(x, by), in_dims[0]

    scaled.register_vmap(rule)
    assert tp.equal(tp.func.vmap(lambda r: scaled(r, 3.0))(rows), rows * 3)
    assert calls == [(3, (0, None))]


# Several inputs and outputs, and writes


def test_lists_keywords_and_several_outputs():
    @custom_op("test::joined", mutates_args=())
    def joined(
        xs: Sequence[tp.Tensor], weight: tp.Tensor | None = None, *, k: int
    ) -> tuple[tp.Tensor, tp.Tensor]:
        total = sum(t.sum() for t in xs) * k
        return total, total * 2 if weight is None else total * weight

    def setup(ctx, inputs, keyword_only_inputs, output):
        xs, _ = inputs
        ctx.save_for_backward(*xs)
        ctx.k = keyword_only_inputs["k"]
        assert ctx.needs_input_grad == ([True, False], False, False)

    def backward(ctx, g, h):
        return [tp.ones_like(t) * ctx.k * (g + 2 * h) for t in ctx.saved_tensors], None

    joined.register_autograd(backward, setup_context=setup)
    joined.register_fake(lambda xs, weight=None, *, k: (xs[0].new_empty(()), xs[0].new_empty(())))
    a, b = tp.ones(2, dtype=tp.float64, requires_grad=True), tp.ones(3, dtype=tp.float64)
    one, two = joined([a, b], k=3)
    assert (one.item(), two.item()) == (15, 30)
    assert grad(one + two, a)[0].tolist() == [9, 9]
    assert set(opcheck(joined, ([a, b],), {"k": 3}).values()) == {"SUCCESS"}


def test_operations_that_write():
    @custom_op("test::accumulate", mutates_args={"into"})
    def accumulate(into: tp.Tensor, x: tp.Tensor) -> None:
        into += x

    accumulate.register_fake(lambda into, x: None)
    total = tp.zeros(4)
    view, version = total[:2], total._version
    assert accumulate(view, tp.ones(2)) is None
    assert total.tolist() == [1, 1, 0, 0]
    assert total._version > version
    step = tp.compile(lambda t: accumulate(total, t))
    for _ in range(3):
        step(tp.ones(4))
    assert total.tolist() == [4, 4, 3, 3]
    assert set(opcheck(accumulate, (tp.zeros(2), tp.ones(2))).values()) == {"SUCCESS"}
    with pytest.raises(tp.GradError, match="writes to an argument that requires grad"):
        accumulate(tp.ones(2, requires_grad=True) * 1, tp.ones(2))
    with pytest.raises(CustomOpError, match="only an operation that does not"):
        accumulate.register_autograd(lambda ctx, g: g)
    with pytest.raises(CustomOpError, match="vmap of an operation that writes"):
        tp.func.vmap(lambda t: accumulate(t, t))(tp.ones(2, 2))


# What goes wrong


def test_without_a_derivative_backward_says_so(x):
    op = custom_op("test::plain", lambda x: x + 1, mutates_args=(), schema="(Tensor x) -> Tensor")
    y = op(x)
    with pytest.raises(tp.GradError, match="test::plain: there is no derivative"):
        y.sum().backward()
    with pytest.raises(CustomOpError, match="shapes are not known"):
        tp.graph.capture(op, x.detach())
    with pytest.raises(CustomOpError, match="at least one tensor"):
        op(3)


def checked(fn, schema="(Tensor x) -> Tensor", fake=tp.empty_like, backward=None):
    op = custom_op("test::checked", fn, mutates_args=(), schema=schema)
    op.register_fake(fake)
    if backward is not None:
        op.register_autograd(backward)
    return op


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"fn": lambda x: x.add_(1).clone()}, "writes to tensor 0"),
        ({"fn": lambda x: x[:]}, "gives back memory of an argument"),
        ({"fn": lambda x: (x + 1, x + 2)}, r"wanted 1 tensor\(s\)"),
        ({"fn": lambda x: 3}, "got int"),
        ({"fn": lambda x: x + 1}, "there is no derivative"),
        (
            {"fn": lambda x: x * 2, "backward": lambda ctx, g: g * 3},
            "finite differences",
        ),
        (
            {"fn": lambda x: x * 2, "backward": lambda ctx, g: (g * 2, None)},
            "gave 2 gradients for 1 arguments",
        ),
        (
            {
                "fn": lambda x: x * 2,
                "backward": lambda ctx, g: g * 2,
                "fake": lambda x: x.new_empty(3),
            },
            r"the fake function gives float64\[3\], the kernel float64\[2\]",
        ),
    ],
)
def test_opcheck_finds_what_is_wrong(x, parts, text):
    op = checked(**parts)
    with pytest.raises((CustomOpError, tp.GradError), match=text):
        opcheck(op, (x,))
    failed = [v for v in opcheck(op, (x,), raise_exception=False).values() if v != "SUCCESS"]
    assert failed


def test_a_kernel_that_gives_its_argument_back_is_an_error():
    with pytest.raises(CustomOpError, match="gave one of its arguments back"):
        checked(lambda x: x)(tp.ones(2))


def test_an_error_of_the_kernel_comes_through():
    def broken(x):
        raise ZeroDivisionError("mine")

    op = custom_op("test::broken", broken, mutates_args=(), schema="(Tensor x) -> Tensor")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="mine"):
            op(tp.ones(1))
        op.register_fake(tp.empty_like)


def test_names_and_checks_are_checked():
    with pytest.raises(CustomOpError, match="a name like 'mylib::scaled', got 'plain'"):
        custom_op("plain", lambda x: x, mutates_args=(), schema="(Tensor x) -> Tensor")
    with pytest.raises(tp.errors.UnknownNameError, match="no custom operation"):
        operation("test::nothing")
    with pytest.raises(CustomOpError, match="its name, got int"):
        register_fake(3, print)
    with pytest.raises(CustomOpError, match="opcheck: wanted one of"):
        opcheck(checked(lambda x: x + 1), (tp.ones(1),), test_utils=["test_luck"])


def test_a_name_can_be_given_anew():
    one = checked(lambda x: x + 1)
    two = checked(lambda x: x + 2)
    assert operation("test::checked") is two is not one
    assert two(tp.zeros(1)).item() == 2


# By name, and by schema


def test_registration_by_name(x):
    custom_op("test::named", lambda x: x * 2, mutates_args=(), schema="(Tensor x) -> Tensor")

    @register_fake("test::named")
    def fake(x):
        return tp.empty_like(x)

    @register_vmap("test::named")
    def rule(info, in_dims, x):
        return x * 2, in_dims[0]

    register_autograd("test::named", lambda ctx, g: g * 2)
    assert set(opcheck("test::named", (x,)).values()) == {"SUCCESS"}
    assert tp.func.vmap(operation("test::named"))(tp.ones(2, 3)).shape == (2, 3)

    @register_kernel("test::named", "cpu")
    def kernel(x):
        return x * 5

    assert operation("test::named")(tp.ones(1)).item() == 5
    with pytest.raises(CustomOpError, match="no device type is named 'tpu'"):
        register_kernel("test::named", "tpu", kernel)


def test_a_library_defines_and_implements():
    lib = Library("testlib", "DEF")
    assert lib.define("shifted(Tensor x, int by=1) -> Tensor") == "shifted"
    op = operation("testlib::shifted")
    with pytest.raises(CustomOpError, match="no kernel for cpu tensors"):
        op(tp.ones(1))
    lib.impl("shifted", lambda x, by=1: x + by, "CPU")
    impl("testlib::shifted", "Meta")(lambda x, by=1: tp.empty_like(x))
    assert op(tp.ones(1), 4).item() == 5
    assert op(tp.ones(1)).item() == 2
    assert tp.graph.capture(op, tp.ones(1)).equations[0].prim.name == "testlib::shifted"
    with pytest.raises(CustomOpError, match="wanted one of cpu"):
        impl("testlib::shifted", "Toaster", print)
    lib._destroy()
    assert "testlib::shifted" not in TABLE
    define("test::empty", "(Tensor(a!) x) -> ()")
    assert operation("test::empty")._schema.mutates == ("x",)
    with pytest.raises(CustomOpError, match="'DEF' or 'FRAGMENT'"):
        Library("testlib", "IMPL")


def all_kinds(
    a: tp.Tensor,
    b: Sequence[tp.Tensor],
    c: int | None,
    d: list[int] = (1, 2),
    *,
    e: bool = True,
    f: str = "mean",
    g: tp.dtype = tp.float32,
) -> tuple[tp.Tensor, tp.Tensor]: ...


def test_schemas_of_functions():
    assert infer_schema(all_kinds, mutates_args=["a"], op_name="ns::all") == (
        "ns::all(Tensor(a0!) a, Tensor[] b, SymInt? c, SymInt[] d=(1, 2), *, bool e=True, "
        'str f="mean", ScalarType g=float32) -> (Tensor, Tensor)'
    )

    def unannotated(x) -> tp.Tensor: ...
    def no_result(x: tp.Tensor): ...
    def odd(x: dict) -> tp.Tensor: ...
    def many(*xs: tp.Tensor) -> tp.Tensor: ...
    def unknown_count(x: tp.Tensor) -> list[tp.Tensor]: ...

    for fn, text in (
        (unannotated, "parameter x has no annotation"),
        (no_result, "the result has no annotation"),
        (odd, "parameter x is annotated"),
        (many, r"no \*args"),
        (unknown_count, "a tuple of a fixed number"),
    ):
        with pytest.raises(CustomOpError, match=text):
            infer_schema(fn)
    with pytest.raises(CustomOpError, match="no parameter is named y"):
        infer_schema(unknown_count, mutates_args="y")


@pytest.mark.parametrize("schema", ["Tensor x", "(Tensor) -> Tensor", "(Tensor x) -> Tensor[]"])
def test_schemas_that_cannot_be_read(schema):
    with pytest.raises(CustomOpError, match="schema"):
        define("test::bad", schema)
