"""Write a file whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .source import File

__all__ = ["atomic_write"]


@contextmanager
def atomic_write(file: File, caller: str) -> Iterator[BinaryIO]:
    """A binary stream that becomes the file when the block ends without an error.

    The bytes go to a temporary file in the same folder, reach the disk, and take the name in one
    step; a reader sees the old file or the new one. An open file object, a device or a pipe is
    written directly.

    Args:
        file: a path, or a binary file object.
        caller: the public function, for errors.

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    if not isinstance(file, str | os.PathLike):
        yield file
        return
    target = Path(os.path.realpath(file))  # a link stays a link
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"{caller}: the folder {target.parent} does not exist; create it first with "
            "os.makedirs(folder, exist_ok=True)"
        )
    if target.exists() and not target.is_file():
        with open(target, "wb") as stream:
            yield stream
        return
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:  # an interrupt must not leave the temporary file either
        temporary.unlink(missing_ok=True)
        raise
