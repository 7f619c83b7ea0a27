"""What a program sets once, what it asks about dtypes, and tensors to test with."""

import threading

import numpy as np
import pytest

import triptych as tp
from triptych.testing import make_tensor


@pytest.fixture(autouse=True)
def _settings_as_before():
    threads = tp.get_num_threads()
    yield
    tp.set_num_threads(threads)
    tp.set_default_device(None)
    tp.use_deterministic_algorithms(False)
    tp.set_float32_matmul_precision("highest")
    tp.set_printoptions(profile="default")


def test_threads_of_matrix_products():
    tp.set_num_threads(1)
    assert tp.get_num_threads() == 1
    tp.set_num_threads(2)
    assert tp.get_num_threads() == 2
    for bad in (0, -1, 1.5):
        with pytest.raises(tp.ShapeError, match="set_num_threads: wanted a positive number"):
            tp.set_num_threads(bad)
    tp.set_num_interop_threads(tp.get_num_interop_threads())
    with pytest.raises(tp.ShapeError, match="one after the other, wanted 1, got 2"):
        tp.set_num_interop_threads(2)


def test_determinism_by_bool_and_by_word():
    assert not tp.are_deterministic_algorithms_enabled()
    tp.use_deterministic_algorithms(True, warn_only=True)
    assert tp.get_deterministic_debug_mode() == 1
    assert tp.is_deterministic_algorithms_warn_only_enabled()
    tp.set_deterministic_debug_mode("error")
    assert tp.are_deterministic_algorithms_enabled()
    assert not tp.is_deterministic_algorithms_warn_only_enabled()
    tp.zeros(2).index_put_((tp.tensor([0, 0]),), tp.ones(2), accumulate=True)  # fine on the CPU
    tp.set_deterministic_debug_mode(0)
    assert not tp.are_deterministic_algorithms_enabled()
    with pytest.raises(tp.DTypeError, match="set_deterministic_debug_mode: wanted one of"):
        tp.set_deterministic_debug_mode("never")


def test_precision_is_a_permission():
    tp.set_float32_matmul_precision("high")
    assert tp.get_float32_matmul_precision() == "high"
    x = tp.full((1, 1), 1 + 2**-20)
    assert (x @ x).item() == np.float32((1 + 2**-20) ** 2)
    with pytest.raises(tp.DTypeError, match="wanted one of"):
        tp.set_float32_matmul_precision("low")


def test_the_default_device_belongs_to_the_thread():
    assert str(tp.get_default_device()) == "cpu"
    tp.set_default_device("cpu")
    with tp.device("cpu") as where:
        assert tp.get_default_device() == where and tp.zeros(1).device == where
    with pytest.raises(tp.MissingDependencyError, match="CuPy"):
        tp.set_default_device("cuda")
    with pytest.raises(tp.DeviceError, match="unknown"):
        tp.set_default_device("tpu")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(tp.get_default_device()))
    thread.start()
    thread.join()
    assert seen == [tp.device("cpu")]


def test_results_may_lose_width_but_not_their_kind():
    assert tp.can_cast(tp.float64, tp.float16) and tp.can_cast(tp.int64, tp.int8)
    assert tp.can_cast(tp.bool, tp.uint8) and tp.can_cast(tp.bfloat16, tp.complex64)
    assert not tp.can_cast(tp.float32, tp.int64) and not tp.can_cast(tp.int8, tp.bool)
    assert not tp.can_cast(tp.complex64, tp.float64)


def test_result_types():
    ints = tp.tensor([1])
    assert tp.result_type(ints, 2.5) is tp.float32
    assert tp.result_type(ints, tp.zeros(1, dtype=tp.float16)) is tp.float16
    assert tp.result_type(tp.zeros(1, dtype=tp.float64), 1j) is tp.complex128
    assert tp.result_type(1, 2.5) is tp.float32 and tp.result_type(True, 1) is tp.int64
    with pytest.raises(tp.DTypeError, match="result_type: wanted tensors or numbers, got str"):
        tp.result_type(ints, "a")


