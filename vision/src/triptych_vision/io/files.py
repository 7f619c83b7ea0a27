"""Bytes of files: from a path, a file object, a buffer or a tensor, and back into files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

__all__ = ["read_file", "write_file"]

PathLike = str | os.PathLike[str]
Encoded = PathLike | bytes | bytearray | memoryview | tp.Tensor | BinaryIO


def read_file(path: PathLike) -> tp.Tensor:
    """The bytes of a file.

    Args:
        path: the file.

    Returns:
        (number of bytes,) uint8.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
    """
    with naming("read_file", path):
        return tp.from_numpy(np.fromfile(path, dtype=np.uint8))


def write_file(filename: PathLike, data: tp.Tensor) -> None:
    """Write bytes into a file.

    Args:
        filename: where.
        data: one axis, uint8.

    Raises:
        DTypeError: another dtype.
        ShapeError: another number of axes.
    """
    if data.dtype is not tp.uint8:
        raise DTypeError(f"write_file: wanted uint8, got {data.dtype}")
    if data.ndim != 1:
        raise ShapeError(f"write_file: wanted one axis, got shape {tuple(data.shape)}")
    write_bytes(filename, data.cpu().numpy().tobytes())


def content_of(caller: str, source: Encoded) -> bytes:
    """The encoded bytes that an argument means.

    Args:
        caller: the public function, for the text of an error.
        source: a path, bytes, a uint8 tensor of one axis, or a binary file, read from where it is.

    Returns:
        The bytes.

    Raises:
        DTypeError: a tensor of another dtype or shape, or something else altogether.
        FileNotFoundError: there is no such file.
        IsADirectoryError: the path is a folder.
    """
    if isinstance(source, str | os.PathLike):
        with naming(caller, source):
            return Path(source).read_bytes()
    if isinstance(source, tp.Tensor):
        if source.dtype is not tp.uint8 or source.ndim != 1:
            raise DTypeError(
                f"{caller}: wanted a file's bytes as uint8 of one axis, got {source.dtype} "
                f"{tuple(source.shape)}"
            )
        return source.cpu().numpy().tobytes()
    content: Any = source.read() if hasattr(source, "read") else source
    if not isinstance(content, bytes | bytearray | memoryview):
        raise DTypeError(
            f"{caller}: wanted a path, bytes, a uint8 tensor or a file opened in mode 'rb', got "
            f"{type(source).__name__}" + (" of text" if isinstance(content, str) else "")
        )
    return bytes(content)


def name_of(source: Encoded) -> str:
    """What errors call a source of bytes: its path, if it has one."""
    if isinstance(source, str | os.PathLike):
        return repr(os.fspath(source))
    named = getattr(source, "name", None)
    return repr(named) if isinstance(named, str) and hasattr(source, "read") else "the bytes"


def write_bytes(target: PathLike | BinaryIO, content: bytes) -> None:
    """Write into a path or a binary file."""
    if isinstance(target, str | os.PathLike):
        Path(target).write_bytes(content)
    else:
        target.write(content)


@contextmanager
def naming(caller: str, path: PathLike) -> Iterator[None]:
    """Errors about a path in the block name the public function."""
    shown = os.fspath(path)
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{caller}: there is no file {shown!r} (looked in {os.getcwd()!r})"
        ) from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{caller}: {shown!r} is a folder; wanted a file") from None
