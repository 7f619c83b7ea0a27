"""``x[key]`` and ``x[key] = value`` against NumPy, and where torch's rules differ from NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import triptych as tp
from triptych.autograd import grad, gradcheck

LENGTHS = st.lists(st.integers(0, 4), min_size=0, max_size=4).map(tuple)


@st.composite
def basic_keys(draw, shape):
    """Keys of ints, slices, None and Ellipsis that fit a shape."""
    parts = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        step = draw(st.sampled_from([None, 1, 2, 3, -1, -2]))
        bound = st.none() | st.integers(-6, 6)
        choice = draw(st.integers(0, 2))
        if choice == 0 and n:
            parts.append(draw(st.integers(-n, n - 1)))
        else:
            parts.append(slice(draw(bound), draw(bound), step))
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


@st.composite
def array_keys(draw, shape):
    """Keys of index arrays, masks and slices, without ints or None."""
    parts, axis = [], 0
    lengths = draw(st.sampled_from([(3,), (2, 1), (1,), (0,), ()]))
    while axis < len(shape):
        kind = draw(st.integers(0, 3))
        n = shape[axis]
        if kind == 0 and n and lengths:
            values = st.integers(-n, n - 1)
            count = int(np.prod(lengths))
            flat = draw(st.lists(values, min_size=count, max_size=count))
            parts.append(np.array(flat, np.int64).reshape(lengths))
        elif kind == 1 and not any(isinstance(p, np.ndarray) for p in parts):
            width = draw(st.integers(1, min(2, len(shape) - axis)))
            extent = shape[axis : axis + width]
            count = int(np.prod(extent))
            flat = draw(st.lists(st.booleans(), min_size=count, max_size=count))
            parts.append(np.array(flat, bool).reshape(extent))
            lengths = ()  # a mask and index arrays would have to broadcast
            axis += width - 1
        else:
            parts.append(slice(None, None, draw(st.sampled_from([None, 2, -1]))))
        axis += 1
    return tuple(parts)


def numbered(shape):
    return np.arange(int(np.prod(shape)), dtype=np.float64).reshape(shape)


def ours(key):
    return tuple(tp.tensor(p) if isinstance(p, np.ndarray) else p for p in key)


@given(st.data(), LENGTHS)
@settings(max_examples=200, deadline=None)
def test_reading_with_basic_keys(data, shape):
    key = data.draw(basic_keys(shape))
    array = numbered(shape)
    x = tp.from_numpy(array)
    got = x[key]
    np.testing.assert_array_equal(got.numpy(), array[key])
    assert got.numel() == 0 or np.shares_memory(got.numpy(), array)
    assert got._cell is x._cell


@given(st.data(), LENGTHS)
@settings(max_examples=200, deadline=None)
def test_writing_with_basic_keys(data, shape):
    key = data.draw(basic_keys(shape))
    array = numbered(shape)
    x = tp.tensor(array)
    part = array[key].shape
    value = -1.0 - numbered(part) if data.draw(st.booleans()) else -1.0
    array[key] = value
    x[key] = tp.tensor(value) if isinstance(value, np.ndarray) else value
    np.testing.assert_array_equal(x.numpy(), array)


@given(st.data(), LENGTHS.filter(len))
@settings(max_examples=200, deadline=None)
def test_reading_with_arrays(data, shape):
    key = data.draw(array_keys(shape))
    array = numbered(shape)
    np.testing.assert_array_equal(tp.tensor(array)[ours(key)].numpy(), array[key])


@given(st.data(), LENGTHS.filter(len), st.booleans())
@settings(max_examples=200, deadline=None)
def test_writing_with_arrays(data, shape, recorded):
    key = data.draw(array_keys(shape))
    array = numbered(shape)
    x = tp.tensor(array)
    if recorded:
        x = x.requires_grad_() * 1
    value = np.asarray(-1.0)
    if data.draw(st.booleans()):
        value = -1.0 - numbered(array[key].shape)
        if any(isinstance(p, np.ndarray) and p.dtype != bool for p in key):
            value = np.full(array[key].shape, -2.0)  # repeated places: which value wins is open
    array[key] = value
    x[ours(key)] = tp.tensor(value)
    np.testing.assert_array_equal(x.detach().numpy(), array)


@given(st.data(), LENGTHS.filter(len))
@settings(max_examples=100, deadline=None)
def test_the_gradient_of_reading_adds_up_what_was_read(data, shape):
    key = data.draw(array_keys(shape) | basic_keys(shape))
    x = tp.tensor(numbered(shape), requires_grad=True)
    (g,) = grad(x[ours(key)].sum(), x)
    expected = np.zeros(shape)
    np.add.at(expected, key, 1.0)
    np.testing.assert_array_equal(g.numpy(), expected)


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ((0, slice(None), [0, 1]), (3, 2)),  # in NumPy (2, 3)
        ((0, slice(None), [0, 1, 1]), (3, 3)),
        ((tp.tensor(0), slice(None), [0, 1]), (3, 2)),
        (([0, 1], 0), (2, 4)),
        ((slice(None), 0, [0, 1]), (2, 2)),
        (([0, 1], None, [0, 1]), (2, 1, 4)),
        ((..., [0, 1], None), (2, 3, 2, 1)),
        ((True,), (1, 2, 3, 4)),
        ((tp.tensor(False), 0), (0, 3, 4)),
        (([[True, False, True], [False, False, True]],), (3, 4)),
    ],
)
def test_ints_pick_before_index_tensors_as_in_torch(key, shape):
    x = tp.arange(24).reshape(2, 3, 4)
    assert tuple(x[key].shape) == shape


def test_ints_before_index_tensors_when_writing():
    x = tp.zeros(2, 3, 4, dtype=tp.int64)
    x[0, :, [3, 1]] = tp.tensor([[1, 2], [3, 4], [5, 6]])
    assert x[0, :, 3].tolist() == [1, 3, 5] and x[0, :, 1].tolist() == [2, 4, 6]
    assert x[1].sum().item() == 0


@pytest.mark.parametrize("kind", [tp.uint8, tp.int8, tp.int16, tp.int32, tp.int64])
def test_indices_of_every_integer_type(kind):
    x = tp.arange(5)
    assert x[tp.tensor([3, 1], dtype=kind)].tolist() == [3, 1]
    assert x[np.array([3, 1], kind.dtype)].tolist() == [3, 1]
    assert x[tp.tensor(2, dtype=kind)].item() == 2
    assert x[kind.dtype.type(2)].item() == 2


def test_lists_ranges_of_bools_and_numpy_arrays_are_indices():
    x = tp.arange(4)
    assert x[[0, -1]].tolist() == [0, 3]
    assert x[[True, False, False, True]].tolist() == [0, 3]
    assert x[np.array([True, False, False, True])].tolist() == [0, 3]
    assert x[[]].shape == (0,)
    assert x[tp.tensor([])].shape == (0,)


def test_a_0d_integer_tensor_gives_a_view():
    x = tp.zeros(3)
    x[tp.tensor(1)] += 5
    assert x.tolist() == [0.0, 5.0, 0.0]


def test_repeated_indices():
    x = tp.zeros(3)
    x[[0, 0, 1]] += 1
    assert x.tolist() == [1.0, 1.0, 0.0]  # as in NumPy and torch: read, add, write
    assert tp.zeros(3).index_add(0, tp.tensor([0, 0, 1]), tp.ones(3)).tolist() == [2.0, 1.0, 0.0]
    assert tp.zeros(3).index_put((tp.tensor([0, 0]),), tp.ones(2), accumulate=True).tolist() == [
        2.0,
        0.0,
        0.0,
    ]
    sums = tp.zeros(2).index_put((tp.tensor([0, 0]),), tp.ones(1, 1, 2), accumulate=True)
    assert sums.tolist() == [2.0, 0.0]  # as in assignments, axes of one in front do not count
    y = tp.tensor([1.0, 2.0], dtype=tp.float64, requires_grad=True)
    assert grad(y[[0, 0, 1]].sum(), y)[0].tolist() == [2.0, 1.0]


def test_broadcasting_in_assignment():
    x = tp.zeros(2, 3)
    x[:] = tp.tensor([1.0, 2.0, 3.0])
    x[:, :1] = tp.tensor([[7.0], [8.0]])
    x[0] = tp.ones(1, 1, 3) * 9
    x[[1]] = tp.tensor([4.0, 5.0, 6.0])
    assert x.tolist() == [[9.0] * 3, [4.0, 5.0, 6.0]]
    x[...] = 0
    assert x.sum().item() == 0


def test_assignment_converts_to_the_dtype_of_the_target():
    x = tp.zeros(3, dtype=tp.int64)
    x[0], x[1] = 2.9, tp.tensor(3.9)
    x[x == 0] = np.float32(1.5)
    assert x.tolist() == [2, 3, 1]
    y = tp.zeros(2, dtype=tp.bfloat16)
    y[0] = 1.5
    assert y.tolist() == [1.5, 0.0]


def test_numbers_keep_double_precision():
    for x in (tp.zeros(3, dtype=tp.float64), tp.zeros(3, dtype=tp.float64, requires_grad=True) * 1):
        x[0] = 0.1
        x[[1]] = 0.1
        x[x == 0] = 0.1
        assert x.tolist() == [0.1] * 3
    assert tp.zeros(1, dtype=tp.float64).copy_(0.1).item() == 0.1


@pytest.mark.parametrize(
    ("x", "value"),
    [
        (tp.zeros(2, dtype=tp.uint8), 300),
        (tp.zeros(2, dtype=tp.uint8), -1),
        (tp.zeros(2, dtype=tp.int64), float("nan")),
        (tp.zeros(2, dtype=tp.int64), float("inf")),
        (tp.zeros(2), 1j),
    ],
)
def test_numbers_that_do_not_fit_are_refused(x, value):
    with pytest.raises(tp.DTypeError, match=r"does not fit \w+; convert"):
        x[0] = value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (3, "out of bounds"),
        (-4, "out of bounds"),
        ((0, 0, 0), "too many indices"),
        ((..., ...), "single ellipsis"),
        (tp.tensor([3]), "out of bounds"),
        (tp.tensor([-4]), "out of bounds"),
        ((slice(None), [5]), "out of bounds"),
        (tp.tensor([True, False]), "did not match"),
        (tp.tensor([[True]]), "did not match"),
        (([0, 1], [0, 1, 0]), "could not be broadcast"),
        (1.0, "wanted ints, slices"),
        ("a", "wanted ints, slices"),
        ([0.5], "wanted integer or boolean tensors, got .*float32"),
        (slice(0.5, None), "wanted ints, slices"),
    ],
)
def test_bad_keys_are_index_errors_when_reading_and_writing(key, text):
    x = tp.zeros(3, 2)
    with pytest.raises(IndexError, match=text) as caught:
        x[key]
    assert isinstance(caught.value, tp.BoundsError)
    with pytest.raises(IndexError, match=text):
        x[key] = 1.0
    with pytest.raises(IndexError, match=text):
        (x.requires_grad_() * 1)[key] = 1.0


@pytest.mark.parametrize("key", [0, slice(None), [0, 1], (slice(None), [0])])
def test_a_value_that_does_not_broadcast_is_named(key):
    for x in (tp.zeros(2, 3), tp.zeros(2, 3, requires_grad=True) * 1):
        with pytest.raises(tp.ShapeError, match=r"\(7,\).* fit the \(.*\) that is indexed"):
            x[key] = tp.zeros(7)


def test_masks():
    x = tp.arange(6.0).reshape(2, 3)
    assert x[x > 2].tolist() == [3.0, 4.0, 5.0]
    assert x[tp.tensor([False, True])].tolist() == [[3.0, 4.0, 5.0]]
    x[x > 3] = -1
    x[:, tp.tensor([True, False, False])] = 9
    x[tp.tensor([True, False]), 1:] = tp.tensor([[7.0, 8.0]])
    assert x.tolist() == [[9.0, 7.0, 8.0], [9.0, -1.0, -1.0]]
    x[tp.zeros(2, 3, dtype=tp.bool)] = tp.zeros(0)
    assert x[0, 0].item() == 9.0


def test_masks_of_0d_tensors():
    x = tp.tensor(3.0)
    assert x[x > 2].tolist() == [3.0] and x[x > 5].shape == (0,)
    x[x > 2] = 7
    assert x.item() == 7.0


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x[1:, ::2],
        lambda x: x[::-1, None, -1],
        lambda x: x[tp.tensor([2, 0, 2])],
        lambda x: x[:, tp.tensor([[1, 1], [0, 3]])],
        lambda x: x[tp.tensor([0, 2]), tp.tensor([1, 1])],
        lambda x: x[0, tp.tensor([1, 1])],
        lambda x: x[x.detach() > 5],
        lambda x: x[tp.tensor([True, False, True]), 1],
        lambda x: x.take(tp.tensor([0, 5, 5])),
        lambda x: x.index_select(1, tp.tensor([3, 3, 0])),
        lambda x: x.gather(1, tp.tensor([[0, 0], [3, 1], [2, 2]])),
        lambda x: x.scatter(1, tp.tensor([[0], [2], [1]]), x[:, :1] * 2),
        lambda x: x.scatter_add(0, tp.tensor([[0, 0, 1, 2]]), x[:1] ** 2),
        lambda x: x.index_fill(1, tp.tensor([0, 0, 2]), 3.0),
        lambda x: x.index_add(0, tp.tensor([0, 0]), x[:2], alpha=3),
        lambda x: x.index_copy(0, tp.tensor([2, 0]), x[:2] * x[1:]),
        lambda x: x.masked_fill(x.detach() > 4, 2.0),
        lambda x: x.take_along_dim(tp.tensor([[3], [0], [1]]), 1),
        lambda x: x.sum().gather(0, tp.tensor([0, 0])),
    ],
)
def test_gradients(fn):
    rng = np.random.default_rng(0)
    x = tp.tensor(numbered((3, 4)) + rng.random((3, 4)), requires_grad=True)
    assert gradcheck(fn, [x])


def test_masked_fill_keeps_the_dtype():
    mask = tp.tensor([True, False])
    assert tp.tensor([1, 2]).masked_fill(mask, 1.5).tolist() == [1, 2]
    assert tp.ones(2, dtype=tp.float16).masked_fill(mask, float("-inf")).dtype is tp.float16
    assert tp.ones(2).masked_fill(tp.tensor([[True], [False]]), 2).tolist() == [
        [2.0] * 2,
        [1.0] * 2,
    ]
    with pytest.raises(tp.DTypeError, match="does not fit int64"):
        tp.tensor([1, 2]).masked_fill(mask, float("-inf"))
    with pytest.raises(tp.DTypeError, match="must be bool"):
        tp.ones(2).masked_fill(tp.ones(2), 0.0)


def test_nonzero():
    x = tp.tensor([[0, 3], [4, 0]])
    assert x.nonzero().tolist() == [[0, 1], [1, 0]] == tp.argwhere(x).tolist()
    rows, columns = x.nonzero(as_tuple=True)
    assert x[rows, columns].tolist() == [3, 4]
    assert tp.tensor(5).nonzero().shape == (1, 0)
    assert [t.tolist() for t in tp.where(x > 3)] == [[1], [0]]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda x: x.gather(1, tp.tensor([[9]])),
            tp.BoundsError,
            "gather: index 9 is out of range",
        ),
        (lambda x: x.gather(0, tp.tensor([1])), tp.ShapeError, "gather: index of shape"),
        (lambda x: x.gather(0, tp.ones(1, 2)), tp.DTypeError, "gather: wanted an integer index"),
        (lambda x: x.gather(5, tp.tensor([[0]])), tp.ShapeError, "gather: dim 5 is out of range"),
        (
            lambda x: x.scatter(1, tp.tensor([[9]]), tp.ones(1, 1)),
            tp.BoundsError,
            "scatter: index 9 is out of range",
        ),
        (
            lambda x: x.scatter(1, tp.tensor([[0]]), tp.ones(1, 1).double()),
            tp.DTypeError,
            "scatter: src is float64, the tensor is float32",
        ),
        (
            lambda x: x.scatter(1, tp.tensor([[0]]), tp.ones(1, 1), reduce="mean"),
            tp.DTypeError,
            "reduce is None, 'add' or 'multiply'",
        ),
        (lambda x: x.index_select(1, tp.tensor([4])), tp.BoundsError, "out of bounds"),
    ],
)
def test_errors_of_the_functions(call, kind, text):
    with pytest.raises(kind, match=text):
        call(tp.zeros(2, 3))


def test_len_iteration_and_contains():
    x = tp.arange(6).reshape(3, 2)
    assert len(x) == 3 and [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
    assert 4 in x and 9 not in x
    for row in x:
        row += 1
    assert x.tolist() == [[1, 2], [3, 4], [5, 6]]
    with pytest.raises(TypeError, match="0-d"):
        len(tp.tensor(1))
    with pytest.raises(TypeError, match="0-d"):
        iter(tp.tensor(1))


def test_an_empty_ellipsis_does_not_part_index_tensors():
    x = tp.arange(24.0).reshape(4, 2, 1, 3)
    found = x[1:5, 1, tp.tensor([-1, 0, -1]), ..., tp.tensor([1])]
    assert found.tolist() == [[10.0] * 3, [16.0] * 3, [22.0] * 3]
    rows = tp.tensor([[0, 1, 0]])
    assert tp.zeros(2, 3, 2)[None, rows, ..., tp.tensor(1), [0]].shape == (1, 1, 3)
    mask = tp.tensor([[True, False], [True, True]])
    assert tp.zeros(2, 2, 3, 4)[mask, ...].shape == (3, 3, 4)


@pytest.mark.parametrize("key", [[0, 2], tp.tensor([0, 2]), tp.tensor([True, False, True, False])])
def test_reading_and_then_writing_by_index_has_a_gradient(key):
    b = tp.ones(4, requires_grad=True)
    w = b * 2
    y = w[key]
    w[key] += 1.0
    (w.sum() + y.sum()).backward()
    assert b.grad.tolist() == [4.0, 2.0, 4.0, 2.0]


def test_what_is_overwritten_as_a_whole_stays_on_the_tape():
    a = tp.ones(3, requires_grad=True)
    for write in (lambda w: w.zero_(), lambda w: w.copy_(tp.ones(3)), lambda w: w.uniform_()):
        w = a * 1.0
        write(w)
        assert w.requires_grad
        w.sum().backward()
        assert a.grad.tolist() == [0.0, 0.0, 0.0]
