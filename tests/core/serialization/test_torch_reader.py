"""Reading torch's two file formats: values, views, sharing, damage."""

from __future__ import annotations

import argparse
import io
import pathlib
import pickle
import types
import zipfile
from collections import OrderedDict, defaultdict

import ml_dtypes
import numpy as np
import pytest

from triptych.errors import FileFormatError
from triptych.serialization.torch_reader import read_torch

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
RNG = np.random.default_rng(0)
DTYPES = """
bool uint8 int8 int16 int32 int64 float16 float32 float64 bfloat16 complex64 complex128
"""


@pytest.fixture
def put(tmp_path):
    def write(data: bytes) -> pathlib.Path:
        path = tmp_path / "model.pth"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("mmap", [False, True])
def test_state_dict(save_torch, put, protocol, mmap):
    want = OrderedDict(weight=RNG.normal(size=(3, 4)).astype("f4"), bias=np.arange(3))
    got = read_torch(put(save_torch(want, protocol)), mmap=mmap)
    assert type(got) is OrderedDict
    assert list(got) == ["weight", "bias"]
    for name, array in want.items():
        assert got[name].dtype == array.dtype
        np.testing.assert_array_equal(got[name], array)
        assert got[name].flags.writeable
        assert got[name].flags.aligned


@pytest.mark.parametrize("name", DTYPES.split())
def test_dtypes(save_torch, writer, name):
    array = RNG.integers(0, 2, 6).astype(writer.numpy_dtype(name)).reshape(2, 3)
    got = read_torch(io.BytesIO(save_torch({"x": array})))["x"]
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", "uint16", "uint32", "uint64"])
def test_dtypes_over_untyped_storage(writer, name):
    array = np.arange(6).astype(writer.numpy_dtype(name))
    block = writer.Block(array.tobytes(), "untyped")
    tensor = writer.Strided(block, (2, 3), (3, 1), dtype=name)
    got = read_torch(io.BytesIO(writer.torch_zip(tensor)))
    np.testing.assert_array_equal(got, array.reshape(2, 3))
    assert got.dtype == array.dtype


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [
        ((3, 4), (4, 1), 0),
        ((4, 3), (1, 4), 0),
        ((2, 2), (7, 3), 1),
        ((3,), (0,), 5),
        ((), (), 11),
        ((0, 3), (3, 1), 0),
        ((1, 12), (999, 1), 0),
        ((12,), (1,), 0),
    ],
)
def test_strided_views(save_torch, writer, shape, stride, offset):
    data = np.arange(12, dtype="f4")
    tensor = writer.Strided(writer.Block(data.tobytes()), shape, stride, offset)
    got = read_torch(io.BytesIO(save_torch([tensor])))[0]
    bytes_stride = [4 * s for s in stride]
    if 0 in shape:
        assert got.shape == shape
        return
    want = np.lib.stride_tricks.as_strided(data[offset:], shape, bytes_stride)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [
        ((13,), (1,), 0),
        ((3, 4), (4, 1), 1),
        ((2,), (12,), 0),
        ((), (), 12),
        ((2**40,), (2**40,), 0),
        ((2**62, 2**62), (1, 1), 0),
        ((1,), (1,), 2**62),
    ],
)
def test_views_that_leave_the_storage(save_torch, writer, shape, stride, offset):
    block = writer.Block(np.arange(12, dtype="f4").tobytes())
    file = io.BytesIO(save_torch({"net": {"w": writer.Strided(block, shape, stride, offset)}}))
    with pytest.raises(FileFormatError, match=r"<BytesIO>: tensor 'net.w'.*reach byte"):
        read_torch(file)


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [((-1,), (1,), 0), ((2,), (-1,), 1), ((2,), (1,), -1), ((2,), (1, 1), 0), ((2.0,), (1,), 0)],
)
def test_views_that_make_no_sense(save_torch, writer, shape, stride, offset):
    block = writer.Block(np.arange(12, dtype="f4").tobytes())
    file = io.BytesIO(save_torch(writer.Strided(block, shape, stride, offset)))
    with pytest.raises(FileFormatError, match="<BytesIO>"):
        read_torch(file)


