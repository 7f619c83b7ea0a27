"""Zip archives that lie about their records."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest

from triptych.errors import FileFormatError
from triptych.serialization.torch_reader import read_torch

ARRAY = np.arange(16.0)


@pytest.fixture
def valid(writer) -> bytes:
    return writer.torch_zip({"w": ARRAY})


def patch_directory(data: bytes, name: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite bytes of a record's central directory entry; offset counts from its start."""
    at = data.index(b"PK\x01\x02")
    while data[at + 46 : at + 46 + len(name)] != name:
        at = data.index(b"PK\x01\x02", at + 1)
    return data[: at + offset] + value + data[at + offset + len(value) :]


RECORD = b"archive/data/0"


@pytest.mark.parametrize(
    ("offset", "value", "match"),
    [
        (8, b"\x01\x00", "encrypted"),
        (10, b"\x0c\x00", "packed in an unusual way"),
        (24, struct.pack("<I", 10_000), "claim"),
        (42, struct.pack("<I", 3), "not where it should be"),
        (42, struct.pack("<I", 2**31), "."),
        (24, struct.pack("<I", 64), r"tensor 'w' claims a storage of 128 bytes, the file has 64"),
    ],
)
def test_directory_that_lies(valid, offset, value, match):
    with pytest.raises(FileFormatError, match=match) as caught:
        read_torch(io.BytesIO(patch_directory(valid, RECORD, offset, value)))
    assert "<BytesIO>" in str(caught.value)


def test_two_records_of_one_name(writer):
    pickled = writer.pickle_torch([1]).data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a/data.pkl", pickled)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a/data.pkl", pickled)
    out.seek(0)
    with pytest.raises(FileFormatError, match="two zip records of one name"):
        read_torch(out)


def test_records_over_the_same_bytes(writer):
    """Many names for one run of bytes would be read many times over."""
    blocks = {str(i): b"\0" * 1000 for i in range(20)}
    data = writer.zip_file(writer.pickle_torch(1).data, blocks)
    for i in range(20):
        data = patch_directory(data, f"archive/data/{i}".encode(), 24, struct.pack("<I", 15_000))
    with pytest.raises(FileFormatError, match="its zip records claim"):
        read_torch(io.BytesIO(data))


def test_zip_bomb(writer, monkeypatch):
    monkeypatch.setattr("triptych.serialization.torch_zip._FREE_INFLATION", 1 << 20)
    bomb = writer.Strided(writer.Block(b"\0" * (64 << 20)), (16 << 20,), (1,))
    data = writer.torch_zip([bomb], compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 1 << 17
    with pytest.raises(FileFormatError, match="unpack to far more"):
        read_torch(io.BytesIO(data))


def test_packed_record_of_another_size(writer):
    data = writer.torch_zip({"w": ARRAY}, compression=zipfile.ZIP_DEFLATED)
    for size in (100, 200):
        lying = patch_directory(data, RECORD, 24, struct.pack("<I", size))
        with pytest.raises(FileFormatError, match="<BytesIO>"):
            read_torch(io.BytesIO(lying))


def test_damaged_checksum_is_not_our_business(valid):
    """torch can write zero checksums, so they are not looked at; hashes are checked elsewhere."""
    lying = patch_directory(valid, RECORD, 16, b"\0\0\0\0")
    np.testing.assert_array_equal(read_torch(io.BytesIO(lying))["w"], ARRAY)
