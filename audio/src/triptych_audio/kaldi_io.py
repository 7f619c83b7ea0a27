"""Reading Kaldi's archives of vectors and matrices, under torchaudio's names.

Source: the formats as Kaldi writes them, https://kaldi-asr.org/doc/io.html; compressed matrices
are those of kaldi/src/matrix/compressed-matrix.h.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import FileFormatError

__all__ = [
    "read_mat_ark",
    "read_mat_scp",
    "read_vec_flt_ark",
    "read_vec_flt_scp",
    "read_vec_int_ark",
]

Source = str | Path | BinaryIO
FLOATS = {b"F": "<f4", b"D": "<f8"}
MOST = 1 << 31  # numbers in one array; a damaged header may claim more


def read_vec_int_ark(file_or_fd: Source) -> Iterator[tuple[str, Tensor]]:
    """Vectors of integers, such as alignments.

    Args:
        file_or_fd: path of an archive, binary or text, which may be packed by gzip, or a binary
            file object.

    Yields:
        Key, and (n,) int32.

    Raises:
        FileFormatError: no such archive, or a damaged one.
    """
    return _archive(file_or_fd, _read_ints, "int32")


def read_vec_flt_ark(file_or_fd: Source) -> Iterator[tuple[str, Tensor]]:
    """Vectors of floats, such as i-vectors; arguments as of `read_vec_int_ark`.

    Args:
        file_or_fd: path of an archive, or a binary file object.

    Yields:
        Key, and (n,) float32 or float64.
    """
    return _archive(file_or_fd, _read_floats, "float32")


def read_mat_ark(file_or_fd: Source) -> Iterator[tuple[str, Tensor]]:
    """Matrices, such as features; arguments as of `read_vec_int_ark`.

    Args:
        file_or_fd: path of an archive, or a binary file object.

    Yields:
        Key, and (rows, columns) float32 or float64; compressed ones come as float32.
    """
    return _archive(file_or_fd, _read_matrix, "float32")


def read_vec_flt_scp(file_or_fd: Source) -> Iterator[tuple[str, Tensor]]:
    """Vectors of floats from a list of `KEY PATH:OFFSET`.

    Args:
        file_or_fd: path of the list, or a binary file object.

    Yields:
        Key, and (n,) float32 or float64.
    """
    return _script(file_or_fd, _read_floats)


def read_mat_scp(file_or_fd: Source) -> Iterator[tuple[str, Tensor]]:
    """Matrices from a list of `KEY PATH:OFFSET`.

    Args:
        file_or_fd: path of the list, or a binary file object.

    Yields:
        Key, and (rows, columns) float32 or float64.
    """
    return _script(file_or_fd, _read_matrix)


Reader = Callable[[BinaryIO], np.ndarray]


def _open(source: Source) -> Any:
    if not isinstance(source, (str, Path)):
        return source
    return gzip.open(source) if str(source).endswith(".gz") else open(source, "rb")


def _archive(source: Source, reader: Reader, dtype: str) -> Iterator[tuple[str, Tensor]]:
    file = _open(source)
    try:
        while key := _word(file):
            yield key, tp.from_numpy(_value(file, reader, dtype))
    finally:
        if file is not source:
            file.close()


def _script(source: Source, reader: Reader) -> Iterator[tuple[str, Tensor]]:
    file = _open(source)
    try:
        lines = file.read().decode("utf-8").splitlines()
    finally:
        if file is not source:
            file.close()
    for line in lines:
        key, _, place = line.strip().partition(" ")
        path, _, offset = place.rpartition(":")
        if not path or not offset.isdigit():
            raise FileFormatError(f"kaldi_io: wanted KEY PATH:OFFSET, found {line!r}")
        with open(path, "rb") as archive:
            archive.seek(int(offset))
            yield key, tp.from_numpy(_value(archive, reader, "float32"))


def _word(file: BinaryIO) -> str:
    """Up to the next space; nothing at the end of the file."""
    letters = bytearray()
    while (letter := file.read(1)) and letter != b" ":
        letters += letter
    return letters.decode("utf-8", "replace").strip()


def _exactly(file: BinaryIO, count: int) -> bytes:
    content = file.read(count) if 0 <= count <= 8 * MOST else b""
    if len(content) != count:
        raise FileFormatError(f"kaldi_io: the archive ends early: wanted {count} bytes more")
    return content


def _value(file: BinaryIO, reader: Reader, dtype: str) -> np.ndarray:
    """One array, in binary or in text."""
    mark = _exactly(file, 1)
    if mark == b"\0":
        if _exactly(file, 1) != b"B":
            raise FileFormatError("kaldi_io: wanted the mark of a binary array")
        return reader(file)
    return _text(mark + file.readline(), file, dtype, matrix=reader is _read_matrix)


def _text(line: bytes, file: BinaryIO, dtype: str, *, matrix: bool) -> np.ndarray:
    """Numbers on one line, or rows up to "]"."""
    text = line
    while matrix and b"]" not in text:
        more = file.readline()
        if not more:
            raise FileFormatError("kaldi_io: a matrix without its ']'")
        text += more
    rows = [row.split() for row in text.strip(b" []\n").split(b"\n")]
    try:
        values = np.array([[float(cell) for cell in row] for row in rows if row])
    except ValueError as error:
        raise FileFormatError(f"kaldi_io: {error}") from error
    values = values.astype(dtype)
    return values if matrix else values.reshape(-1)


def _count(file: BinaryIO) -> int:
    """An integer, after the number of its bytes."""
    size, value = struct.unpack("<bi", _exactly(file, 5))
    if size != 4 or not 0 <= value <= MOST:
        raise FileFormatError(f"kaldi_io: wanted a count of 4 bytes, found {value} of {size}")
    return int(value)


def _read_ints(file: BinaryIO) -> np.ndarray:
    count = _count(file)
    pairs = np.frombuffer(_exactly(file, 5 * count), [("size", "i1"), ("value", "<i4")])
    if (pairs["size"] != 4).any():
        raise FileFormatError("kaldi_io: wanted integers of 4 bytes")
    return pairs["value"].copy()


def _read_floats(file: BinaryIO) -> np.ndarray:
    kind = FLOATS.get((name := _exactly(file, 3))[:1])
    if kind is None or name[1:] != b"V ":
        raise FileFormatError(f"kaldi_io: wanted a vector, FV or DV, found {name!r}")
    count = _count(file)
    return np.frombuffer(_exactly(file, count * np.dtype(kind).itemsize), kind).copy()


def _read_matrix(file: BinaryIO) -> np.ndarray:
    name = _exactly(file, 2)
    if name == b"CM":
        kind = b"CM" + _exactly(file, 1).strip()
        if kind != b"CM":
            _exactly(file, 1)
        return _compressed(file, kind)
    dtype = FLOATS.get(name[:1])
    if dtype is None or name[1:] != b"M" or _exactly(file, 1) != b" ":
        raise FileFormatError(f"kaldi_io: wanted a matrix, FM, DM or CM, found {name!r}")
    rows, columns = _count(file), _count(file)
    content = _exactly(file, rows * columns * np.dtype(dtype).itemsize)
    return np.frombuffer(content, dtype).reshape(rows, columns).copy()


def _compressed(file: BinaryIO, kind: bytes) -> np.ndarray:
    """Matrices of 8 or 16 bits a number."""
    low, span, rows, columns = struct.unpack("<ffii", _exactly(file, 16))
    if min(rows, columns) < 0:
        raise FileFormatError(f"kaldi_io: a matrix of {rows} x {columns}")
    if kind == b"CM":
        return _by_columns(file, low, span, rows, columns)
    dtype, steps = {b"CM2": ("<u2", 65535), b"CM3": ("u1", 255)}.get(kind, ("", 1))
    if not dtype:
        raise FileFormatError(f"kaldi_io: no matrix is called {kind!r}")
    content = _exactly(file, rows * columns * np.dtype(dtype).itemsize)
    codes = np.frombuffer(content, dtype).reshape(rows, columns)
    return (low + codes * np.float32(span / steps)).astype(np.float32)


def _by_columns(file: BinaryIO, low: float, span: float, rows: int, columns: int) -> np.ndarray:
    """A byte for each number; each column says where 0, 64, 192 and 255 are."""
    heads = np.frombuffer(_exactly(file, 8 * columns), "<u2").reshape(columns, 4)
    corners = low + heads * np.float32(span / 65535)  # (columns, 4)
    codes = np.frombuffer(_exactly(file, rows * columns), "u1").reshape(columns, rows)
    knots = np.array([0, 64, 192, 255])
    lines = [np.interp(code, knots, corner) for code, corner in zip(codes, corners, strict=True)]
    return np.array(lines, np.float32).reshape(columns, rows).T.copy()
