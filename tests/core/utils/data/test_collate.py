from __future__ import annotations

from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Mapping

import numpy as np
import pytest

import triptych
from triptych.utils.data import default_collate, default_convert

Pair = namedtuple("Pair", "image label")


def test_tensors_are_stacked():
    batch = default_collate([triptych.ones(2, dtype=triptych.int32), triptych.zeros(2).int()])
    assert batch.tolist() == [[1, 1], [0, 0]]
    assert batch.dtype == triptych.int32


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64", "bool", "complex64"])
def test_arrays_and_their_scalars_keep_their_dtype(dtype):
    array = np.ones((2, 3), dtype)
    batch = default_collate([array, array])
    assert batch.shape == (2, 2, 3)
    assert batch.dtype == getattr(triptych, dtype)
    scalars = default_collate([array[0, 0], array[0, 0]])
    assert scalars.shape == (2,)
    assert scalars.dtype == getattr(triptych, dtype)


@pytest.mark.parametrize(
    ("numbers", "dtype"),
    [([1, 2], "int64"), ([1.0, 2.0], "float64"), ([True, False], "bool"), ([1j, 2], "complex64")],
)
def test_numbers(numbers, dtype):
    batch = default_collate(numbers)
    assert batch.tolist() == numbers
    assert batch.dtype == getattr(triptych, dtype)


def test_strings_stay():
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([b"a", b"b"]) == [b"a", b"b"]


def test_containers():
    batch = default_collate([{"x": (1, [2.0, "a"])}, {"x": (3, [4.0, "b"])}])
    assert isinstance(batch["x"], list)
    assert batch["x"][0].tolist() == [1, 3]
    assert batch["x"][1][0].tolist() == [2.0, 4.0]
    assert batch["x"][1][1] == ["a", "b"]


def test_types_of_containers_are_kept():
    pair = default_collate([Pair(1, 2), Pair(3, 4)])
    assert isinstance(pair, Pair)
    assert pair.label.tolist() == [2, 4]
    assert isinstance(default_collate([OrderedDict(a=1), OrderedDict(a=2)]), OrderedDict)
    assert isinstance(default_collate([UserDict(a=1), UserDict(a=2)]), UserDict)
    ranges = default_collate([range(2), range(2)])
    assert [t.tolist() for t in ranges] == [[0, 0], [1, 1]]


def test_a_mapping_that_no_dict_makes_becomes_a_dict():
    class Fixed(Mapping):
        def __getitem__(self, key):
            return {"a": 1}[key]

        def __iter__(self):
            return iter("a")

        def __len__(self):
            return 1

    assert default_collate([Fixed(), Fixed()])["a"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("batch", "error", "text"),
    [
        (
            [np.zeros((3, 4)), np.zeros((3, 5))],
            "ShapeError",
            r"sample 0 of the batch has \(3, 4\), sample 1 has \(3, 5\)",
        ),
        (
            [{"a": [0, triptych.zeros(2)]}] * 3 + [{"a": [0, triptych.zeros(3)]}],
            "ShapeError",
            r"element sample\['a'\]\[1\]\).*sample 3 has \(3,\)",
        ),
        ([Pair(np.zeros(2), 0), Pair(np.zeros(1), 0)], "ShapeError", r"sample\.image"),
        ([(1, 2), (1, 2, 3)], "ShapeError", "has 2 elements, sample 1 has 3"),
        ([{"a": 1, "b": 2}, {"a": 1}], "ShapeError", r"sample 1 .* lacks the keys \['b'\]"),
        ([(np.zeros(2),), (3,)], "DTypeError", r"sample\[0\].*is ndarray, sample 1 is int"),
        ([1, "a"], "DTypeError", "is int, sample 1 is str"),
        ([1, None], "DTypeError", "is int, sample 1 is NoneType"),
        ([{"a": 1}, 3], "DTypeError", "is dict, sample 1 is int"),
        ([(1,), 3], "DTypeError", "is tuple, sample 1 is int"),
        ([{"x": None}], "DTypeError", r"batch of NoneType \(element sample\['x'\]\)"),
        ([np.array(["a"])], "DTypeError", "no tensor holds NumPy elements of type <U1"),
        ([], "ShapeError", "empty batch"),
    ],
)
def test_errors_name_the_element(batch, error, text):
    with pytest.raises(getattr(triptych, error), match=text):
        default_collate(batch)


def test_the_batch_is_a_copy():
    array = np.zeros(2)
    batch = default_collate([array])
    array += 1
    assert batch.tolist() == [[0, 0]]


def test_gradients_flow_through_a_batch():
    x = triptych.ones(2, requires_grad=True)
    default_collate([x, x]).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_convert():
    tensor = triptych.ones(1)
    sample = Pair({"a": np.arange(2), "t": tensor}, [np.float32(2), "s", None, (np.bool_(True),)])
    out = default_convert(sample)
    assert isinstance(out, Pair)
    assert out.image["a"].tolist() == [0, 1]
    assert out.image["t"] is tensor
    number, string, nothing, (flag,) = out.label
    assert (number.item(), number.dtype, string, nothing) == (2, triptych.float32, "s", None)
    assert flag.dtype == triptych.bool
