"""Writing into tensors: version counts, saved values, views, and the gradients of writes."""

import operator
import weakref

import numpy as np
import pytest

import triptych as tp
import triptych.nn.functional as F
from triptych.autograd import grad, gradcheck


def leaf(*values):
    return tp.tensor(values, dtype=tp.float64, requires_grad=True)


def matrix():
    return tp.arange(12.0, dtype=tp.float64).reshape(3, 4)


# Numbers and versions


def test_an_in_place_method_returns_the_tensor_itself():
    x = tp.ones(2)
    assert x.add_(1) is x and x.tolist() == [2.0, 2.0] and x._version == 1


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (operator.iadd, [9.0, 5.0]),
        (operator.isub, [5.0, 1.0]),
        (operator.imul, [14.0, 6.0]),
        (operator.itruediv, [3.5, 1.5]),
        (operator.ifloordiv, [3.0, 1.0]),
        (operator.imod, [1.0, 1.0]),
        (operator.ipow, [49.0, 9.0]),
    ],
)
def test_augmented_assignment_writes_in_place(op, expected):
    x = tp.tensor([7.0, 3.0])
    y = x
    y = op(y, 2)
    assert y is x and x.tolist() == expected


@pytest.mark.parametrize("shape", [(), (4,), (1, 4), (3, 1), (1, 1, 1), (2, 1, 4), (2, 3, 4)])
def test_what_is_written_in_may_be_smaller(shape):
    numbers = np.arange(24.0).reshape(2, 3, 4)
    other = 1 + np.arange(float(np.prod(shape))).reshape(shape)
    x = tp.tensor(numbers)
    memory = x.numpy()
    assert x.sub_(tp.tensor(other)) is x and x.div_(tp.tensor(other)) is x
    np.testing.assert_array_equal(memory, (numbers - other) / other)
    assert x._version == 2


def test_what_is_written_in_may_be_a_part_of_the_tensor():
    x = matrix()
    x.sub_(x[:1])
    assert x.tolist() == (np.arange(12.0).reshape(3, 4) - np.arange(4.0)).tolist()


@pytest.mark.parametrize("shape", [(1, 3), (2, 1, 3), (4,)])
def test_what_is_written_in_may_not_be_larger(shape):
    x = tp.zeros(3)
    with pytest.raises(ValueError, match="shape"):
        x.sub_(tp.ones(shape))
    assert x.tolist() == [0, 0, 0]


def test_augmented_assignment_of_bits_and_products():
    x = tp.tensor([6, 3])
    x &= 3
    x |= 8
    x ^= 1
    x <<= 2
    x >>= 1
    assert x.tolist() == [((6 & 3 | 8) ^ 1) * 2, ((3 & 3 | 8) ^ 1) * 2]
    y = tp.eye(2)
    y @= tp.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert y.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_x_i_plus_equals_writes_once_to_the_numbers():
    x = matrix()
    x[1] += 100
    x[:, 0] *= 0
    expected = np.arange(12.0).reshape(3, 4)
    expected[1] += 100
    expected[:, 0] *= 0
    np.testing.assert_array_equal(x.numpy(), expected)


def test_views_and_detached_twins_share_the_version():
    x = matrix()
    row, twin = x[0], x.detach()
    row.zero_()
    twin[0, 0] = 5
    assert x._version == row._version == twin._version == 2
    assert row.tolist() == [5.0, 0.0, 0.0, 0.0]
    assert x.clone()._version == 0


def test_the_dtype_stays():
    x = tp.tensor([1, 2])
    x += 1
    assert x.dtype is tp.int64
    y = tp.ones(2, dtype=tp.float16)
    y += tp.ones(2, dtype=tp.float64)
    assert y.dtype is tp.float16 and y.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("x", "write"),
    [
        (tp.tensor([1]), lambda x: x.add_(0.5)),
        (tp.tensor([1]), lambda x: x.__itruediv__(2)),
        (tp.tensor([1.0]), lambda x: x.mul_(1j)),
        (tp.tensor([True]), lambda x: x.add_(1)),
    ],
)
def test_a_result_of_a_higher_kind_is_refused(x, write):
    before = x.clone()
    with pytest.raises(tp.DTypeError, match="cannot hold; use the out-of-place form"):
        write(x)
    assert tp.equal(x, before) and x._version == 0


def test_the_shape_stays():
    with pytest.raises(tp.ShapeError, match=r"add_: the result has shape \(2, 3\).*\(3,\)"):
        tp.ones(3).add_(tp.ones(2, 3))


