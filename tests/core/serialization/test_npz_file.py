"""npz archives and npy files: against numpy, and damaged."""

from __future__ import annotations

import io
import zipfile

import ml_dtypes
import numpy as np
import pytest

from triptych.errors import DTypeError, FileFormatError
from triptych.serialization.npz_file import read_npz, write_npz

ARRAYS = {
    "a/b": np.arange(6.0).reshape(2, 3),
    "file": np.array(3),
    "fortran": np.asfortranarray(np.arange(6, dtype="i4").reshape(2, 3)),
    "strided": np.arange(10)[::3],
    "empty": np.zeros((0, 2), "f2"),
    "bool": np.array([True]),
    "complex": np.array([1 + 2j]),
}


def npy(header: str, data: bytes = b"") -> bytes:
    head = header.encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data


def archive(**members: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    out.seek(0)
    return out


@pytest.mark.parametrize("mmap", [False, True])
def test_round_trip(tmp_path, mmap):
    path = tmp_path / "a.npz"
    write_npz(ARRAYS, path)
    for got in (read_npz(path, mmap=mmap), dict(np.load(path, allow_pickle=False))):
        assert list(got) == list(ARRAYS)
        for name, array in ARRAYS.items():
            assert got[name].dtype == array.dtype
            np.testing.assert_array_equal(got[name], array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("mmap", [False, True])
def test_files_by_numpy(tmp_path, save, mmap):
    path = tmp_path / "a.npz"
    save(path, x=np.arange(5, dtype=">i2"), y=np.ones((3, 3), order="F"))
    got = read_npz(path, mmap=mmap)
    np.testing.assert_array_equal(got["x"], np.arange(5))
    assert got["x"].dtype == np.dtype("=i2")
    np.testing.assert_array_equal(got["y"], np.ones((3, 3)))
    assert all(a.flags.writeable for a in got.values())


def test_types_npz_loses(tmp_path):
    for dtype in (ml_dtypes.bfloat16, ml_dtypes.float8_e5m2, object, "U3"):
        with pytest.raises(DTypeError, match=r"'x' has dtype .*npz cannot hold"):
            write_npz({"x": np.zeros(1, dtype)}, tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []


GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"
DAMAGED = {
    "empty": b"",
    "other magic": b"hello",
    "no header": b"\x93NUMPY\x01\x00",
    "version 9": b"\x93NUMPY\x09\x00" + b"\0" * 20,
    "claims more": npy(GOOD.replace("(1,)", "(1, 1000000000000)")),
    "short data": npy(GOOD, b"123"),
    "long data": npy(GOOD, b"12345"),
    "negative shape": npy(GOOD.replace("(1,)", "(-1, -1)"), b"1234"),
    "huge empty shape": npy(GOOD.replace("(1,)", f"(0, {2**62}, {2**62})")),
    "beyond 64 bits": npy(GOOD.replace("(1,)", f"(0, {2**70})")),
    "endless size": npy(GOOD.replace("(1,)", f"({'9' * 4000}, {'9' * 4000})")),
    "objects": npy(GOOD.replace("<f4", "|O"), b"cposix\nsystem\n(S'true'\ntR."),
    "text": npy(GOOD.replace("<f4", "<U1"), b"1234"),
    "records": npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", b"1234"),
    "code": npy("__import__('os').system('true')"),
    "long header": npy("(" * 60000),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_members(case):
    with pytest.raises(FileFormatError, match="<BytesIO>: array 'x'"):
        read_npz(archive(x=DAMAGED[case]))


def test_other_archives():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("data.pkl", b"")
    out.seek(0)
    with pytest.raises(FileFormatError, match=r"'data\.pkl'; neither"):
        read_npz(out)
