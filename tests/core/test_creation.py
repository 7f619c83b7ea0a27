"""Making tensors from numbers, sequences, arrays and patterns."""

import numpy as np
import pytest

import triptych as tp


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (True, tp.bool, ()),
        (3, tp.int64, ()),
        (2.5, tp.float32, ()),
        (1j, tp.complex64, ()),
        ([1, 2.5], tp.float32, (2,)),
        ([1, True], tp.int64, (2,)),
        ([True, False], tp.bool, (2,)),
        ([[1], [2]], tp.int64, (2, 1)),
        ([1, 2j], tp.complex64, (2,)),
        ([], tp.float32, (0,)),
        ([[], []], tp.float32, (2, 0)),
        ((1, (2)), tp.int64, (2,)),
        (range(3), tp.int64, (3,)),
        (np.float64(1), tp.float64, ()),
        (np.arange(3, dtype=np.int16), tp.int16, (3,)),
        ([np.float64(1), 2], tp.float32, (2,)),
    ],
)
def test_the_dtype_and_shape_of_data(data, dtype, shape):
    x = tp.tensor(data)
    assert x.dtype is dtype and tuple(x.shape) == shape
    assert x.tolist() == np.asarray(data).tolist()


def test_nested_tensors_are_joined():
    parts = [tp.tensor([1.0, 2.0], requires_grad=True), [tp.tensor(3.0), 4]]
    assert tp.tensor(parts).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert tp.tensor((tp.tensor(1), tp.tensor(2))).dtype is tp.int64


def test_tensor_copies_and_as_tensor_shares():
    array = np.zeros(3)
    copied, shared = tp.tensor(array), tp.as_tensor(array)
    array[0] = 1
    assert copied[0].item() == 0 and shared[0].item() == 1
    x = tp.ones(2, requires_grad=True)
    assert tp.as_tensor(x) is x and not tp.tensor(x).requires_grad
    assert tp.as_tensor(x, dtype=tp.float64).requires_grad


def test_asarray_says_whether_it_may_copy():
    array = np.zeros(3, np.float32)
    assert np.shares_memory(tp.asarray(array).numpy(), array)
    assert np.shares_memory(tp.asarray(array, copy=False).numpy(), array)
    assert not np.shares_memory(tp.asarray(array, copy=True).numpy(), array)
    with pytest.raises(ValueError, match="needs a copy"):
        tp.asarray(array, dtype=tp.int64, copy=False)


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        ([[1, 2], [3]], tp.ShapeError, "equal lengths"),
        ("abc", tp.DTypeError, "wanted numbers.*str"),
        (["a"], tp.DTypeError, "wanted numbers"),
        (None, tp.DTypeError, "wanted numbers.*NoneType"),
        ([None], tp.DTypeError, "wanted numbers"),
        ({}, tp.DTypeError, "wanted numbers.*dict"),
        (2**70, tp.DTypeError, "."),
        (np.array(["a"]), tp.DTypeError, "no tensor type for NumPy dtype <U1"),
        (np.array([object()]), tp.DTypeError, "no tensor type for NumPy dtype object"),
    ],
)
def test_what_is_no_data(data, kind, text):
    with pytest.raises(kind, match=text):
        tp.tensor(data)


def test_dtype_converts_without_warnings():
    assert tp.tensor([1.9, -1.9], dtype=tp.int64).tolist() == [1, -1]
    assert tp.tensor([1 + 0j], dtype=tp.float32).tolist() == [1.0]
    assert tp.tensor([float("nan")], dtype=tp.int32).shape == (1,)
    assert tp.tensor([1e300], dtype=tp.float32).tolist() == [float("inf")]
    assert tp.tensor([0.0, 2.0], dtype=bool).tolist() == [False, True]
    with pytest.raises(tp.DTypeError, match=r"complex numbers do not fit float32; take \.real"):
        tp.tensor([1j], dtype=tp.float32)


