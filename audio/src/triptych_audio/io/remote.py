"""Sound files at addresses, such as `s3://bucket/a.flac`, through fsspec."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from triptych.errors import MissingDependencyError
from triptych.serialization import atomic_write

__all__ = ["address_of", "local_path", "open_address", "written"]

# At least two letters, so that the drive in "c://folder" is none; fsspec chains with "::".
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(://|::)")


def address_of(uri: Any) -> str | None:
    """The address that a source is, or None for paths and everything else.

    Example:
        >>> address_of("s3://bucket/a.wav"), address_of("folder/a.wav"), address_of(b"RIFF")
        ('s3://bucket/a.wav', None, None)
    """
    return uri if isinstance(uri, str) and SCHEME.match(uri) else None


def local_path(uri: str | os.PathLike[str]) -> Path:
    """The path of a file on this machine, which may be written as `file://` address."""
    text = os.fspath(uri)
    if text.startswith("file://"):
        return Path(url2pathname(urlsplit(text).path))
    return Path(text).expanduser()


@contextmanager
def open_address(address: str, mode: str, caller: str) -> Iterator[BinaryIO]:
    """A file object for what lies at an address.

    Args:
        address: of any kind that fsspec, with its plug-ins, knows.
        mode: "rb" or "wb".
        caller: the public function, for errors.

    Raises:
        MissingDependencyError: fsspec, or its plug-in for the kind of address, is not installed.
        FileNotFoundError: nothing is there.
        ValueError: no plug-in is known for the kind of address.
    """
    try:
        import fsspec
    except ImportError as error:
        raise MissingDependencyError(
            f"{caller}: {address!r} is read and written through fsspec; pip install fsspec, with "
            "the plug-in for its kind, such as s3fs or gcsfs"
        ) from error
    try:
        opening = fsspec.open(address, mode)
    except ImportError as error:  # fsspec's text names the package
        raise MissingDependencyError(f"{caller}: {address!r}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{caller}: {address!r}: {error}") from error
    with opening as file:
        yield cast(BinaryIO, file)


@contextmanager
def written(target: str | os.PathLike[str] | BinaryIO, caller: str) -> Iterator[BinaryIO]:
    """A binary stream that becomes the file: at an address, a path, or the given file object.

    Args:
        target: a path, an address or a binary file object.
        caller: the public function, for errors.

    Raises:
        FileNotFoundError: the folder does not exist.
        MissingDependencyError: an address needs a library that is not installed.
    """
    address = address_of(target)
    if address is not None and not address.startswith("file://"):
        with open_address(address, "wb", caller) as file:
            yield file
        return
    is_path = isinstance(target, (str, os.PathLike))
    with atomic_write(local_path(cast(Any, target)) if is_path else target, caller) as file:
        yield file