def test_small_questions():
    assert tp.is_nonzero(tp.tensor([[2]])) and not tp.is_nonzero(tp.tensor(0.0))
    with pytest.raises(tp.ShapeError, match="is_nonzero: wanted one element"):
        tp.is_nonzero(tp.ones(2))
    assert tp.is_same_size(tp.ones(2), tp.zeros(2)) and not tp.is_signed(tp.tensor([True]))
    assert tp.get_device(tp.ones(1)) == -1
    assert tp.typename(tp.ones(1)) == "triptych.float32" and tp.typename(3) == "int"
    assert tp.scalar_tensor(3).dtype is tp.float32
    assert tp.scalar_tensor(3, dtype=tp.int64).item() == 3
    x = tp.ones(2)
    assert x.layout is tp.strided and not x.is_sparse and x.is_cpu and x.to_dense() is x


def test_the_conjugate_transpose():
    x = tp.tensor([[1 + 2j, 3j]])
    assert x.H.tolist() == x.mH.tolist() == [[1 - 2j], [-3j]]
    assert tp.stack([x, x]).mH.shape == (2, 2, 1)
    with pytest.raises(tp.ShapeError, match="H: wanted a matrix"):
        tp.stack([x, x]).H  # noqa: B018 -- the property raises


def test_print_options():
    x = tp.tensor([1.23456, 100.0])
    tp.set_printoptions(precision=2)
    assert repr(x) == "tensor([  1.23, 100.  ])"
    tp.set_printoptions(sci_mode=True)
    assert repr(x) == "tensor([1.23e+00, 1.00e+02])"
    tp.set_printoptions(sci_mode=False, precision=1)
    assert repr(x) == "tensor([1.2, 100.0])"
    tp.set_printoptions(profile="default", threshold=3, edgeitems=1)
    assert repr(tp.arange(9)) == "tensor([0, ..., 8])"
    tp.set_printoptions(profile="full")
    assert "..." not in repr(tp.arange(2000))
    with pytest.raises(tp.UnknownNameError, match="profile is one of default, full, short"):
        tp.set_printoptions(profile="tiny")


@pytest.mark.parametrize(
    "dtype",
    [tp.bool, tp.uint8, tp.int8, tp.int64, tp.float16, tp.bfloat16, tp.float64, tp.complex64],
)
def test_make_tensor(dtype):
    tp.manual_seed(0)
    x = make_tensor(50, 4, dtype=dtype)
    parts = tp.view_as_real(x) if x.is_complex() else x.to(tp.float64)
    low, high = (0, 1) if dtype is tp.bool else (0, 9) if dtype is tp.uint8 else (-9, 9)
    assert x.dtype is dtype and x.shape == (50, 4)
    assert low <= parts.min().item() < parts.max().item() <= high
    assert not make_tensor(400, dtype=dtype, exclude_zero=True).eq(0).any()


def test_make_tensor_by_wish():
    x = make_tensor((3, 4), dtype=tp.float32, low=2, high=3, requires_grad=True, noncontiguous=True)
    assert x.stride() == (8, 2) and x.is_leaf and x.requires_grad
    assert x.min().item() >= 2 and x.max().item() < 3
    image = make_tensor(1, 2, 3, 4, dtype=tp.float32, memory_format=tp.channels_last)
    assert image.is_contiguous(memory_format=tp.channels_last)
    for options, text in (
        ({"dtype": tp.int64, "requires_grad": True}, "have gradients"),
        ({"dtype": tp.float32, "low": 3, "high": 1}, "low below high"),
        ({"dtype": tp.float32, "low": float("nan")}, "numbers as bounds"),
    ):
        with pytest.raises(tp.TriptychError, match=text):
            make_tensor(2, **options)
