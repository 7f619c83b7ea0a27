"""Files of published data sets in a user's folder: brought by hand, or through the cache."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from triptych_datasets.artifact import Artifact
from triptych_datasets.errors import FetchError
from triptych_datasets.extraction import extract
from triptych_datasets.fetching import fetch

__all__ = ["algorithm_of", "bring", "file_digest", "has_digest", "name_in", "place", "unpack"]

# A published data set may be large; what comes out is bounded only to stop an endless archive.
MAX_BYTES = 1 << 41
MAX_FILES = 50_000_000
MD5_DIGITS = 32


def algorithm_of(digest: str) -> str:
    """The name of the hash that a digest is of, told by its length.

    Example:
        >>> algorithm_of("0" * 32), algorithm_of("0" * 64)
        ('md5', 'sha256')
    """
    return "md5" if len(digest) == MD5_DIGITS else "sha256"


def file_digest(path: Path, algorithm: str) -> str:
    """The hash of a file, in hexadecimal digits.

    Args:
        path: of the file.
        algorithm: "md5" or "sha256".
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()


def has_digest(path: Path, digest: str | None) -> bool:
    """Whether a file is there, and has the hash if one is given.

    Args:
        path: of the file.
        digest: 32 digits of its md5, or 64 of its sha256.
    """
    return path.is_file() and (
        digest is None or file_digest(path, algorithm_of(digest)).startswith(digest)
    )


def name_in(url: str) -> str:
    """The file's name at the end of an address.

    Example:
        >>> name_in("https://host/a%20b.zip?version=2")
        'a b.zip'
    """
    return unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]


def bring(sources: Sequence[str], folder: Path, filename: str, digest: str | None) -> Path:
    """A publisher's file: the one in the folder, where it has the hash, else one in the cache.

    Args:
        sources: addresses, tried in order.
        folder: where a user may have put the file by hand.
        filename: its name there.
        digest: md5 or sha256 of the file; without one, what comes is not checked, with a warning.

    Returns:
        The path of the file. It may be in the cache: do not write to it.

    Raises:
        FetchError: the file cannot be had; the text says what to fetch by hand.
    """
    placed = folder / filename
    if has_digest(placed, digest):
        return placed
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", filename).lstrip(".-")
    known = {} if digest is None else {algorithm_of(digest): digest}
    artifact = Artifact(
        name,
        sources=tuple(sources),
        unverified=digest is None,
        md5=known.get("md5"),
        sha256=known.get("sha256"),
    )
    try:
        return fetch(artifact, progress=True)
    except FetchError as error:
        raise type(error)(
            f"{error}\nOr fetch {sources[0]} in another way and put it at {placed}"
        ) from error


def place(sources: Sequence[str], folder: Path, filename: str, digest: str | None) -> Path:
    """A publisher's file in a folder; fetched when it is not there with the right hash.

    Args:
        sources: addresses, tried in order.
        folder: made when missing.
        filename: in the folder.
        digest: md5 or sha256 of the file, as in `bring`.

    Returns:
        The path in the folder.

    Raises:
        FetchError: the file cannot be had.
    """
    target = folder / filename
    found = bring(sources, folder, filename, digest)
    if found != target:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(target.name + ".part")
        shutil.copyfile(found, unfinished)
        unfinished.replace(target)
    return target


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a folder, over what is there; see `triptych_datasets.extract`."""
    extract(archive, folder, max_bytes=MAX_BYTES, max_files=MAX_FILES, replace=True)