def test_huge_expanded_view_takes_no_memory(save_torch, writer):
    tensor = writer.Strided(writer.Block(b"\0\0\x80?"), (2**40,), (0,))
    got = read_torch(io.BytesIO(save_torch(tensor)))
    assert got.shape == (2**40,)
    assert got[-1] == 1


@pytest.mark.parametrize("mmap", [False, True])
def test_shared_storage_stays_shared(save_torch, put, writer, mmap):
    block = writer.Block(np.arange(12, dtype="f4").tobytes())
    whole, row = writer.Strided(block, (3, 4), (4, 1)), writer.Strided(block, (4,), (1,), 4)
    got = read_torch(put(save_torch({"a": whole, "b": row, "tied": whole})), mmap=mmap)
    assert got["a"] is got["tied"]
    got["a"][1] = 7
    np.testing.assert_array_equal(got["b"], [7, 7, 7, 7])


def test_mapped_writes_stay_private(put, writer):
    path = put(writer.torch_zip([np.ones(4, "f4")], extra={}))
    before = path.read_bytes()
    read_torch(path, mmap=True)[0][:] = 5
    assert path.read_bytes() == before


def test_legacy_storage_views(writer):
    data = np.arange(12, dtype="f4")
    block = writer.Block(data.tobytes(), view=("v", 4, 8))
    tensor = writer.Strided(block, (2, 2), (2, 1), 3)
    got = read_torch(io.BytesIO(writer.torch_legacy(tensor)))
    np.testing.assert_array_equal(got, data[7:11].reshape(2, 2))
    block.view = ("v", 4, 6)
    with pytest.raises(FileFormatError, match="reach byte"):
        read_torch(io.BytesIO(writer.torch_legacy(tensor)))
    block.view = ("v", 4, 9)
    with pytest.raises(FileFormatError, match="up to element 13, it has 12"):
        read_torch(io.BytesIO(writer.torch_legacy(tensor)))


@pytest.mark.parametrize("name", ["float32", "int64", "complex64", "bfloat16", "bool"])
def test_big_endian_record(writer, name):
    array = np.array([1, 0, 1]).astype(writer.numpy_dtype(name))
    unit = array.dtype.itemsize // (2 if array.dtype.kind == "c" else 1)
    swapped = array.view(f"u{unit}").byteswap().tobytes()
    tensor = writer.Strided(writer.Block(swapped, name), (3,), (1,))
    file = io.BytesIO(writer.torch_zip({"x": tensor, "y": tensor}, byteorder=b"big"))
    got = read_torch(file)
    np.testing.assert_array_equal(got["x"], array)
    assert np.shares_memory(got["x"], got["y"])


def test_unknown_byte_order(writer):
    with pytest.raises(FileFormatError, match="byteorder"):
        read_torch(io.BytesIO(writer.torch_zip(1, byteorder=b"middle")))


@pytest.mark.parametrize("prefix", ["", "archive/", "a b/c/"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("mmap", [False, True])
def test_zip_spellings(put, writer, prefix, compression, mmap):
    array = np.arange(5.0)
    data = writer.torch_zip([array], prefix=prefix, compression=compression, byteorder=None)
    got = read_torch(put(data), mmap=mmap)[0]
    np.testing.assert_array_equal(got, array)
    got[0] = 1  # writable, packed or not


PLAIN = {
    "none": None,
    "bools": [True, False],
    "ints": [0, -1, 255, 65536, 2**31, -(2**40), 2**100, -(2**2000)],
    "floats": [0.5, float("inf"), -0.0],
    "complex": 1 + 2j,
    "text": ["", "é", "\U0001f600", "x" * 300],
    "bytes": [b"", b"\0\xff", b"y" * 300],
    "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "set": {1, "a"},
    "frozenset": frozenset({None, 2.5}),
    "default": defaultdict(list, a=[1]),
    1: {(1, "x"): "tuple key"},
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values(save_torch, protocol):
    got = read_torch(io.BytesIO(save_torch(PLAIN, protocol)))
    assert got == PLAIN
    assert list(got) == list(PLAIN)
    assert type(got["default"]) is defaultdict
    assert got["default"]["new"] == []
    assert str(got["floats"][2]) == "-0.0"


@pytest.mark.parametrize("protocol", [2, 4])
def test_metadata_and_namespace(save_torch, protocol):
    state = OrderedDict(a=1)
    state._metadata = OrderedDict({"": {"version": 1}})
    args = argparse.Namespace(lr=0.1, layers=[np.ones(2, "f4")])
    got = read_torch(io.BytesIO(save_torch({"state": state, "args": args}, protocol)))
    assert got["state"]._metadata == {"": {"version": 1}}
    assert type(got["args"]) is types.SimpleNamespace
    assert got["args"].lr == 0.1
    np.testing.assert_array_equal(got["args"].layers[0], [1, 1])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="i4").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([1, 2], ">f8"),
        np.array(True),
        np.zeros((0, 2), "f4"),
        np.array([1 + 2j]),
    ],
)
def test_numpy_arrays(around_pickle, protocol, array):
    got = read_torch(io.BytesIO(around_pickle(pickle.dumps([array], protocol))))[0]
    np.testing.assert_array_equal(got, array)
    assert got.dtype == array.dtype.newbyteorder("=")
    assert got.flags.writeable