def test_copy_broadcasts_and_converts():
    x = tp.zeros(2, 3)
    x.copy_(tp.tensor([1, 2, 3]))
    assert x.tolist() == [[1.0, 2.0, 3.0]] * 2
    x.copy_(np.ones((2, 3)))
    assert x.sum().item() == 6


# Memory


def test_overlapping_source_and_target():
    x = tp.arange(6.0)
    x[1:] = x[:-1]
    assert x.tolist() == [0.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    y = tp.arange(9.0).reshape(3, 3)
    y.copy_(y.T)
    assert y.tolist() == [[0.0, 3.0, 6.0], [1.0, 4.0, 7.0], [2.0, 5.0, 8.0]]
    z = tp.arange(6.0)
    z[1:] += z[:-1]
    assert z.tolist() == [0.0, 1.0, 3.0, 5.0, 7.0, 9.0]
    w = tp.arange(4.0)
    w[tp.tensor([0, 1, 2])] = w[1:]
    assert w.tolist() == [1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(
    "stretched",
    [
        lambda: tp.zeros(3).expand(2, 3),
        lambda: tp.zeros(1, 3).expand(2, 3)[:, 1:],
        lambda: tp.zeros(5).unfold(0, 3, 1),
    ],
)
def test_a_number_that_stands_for_several_elements_is_not_written_to(stretched):
    x = stretched()
    for write in (lambda: x.add_(1), lambda: x.fill_(1), lambda: x.__setitem__(0, 1.0)):
        if x.stride()[-1] == 1 and write.__code__.co_names == ("__setitem__",):
            continue  # one row is one place per element
        with pytest.raises(tp.ShapeError, match=r"one place in memory.*clone\(\)"):
            write()
    assert x.sum().item() == 0


def test_strided_memory_without_overlap_is_written_to():
    x = matrix()
    for part in (x.T, x[::2, ::-1], x.diagonal(), x[:, None, 1:3], x.permute(1, 0)[1:]):
        part += 1
    expected = np.arange(12.0).reshape(3, 4)
    for part in (
        expected.T,
        expected[::2, ::-1],
        np.einsum("ii->i", expected[:, :3]),
        expected[:, None, 1:3],
        expected.T[1:],
    ):
        part += 1
    np.testing.assert_array_equal(x.numpy(), expected)


def test_expanding_without_stretching_can_be_written_to():
    x = tp.zeros(3)
    x.expand(1, 3).add_(1)
    assert x.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.add_(1),
        lambda x: x.__setitem__(0, 1),
        lambda x: x.__setitem__(x > 0, 1),
        lambda x: x.zero_(),
    ],
)
def test_read_only_memory_is_refused_clearly(write):
    array = np.ones(3)
    array.flags.writeable = False
    x = tp.from_numpy(array)
    with pytest.raises(tp.ReadOnlyError, match=r"read-only.*clone\(\)"):
        write(x)
    assert x._version == 0
    with pytest.raises(ValueError, match="read-only"):
        write(tp.frombuffer(np.ones(3).tobytes(), dtype=tp.float64))


# Leaves


def test_leaves_that_require_grad_are_not_written_to():
    x = leaf(1.0, 2.0)
    for write in (
        lambda: x.add_(1),
        lambda: x.__setitem__(0, 5.0),
        lambda: x.__setitem__(tp.tensor([0]), 5.0),
    ):
        with pytest.raises(tp.GradError, match=r"leaf that requires grad.*no_grad\(\)"):
            write()
    with pytest.raises(tp.GradError, match="a view of a leaf"):
        x[:1].mul_(2)
    assert x.tolist() == [1.0, 2.0] and x._version == 0


def test_under_no_grad_everything_may_be_written_to():
    x = leaf(1.0, 2.0)
    with tp.no_grad():
        x += 1
        x[0] = 7
        x[x > 6] = 8
        x[tp.tensor([1])] = 4
    assert x.tolist() == [8.0, 4.0] and x.requires_grad and x.is_leaf and x._version == 4


def test_a_constant_leaf_becomes_a_result_when_history_is_written_into_it():
    x, buffer = leaf(2.0, 3.0), tp.zeros(4, dtype=tp.float64)
    buffer[1:3] = x * x
    assert buffer.requires_grad and not buffer.is_leaf
    (buffer * tp.arange(4.0, dtype=tp.float64)).sum().backward()
    assert x.grad.tolist() == [4.0, 12.0]


# Saved values