def test_foreign_byte_order_is_brought_home():
    x = tp.tensor(np.arange(3, dtype=">f4"))
    assert x.dtype is tp.float32 and x.numpy().dtype.isnative and x.tolist() == [0.0, 1.0, 2.0]


def test_tensor_the_class():
    assert tp.Tensor([1, 2]).dtype is tp.float32
    assert tuple(tp.Tensor(2, 3).shape) == (2, 3)
    assert tp.Tensor().shape == (0,)
    assert tp.is_tensor(tp.Tensor(2)) and not tp.is_tensor(np.ones(2))


@pytest.mark.parametrize(("make", "value"), [(tp.zeros, 0.0), (tp.ones, 1.0), (tp.empty, 0.0)])
def test_filled_tensors(make, value):
    for args in ((2, 3), ((2, 3),), ([2, 3],), (tp.zeros(2, 3).shape,)):
        x = make(*args)
        assert tuple(x.shape) == (2, 3) and x.unique().tolist() == [value]
    assert make(0, 2).numel() == 0 and make(()).shape == ()
    assert make(2, dtype=tp.int8).dtype is tp.int8
    assert make(2, requires_grad=True).requires_grad
    with pytest.raises(tp.ShapeError, match="must not be negative"):
        make(2, -1)
    with pytest.raises(tp.GradError, match="only floating and complex"):
        make(2, dtype=tp.int64, requires_grad=True)


def test_full():
    assert tp.full((2,), 3).dtype is tp.int64 and tp.full((2,), 3.0).dtype is tp.float32
    assert tp.full((), True).item() is True and tp.full((1,), 1j).dtype is tp.complex64
    assert tp.full((2,), tp.tensor(3.0)).tolist() == [3.0, 3.0]
    assert tp.full((2,), np.float64(3.0)).dtype is tp.float64
    assert tp.full((1,), 2.5, dtype=tp.float16).dtype is tp.float16
    with pytest.raises(tp.DTypeError, match="full: 300 does not fit uint8"):
        tp.full((1,), 300, dtype=tp.uint8)


def test_like_and_new():
    x = tp.ones(2, 3, dtype=tp.float64, requires_grad=True)
    for made in (tp.zeros_like(x), tp.ones_like(x), tp.empty_like(x), tp.full_like(x, 7)):
        assert made.shape == x.shape and made.dtype is tp.float64 and not made.requires_grad
    assert tp.zeros_like(x, dtype=tp.int8).dtype is tp.int8
    assert tp.ones_like(x, requires_grad=True).requires_grad
    assert x.new_zeros(2).dtype is x.new_tensor([1]).dtype is tp.float64
    assert tuple(x.new_full((4,), 2.0).shape) == (4,) and x.new_ones((2, 2)).sum().item() == 4
    assert x.new_empty(1, dtype=tp.int32).dtype is tp.int32
    with pytest.raises(tp.DTypeError, match="does not fit"):
        tp.full_like(tp.ones(1, dtype=tp.uint8), -1)


@pytest.mark.parametrize(
    "args",
    [
        (5,),
        (2, 5),
        (0, 10, 3),
        (5, 0, -2),
        (0, 0),
        (1.5,),
        (0, 1, 0.1),
        (1, 0, -0.25),
        (-3, 3, 2),
        (2**60, 2**60 + 5, 2),
    ],
)
def test_arange(args):
    x, expected = tp.arange(*args), np.arange(*args)
    assert x.dtype is (tp.float32 if expected.dtype.kind == "f" else tp.int64)
    np.testing.assert_array_equal(x.numpy(), expected.astype(x.numpy().dtype))


def test_arange_of_numpy_and_tensor_numbers():
    assert tp.arange(np.float32(2.5)).tolist() == [0.0, 1.0, 2.0]
    assert tp.arange(np.int64(3)).dtype is tp.arange(tp.tensor(3)).dtype is tp.int64
    assert tp.arange(3, dtype=tp.float16).dtype is tp.float16


@pytest.mark.parametrize("args", [(0, 5, -1), (5, 0), (0, 5, 0)])
def test_arange_that_leads_nowhere(args):
    with pytest.raises(tp.ShapeError, match="arange: step"):
        tp.arange(*args)