@pytest.mark.parametrize("value", [np.float64(2.5), np.int32(-3), np.bool_(True), np.float32(0.5)])
def test_numpy_scalars(around_pickle, value):
    got = read_torch(io.BytesIO(around_pickle(pickle.dumps(value, 2))))
    assert got == value.item()
    assert type(got) in (bool, int, float)


@pytest.mark.parametrize("array", [np.array(["x"]), np.array([None]), np.zeros(1, "i4,f4")])
def test_numpy_arrays_of_other_things(around_pickle, array):
    with pytest.raises(FileFormatError, match="numpy dtype"):
        read_torch(io.BytesIO(around_pickle(pickle.dumps(array, 2))))


def test_python_2_text(around_pickle):
    pickled = b"\x80\x02}q\x00U\x01aU\x02\xc3\xa9s."
    assert read_torch(io.BytesIO(around_pickle(pickled))) == {"a": "é"}


def test_dtype_device_and_size(around_pickle):
    pickled = (
        b"\x80\x02(ctorch\nfloat32\nctorch\nbfloat16\nctorch\ndevice\nX\x04\0\0\0cudaK\x01\x86R"
        b"ctorch\nSize\nK\x02K\x03\x86\x85Rl."
    )
    want = [np.dtype("f4"), np.dtype(ml_dtypes.bfloat16), "cuda:1", (2, 3)]
    assert read_torch(io.BytesIO(around_pickle(pickled))) == want


def test_a_list_that_holds_itself(around_pickle):
    got = read_torch(io.BytesIO(around_pickle(b"\x80\x02]q\x00h\x00a.")))
    assert got[0] is got


def test_claims_more_than_the_file(save_torch, writer):
    block = writer.Block(np.arange(4, dtype="f4").tobytes(), numel=10**12)
    file = io.BytesIO(save_torch({"conv.weight": writer.Strided(block, (10**12,), (1,))}))
    with pytest.raises(
        FileFormatError, match=r"<BytesIO>: tensor 'conv.weight' claims .*4000000000000 bytes"
    ):
        read_torch(file)


def test_legacy_count_beyond_the_file(writer):
    pickled = writer.pickle_torch(
        {"w": writer.Strided(writer.Block(b"1234", numel=2**60), (1,), (1,))}
    )
    data = writer.legacy_file(pickled.data, {"0": b"1234"}, counts={"0": 2**60})
    with pytest.raises(FileFormatError, match=r"tensor 'w' claims the bytes .* the file has"):
        read_torch(io.BytesIO(data))
    data = writer.legacy_file(pickled.data, {"0": b"1234"}, counts={"0": -1})
    with pytest.raises(FileFormatError, match="negative"):
        read_torch(io.BytesIO(data))


def test_missing_record(writer):
    pickled = writer.pickle_torch({"w": np.ones(3)})
    with pytest.raises(FileFormatError, match="tensor 'w' needs the record 'archive/data/0'"):
        read_torch(io.BytesIO(writer.zip_file(pickled.data)))


def test_truncated_at_every_length(save_torch, put):
    data = save_torch({"w": np.arange(20.0), "b": np.ones(3, "f4")})
    for length in range(0, len(data), 7):
        path = put(data[:length])
        with pytest.raises(FileFormatError, match=r"model\.pth"):
            read_torch(path)