def test_writing_to_a_saved_value_is_an_error_that_names_both_places():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = y.exp() * y
    y.add_(1)
    with pytest.raises(tp.GradError) as caught:
        z.sum().backward()
    text = str(caught.value)
    assert "mul saved was modified in place by add_ at " in text
    assert "test_inplace.py:" in text and "clone()" in text
    assert "version 1, saved at version 0" in text


def test_a_write_through_a_view_is_noticed_too():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = (y * y).sum()
    y[0] = 5.0
    with pytest.raises(tp.GradError, match="modified in place by indexed assignment"):
        z.backward()


def test_a_write_through_a_detached_twin_is_noticed_too():
    y = leaf(1.0, 2.0) * 1
    z = y.exp().sum()
    y.detach().zero_()
    z.backward()  # exp keeps its result, not y
    z = (y * y).sum()
    y.detach().zero_()
    with pytest.raises(tp.GradError, match="modified in place by fill_"):
        z.backward()


def test_writing_to_a_value_that_was_not_saved_is_fine():
    x = leaf(1.0, 2.0)
    y = x * 2
    z = (y + 1).sum()
    y.zero_()
    z.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_writing_to_a_saved_result_is_an_error():
    y = leaf(1.0).exp()
    y += 1
    with pytest.raises(tp.GradError, match=r"exp saved was modified in place by i?add_"):
        y.sum().backward()


IN_PLACE = [
    "abs",
    "cos",
    "exp",
    "expm1",
    "log",
    "log1p",
    "neg",
    "reciprocal",
    "relu",
    "rsqrt",
    "sigmoid",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
]


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_functions_have_the_gradient_of_the_others(name):
    x = leaf(0.3, 0.6)
    y = x * 1
    getattr(y, name + "_")()
    (g,) = grad(y.sum(), x)
    (expected,) = grad(getattr(x, name)().sum(), x)
    np.testing.assert_allclose(g.numpy(), expected.numpy())


def test_in_place_products_keep_their_own_copy_of_what_they_replace():
    x, w = leaf(2.0, 3.0), leaf(5.0, 7.0)

    def fn(x, w):
        y = x * 1
        y.mul_(w)
        y.div_(w * w)
        y.pow_(2)
        y[:1] *= w[:1]
        y *= y
        return y

    assert gradcheck(fn, [x, w])
    assert gradcheck(lambda x, w: (x * 1).addcmul_(x, w, value=2).lerp_(w, 0.3), [x, w])


# Writes through views


CASES = {
    "a row": lambda x, w: x[1].mul_(w),
    "a column": lambda x, w: x[:, 1].copy_(w[:3]),
    "a transpose": lambda x, w: x.T.mul_(w[:3]),
    "a view of a view": lambda x, w: x.T[1:][0].mul_(w[:3]),
    "a reshape": lambda x, w: x.view(-1)[3:7].add_(w),
    "a diagonal": lambda x, w: x.diagonal().mul_(w[:3]),
    "an unsqueezed view": lambda x, w: x.unsqueeze(0)[0, 2].mul_(w),
    "a split piece": lambda x, w: x.split(2)[1].mul_(w),
    "every second": lambda x, w: x[::2, ::2].mul_(w[:2]),
    "backwards": lambda x, w: x[:, ::-1].mul_(w),
    "assignment": lambda x, w: operator.setitem(x, (slice(1, 3), 2), w[:2]),
    "broadcast assignment": lambda x, w: operator.setitem(x, slice(0, 2), w),
    "augmented item": lambda x, w: operator.setitem(x, 1, operator.imul(x[1], w)),
    "an index": lambda x, w: operator.setitem(x, tp.tensor([2, 0]), w),
    "an index of a view": lambda x, w: operator.setitem(x.T, tp.tensor([2, 0]), w[:3]),
    "a mask and a number": lambda x, w: operator.setitem(x, x.detach() > 6, w[0]),
    "a mask over one dim": lambda x, w: operator.setitem(x, tp.tensor([True, False, True]), w[2]),
    "a mask and values": lambda x, w: operator.setitem(
        x, (slice(0, 1), tp.tensor([True, False, True, False])), w[:2]
    ),
    "a constant": lambda x, w: operator.setitem(x, (0, slice(None)), 0.0),
    "zeros": lambda x, w: x[2].zero_(),
    "overlapping parts": lambda x, w: operator.setitem(x, (0, slice(1, None)), x[0, :-1] * 0.7),
    "unshifted overlap": lambda x, w: operator.setitem(x[1], slice(1, None), x[1, :-1]),
}