def test_linspace_and_logspace():
    np.testing.assert_allclose(tp.linspace(0, 1, 5).numpy(), np.linspace(0, 1, 5))
    assert tp.linspace(3, 4, 1).tolist() == [3.0] and tp.linspace(0, 1, 0).shape == (0,)
    np.testing.assert_allclose(tp.logspace(0, 2, 3).numpy(), [1, 10, 100])
    np.testing.assert_allclose(tp.logspace(0, 3, 4, base=2).numpy(), [1, 2, 4, 8])


def test_eye():
    assert tp.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert tp.eye(2, 3, dtype=tp.int64).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_from_numpy_shares_and_checks():
    array = np.zeros(3, np.int16)
    x = tp.from_numpy(array)
    x += 1
    assert array.tolist() == [1, 1, 1]
    with pytest.raises(tp.DTypeError, match=r"wanted a numpy.ndarray, got list; use tensor\(\)"):
        tp.from_numpy([1])
    with pytest.raises(tp.DTypeError, match=">f4"):
        tp.from_numpy(np.zeros(1, ">f4"))
    assert type(tp.from_numpy(np.ma.masked_array([1.0, 2.0])).numpy()) is np.ndarray
    assert type(tp.tensor(np.ma.masked_array([1.0]))._data) is np.ndarray


def test_frombuffer():
    raw = bytearray(range(8))
    x = tp.frombuffer(raw, dtype=tp.uint8, count=4, offset=2)
    assert x.tolist() == [2, 3, 4, 5]
    x[0] = 99
    assert raw[2] == 99
    assert tp.frombuffer(memoryview(raw), dtype=tp.int16).shape == (4,)


def test_sizes():
    x = tp.zeros(2, 3, 4)
    assert x.shape.numel() == 24 and x.size() == x.shape and x.size(-1) == 4
    assert repr(x.shape) == "Size([2, 3, 4])" and x.shape == (2, 3, 4)
    assert (x.ndim, x.dim(), x.numel(), x.nelement(), x.itemsize, x.nbytes) == (3, 3, 24, 24, 4, 96)
    assert x.stride() == (12, 4, 1) and x.T.stride(0) == 1 and x.element_size() == 4
    assert x.is_contiguous() and not x.T.is_contiguous() and x.T.contiguous().is_contiguous()
    assert x.contiguous() is x


@pytest.mark.parametrize(
    "make",
    [
        lambda **o: tp.zeros(2, **o),
        lambda **o: tp.tensor([0.0, 0.0], **o),
        lambda **o: tp.full((2,), 0.0, **o),
        lambda **o: tp.zeros_like(tp.ones(2), **o),
        lambda **o: tp.ones(3).new_zeros(2, **o),
        lambda **o: tp.empty_strided((2,), (1,), **o),
        lambda **o: tp.arange(2, **o) * 0,
        lambda **o: tp.rand(2, **o) * 0,
        lambda **o: tp.randint(3, (2,), **o) * 0,
    ],
)
def test_what_torch_says_about_memory_is_taken(make):
    assert make(pin_memory=False, layout=tp.strided).tolist() == [0, 0]


def test_converters_and_to_honour_the_memory_format():
    x = tp.arange(120.0).reshape(2, 3, 4, 5)
    for y in (
        x.to(memory_format=tp.channels_last),
        x.to(tp.float64, memory_format=tp.channels_last),
        x.half(memory_format=tp.channels_last),
        x.clone(memory_format=tp.channels_last),
    ):
        assert y.stride() == (60, 1, 15, 3)
        assert y.tolist() == x.tolist()
    assert x.float(memory_format=tp.preserve_format) is x
    with pytest.raises(tp.ShapeError, match="channels_last is for 4 dims"):
        x[0].to(memory_format=tp.channels_last)


def test_scalar_tensor_can_require_grad():
    assert tp.scalar_tensor(3.0, requires_grad=True).requires_grad
