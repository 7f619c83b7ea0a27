"""Memory under other strides, its bytes, and shapes changed in place."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

GEOMETRIES = [
    ((3, 2), (4, 1), 1),
    ((2, 3), (1, 1), 0),
    ((4,), (0,), 5),
    ((), (), 11),
    ((0, 2), (1, 1), 0),
]


@pytest.mark.parametrize(("size", "stride", "offset"), GEOMETRIES)
def test_as_strided_is_numpys_over_the_same_memory(size, stride, offset):
    array = np.arange(12.0).reshape(3, 4)
    x = tp.from_numpy(array)
    y = x.as_strided(size, stride, offset)
    bytes_ = [s * array.itemsize for s in stride]
    expected = as_strided(array.reshape(-1)[offset:], size, bytes_)
    np.testing.assert_array_equal(y.numpy(), expected)
    assert (y.stride(), y.storage_offset()) == (stride, offset)
    array[...] = -1
    assert (y.numpy() == -1).all()
    copy = tp.as_strided_copy(x, size, stride, offset)
    assert not np.shares_memory(copy.numpy(), array)


@pytest.mark.parametrize(("size", "stride", "offset"), GEOMETRIES[:3])
def test_gradients_add_up_where_elements_overlap(size, stride, offset):
    x = tp.tensor(np.random.default_rng(0).normal(size=(3, 4)), requires_grad=True)
    assert gradcheck(lambda t: t.as_strided(size, stride, offset), (x,))
    assert gradgradcheck(lambda t: t.as_strided(size, stride, offset), (x,))
    turned = tp.tensor(np.random.default_rng(1).normal(size=(4, 3)), requires_grad=True)
    assert gradcheck(lambda t: t.T.as_strided(size, stride, offset), (turned,))


def test_the_geometry_counts_from_the_start_of_memory_not_of_a_view():
    x = tp.arange(6.0)
    assert x[2:].as_strided((2,), (1,), 0).tolist() == [0, 1]
    assert x[2:].as_strided((2,), (1,)).tolist() == [2, 3]
    base = tp.arange(6.0, requires_grad=True)
    part = (base * 1)[2:]
    part.as_strided((3,), (1,), 1).sum().backward()
    assert base.grad.tolist() == [0, 0, 1, 1, 0, 0]  # what lies before the view is none of its


def test_writes_through_a_strided_view_reach_the_base():
    x = tp.zeros(6, requires_grad=True)
    y = x * 1
    y.as_strided((2, 2), (3, 1), 1).fill_(5)
    assert y.tolist() == [0, 5, 5, 0, 5, 5]
    y.sum().backward()
    assert x.grad.tolist() == [1, 0, 0, 1, 0, 0]


def test_as_strided_scatter_writes_into_a_copy():
    x = tp.zeros(2, 3, requires_grad=True)
    src = tp.ones(2, requires_grad=True)
    out = tp.as_strided_scatter(x, src, (2,), (2,), 1)
    assert out.tolist() == [[0, 1, 0], [1, 0, 0]] and x.sum().item() == 0
    out.backward(tp.arange(6.0).reshape(2, 3))
    assert x.grad.tolist() == [[0, 0, 2], [0, 4, 5]] and src.grad.tolist() == [1, 3]
    turned = tp.zeros(3, 2).T
    out = tp.as_strided_scatter(turned, tp.ones(2), (2,), (2,), 1)
    expected = np.zeros((3, 2))
    expected.reshape(-1)[[1, 3]] = 1
    np.testing.assert_array_equal(out.numpy(), expected.T)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (((2,), (6,), 0), "reach from element 0 to 6, but the memory of this tensor has 6"),
        (((1,), (1,), -1), "from element -1"),
        (((2,), (1, 1)), "a length and a step >= 0 for each axis"),
        (((2,), (-1,)), "a length and a step >= 0"),
    ],
)
def test_what_lies_outside_the_memory_is_refused(arguments, text):
    with pytest.raises(tp.TriptychError, match=text):
        tp.zeros(6).as_strided(*arguments)


def test_complex_numbers_are_pairs_of_real_ones():
    z = tp.tensor([[1 + 2j, 3 - 1j]])
    pairs = tp.view_as_real(z)
    assert pairs.tolist() == [[[1, 2], [3, -1]]]
    pairs[0, 0, 1] = 7
    assert z.tolist() == [[1 + 7j, 3 - 1j]]
    assert tp.view_as_real(z.T).shape == (2, 1, 2)
    assert tp.view_as_complex(tp.tensor([1.0, 2.0])).item() == 1 + 2j
    assert tp.complex(tp.tensor(0.0), tp.tensor(np.inf, dtype=tp.float32)).item() == complex(
        0, np.inf
    )
    with pytest.raises(tp.ShapeError, match=r"contiguous\(\) first"):
        tp.view_as_complex(tp.zeros(2, 3).T)
    with pytest.raises(tp.DTypeError, match="view_as_real: wanted complex"):
        tp.view_as_real(tp.zeros(2))


COPIES = {
    "alias_copy": ((), {}),
    "as_strided_copy": (((2,), (1,)), {}),
    "detach_copy": ((), {}),
    "diagonal_copy": ((), {"offset": 1}),
    "expand_copy": (((2, 2, 3),), {}),
    "narrow_copy": ((0, 0, 1), {}),
    "permute_copy": (((1, 0),), {}),
    "select_copy": ((0, 1), {}),
    "slice_copy": ((1, 0, 2), {}),
    "split_copy": ((1,), {}),
    "split_with_sizes_copy": (((1, 1),), {}),
    "squeeze_copy": ((), {}),
    "t_copy": ((), {}),
    "transpose_copy": ((0, 1), {}),
    "unbind_copy": ((), {}),
    "unfold_copy": ((1, 2, 1), {}),
    "unsqueeze_copy": ((0,), {}),
    "view_copy": (((3, 2),), {}),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_has_the_numbers_of_the_view_and_memory_of_its_own(name):
    args, options = COPIES[name]
    x = tp.arange(6.0).reshape(2, 3)
    got = getattr(tp, name)(x, *args, **options)
    parts = got if isinstance(got, tuple) else (got,)
    before = [p.tolist() for p in parts]
    x.zero_()
    assert [p.tolist() for p in parts] == before
    assert all(p.is_contiguous() for p in parts)


# Changed in place


@pytest.mark.parametrize(
    ("name", "args", "shape"),
    [
        ("squeeze_", (), (2, 3)),
        ("squeeze_", (0,), (2, 3, 1)),
        ("unsqueeze_", (1,), (1, 1, 2, 3, 1)),
        ("transpose_", (1, 2), (1, 3, 2, 1)),
        ("swapaxes_", (0, 1), (2, 1, 3, 1)),
        ("swapdims_", (0, 1), (2, 1, 3, 1)),
        ("as_strided_", ((2,), (2,), 1), (2,)),
    ],
)
def test_a_tensor_takes_another_shape_in_place(name, args, shape):
    x = tp.arange(6.0).reshape(1, 2, 3, 1)
    other = getattr(tp, name.strip("_"))(x, *args)
    version = x._version
    assert getattr(x, name)(*args) is x
    assert x.shape == shape and tp.equal(x, other) and x._version == version + 1


def test_the_history_follows_a_change_of_shape():
    leaf = tp.ones(1, 3, requires_grad=True)
    x = leaf * 2
    part = x[:, 1:]
    part.t_()
    part.mul_(tp.tensor([[3.0], [5.0]]))
    assert part.shape == (2, 1) and x.tolist() == [[2, 6, 10]]
    x.sum().backward()
    assert leaf.grad.tolist() == [[2, 6, 10]]
    with pytest.raises(tp.GradError, match=r"squeeze_: cannot write into a leaf"):
        leaf.squeeze_()


def test_a_view_of_what_was_reshaped_in_place_does_not_guess():
    x = tp.ones(1, 3, requires_grad=True) * 1
    part = x[:, 1:]
    x.squeeze_()
    x.mul_(2)
    with pytest.raises(tp.GradError, match="reshaped in place"):
        part.sum()


def test_resize_keeps_what_is_in_memory():
    x = tp.arange(6.0)
    x.resize_(2, 2)
    assert x.tolist() == [[0, 1], [2, 3]]
    x.resize_((8,))
    assert x.tolist() == [0, 1, 2, 3, 4, 5, 0, 0]
    part = tp.arange(6.0)[2:]
    assert part.resize_(2, 2).tolist() == [[2, 3], [4, 5]]
    assert part.resize_as_(tp.zeros(1)).tolist() == [2]
    with pytest.raises(tp.GradError, match="resize_: the tensor requires grad"):
        tp.ones(2, requires_grad=True).resize_(3)


def test_set_looks_at_other_memory():
    x, y = tp.zeros(2), tp.arange(6.0)
    assert x.set_(y) is x and x.is_set_to(y)
    y[0] = 9
    assert x[0].item() == 9 and x._version == y._version
    strided = tp.zeros(0).set_(y.untyped_storage(), 1, (2, 2), (1, 2))
    assert strided.tolist() == [[1, 3], [2, 4]] and not strided.is_set_to(y)
    assert tp.zeros(2).set_().shape == (0,)
    with pytest.raises(tp.DTypeError, match=r"set_: wanted a triptych\.float32"):
        x.set_(tp.arange(3))


def test_the_bytes_of_a_tensor():
    x = tp.tensor([1.0, 2.0])
    bytes_ = x[1:].untyped_storage()
    assert len(bytes_) == bytes_.nbytes() == 8 and bytes_.data_ptr() == x.data_ptr()
    assert bytes(bytes_) == np.array([1.0, 2.0], "f4").tobytes()
    twin = bytes_.clone()
    bytes_.fill_(0)
    assert x.tolist() == [0, 0] and x._version == 1
    bytes_.copy_(twin)
    assert x.tolist() == [1, 2] and bytes_[3] == 63


def test_orders_of_axes_in_memory():
    x = tp.arange(120.0).reshape(2, 3, 4, 5)
    last = x.contiguous(memory_format=tp.channels_last)
    assert tp.equal(last, x) and last.stride() == (60, 1, 15, 3)
    assert last.dim_order() == (0, 2, 3, 1) and x.dim_order() == (0, 1, 2, 3)
    assert last.is_contiguous(memory_format=tp.channels_last) and not last.is_contiguous()
    assert last.contiguous(memory_format=tp.channels_last) is last
    assert tp.empty_strided((2, 3), (1, 2)).stride() == (1, 2)
    assert tp.empty_permuted((2, 3, 4), (2, 0, 1)).stride() == (3, 1, 6)
    with pytest.raises(tp.ShapeError, match="channels_last is for 4 dims"):
        tp.zeros(2).is_contiguous(memory_format=tp.channels_last)


def test_diagonals_and_python_functions_write_in_place():
    assert tp.zeros(2, 3).fill_diagonal_(5).tolist() == [[5, 0, 0], [0, 5, 0]]
    tall = np.zeros((7, 3))
    np.fill_diagonal(tall, 5, wrap=True)
    np.testing.assert_array_equal(tp.zeros(7, 3).fill_diagonal_(5, wrap=True).numpy(), tall)
    assert tp.zeros(2, 2, 2).fill_diagonal_(1).sum().item() == 2
    assert tp.arange(3.0).apply_(lambda v: v + 1).tolist() == [1, 2, 3]
    assert tp.arange(3.0).map_(tp.ones(1), lambda a, b: a - b).tolist() == [-1, 0, 1]
    assert tp.arange(4).index([tp.tensor([2, 0])]).tolist() == [2, 0]
    with pytest.raises(tp.ShapeError, match="fill_diagonal_: wanted a matrix"):
        tp.zeros(3).fill_diagonal_(1)
    with pytest.raises(tp.GradError, match=r"apply_: .* has no gradient"):
        tp.ones(2, requires_grad=True).apply_(abs)