@pytest.mark.parametrize("write", CASES.values(), ids=CASES)
def test_gradients_of_writes_through_views(write):
    rng = np.random.default_rng(3)
    x = tp.tensor(np.arange(12.0).reshape(3, 4) + rng.random((3, 4)), requires_grad=True)
    w = tp.tensor(rng.uniform(0.5, 2, 4), requires_grad=True)

    def fn(x, w):
        y = x * 2
        kept = y[1:, 1]  # a view from before the write
        write(y, w)
        return y.sin(), kept * 3, y[1:, 1] * y[0, 0]

    assert gradcheck(fn, [x, w])


def test_a_view_sees_the_history_of_a_write_to_its_base():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * 1
    first = y[0]
    y.mul_(w)
    assert first.item() == 3.0
    gx, gw = grad(first, [x, w])
    assert (gx.tolist(), gw.tolist()) == ([3.0, 0.0], [1.0, 0.0])


def test_a_base_and_its_other_views_see_a_write_through_one_view():
    x, w = leaf(1.0, 2.0, 3.0), leaf(10.0)
    y = x * 1
    head, tail = y[:2], y[1:]
    head.mul_(w)
    gx, gw = grad(tail.sum(), [x, w], retain_graph=True)
    assert (gx.tolist(), gw.tolist()) == ([0.0, 10.0, 1.0], [2.0])
    gx, gw = grad(y.sum(), [x, w])
    assert (gx.tolist(), gw.tolist()) == ([10.0, 10.0, 1.0], [3.0])


def test_hooks_of_a_view_survive_writes_without_history():
    x = leaf(1.0, 2.0)
    y = x * 1
    v = y[0]
    v.register_hook(lambda g: g * 10)
    v.retain_grad()
    with tp.no_grad():
        y += 1
        assert v.requires_grad
    v.backward()
    assert x.grad.tolist() == [10.0, 0.0] and v.grad.item() == 10.0


def test_a_view_made_under_no_grad_stays_without_history():
    x = leaf(1.0, 2.0)
    with tp.no_grad():
        v = x[0]
        x.mul_(3)
    assert not v.requires_grad and v.item() == 3.0 and not v[None].requires_grad


def test_a_view_made_under_no_grad_is_not_written_to_outside():
    y = leaf(1.0, 2.0) * 1
    with tp.no_grad():
        v = y[:1]
        v += 1
    with pytest.raises(tp.GradError, match=r"view that was made under no_grad\(\)"):
        v.mul_(2)
    buffer = tp.zeros(2)
    with tp.no_grad():
        v = buffer[:1]
    v.add_(1)  # nothing to record
    assert buffer.tolist() == [1.0, 0.0]


def test_a_write_that_needs_no_gradient_gives_its_part_none():
    x = leaf(1.0, 2.0)
    y = x * 3
    v = y[0]
    v.fill_(9)
    assert v.requires_grad  # part of something that does
    assert grad(y.sum(), x, retain_graph=True)[0].tolist() == [0.0, 3.0]
    assert grad(v, x)[0].tolist() == [0.0, 0.0]


def test_in_place_on_a_detached_twin_gives_the_twin_a_history_of_its_own():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * 1
    d = y.detach()
    d.mul_(w)
    d[0] *= w[1]
    assert d.requires_grad
    gx, gw = grad(d.sum() + y.sum(), [x, w])
    assert (gx.tolist(), gw.tolist()) == ([1.0, 1.0], [4.0, 5.0])


def test_detach_in_place_refuses_views():
    with pytest.raises(tp.GradError, match=r"detach_: the tensor is a view; use detach\(\)"):
        (leaf(1.0, 2.0) * 1)[0].detach_()


def test_views_of_memory_from_elsewhere_are_views():
    raw = bytearray(np.arange(6.0).tobytes())
    pools = (
        tp.frombuffer(raw, dtype=tp.float64),
        tp.from_dlpack(np.arange(6.0)),
        tp.arange(6.0, dtype=tp.float64).unfold(0, 6, 1)[0],
    )
    for x in pools:
        w = leaf(2.0)
        x.reshape(2, 3)[1].mul_(w)
        assert x.requires_grad and x.tolist() == [0.0, 1.0, 2.0, 6.0, 8.0, 10.0]
        assert grad(x.sum(), w)[0].tolist() == [12.0]


def test_view_refuses_what_would_be_a_copy():
    with pytest.raises(tp.ShapeError, match=r"needs a copy; use reshape\(\)"):
        matrix().T.view(12)
    assert matrix().T.reshape(12)[1].item() == 4.0


def test_view_as_another_dtype_shares_memory_and_version():
    x = tp.ones(2)
    bits = x.view(tp.int32)
    bits.zero_()
    assert x.tolist() == [0.0, 0.0] and x._version == 1
    with pytest.raises(tp.DTypeError, match="differ in width"):
        x.view(tp.float64)


