"""Files that lie inside an installed package: not fetched, but held to their hash all the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from triptych_datasets.errors import HashMismatch

__all__ = ["shipped_file"]


def shipped_file(path: Path, sha256: str, package: str) -> Path:
    """The path of a file inside a package, once its bytes are known to be the right ones.

    For files of a few megabytes at most: all of it is read at every call.

    Args:
        path: of the file.
        sha256: 64 hexadecimal digits, of the file the package was published with.
        package: what to install again when the file is damaged.

    Returns:
        The path.

    Raises:
        HashMismatch: the file was changed after it was installed, or is missing.
    """
    came = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if came != sha256:
        raise HashMismatch(
            f"{path}: wanted sha256 {sha256}, got {came}; the installed file was changed: "
            f"install {package} again"
        )
    return path
