"""Files read as streams: packed by gzip, bzip2 or xz, or lying in tar and zip archives.

Nothing is unpacked to disk, and nothing that a file holds is executed.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from triptych.errors import FileFormatError
from triptych_datasets import MissingDataError

__all__ = ["DAMAGE", "Member", "is_packed", "members", "open_packed", "reading", "text_of"]

PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
CHUNK = 1 << 16  # bytes read at once
# What the readers raise on damaged input. gzip and bz2 also raise OSError without errno.
DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    UnicodeDecodeError,
    NotImplementedError,  # a compression that zipfile does not know
)


class Member(NamedTuple):
    """A file in an archive: its name with slashes, and its content, good until the next one."""

    name: str
    stream: IO[bytes]


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Turn what damaged files make readers raise into one error that names the file.

    Args:
        path: for the error.

    Raises:
        FileFormatError: the file is damaged.
        MissingDataError: there is no such file.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise MissingDataError(f"{path} not found") from error
    except DAMAGE as error:
        raise FileFormatError(f"{path}: damaged, or cut short: {error}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise FileFormatError(f"{path}: damaged, or cut short: {error}") from error


def _opener(file: IO[bytes]) -> Callable[..., Any] | None:
    start = file.read(6)
    file.seek(0)
    return next((PACKED[magic] for magic in PACKED if start.startswith(magic)), None)


def is_packed(path: Path) -> bool:
    """Whether a file is packed by gzip, bzip2 or xz, by its content."""
    with open(path, "rb") as file:
        return _opener(file) is not None


@contextmanager
def open_packed(path: Path) -> Iterator[IO[bytes]]:
    """The content of a file, unpacked on the way if it is packed by gzip, bzip2 or xz.

    Args:
        path: of the file; its content says how it is packed, not its name.
    """
    with open(path, "rb") as file:
        opener = _opener(file)
        if opener is None:
            yield file
            return
        with opener(file) as content:
            yield content


class _Raw(io.RawIOBase):
    """What is left of a stream, read in order and left open: the reader of a tar cannot seek."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


@contextmanager
def text_of(stream: IO[bytes], newline: str | None = None) -> Iterator[io.TextIOWrapper]:
    """A stream of bytes as text in UTF-8, without the mark that some editors put at the start.

    Args:
        stream: it stays open.
        newline: what ends a line; by default line ends of all kinds become newlines.
    """
    with (
        io.BufferedReader(_Raw(stream), CHUNK) as chunks,
        io.TextIOWrapper(chunks, encoding="utf-8-sig", newline=newline) as text,
    ):
        yield text


def members(source: Path | IO[bytes], wanted: Callable[[str], bool]) -> Iterator[Member]:
    """The files of an archive, in its order, opened one after the other.

    Args:
        source: a zip or tar file, packed or not; or the content of a tar inside another archive.
        wanted: called with a name, says whether to take the file. Hidden files, which some systems
            add on their own, are never taken.
    """

    def takes(name: str) -> bool:
        return not PurePosixPath(name).name.startswith(".") and wanted(name)

    if isinstance(source, Path) and zipfile.is_zipfile(source):
        yield from _zip_members(source, takes)
    elif isinstance(source, Path):
        with open(source, "rb") as file:
            yield from _tar_members(file, takes)
    else:
        yield from _tar_members(source, takes)


def _zip_members(path: Path, takes: Callable[[str], bool]) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir() and takes(info.filename):
                with archive.open(info) as stream:
                    yield Member(info.filename, stream)


def _tar_members(file: IO[bytes], takes: Callable[[str], bool]) -> Iterator[Member]:
    with tarfile.open(fileobj=file, mode="r|*") as archive:
        for info in archive:
            stream = archive.extractfile(info) if info.isfile() and takes(info.name) else None
            if stream is not None:
                yield Member(info.name, stream)