def test_truncated_legacy_file_names_the_tensor(writer):
    data = writer.torch_legacy({"first": np.ones(4), "second": np.ones(4)})
    with pytest.raises(FileFormatError, match=r"tensor 'second' claims .*is the download complete"):
        read_torch(io.BytesIO(data[:-1]))
    with pytest.raises(FileFormatError, match="tensor 'second' needs 32 bytes"):
        read_torch(io.BytesIO(data[:-40]))


@pytest.mark.parametrize("data", [b"x", b"hello world" * 9, b"PK\x05\x06" + b"\0" * 18])
def test_not_a_torch_file(put, data):
    with pytest.raises(FileFormatError, match=r"model\.pth: not a torch file"):
        read_torch(put(data))


def test_zips_that_are_something_else(writer):
    with pytest.raises(FileFormatError, match="TorchScript"):
        read_torch(io.BytesIO(writer.torch_zip(1, extra={"archive/constants.pkl": b""})))
    with pytest.raises(FileFormatError, match="TorchScript"):
        read_torch(io.BytesIO(writer.torch_zip(1, extra={"archive/code/a.py": b""})))
    with pytest.raises(FileFormatError, match=r"more than one data\.pkl"):
        read_torch(io.BytesIO(writer.torch_zip(1, extra={"other/data.pkl": b""})))
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "hello")
    other.seek(0)
    with pytest.raises(FileFormatError, match=r"no data\.pkl"):
        read_torch(other)


@pytest.mark.parametrize("how", [{"magic": 5}, {"number": 1000}])
def test_legacy_with_other_numbers(writer, how):
    with pytest.raises(FileFormatError, match="<BytesIO>"):
        read_torch(io.BytesIO(writer.torch_legacy(1, **how)))


def test_mmap_needs_a_path(writer):
    with pytest.raises(ValueError, match="mmap=True needs a path"):
        read_torch(io.BytesIO(writer.torch_zip(1)), mmap=True)


def test_files_that_cannot_be_read():
    with pytest.raises(TypeError, match="wanted a path or a binary file, got int"):
        read_torch(3)
    with pytest.raises(FileNotFoundError):
        read_torch("no-such-file.pth")


def test_file_object_is_read_from_where_it_stands(save_torch):
    file = io.BytesIO(b"junk" + save_torch([np.ones(3)]))
    file.seek(4)
    np.testing.assert_array_equal(read_torch(file)[0], np.ones(3))
    assert not file.closed


def test_mapped_tensors_are_not_copied(put, writer):
    """In a mapped file a tensor is a window on the map, not a copy."""
    block = writer.Block(b"\0" * 4096)
    path = put(writer.torch_zip({"w": writer.Strided(block, (1024,), (1,))}))
    got = read_torch(path, mmap=True)["w"]
    while isinstance(got.base, np.ndarray):
        got = got.base
    assert isinstance(got, np.memmap)


@pytest.mark.parametrize("name", ["zip", "legacy"])
@pytest.mark.parametrize("mmap", [False, True])
def test_files_written_by_torch(name, mmap):
    """Recorded with tools/make_torch_fixtures.py."""
    got = read_torch(FIXTURES / f"{name}.pt", mmap=mmap)
    for dtype, array in got["dtypes"].items():
        want = np.arange(6).astype(np.dtype(getattr(ml_dtypes, dtype, dtype))).reshape(2, 3)
        assert array.dtype == want.dtype
        np.testing.assert_array_equal(array, want)
    grid = np.arange(24, dtype="f4").reshape(4, 6)
    views = got["views"]
    np.testing.assert_array_equal(views["base"], grid)
    np.testing.assert_array_equal(views["transposed"], grid.T)
    np.testing.assert_array_equal(views["strided"], grid[1::2, ::3])
    assert np.shares_memory(views["base"], views["transposed"])
    assert views["empty"].shape == (0, 3)
    assert views["scalar"].shape == ()
    np.testing.assert_array_equal(got["parameter"], [0, 1])
    assert got["optimizer"]["state"][0]["exp_avg"].shape == (2,)
    assert got["optimizer"]["param_groups"][0]["lr"] == 0.5
    assert got["plain"] == {"dtype": np.float32, "device": "cpu", "size": (2, 3), "none": None}
