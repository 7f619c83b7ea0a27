"""The bytes of one file, from a path or an open binary file; every read is checked."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from ..errors import FileFormatError

__all__ = ["File", "Source"]

File = str | os.PathLike[str] | BinaryIO

_LONG_READ = 1 << 16


class Source:
    """A file to read: its name for messages, its size, and reads that cannot pass its end.

    Args:
        file: a path, or a seekable binary file object, which is read from where it stands.
        mmap: map the file's pages in place of reading them; needs a path. Writes to the arrays
            stay private to the process (copy on write).
        caller: the public function to name in error messages.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: mmap without a path, or a file object that cannot seek.
    """

    def __init__(self, file: File, *, mmap: bool = False, caller: str = "load") -> None:
        self.caller = caller
        self._file: Any
        self._opened = isinstance(file, str | os.PathLike)
        if isinstance(file, str | os.PathLike):
            self.name = os.fspath(file)
            self._file = self._open()
        else:
            self._check_object(file, mmap)
            self.name, self._file = _name_of(file), file
        self._base = self._file.tell()
        self.size = self._file.seek(0, io.SEEK_END) - self._base
        self._map: np.ndarray | None = None  # (size,) uint8
        if mmap and self.size:
            self._map = np.asarray(np.memmap(self.name, np.uint8, mode="c"))

    def _open(self) -> BinaryIO:
        try:
            return open(self.name, "rb")
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.caller}: there is no file {self.name!r} (looked in {os.getcwd()!r})"
            ) from None
        except IsADirectoryError:
            raise IsADirectoryError(
                f"{self.caller}: {self.name!r} is a folder; wanted a file"
            ) from None

    def _check_object(self, file: Any, mmap: bool) -> None:
        missing = [m for m in ("read", "seek", "tell") if not hasattr(file, m)]
        if missing:
            raise TypeError(
                f"{self.caller}: wanted a path or a binary file, got {type(file).__name__} "
                f"without {', '.join(missing)}()"
            )
        if mmap:
            raise ValueError(f"{self.caller}: mmap=True needs a path, not an open file")
        if hasattr(file, "seekable") and not file.seekable():
            raise ValueError(
                f"{self.caller}: {_name_of(file)} cannot seek; read it into io.BytesIO first"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._opened:
            self._file.close()

    def error(self, text: str, kind: type[FileFormatError] = FileFormatError) -> FileFormatError:
        """An error that names the call and the file; the caller raises it."""
        return kind(f"{self.caller}: {self.name}: {text}")

    @contextmanager
    def damage(self, part: str) -> Iterator[None]:
        """Turn whatever a parser trips over in damaged bytes into one error naming the file.

        Failures of the disk and of memory are not the file's fault and pass through.
        """
        try:
            yield
        except (FileFormatError, OSError, MemoryError):
            raise
        except Exception as error:  # parsers of damaged bytes fail in every way there is
            text = f"{part} cannot be read ({type(error).__name__}: {str(error)[:200]})"
            raise self.error(text) from error

    def head(self) -> bytes:
        """The first 64 bytes, which tell the format.

        Raises:
            FileFormatError: the file is empty.
        """
        if not self.size:
            raise self.error("is empty; is the download complete?")
        return self.read(0, 64)

    def read(self, offset: int, nbytes: int) -> bytes:
        """Up to nbytes bytes from offset; fewer at the end of the file."""
        if offset < 0 or offset >= self.size:
            return b""
        self._file.seek(self._base + offset)
        return bytes(self._file.read(min(nbytes, self.size - offset)))

    def array(self, offset: int, nbytes: int, what: str, *, align: int = 8) -> np.ndarray:
        """Exactly the bytes [offset, offset + nbytes) as a writable, aligned uint8 array.

        Args:
            offset: from the start of the file.
            nbytes: how many.
            what: whose bytes they are, for the error.
            align: multiple that the array's address must be of; mapped bytes that are not are
                copied. 8 fits every tensor type.

        Raises:
            FileFormatError: the file ends before.
        """
        if offset < 0 or nbytes < 0 or offset + nbytes > self.size:
            raise self.error(
                f"{what} claims the bytes {offset} to {offset + nbytes}, the file has {self.size}; "
                "is the download complete?"
            )
        if self._map is not None:
            mapped = self._map[offset : offset + nbytes]
            return mapped if offset % align == 0 else mapped.copy()
        out = np.empty(nbytes, np.uint8)
        self._file.seek(self._base + offset)
        if _fill(self._file, out.data) != nbytes:
            raise self.error(f"{what} could not be read whole; the file changed while it was read")
        return out

    def stream(self, offset: int = 0) -> BinaryIO:
        """A buffered reader over the whole file, standing at offset; it never closes the file."""
        reader = _BoundedReader(_Window(self))
        reader.seek(offset)
        return reader


class _Window(io.RawIOBase):
    """A Source as a raw stream, for parsers that want a file."""

    def __init__(self, source: Source) -> None:
        self._source, self._at = source, 0
        self.size = source.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at: int = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if at < 0:
            raise ValueError(f"seek to {at}, before the start")
        self._at = at
        return at

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _BoundedReader(io.BufferedReader):
    """Clamps a read to what is left, so that a claimed length allocates nothing."""

    def __init__(self, window: _Window) -> None:
        super().__init__(window)
        self._size = window.size

    def read(self, nbytes: int | None = -1, /) -> bytes:
        if nbytes is not None and nbytes > _LONG_READ:
            nbytes = max(0, min(nbytes, self._size - self.tell()))
        return super().read(nbytes)


def _name_of(file: Any) -> str:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else f"<{type(file).__name__}>"


def _fill(file: Any, out: memoryview) -> int:
    """Read until out is full or the file ends; returns the count."""
    readinto: Callable[[memoryview], int | None] | None = getattr(file, "readinto", None)
    done = 0
    while done < len(out):
        if readinto is not None:
            got = readinto(out[done:]) or 0
        else:
            data = file.read(len(out) - done)
            out[done : done + len(data)] = data
            got = len(data)
        if not got:
            break
        done += got
    return done
