"""Damaged files: a reader gives a value or a FileFormatError naming the file, nothing else.

Each test takes valid files, changes some bytes or cuts the end, and bounds the memory used.
"""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triptych.errors import FileFormatError
from triptych.serialization.npz_file import read_npz, write_npz
from triptych.serialization.safetensors_file import read_source, write_safetensors
from triptych.serialization.source import Source
from triptych.serialization.structure import decode, encode
from triptych.serialization.torch_reader import read_torch

TREE = {
    "state": OrderedDict(w=np.arange(6.0).reshape(2, 3), b=np.ones(2, "f4")),
    "list": [1, 2.5, None, "text", (True, b"bytes"), {3}],
    7: {"x": np.array([1, 0], bool)},
}
FLAT = {"w": np.arange(6.0).reshape(2, 3), "b": np.ones(2, "f4"), "scalar": np.array(1)}
MAX_BYTES = 32 << 20


def read_structure(file: io.BytesIO) -> object:
    """As load does for a safetensors file."""
    with Source(file) as source:
        arrays, metadata = read_source(source)
        if "triptych.structure" not in metadata:
            return arrays
        try:
            return decode(metadata["triptych.structure"], arrays, lambda value: value)
        except FileFormatError as error:
            raise source.error(str(error)) from error


def written(write: Callable[..., object], *args: object, **how: object) -> bytes:
    out = io.BytesIO()
    write(*args, out, **how)
    return out.getvalue()


def packed_npz(arrays: dict, file: io.BytesIO) -> None:
    np.savez_compressed(file, **arrays)


TEXT, ARRAYS = encode(TREE, lambda value: None)
SAFE = written(write_safetensors, ARRAYS, metadata={"triptych.structure": TEXT})


@pytest.fixture(
    params=["torch zip", "torch zip packed", "torch legacy", "safetensors", "npz", "npz packed"]
)
def sample(request, writer):
    """A valid file and the function that reads it."""
    return {
        "torch zip": lambda: (writer.torch_zip(TREE), read_torch),
        "torch zip packed": lambda: (
            writer.torch_zip(TREE, compression=zipfile.ZIP_DEFLATED),
            read_torch,
        ),
        "torch legacy": lambda: (writer.torch_legacy(TREE), read_torch),
        "safetensors": lambda: (SAFE, read_structure),
        "npz": lambda: (written(write_npz, FLAT), read_npz),
        "npz packed": lambda: (written(packed_npz, FLAT), read_npz),
    }[request.param]()


def check(read: Callable[[io.BytesIO], object], data: bytes) -> None:
    complaint = "<BytesIO>"
    tracemalloc.start()
    try:
        read(io.BytesIO(data))
    except FileFormatError as error:
        complaint = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "<BytesIO>" in complaint
    assert peak < MAX_BYTES, f"{peak} bytes"


fuzz = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_samples_are_valid(sample):
    data, read = sample
    got = read(io.BytesIO(data))
    assert got.keys() in (TREE.keys(), FLAT.keys())


@fuzz
@given(st.data())
def test_changed_bytes(sample, data):
    raw, read = bytearray(sample[0]), sample[1]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    check(read, bytes(raw))


@fuzz
@given(st.data())
def test_cut_and_glued(sample, data):
    raw, read = sample
    a, b = (data.draw(st.integers(0, len(raw))) for _ in range(2))
    check(read, raw[:a] + data.draw(st.binary(max_size=12)) + raw[b:])


def test_every_single_bit(sample):
    """Exhaustive where it is cheap: each byte once with its lowest, highest and all bits turned."""
    raw, read = sample
    for at in range(0, len(raw), 1 + len(raw) // 700):
        for mask in (0x01, 0x80, 0xFF):
            check(read, raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1 :])


OPCODES = st.sampled_from([bytes([code]) for code in range(256)])
PARTS = st.sampled_from(
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ccollections\nOrderedDict\n",
        b"cbuiltins\nset\n",
        b"ctorch\nFloatStorage\n",
        b"cnumpy\ndtype\n",
        b"cnumpy.core.multiarray\n_reconstruct\n",
        b"X\x01\0\0\0a",
        b"K\x05",
        b"]",
        b"}",
        b")",
        b"(",
        b"\x85R",
        b"\x86R",
        b"b",
        b"s",
        b"\x94",
        b"h\x00",
    ]
)


@fuzz
@given(st.lists(OPCODES | PARTS, max_size=40))
def test_any_opcodes(around_pickle, parts):
    check(read_torch, around_pickle(b"\x80\x04" + b"".join(parts) + b"."))
