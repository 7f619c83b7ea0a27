"""safetensors files: against the reference library, and damaged in every way its format allows."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from triptych.errors import DTypeError, FileFormatError
from triptych.serialization.safetensors_file import (
    DTYPES,
    read_metadata,
    read_safetensors,
    write_safetensors,
)

ARRAYS = {
    "b": np.arange(3, dtype="i1"),
    "a": np.arange(6.0).reshape(2, 3),
    "scalar": np.array(2.5, "f4"),
    "empty": np.zeros((0, 4), "f2"),
    "é": np.array([True, False]),
}


def build(header: object, data: bytes = b"", length: int | None = None) -> io.BytesIO:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return io.BytesIO(struct.pack("<Q", len(raw) if length is None else length) + raw + data)


def entry(dtype: object = "F32", shape: object = (1,), offsets: object = (0, 4)) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def assert_same(got: dict, want: dict) -> None:
    assert list(got) == list(want)
    for name, array in want.items():
        assert got[name].dtype == array.dtype
        assert got[name].shape == array.shape
        assert got[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("mmap", [False, True])
def test_round_trip(tmp_path, mmap):
    path = tmp_path / "model.safetensors"
    write_safetensors(ARRAYS, path, metadata={"k": "v"})
    got = read_safetensors(path, mmap=mmap)
    assert_same(got, ARRAYS)
    assert all(a.flags.writeable and a.flags.aligned for a in got.values())
    assert read_metadata(path) == {"k": "v"}
    got["a"][:] = 0  # private, also when mapped
    assert_same(read_safetensors(path), ARRAYS)


def test_mapped_arrays_are_not_copied(tmp_path):
    path = tmp_path / "model.safetensors"
    write_safetensors(ARRAYS, path)
    for array in read_safetensors(path, mmap=True).values():
        base = array
        while isinstance(base.base, np.ndarray):
            base = base.base
        assert isinstance(base, np.memmap)


def test_the_library_reads_ours(tmp_path):
    path = tmp_path / "model.safetensors"
    write_safetensors(ARRAYS, path, metadata={"k": "v"})
    got = safetensors.numpy.load_file(path)
    assert_same({name: got[name] for name in ARRAYS}, ARRAYS)
    with safetensors.safe_open(path, framework="np") as file:
        assert file.metadata() == {"k": "v"}


def test_we_read_the_library(tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(ARRAYS, path, metadata={"k": "v"})
    got = read_safetensors(path)
    assert_same({name: got[name] for name in ARRAYS}, ARRAYS)


@pytest.mark.parametrize("code", DTYPES)
def test_every_dtype_both_ways(code):
    array = np.arange(4).astype(DTYPES[code]).reshape(2, 2)
    ours = io.BytesIO()
    write_safetensors({"x": array}, ours)
    theirs = dict(safetensors.deserialize(ours.getvalue()))["x"]
    assert (theirs["dtype"], bytes(theirs["data"])) == (code, array.tobytes())
    got = read_safetensors(io.BytesIO(safetensors.numpy.save({"x": array})))["x"]
    assert got.dtype == array.dtype
    assert got.tobytes() == array.tobytes()


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5).filter(
            lambda name: name != "__metadata__"
        ),
        hnp.arrays(
            st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?", "c8", ">f4", ">i8"]),
            hnp.array_shapes(min_dims=0, min_side=0, max_side=3),
        ),
        max_size=4,
    )
)
def test_any_arrays_round_trip(arrays):
    file = io.BytesIO()
    write_safetensors(arrays, file)
    got = read_safetensors(io.BytesIO(file.getvalue()))
    native = {name: a.astype(a.dtype.newbyteorder("=")) for name, a in arrays.items()}
    assert_same(got, native)
    assert set(safetensors.numpy.load(file.getvalue())) == set(arrays)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12)[::-3],
        np.broadcast_to(np.float32(2), (3, 2)),
        np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3)),
        np.arange(3, dtype=">i4"),
    ],
)
def test_strides_and_byte_order(array):
    file = io.BytesIO()
    write_safetensors({"x": array}, file)
    np.testing.assert_array_equal(read_safetensors(io.BytesIO(file.getvalue()))["x"], array)


def test_arrays_over_one_memory_are_each_written():
    base, file = np.arange(4.0), io.BytesIO()
    write_safetensors({"a": base, "b": base}, file)
    got = read_safetensors(io.BytesIO(file.getvalue()))
    assert not np.shares_memory(got["a"], got["b"])
    np.testing.assert_array_equal(got["a"], got["b"])


@pytest.mark.parametrize("dtype", ["c16", "U3", "O", "M8[s]", "f4,i4"])
def test_types_the_format_lacks(tmp_path, dtype):
    path = tmp_path / "x.safetensors"
    with pytest.raises(DTypeError, match="'weird' has dtype"):
        write_safetensors({"weird": np.zeros(1, dtype)}, path)
    assert list(tmp_path.iterdir()) == []


def test_names_and_metadata_must_be_text():
    for arrays, metadata in (
        ({"__metadata__": np.ones(1)}, None),
        ({3: np.ones(1)}, None),
        ({}, {"a": 1}),
        ({"\ud800": np.ones(1)}, None),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 -- the last is Python's own encoding error
            write_safetensors(arrays, io.BytesIO(), metadata=metadata)


DAMAGED = {
    "nothing": io.BytesIO(b""),
    "short length": io.BytesIO(b"\x08\0\0"),
    "length past the end": build({}, length=50),
    "length of a petabyte": build({}, length=2**50),
    "length over the limit": build({}, length=100_000_001),
    "not JSON": build(b"{hello}"),
    "not UTF-8": build(b'{"\xff": 1}'),
    "a list": build([]),
    "a number": build(b"3"),
    "deep": build(b"[" * 100_000),
    "deep objects": build(b'{"a":' * 50_000),
    "NaN": build(b'{"a": NaN}'),
    "long integer": build(b'{"a": ' + b"9" * 10_000 + b"}"),
    "repeated name": build(
        b'{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},'
        b'"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    ),
    "repeated field": build(b'{"x":{"dtype":"U8","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    "entry is no object": build({"x": 3}),
    "field missing": build({"x": {"dtype": "F32", "shape": [0]}}),
    "field too many": build({"x": {**entry(shape=[0], offsets=[0, 0]), "more": 1}}),
    "unknown dtype": build({"x": entry("F99")}, b"1234"),
    "dtype is a list": build({"x": entry(["F32"])}, b"1234"),
    "shape is text": build({"x": entry(shape="1")}, b"1234"),
    "negative shape": build({"x": entry(shape=[-1])}, b"1234"),
    "float shape": build({"x": entry(shape=[1.0])}, b"1234"),
    "bool shape": build({"x": entry(shape=[True])}, b"1234"),
    "huge shape": build({"x": entry(shape=[2**40, 2**40])}, b"1234"),
    "huge empty shape": build({"x": entry(shape=[2**62, 2**62, 0], offsets=[0, 0])}),
    "endless shape": build({"x": entry(shape=[2**62] * 300_000)}, b"1234"),
    "deep dtype": build(
        b'{"x": {"shape": [], "data_offsets": [0, 0], "dtype": ' + b"[" * 900 + b"]" * 900 + b"}}"
    ),
    "too many axes": build({"x": entry(shape=[1] * 100)}, b"1234"),
    "shape beyond 64 bits": build({"x": entry(shape=[2**70, 0], offsets=[0, 0])}),
    "three offsets": build({"x": entry(offsets=[0, 4, 4])}, b"1234"),
    "negative offsets": build({"x": entry(offsets=[-4, 0])}, b"1234"),
    "backward offsets": build({"x": entry(offsets=[4, 0])}, b"1234"),
    "size is not the shape's": build({"x": entry(shape=[2])}, b"1234"),
    "claims more than the file": build({"x": entry(shape=[2], offsets=[0, 8])}, b"1234"),
    "gap at the start": build({"x": entry(offsets=[4, 8])}, b"12345678"),
    "overlap": build({"x": entry(), "y": entry(offsets=[2, 6])}, b"123456"),
    "same bytes": build({"x": entry(), "y": entry()}, b"1234"),
    "rest at the end": build({"x": entry()}, b"12345"),
    "metadata is a list": build({"__metadata__": []}),
    "metadata with numbers": build({"__metadata__": {"a": 1}}),
}


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("where", ["object", "path", "map"])
def test_damaged_headers(tmp_path, case, where):
    data = DAMAGED[case].getvalue()
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    file = io.BytesIO(data) if where == "object" else path
    with pytest.raises(FileFormatError, match=r"<BytesIO>|bad\.safetensors"):
        read_safetensors(file, mmap=where == "map")


def test_the_tensor_at_fault_is_named():
    with pytest.raises(FileFormatError, match=r"tensor 'conv\.weight' claims bytes up to 8"):
        read_safetensors(build({"conv.weight": entry(shape=[2], offsets=[0, 8])}, b"1234"))


def test_truncated_at_every_length():
    file = io.BytesIO()
    write_safetensors(ARRAYS, file)
    for length in range(len(file.getvalue())):
        with pytest.raises(FileFormatError):
            read_safetensors(io.BytesIO(file.getvalue()[:length]))


def test_header_over_the_limit_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr("triptych.serialization.safetensors_file._MAX_HEADER", 100)
    with pytest.raises(FileFormatError, match="readers accept 100"):
        write_safetensors({"x" * 200: np.ones(1)}, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
