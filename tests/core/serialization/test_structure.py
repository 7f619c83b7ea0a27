"""Nested structures as arrays and JSON, and back."""

from __future__ import annotations

import json
import math
from collections import OrderedDict, namedtuple

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import triptych.dtypes
from triptych.errors import DTypeError, FileFormatError
from triptych.serialization.structure import decode, encode


class Boxed:
    """Stands for a tensor."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array


def unwrap(value: object) -> np.ndarray | None:
    return value.array if isinstance(value, Boxed) else None


def wrap(value: object) -> object:
    return value if isinstance(value, np.dtype) else Boxed(value)


def there_and_back(tree: object) -> object:
    text, arrays = encode(tree, unwrap)
    return decode(text, arrays, wrap)


def same(a: object, b: object) -> bool:
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b) if isinstance(a, float | complex) else a == b


keys = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary()
scalars = keys | st.integers() | st.floats() | st.complex_numbers()
trees = st.recursive(
    scalars | st.sets(keys) | st.frozensets(keys),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(st.tuples(keys, keys), inner, max_size=2)
        | st.dictionaries(keys, inner, max_size=4).map(OrderedDict)
    ),
    max_leaves=20,
)


@given(trees)
def test_plain_trees_round_trip(tree):
    assert same(there_and_back(tree), tree)


@given(trees)
def test_text_is_strict_ascii_json(tree):
    text, _ = encode(tree, unwrap)
    assert text.isascii()
    json.loads(text, parse_constant=pytest.fail)


def test_tensors_are_named_by_their_path():
    tree = {"model": {"fc.weight": Boxed(np.ones(2))}, "opt": [{0: Boxed(np.zeros(3))}]}
    text, arrays = encode(tree, unwrap)
    assert list(arrays) == ["model.fc.weight", "opt.0.0"]
    got = decode(text, arrays, wrap)
    np.testing.assert_array_equal(got["opt"][0][0].array, np.zeros(3))


def test_names_that_meet_are_told_apart():
    tree = {
        "a.b": Boxed(np.ones(1)),
        "a": {"b": Boxed(np.zeros(1))},
        "__metadata__": Boxed(np.ones(2)),
    }
    text, arrays = encode(tree, unwrap)
    assert list(arrays) == ["a.b", "a.b#2", "__metadata__#2"]
    assert decode(text, arrays, wrap)["a"]["b"].array == 0


def test_a_tensor_alone():
    text, arrays = encode(Boxed(np.arange(3)), unwrap)
    assert list(arrays) == ["tensor"]
    np.testing.assert_array_equal(decode(text, arrays, wrap).array, np.arange(3))


def test_tied_tensors_stay_tied():
    base = np.arange(4.0)
    tree = {"in": Boxed(base), "out": Boxed(base.view()), "part": Boxed(base[:2])}
    text, arrays = encode(tree, unwrap)
    assert list(arrays) == ["in", "part"]
    got = decode(text, arrays, wrap)
    assert got["in"] is got["out"]


def test_empty_arrays_are_not_taken_for_each_other():
    tree = [Boxed(np.zeros((0, 2))), Boxed(np.zeros((0, 3)))]
    assert [t.array.shape for t in there_and_back(tree)] == [(0, 2), (0, 3)]


def test_temporary_arrays_are_not_taken_for_each_other():
    """A tensor on a device gives a fresh array each time; memory must not be reused meanwhile."""
    values = [np.full(1000, float(i)) for i in range(20)]
    trees = [Boxed(v) for v in values]
    text, arrays = encode(trees, lambda t: t.array.copy() if isinstance(t, Boxed) else None)
    assert [t.array[0] for t in decode(text, arrays, wrap)] == list(range(20))


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_complex128(shape):
    array = np.full(shape, 1 - 2j)
    text, arrays = encode({"x": Boxed(array), "y": Boxed(array), "z": array}, unwrap)
    assert {a.dtype for a in arrays.values()} == {np.dtype("f8")}
    got = decode(text, arrays, wrap)
    for value in (got["x"].array, got["z"]):
        assert value.dtype == np.complex128
        np.testing.assert_array_equal(value, array)
    assert got["x"] is got["y"]


def test_numpy_values():
    got = there_and_back(
        [np.float64(0.5), np.float32(0.5), np.int64(3), np.bool_(True), np.ones(2)]
    )
    assert got[:4] == [0.5, 0.5, 3, True]
    assert [type(v) for v in got[:4]] == [float, float, int, bool]
    assert type(got[4]) is np.ndarray


def test_dtypes():
    got = there_and_back([triptych.dtypes.float32, np.dtype("i8"), triptych.dtypes.bfloat16])
    assert got == [np.dtype("f4"), np.dtype("i8"), np.dtype(ml_dtypes.bfloat16)]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (object(), "builtins.object"),
        (len, "builtins.builtin_function_or_method"),
        (namedtuple("Point", "x")(1), r"test_structure\.Point"),
        (range(3), "builtins.range"),
        (np.array(["x"])[0], "numpy.str_"),
        (np.datetime64(0, "s"), "numpy.datetime64"),
    ],
)
def test_unknown_objects_are_named(value, kind):
    with pytest.raises(DTypeError, match=rf"save: config\.deep\.1 is a .*{kind}"):
        encode({"config": {"deep": [1, value]}}, unwrap)


@pytest.mark.parametrize("key", [((1,),), 2**70, tuple(range(20)), frozenset()])
def test_costly_keys_are_refused(key):
    with pytest.raises(DTypeError, match="save: a holds a dict key"):
        encode({"a": {key: 1}}, unwrap)


def test_structures_inside_themselves_are_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="does it contain itself"):
        encode({"loop": loop}, unwrap)


def nested(body: str, times: int) -> str:
    return '{"version":1,"root":' + body * times


HOSTILE = {
    "not JSON": "hello",
    "a list": "[]",
    "no version": '{"root": 1}',
    "newer": '{"version": 2, "root": 1}',
    "no root": '{"version": 1}',
    "deep lists": nested("[", 100_000),
    "deep but closed": '{"version":1,"root":' + "[" * 200 + "]" * 200 + "}",
    "deep dicts": '{"version":1,"root":' + '{"dict":[["a",' * 200 + "1" + "]]}" * 200 + "}",
    "unknown tag": '{"version":1,"root":{"call":["os.system"]}}',
    "two tags": '{"version":1,"root":{"int":"1","float":"nan"}}',
    "no tag": '{"version":1,"root":{}}',
    "missing tensor": '{"version":1,"root":{"tensor":"gone"}}',
    "tensor is a dict": '{"version":1,"root":{"tensor":{}}}',
    "tensor is an empty list": '{"version":1,"root":{"tensor":[]}}',
    "pairs of odd length": '{"version":1,"root":{"dict":[["a"]]}}',
    "dict of number": '{"version":1,"root":{"dict":3}}',
    "list as key": '{"version":1,"root":{"dict":[[[],1]]}}',
    "nested tuple as key": '{"version":1,"root":{"dict":[[{"tuple":[{"tuple":[]}]},1]]}}',
    "wide key": '{"version":1,"root":{"dict":[[{"int":"0x' + "f" * 40 + '"},1]]}}',
    "list in a set": '{"version":1,"root":{"set":[[]]}}',
    "bad base64": '{"version":1,"root":{"bytes":"***"}}',
    "bad float": '{"version":1,"root":{"float":"five"}}',
    "bad int": '{"version":1,"root":{"int":"zz"}}',
    "bad complex": '{"version":1,"root":{"complex":[1,2,3]}}',
    "bad dtype": '{"version":1,"root":{"dtype":"object"}}',
    "long integer": '{"version":1,"root":' + "9" * 10_000 + "}",
    "paired but not": '{"version":1,"root":{"tensor":["here","complex128"]}}',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_structures(case):
    with pytest.raises(FileFormatError, match="structure"):
        decode(HOSTILE[case], {"here": np.ones(3)}, wrap)