def test_random_numbers_in_place():
    g = tp.Generator().manual_seed(1)
    x = tp.zeros(1000, dtype=tp.float64)
    assert x.uniform_(2, 4, generator=g) is x
    assert x.min().item() >= 2 and x.max().item() < 4 and abs(x.mean().item() - 3) < 0.1
    x.normal_(5, 0.1, generator=g)
    assert abs(x.mean().item() - 5) < 0.02
    x.bernoulli_(0.25, generator=g)
    assert set(x.tolist()) == {0.0, 1.0} and abs(x.mean().item() - 0.25) < 0.06
    x.random_(2, 5, generator=g)
    assert set(x.tolist()) == {2.0, 3.0, 4.0}


def test_the_same_write_twice_through_x_i():
    x, w = leaf(1.0, 2.0), leaf(3.0)
    y = x * 1
    for _ in range(3):
        y[0] *= w[0]
    gx, gw = grad(y.sum(), [x, w])
    assert (gx.tolist(), gw.tolist()) == ([27.0, 1.0], [27.0])


def test_a_stale_view_written_to_under_no_grad_still_learns_its_history():
    for write in (lambda v: v.zero_(), lambda v: operator.setitem(v, tp.tensor([0]), 0.0)):
        x = leaf(1.0, 2.0)
        y = x * 3
        v = y[:]
        y[0] = 5.0  # from here on x[0] does not matter
        with tp.no_grad():
            write(v)
        assert grad(v.sum(), x)[0].tolist() == [0.0, 3.0]


def test_functions_that_write_over_their_input():
    x = tp.tensor([-1.0, 2.0])
    assert tp.threshold_(x, 0.0, 5.0) is x
    assert x.tolist() == [5, 2]
    assert tp.dropout_(x, 1.0, True) is x
    assert x.tolist() == [0, 0]
    assert tp.resize_as_(x, tp.ones(1)).shape == (1,)
    assert tp.celu_(tp.tensor([1.0])).tolist() == tp.selu_(tp.tensor([0.0])).add(1).tolist() == [1]
    assert not tp.is_inference(x) and not x.is_inference()


# Memory that changes hands


def test_a_result_that_nothing_else_holds_is_not_copied():
    x = tp.randn(8, 9, requires_grad=True)
    for write in (lambda y: F.relu(y, inplace=True), lambda y: y.add_(x)):
        y = x * 2
        before = weakref.ref(y._data)
        assert write(y) is y
        assert before() is None, "the memory of y is still there"
        y.sum().backward()


def test_whoever_holds_the_memory_sees_the_write():
    x = tp.randn(8, 9, requires_grad=True)
    for look in (lambda y: y[2:], lambda y: y.detach(), lambda y: y.detach().numpy()):
        y = x * 2
        seen = look(y)
        F.relu(y, inplace=True)
        array = seen if isinstance(seen, np.ndarray) else seen.detach().numpy()
        assert np.shares_memory(array, y.detach().numpy())
        assert array.min() == 0


def test_writes_after_an_exchange_leave_what_was_saved():
    """The gradient of relu is read from its result, which later writes change."""
    start = np.linspace(-2, 3, 12, dtype=np.float32)
    for write in (lambda y: y.mul_(0), lambda y: y[3:].zero_(), lambda y: y.copy_(y * 0)):
        x = tp.tensor(start, requires_grad=True)
        y = F.relu(x * 1, inplace=True)
        kept = y * 1
        write(y)
        (kept.sum() + y.sum()).backward()
        assert ((x.grad.numpy() > 0) == (start > 0))[:3].all()
        np.testing.assert_array_equal(x.grad.numpy()[3:] > 0, start[3:] > 0)
        assert np.all(y.detach().numpy()[3:] == 0)


def test_a_value_of_the_user_is_never_taken():
    x, given = tp.randn(4, 5, requires_grad=True), tp.randn(4, 5, requires_grad=True) * 1
    y = x * 2
    y.copy_(given)
    assert not np.shares_memory(y.detach().numpy(), given.detach().numpy())
    y.add_(1)
    assert not np.array_equal(y.detach().numpy(), given.detach().numpy())


def test_writes_after_an_exchange_that_are_not_recorded_leave_it_too():
    x = tp.randn(6, requires_grad=True)
    y = F.relu(x * 1, inplace=True)
    with tp.no_grad():
        y.add_(1)  # what relu saved stays
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), (x.detach().numpy() > 0).astype(np.float32))
