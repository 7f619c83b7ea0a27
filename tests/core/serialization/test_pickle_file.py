"""Pickles of plain data: Python 3's, Python 2's, and hostile ones."""

import io
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych.errors import FileFormatError, UnsafeFileError
from triptych.serialization import read_pickle


def python2_batch(data: np.ndarray, labels: list[int]) -> bytes:
    """What Python 2's cPickle writes for {"data": data, "labels": labels}, protocol 2."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    def integer(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        + (integer(0) + b"\x85" + text(b"b") + b"\x87R")
        + (b"(" + integer(1) + b"(" + b"".join(integer(n) for n in data.shape) + b"t")
        + (b"cnumpy\ndtype\n" + text(b"u1") + integer(0) + integer(1) + b"\x87R")
        + (b"(" + integer(3) + text(b"|") + b"NNN" + integer(-1) * 2 + integer(0) + b"tb\x89")
        + (b"T" + struct.pack("<i", data.nbytes) + data.tobytes() + b"tb")
    )
    numbers = b"](" + b"".join(integer(n) for n in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."


def test_python2_arrays_are_read() -> None:
    data = np.arange(256, dtype=np.uint8).reshape(2, 128)
    raw = python2_batch(data, [3, 1])
    expected = pickle.loads(raw, encoding="latin1")  # the reader it stands in for
    found = read_pickle(io.BytesIO(raw), encoding="latin1")
    assert found.keys() == expected.keys()
    assert np.array_equal(found["data"], data)
    assert np.array_equal(found["data"], expected["data"])
    assert found["labels"] == [3, 1]


@pytest.mark.parametrize("protocol", range(2, 6))
def test_plain_data_comes_back(protocol: int, tmp_path: Path) -> None:
    value: Any = {
        "list": [1, 2.5, None, True, "é", b"\xff"],
        "nested": OrderedDict(a=(1, {"b": {3, 4}})),
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
    }
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    found = read_pickle(path)
    assert np.array_equal(found.pop("array"), value.pop("array"))
    assert found == value


class Hostile:
    """Would write a file when it is unpickled by Python's own reader."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "executed"))


def test_nothing_is_executed(tmp_path: Path) -> None:
    raw = pickle.dumps([Hostile(tmp_path / "mark")])
    with pytest.raises(UnsafeFileError, match="nothing was executed"):
        read_pickle(io.BytesIO(raw))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("raw", [b"", b"no pickle", pickle.dumps([1, 2, 3])[:-4]])
def test_damage_is_named(raw: bytes) -> None:
    with pytest.raises(FileFormatError, match="read_pickle"):
        read_pickle(io.BytesIO(raw))
